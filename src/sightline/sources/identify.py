"""Identify: a source and settings in, everything that decides its result out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from msgspec import UNSET, UnsetType

from sightline import pipeline as pipelines
from sightline.errors import Misconfigured, setting
from sightline.formats.text import since_1970
from sightline.jobs.recipe import (
    Camera,
    Engine,
    GroupLabels,
    Model,
    Picture,
    Recipe,
    Riding,
    Route,
    Settings,
    SourceFacts,
    keyed,
)
from sightline.jobs.topology import FRAME_PARTITIONS, streams_of, topics_of
from sightline.pipeline import Resolved
from sightline.ports import DetectorInfo
from sightline.sources.probe import Probed
from sightline.vision import sampling
from sightline.vision.bytetrack import TRACKER_VERSION
from sightline.vision.camera_view import CAMERA_VERSION
from sightline.vision.refine import REFINE_VERSION, RefineSettings
from sightline.vision.riding import RIDING_VERSION

__all__ = [
    "Span",
    "identify",
    "refine_facts",
    "riding_facts",
    "tracker_facts",
    "versions_here",
    "versions_in",
]


@dataclass(frozen=True, slots=True)
class Span:
    """Which part of a source is sampled, and its clock.

    Attributes:
        start_us, end_us: presentation times, end exclusive; None for all.
        fps: frames per second of a source that has no times of its own; None where it has, or its rate is its own.
        clock_start: clock time of pts 0; None where nobody said it.
    """

    start_us: int | None = None
    end_us: int | None = None
    fps: Fraction | None = None
    clock_start: datetime | None = None


def identify(
    probed: Probed,
    resolved: Resolved,
    info: DetectorInfo,
    span: Span,
    *,
    reading: Sequence[str] = (),
    text: Mapping[str, Any] | None = None,
    camera_file: str = "",
) -> Recipe:
    """Settle which frames a job samples and what its result depends on.

    Args:
        probed: the source.
        resolved: the pipeline.
        info: the detector.
        span: part of the source.
        reading: how the model's card says that pictures and outputs are to be read.
        text: how a text of detections was read; None for other sources.
        camera_file: hash of a file that says how the camera moves; empty where none does.

    Raises:
        Misconfigured: no frame lies in the span, or a group has no label in the model.
    """
    index, source = probed.index, probed.source
    rows = sampling.sample(index, resolved.stride, span.start_us, span.end_us)
    if not len(rows):
        seconds = index.duration_us / 1e6
        raise Misconfigured(
            f"{source.video_id}: no frame between {setting('start')} and {setting('end')}; it lasts {seconds:.3f} s",
            code="usage",
        )
    groups = pipelines.class_ids(resolved.groups, info.labels, resolved.classes, resolved.optional)
    camera = _camera(probed, resolved, camera_file)
    settings = _settings(resolved, groups, info.labels, span, text, camera)
    tracked = settings.tracker is not None
    recipe = Recipe(
        video_id=source.video_id,
        pipeline=resolved.name,
        settings=settings,
        source=_source_facts(probed),
        model=model_of(info, reading),
        engine=engine_of(info),
        class_ids=dict(groups),
        rate=str(sampling.rate(index, rows)),
        sampled=len(rows),
        streams=streams_of(groups, tracked=tracked),
        formats=resolved.formats,
        route=Route(topics=topics_of(groups, tracked=tracked), frame_partitions=FRAME_PARTITIONS),
        created_at_us=0 if span.clock_start is None else since_1970(span.clock_start),
        clock_start=None if span.clock_start is None else span.clock_start.isoformat(),
    )
    return keyed(recipe)


def model_of(info: DetectorInfo, reading: Sequence[str] = ()) -> Model:
    """The model of a detector."""
    return Model(name=info.name, sha256=info.sha256, labels=info.labels, reading=tuple(reading))


def engine_of(info: DetectorInfo) -> Engine:
    """What runs it."""
    return Engine(
        name=info.engine, version=info.version, precision=info.precision, picture=Picture.of(info.image)
    )


def tracker_facts(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a tracker as a recipe has them: with the version of the one that is here."""
    return {**settings, "version": TRACKER_VERSION}


