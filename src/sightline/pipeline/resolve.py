"""A pipeline file, closed for one job: every threshold has one value, and it is known where it came from.

| what | wins over | wins over | wins over |
|---|---|---|---|
| `high`, `new` of the tracker | flag | model card | pipeline file, official value |
| `evidence` of the tracker | flag | pipeline file | on with `quality` where nobody names `high`, `low` or `new` |
| `conf`, `iou` | flag | pipeline file | model card, command's default |
| everything else | flag | pipeline file | default |
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from sightline.errors import Misconfigured, setting
from sightline.pipeline.file import Branch, Dialect, Pipeline, Preprocess, Tracker, TwoWheelers, topic_of
from sightline.validation import machine, result

__all__ = [
    "DEFAULT_MODEL",
    "Card",
    "Overrides",
    "Resolved",
    "ResolvedBranch",
    "ResolvedTracker",
    "TrackerOverrides",
    "model_of",
    "resolve",
    "retracked",
]

Command = Literal["track", "detect"]
Value = TypeVar("Value")

DEFAULT_MODEL = "yolox-nano"
DEFAULT_CONF: Mapping[Command, float] = {"track": 0.1, "detect": 0.25}
DEFAULT_IOU = 0.7
DEFAULT_MAX_DET = 300
# Official values of ByteTrack (tools/track.py of its repository).
OFFICIAL: Mapping[str, Any] = {
    "track_high_thresh": 0.6,
    "track_low_thresh": 0.1,
    "new_track_thresh": 0.7,
    "match_thresh": 0.9,
    "track_buffer": 30.0,
    "fuse_score": True,
}


# Whoever names one of them means it as it is.
THRESHOLDS = frozenset({"track_high_thresh", "track_low_thresh", "new_track_thresh"})


class _Values(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Card(_Values):
    """Thresholds of a model card; None where it has none."""

    conf: float | None = None
    iou: float | None = None
    high: float | None = None
    new: float | None = None


class TrackerOverrides(_Values):
    """What flags and settings say about the tracker; None where they say nothing."""

    mode: Literal["bytetrack", "quality"] | None = None
    track_high_thresh: float | None = None
    track_low_thresh: float | None = None
    new_track_thresh: float | None = None
    match_thresh: float | None = None
    track_buffer: float | None = None
    fuse_score: bool | None = None
    evidence: bool | None = None


class Overrides(_Values):
    """What flags and settings say about a pipeline; None or empty where they say nothing."""

    model: str | None = None
    conf: float | None = None
    iou: float | None = None
    max_det: int | None = None
    vid_stride: int | None = None
    classes: tuple[str, ...] = ()
    refine: bool | None = None
    camera_motion: Literal["auto", "off", "file"] | None = None
    two_wheelers: bool | None = None
    formats: tuple[str, ...] = ()
    tracker: TrackerOverrides = TrackerOverrides()


class ResolvedBranch(_Values):
    """One detector of a job."""

    name: str = result()
    model: str = result(description="Name or file, as written; the run key has the digest instead.")
    conf: float = result()
    iou: float = result()
    max_det: int = result()
    groups: tuple[str, ...] = result()


class ResolvedTracker(_Values):
    """The tracker of a job."""

    mode: Literal["bytetrack", "quality"] = result()
    track_high_thresh: float = result()
    track_low_thresh: float = result()
    new_track_thresh: float = result()
    match_thresh: float = result()
    track_buffer: float = result()
    fuse_score: bool = result()
    evidence: bool = result()


class Resolved(_Values):
    """Everything about a job that its pipeline decides."""

    name: str = result()
    dialect: Dialect = machine()
    stride: int = result()
    preprocess: Preprocess = result()
    branches: tuple[ResolvedBranch, ...] = result()
    groups: dict[str, tuple[str, ...]] = result()
    classes: tuple[str, ...] = result()
    two_wheelers: TwoWheelers | None = result()
    optional: tuple[str, ...] = result(description="Groups of which the model need not have a label.")
    tracker: ResolvedTracker | None = result()
    refine: bool = result()
    camera_motion: Literal["auto", "off"] = result()
    object_conf: float = result()
    topics: dict[str, str] = machine()
    formats: tuple[str, ...] = machine()

    def detector(self) -> ResolvedBranch:
        """The one detector of a job in one process: all branches, where they differ in their groups alone.

        Raises:
            Misconfigured: they differ in more.
        """
        first = self.branches[0]
        for branch in self.branches[1:]:
            if branch.model_copy(update={"name": first.name, "groups": first.groups}) != first:
                raise Misconfigured(
                    f"pipeline {self.name}: branches {first.name} and {branch.name} differ in model or thresholds, "
                    "which one process does not support yet; give both the same"
                )
        return first.model_copy(update={"name": "main", "groups": tuple(self.groups)})

    def result_settings(self) -> dict[str, Any]:
        """What is part of the run key, JSON values only; the model's digest and not its name stands in the key."""
        own = {
            name
            for name, field in type(self).model_fields.items()
            if isinstance(field.json_schema_extra, dict) and field.json_schema_extra["kind"] == "result"
        }
        return self.model_dump(mode="json", include=own, exclude={"branches": {"__all__": {"model"}}})


