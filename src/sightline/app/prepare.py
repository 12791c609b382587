"""Prepare: a source and settings in, everything that decides its result out, before a single frame is decoded."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

import numpy as np

from sightline import pipeline as pipelines
from sightline.adapters.images.folder import ImageFolderReader
from sightline.adapters.video.reader import VideoReader
from sightline.app.runs import evidence_of, first_frame_of, two_wheelers_of
from sightline.app.sources import Source, content_hash, content_size, file_times
from sightline.errors import InvalidVideo, Misconfigured, Rejected, setting
from sightline.formats.text import since_1970
from sightline.pipeline import Resolved
from sightline.ports import DetectorInfo, FrameReader, Stat
from sightline.stages.feed import Plan
from sightline.stages.publish import Facts
from sightline.types import ImageSpec, SourceIndex
from sightline.vision import sampling
from sightline.vision.bytetrack import TRACKER_VERSION
from sightline.vision.counting import hits_limit
from sightline.vision.preprocess import Preprocess
from sightline.vision.refine import REFINE_VERSION, RefineSettings
from sightline.vision.riding import RIDING_VERSION

__all__ = [
    "NAMESPACE",
    "Identity",
    "Probed",
    "Span",
    "check_unchanged",
    "identify",
    "open_reader",
    "probe",
]

NAMESPACE = uuid.UUID("6f1c1d0e-6d2a-5a0f-9f0e-0d5c7a3b9e11")
OWN_SIZE = ImageSpec(0, 0)
# Gaussian blur 3, contrast 1.3, brightness 5: what the pipeline `detect` promises bit for bit.
SYSTEM_B = Preprocess(3, 1.3, 5.0)


@dataclass(frozen=True, slots=True)
class Span:
    """Which part of a source is looked at, and its clock.

    Attributes:
        start_us, end_us: presentation times, end exclusive; None for all.
        fps: frames per second of a source that has no times of its own; None where it has, or its rate is its own.
        clock_start: clock time of pts 0; None where nobody said it.
    """

    start_us: int | None = None
    end_us: int | None = None
    fps: Fraction | None = None
    clock_start: datetime | None = None


@dataclass(frozen=True)
class Probed:
    """A source and what is in it; `times` of its files before anything was read."""

    source: Source
    index: SourceIndex
    stat: Stat
    times: tuple[tuple[str, int, int], ...] = ()


@dataclass(frozen=True)
class Identity:
    """What decides every byte of a result.

    Attributes:
        run_key: hex digest.
        job_id: UUIDv5 of it.
        settings: result settings as `run.json` has them.
        plan, facts: see there.
    """

    run_key: str
    job_id: str
    settings: Mapping[str, Any]
    plan: Plan
    facts: Facts


def probe(source: Source, fps: Fraction | None) -> Probed:
    """Index and hash a source.

    Raises:
        NotFound: it is gone.
        InvalidVideo: nothing in it can be decoded.
        Misconfigured: `fps` for a video that has its own times.
    """
    times = file_times(source)
    reader = open_reader(source, OWN_SIZE, "none", fps)
    try:
        index = reader.index()
    finally:
        reader.close()
    if fps is not None and index.clock == "file":
        raise Misconfigured(
            f"{source.path.name}: a video has its own times; leave out {setting('fps')}", code="usage"
        )
    if not len(index):
        raise InvalidVideo(source.video_id, reason="it has no frame", code="no_frame")
    return Probed(source, index, Stat(content_size(source), content_hash(source)), times)


def check_unchanged(probed: Probed) -> None:
    """Make sure that what was decoded is what was hashed; hours may lie between.

    Raises:
        InvalidVideo: the source was replaced, changed or removed meanwhile.
    """
    try:
        same = file_times(probed.source) == probed.times or content_hash(probed.source) == probed.stat.sha256
    except (Rejected, OSError):
        same = False
    if not same:
        raise InvalidVideo(
            probed.source.video_id,
            reason="it was changed while it was looked at: repeat the command when it stays as it is",
            code="source_changed",
        )


def open_reader(
    source: Source,
    image: ImageSpec,
    preprocess: str,
    fps: Fraction | None,
    index: SourceIndex | None = None,
) -> FrameReader:
    """A reader of a source, for one thread; `index` spares it another look at all of a video's packets."""
    prepared = SYSTEM_B if preprocess == "blur-contrast" else None
    if source.kind == "images":
        return ImageFolderReader(source.path, image, prepared, fps)
    return VideoReader(source.path, image, prepared, index=index, fps=fps)