def refine_facts() -> dict[str, Any]:
    """Settings of refinement, and its version."""
    return asdict(RefineSettings()) | {"version": REFINE_VERSION}


def riding_facts(group: str, riders: str) -> Riding:
    """Groups of two-wheelers and of their riders, and the version of the rule."""
    return Riding(group=group, riders=riders, version=RIDING_VERSION)


def versions_in(recipe: Recipe) -> dict[str, int]:
    """The versions of what makes a job's result of its frames, as its recipe has them; a replay tells no motion anew."""
    settings, replayed = recipe.settings, recipe.route.stored is not UNSET
    found = {
        "tracker": None if settings.tracker is None else settings.tracker.get("version"),
        "refinement": None if settings.refine is None else settings.refine.get("version"),
        "riders": None if settings.two_wheelers is UNSET else settings.two_wheelers.version,
        "camera": None if settings.camera is UNSET or replayed else settings.camera.version,
    }
    return {name: version for name, version in found.items() if version is not None}


def versions_here(recipe: Recipe) -> dict[str, int]:
    """The same as a new job like it would have them."""
    here = {
        "tracker": TRACKER_VERSION,
        "refinement": REFINE_VERSION,
        "riders": RIDING_VERSION,
        "camera": CAMERA_VERSION,
    }
    return {name: here[name] for name in versions_in(recipe)}


def _source_facts(probed: Probed) -> SourceFacts:
    index = probed.index
    return SourceFacts(
        kind=probed.source.kind,
        name=index.name,
        bytes=probed.stat.size,
        sha256=probed.stat.sha256,
        frames=len(index),
        width=index.width,
        height=index.height,
        media_start_us=index.media_start_us,
    )


def _settings(
    resolved: Resolved,
    groups: Mapping[str, Sequence[int]],
    labels: Sequence[str],
    span: Span,
    text: Mapping[str, Any] | None,
    camera: Camera | UnsetType,
) -> Settings:
    detector, tracker = resolved.detector(), resolved.tracker
    return Settings(
        stride=resolved.stride,
        preprocess=resolved.preprocess,
        conf=detector.conf,
        iou=detector.iou,
        max_det=detector.max_det,
        object_conf=resolved.object_conf,
        groups=tuple(
            GroupLabels(name=name, labels=tuple(labels[i] for i in ids)) for name, ids in groups.items()
        ),
        tracker=None if tracker is None else tracker_facts(tracker.model_dump(mode="json")),
        refine=refine_facts() if resolved.refine else None,
        start_us=span.start_us,
        end_us=span.end_us,
        fps=None if span.fps is None else str(span.fps),
        two_wheelers=_two_wheelers(resolved, groups),
        text=UNSET if text is None else dict(text),
        camera=camera,
    )


def _camera(probed: Probed, resolved: Resolved, file: str) -> Camera | UnsetType:
    """Where the camera's motion is known from; what is not tracked needs none, and text has no pictures."""
    if resolved.tracker is None:
        return UNSET
    if file:
        return Camera(motion="file", version=CAMERA_VERSION, sha256=file)
    told = resolved.camera_motion == "auto" and probed.source.kind != "detections"
    return Camera(motion="auto", version=CAMERA_VERSION) if told else UNSET


def _two_wheelers(resolved: Resolved, groups: Mapping[str, Sequence[int]]) -> Riding | UnsetType:
    """The rule by which riders are found, where both of its groups are tracked.

    Raises:
        Misconfigured: they are not, and somebody asked for the rule.
    """
    rule = resolved.two_wheelers
    if rule is None or resolved.tracker is None:
        return UNSET
    if {rule.group, rule.riders} <= groups.keys():
        return riding_facts(rule.group, rule.riders)
    if rule.group in resolved.optional:
        return UNSET
    raise Misconfigured(
        f"{setting('two_wheelers')} needs the groups {rule.group} and {rule.riders}, and there are {', '.join(groups)}: "
        f"leave it out, or name both with {setting('classes')}",
        code="usage",
    )