def model_of(pipeline: Pipeline, overrides: Overrides) -> str:
    """The model whose card `resolve` needs: the flag's, else the file's, else the default.

    Raises:
        Misconfigured: branches of the file name different models.
    """
    if overrides.model is not None:
        return overrides.model
    named = {branch.model or DEFAULT_MODEL for branch in pipeline.branches}
    if len(named) > 1:
        raise Misconfigured(
            f"pipeline {pipeline.name}: more than one model ({', '.join(sorted(named))}) is not supported yet; "
            f"name one with {setting('model')}"
        )
    return named.pop()


def resolve(
    pipeline: Pipeline,
    card: Card | None = None,
    overrides: Overrides | None = None,
    command: Command = "track",
) -> Resolved:
    """Close a pipeline for one job.

    Args:
        pipeline: the file.
        card: thresholds of the model's card.
        overrides: flags and settings.
        command: `detect` leaves the tracker out, and its floor is another one in a file that names none.

    Raises:
        Misconfigured: values that do not fit each other.
    """
    card, overrides = card or Card(), overrides or Overrides()
    pipeline, optional = _with_two_wheelers(pipeline, overrides.two_wheelers)
    tracker = (
        None if command == "detect" else _tracker(pipeline.tracker, pipeline.name, card, overrides.tracker)
    )
    branches = tuple(_branch(branch, pipeline, card, overrides, command) for branch in pipeline.branches)
    floor = min(branch.conf for branch in branches)
    return Resolved(
        name=pipeline.name,
        dialect=pipeline.dialect,
        stride=_first(overrides.vid_stride, pipeline.stride),
        preprocess=pipeline.preprocess,
        branches=branches,
        groups=pipeline.groups,
        classes=tuple(sorted({word.strip().lower() for word in overrides.classes})),
        two_wheelers=pipeline.two_wheelers,
        optional=optional,
        tracker=tracker,
        refine=_refine(pipeline.refine, overrides.refine, tracker),
        camera_motion=_camera_motion(pipeline, overrides.camera_motion),
        object_conf=_first(overrides.conf, max(floor, pipeline.object_conf)),
        topics={stream: topic_of(pipeline, stream) for stream in ("jobs", *pipeline.streams())},
        formats=overrides.formats or pipeline.formats,
    )


def _camera_motion(pipeline: Pipeline, flag: str | None) -> Literal["auto", "off"]:
    """Whether the pictures tell; where a file does they need not."""
    if flag is None:
        return pipeline.camera_motion
    return "auto" if flag == "auto" else "off"


def retracked(
    tracker: Mapping[str, Any], refine: bool, flags: TrackerOverrides, flag: bool | None
) -> tuple[ResolvedTracker, bool]:
    """Settings of a tracker that has run, and whether its tracks were refined, with changes: what none names stays.

    Thresholds that were scaled to the video, or are to be, are not those that were written.

    Args:
        tracker, refine: as a run has them.
        flags, flag: what is said of each.

    Raises:
        Misconfigured: values that do not fit each other.
    """
    mode, scaled = tracker["mode"], tracker.get("evidence", False) or flags.evidence
    taken = OFFICIAL.keys() - (THRESHOLDS if scaled else frozenset())
    kept = {name: value for name, value in tracker.items() if name in taken}
    made = _tracker(Tracker(mode=mode, **kept), "", Card(), flags)
    assert made is not None  # there was a tracker
    same = made.mode == mode
    return made, _refine(refine if same else None, flag, made)