def identify(
    probed: Probed,
    resolved: Resolved,
    info: DetectorInfo,
    span: Span,
    *,
    reading: Sequence[str] = (),
    chunk_frames: int = 0,
    text: Mapping[str, Any] | None = None,
) -> Identity:
    """Settle what a job looks at and what its result depends on.

    Args:
        probed: the source.
        resolved: the pipeline.
        info: the detector.
        span: part of the source.
        reading: how the model's card says that pictures and outputs are to be read.
        chunk_frames: least frames of a chunk, 0 for the default; changes no byte.
        text: how a text of detections was read; None for other sources.

    Raises:
        Misconfigured: no frame lies in the span, or a group has no label in the model.
    """
    index = probed.index
    rows = sampling.sample(index, resolved.stride, span.start_us, span.end_us)
    if not len(rows):
        seconds = index.duration_us / 1e6
        raise Misconfigured(
            f"{probed.source.video_id}: no frame between {setting('start')} and {setting('end')}; it lasts {seconds:.3f} s",
            code="usage",
        )
    groups = pipelines.class_ids(resolved.groups, info.labels, resolved.classes, resolved.optional)
    settings = _settings(resolved, groups, info.labels, span)
    if text is not None:
        settings["text"] = dict(text)
    key = _run_key(resolved.name, settings, info, probed, reading)
    job_id = str(uuid.uuid5(NAMESPACE, key))
    rate = sampling.rate(index, rows)
    facts = Facts(
        probed.source.video_id,
        job_id,
        0 if span.clock_start is None else since_1970(span.clock_start),
        rate,
        index.width,
        index.height,
        info.labels,
        groups,
        hits_limit(rate),
        resolved.object_conf,
        RefineSettings() if resolved.refine else None,
        span.clock_start,
        first_frame_of(settings),
        two_wheelers_of(settings),
        evidence_of(settings),
    )
    chunks = sampling.chunks(index, chunk_frames) if chunk_frames else sampling.chunks(index)
    return Identity(key, job_id, settings, Plan(index, np.asarray(rows), chunks), facts)


def _settings(
    resolved: Resolved, groups: Mapping[str, Sequence[int]], labels: Sequence[str], span: Span
) -> dict[str, Any]:
    detector, tracker = resolved.detector(), None
    if resolved.tracker is not None:
        tracker = resolved.tracker.model_dump(mode="json") | {"version": TRACKER_VERSION}
    refine = asdict(RefineSettings()) | {"version": REFINE_VERSION} if resolved.refine else None
    settings = {
        "stride": resolved.stride,
        "preprocess": resolved.preprocess,
        "conf": detector.conf,
        "iou": detector.iou,
        "max_det": detector.max_det,
        "object_conf": resolved.object_conf,
        "groups": [{"name": name, "labels": [labels[i] for i in ids]} for name, ids in groups.items()],
        "tracker": tracker,
        "refine": refine,
        "start_us": span.start_us,
        "end_us": span.end_us,
        "fps": None if span.fps is None else str(span.fps),
    }
    rule = _two_wheelers(resolved, groups)
    return settings if rule is None else settings | {"two_wheelers": rule}


def _two_wheelers(resolved: Resolved, groups: Mapping[str, Sequence[int]]) -> dict[str, Any] | None:
    """The rule by which riders are found, where both of its groups are tracked.

    Raises:
        Misconfigured: they are not, and somebody asked for the rule.
    """
    rule = resolved.two_wheelers
    if rule is None or resolved.tracker is None:
        return None
    if {rule.group, rule.riders} <= groups.keys():
        return rule.model_dump(mode="json") | {"version": RIDING_VERSION}
    if rule.group in resolved.optional:
        return None
    raise Misconfigured(
        f"{setting('two_wheelers')} needs the groups {rule.group} and {rule.riders}, and there are {', '.join(groups)}: "
        f"leave it out, or name both with {setting('classes')}",
        code="usage",
    )


def _run_key(
    pipeline: str,
    settings: Mapping[str, Any],
    info: DetectorInfo,
    probed: Probed,
    reading: Sequence[str],
) -> str:
    decides = {
        "pipeline": pipeline,
        "settings": settings,
        "model": [info.sha256, info.labels, list(reading)],
        "engine": [info.engine, info.version, info.precision, astuple(info.image)],
        "source": [probed.source.kind, probed.stat.sha256],
    }
    canonical = json.dumps(decides, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()
