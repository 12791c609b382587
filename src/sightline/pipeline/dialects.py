"""Which codec a topic has: the pipeline files say it, for records are read before their job is known."""

from __future__ import annotations

from collections.abc import Iterable

from sightline.errors import Misconfigured
from sightline.events import Codec, Codecs, DialectA, DialectB, OutboxEvents, native, part_of
from sightline.events.dialect_a import FORMS_A
from sightline.events.dialect_b import FORMS_B
from sightline.pipeline.file import Pipeline, topic_of

__all__ = ["codecs_for", "form_of"]

JOBS = "jobs"
OUTBOX_EVENTS = "outbox_events"
_DIALECTS = {"a": (FORMS_A, DialectA), "b": (FORMS_B, DialectB)}


def codecs_for(pipelines: Iterable[Pipeline]) -> Codecs:
    """Codecs of the topics of some pipelines.

    The topic `outbox_events` holds job events as system B has them, whatever the pipeline: all jobs share it. Kinds of
    records that a dialect has no form for are native, totals always; so are topics that no pipeline names.

    Raises:
        Misconfigured: two streams or dialects share a topic, of which only the native form tells them apart.

    >>> from sightline.pipeline import load
    >>> codecs = codecs_for([load("visdrone"), load("detect")])
    >>> [type(codecs(topic)).__name__ for topic in ("car-frames", "totals-cars", "inference_results", "outbox_events")]
    ['DialectA', 'Native', 'DialectB', 'OutboxEvents']
    """
    forms: dict[str, tuple[str, str]] = {}
    for pipeline in pipelines:
        for stream in (JOBS, *pipeline.streams()):
            topic = topic_of(pipeline, stream)
            form = form_of(pipeline, stream)
            if forms.setdefault(topic, form) != form:
                raise Misconfigured(
                    f"pipeline {pipeline.name}: topic {topic} of {stream} has records of {_said(forms[topic])} already; "
                    "name another topic"
                )
    codecs = {topic: _codec(dialect, stream) for topic, (dialect, stream) in forms.items()}
    return lambda topic: codecs.get(topic) or native(topic)


def form_of(pipeline: Pipeline, stream: str) -> tuple[str, str]:
    """Dialect of a stream's topic and, where its records do not say it, the stream."""
    if stream == JOBS:
        topic = topic_of(pipeline, JOBS)
        return ("b", JOBS) if topic == OUTBOX_EVENTS or pipeline.dialect == "b" else ("native", JOBS)
    known = pipeline.dialect in _DIALECTS and part_of(stream)[0] in _DIALECTS[pipeline.dialect][0]
    return (pipeline.dialect, stream) if known else ("native", "")


def _codec(dialect: str, stream: str) -> Codec:
    if dialect == "native":
        return native(stream)
    return OutboxEvents() if stream == JOBS else _DIALECTS[dialect][1](stream)


def _said(form: tuple[str, str]) -> str:
    dialect, stream = form
    return f"{stream or 'streams'} in dialect {dialect}"