def _first(*values: Value | None) -> Value:
    """The first value that is not None; the last one never is."""
    return next(value for value in values if value is not None)


def _with_two_wheelers(pipeline: Pipeline, flag: bool | None) -> tuple[Pipeline, tuple[str, ...]]:
    """The pipeline with its two-wheelers, or without that group; and the groups that a model may be without."""
    rule = pipeline.two_wheelers
    if rule is None:
        if flag:
            raise Misconfigured(
                f"{setting('two_wheelers')}: pipeline {pipeline.name} names no two-wheelers, or its detector knows none; "
                "add [two_wheelers] and its groups to a pipeline file of your own, or leave the flag out"
            )
        return pipeline, ()
    if flag is not False:
        return pipeline, () if flag else (rule.group,)
    groups = {name: labels for name, labels in pipeline.groups.items() if name != rule.group}
    branches = tuple(
        branch.model_copy(update={"groups": tuple(name for name in branch.groups if name != rule.group)})
        for branch in pipeline.branches
        if branch.groups != (rule.group,)
    )
    return pipeline.model_copy(update={"groups": groups, "branches": branches, "two_wheelers": None}), ()


def _branch(
    branch: Branch, pipeline: Pipeline, card: Card, overrides: Overrides, command: Command
) -> ResolvedBranch:
    return ResolvedBranch(
        name=branch.name,
        model=_first(overrides.model, branch.model, DEFAULT_MODEL),
        conf=_first(overrides.conf, branch.conf, card.conf, DEFAULT_CONF[command]),
        iou=_first(overrides.iou, branch.iou, card.iou, DEFAULT_IOU),
        max_det=_first(overrides.max_det, branch.max_det, DEFAULT_MAX_DET),
        groups=branch.groups or tuple(pipeline.groups),
    )


def _tracker(written: Tracker, pipeline: str, card: Card, flags: TrackerOverrides) -> ResolvedTracker | None:
    mode = flags.mode or written.mode
    said = flags.model_dump(exclude_none=True, exclude={"mode"})
    if mode == "none":
        if said:
            raise Misconfigured(
                f"pipeline {pipeline} has no tracker, so {setting(f'tracker.{next(iter(said))}')} "
                f"means nothing; add {setting('tracker', 'bytetrack')} or {setting('tracker', 'quality')}"
            )
        return None
    own = written.model_dump(exclude_none=True, exclude={"mode"})
    carried = {"track_high_thresh": card.high, "new_track_thresh": card.new}
    tuned = {name: value for name, value in carried.items() if value is not None}
    named = {**own, **tuned, **said}
    evidence = named.get("evidence", mode == "quality" and not named.keys() & THRESHOLDS)
    if evidence and mode != "quality":
        raise Misconfigured(
            f"tracker.evidence works with the quality tracker only: add {setting('tracker', 'quality')}"
        )
    if evidence:
        _check_scaled({**own, **said})
        named = {**own, **said}  # whoever asks for it does not ask for the card's thresholds
    values = {**OFFICIAL, **named, "evidence": evidence}
    low, high = values["track_low_thresh"], values["track_high_thresh"]
    if low > high:
        raise Misconfigured(
            f"track_low_thresh {low:g} is above track_high_thresh {high:g}: lower {setting('tracker.track_low_thresh')} "
            f"or raise {setting('tracker.track_high_thresh')}"
        )
    return ResolvedTracker(mode=mode, **values)


def _check_scaled(named: Mapping[str, Any]) -> None:
    """Refuse thresholds beside evidence: it scales those of ByteTrack, and others would be passed over.

    Raises:
        Misconfigured: says which.
    """
    beside = sorted(named.keys() & THRESHOLDS)
    if beside:
        raise Misconfigured(
            f"tracker.evidence scales the thresholds to the video, and {beside[0]} names one: leave one of them out"
        )


def _refine(written: bool | None, flag: bool | None, tracker: ResolvedTracker | None) -> bool:
    quality = tracker is not None and tracker.mode == "quality"
    if flag and not quality:
        raise Misconfigured(
            f"{setting('refine')} works with the quality tracker only: add {setting('tracker', 'quality')}"
        )
    return quality and _first(flag, written, True)
