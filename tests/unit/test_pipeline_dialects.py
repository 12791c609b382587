"""Which codec a topic has: read from the pipeline files."""

import pytest

from sightline.errors import Misconfigured
from sightline.events import DialectA, DialectB, End, Native, OutboxEvents
from sightline.pipeline import BUNDLED, Pipeline, codecs_for, load

GROUPS = {"cars": ("car",), "people": ("person",)}


def made(**fields) -> Pipeline:
    return Pipeline.model_validate({"name": "mine", "groups": GROUPS, **fields})


def test_the_topics_of_the_founding_systems_speak_their_dialects():
    """All bundled pipelines in one service; totals are native, and so is whatever no pipeline names."""
    codecs = codecs_for([load(name) for name in BUNDLED])

    kinds = {
        DialectA: [
            "car-frames", "person-frames", "detections-cars", "detections-people", "tracks-cars", "tracks-people",
        ],
        DialectB: ["inference_tasks", "inference_results"],
        OutboxEvents: ["outbox_events"],
        Native: ["totals-cars", "totals-people", "frames-traffic", "detections-cars-traffic", "nobody-s", "jobs"],
    }  # fmt: skip
    for kind, topics in kinds.items():
        assert [type(codecs(topic)) for topic in topics] == [kind] * len(topics)


def test_the_stream_of_a_record_is_that_of_its_topic():
    """Its value does not say it."""
    codecs = codecs_for([load("visdrone"), load("detect")])
    streams = {
        "car-frames": "frames:cars",
        "person-frames": "frames:people",
        "tracks-people": "tracks:people",
        "inference_tasks": "frames:main",
        "inference_results": "detections:objects",
    }

    for topic, stream in streams.items():
        end = End("j", stream, 7)
        assert codecs(topic).decode(codecs(topic).encode(end)) == end


def test_job_events_have_system_b_s_form_where_old_consumers_look_for_them():
    """On `outbox_events`, and on any topic of a pipeline of its dialect; a topic of one's own is native."""
    topics = {"jobs": "accepted"}

    assert isinstance(codecs_for([made(dialect="a")])("outbox_events"), OutboxEvents)
    assert isinstance(codecs_for([made(dialect="b", topics=topics)])("accepted"), OutboxEvents)
    assert isinstance(codecs_for([made(dialect="a", topics=topics)])("accepted"), Native)


def test_kinds_that_a_dialect_has_no_form_for_are_native():
    """System B has no tracks."""
    codecs = codecs_for([made(dialect="b")])

    assert isinstance(codecs("detections-cars-mine"), DialectB)
    assert isinstance(codecs("tracks-cars-mine"), Native)


@pytest.mark.parametrize("dialect", ["a", "b"])
def test_two_streams_of_a_dialect_do_not_share_a_topic(dialect):
    """Nobody could tell them apart; natively they may."""
    topics = {"detections:cars": "found", "detections:people": "found"}

    with pytest.raises(
        Misconfigured, match="topic found of detections:people has records of detections:cars"
    ):
        codecs_for([made(dialect=dialect, topics=topics)])
    assert isinstance(codecs_for([made(topics=topics)])("found"), Native)


def test_two_dialects_do_not_share_a_topic():
    """Two pipelines of a service with one topic."""
    first = made(topics={"detections:cars": "inference_results"})

    with pytest.raises(Misconfigured, match="name another topic"):
        codecs_for([first, load("detect")])
