"""The pipeline file: a frozen model of its TOML, bundled or of a user's own."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from sightline.errors import Misconfigured
from sightline.pipeline.groups import fitting
from sightline.validation import checked, did_you_mean, machine, read_toml, result

__all__ = ["BUNDLED", "Branch", "Pipeline", "Tracker", "TwoWheelers", "load", "schema", "topic_of"]

BUNDLED = ("traffic", "visdrone", "detect")

Unit = Annotated[float, Field(ge=0, le=1)]
AboveZero = Annotated[float, Field(gt=0, le=1)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
Preprocess = Literal["none", "blur-contrast"]
Dialect = Literal["native", "a", "b"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Branch(_Part):
    """One detector: a model, its thresholds, and the groups that it finds."""

    name: Name = result(description="Name of the branch; its stream is `frames:<name>`.")
    model: str | None = result(None, description="Name in the model cache, or a file. Unset: `--model`.")
    conf: AboveZero | None = result(
        None, description="Lowest confidence of a detection. Unset: the model card's."
    )
    iou: AboveZero | None = result(
        None,
        description="Overlap from which of two boxes the weaker one is dropped. Unset: the model card's.",
    )
    max_det: int | None = result(None, ge=1, description="Most detections in a frame. Unset: 300.")
    groups: tuple[Name, ...] = result(
        (), description="Groups that this branch finds. Empty: all groups of the pipeline."
    )


class Tracker(_Part):
    """How objects are followed. Thresholds that are unset are the official values of ByteTrack."""

    mode: Literal["bytetrack", "quality", "none"] = result(
        "quality",
        description="`bytetrack` equals the official algorithm, `quality` is our own on top of it, `none` is off.",
    )
    track_high_thresh: Unit | None = result(
        None, description="Detections from this confidence on are matched first. A model card's `high` wins."
    )
    track_low_thresh: Unit | None = result(
        None, description="Detections above it may keep a track alive, never start one."
    )
    new_track_thresh: Unit | None = result(
        None,
        description="A free detection from this confidence on starts a track. A model card's `new` wins.",
    )
    match_thresh: Annotated[float, Field(gt=0, le=1)] | None = result(
        None, description="Largest cost of a match. Higher: fewer splits, more wrong matches."
    )
    track_buffer: float | None = result(
        None,
        ge=0,
        allow_inf_nan=False,
        description="How long a lost track is kept: sampled frames in `bytetrack`, 1/30 s in `quality`.",
    )
    fuse_score: bool | None = result(None, description="Multiply the overlap by the confidence.")
    evidence: bool | None = result(
        None,
        description="Scale thresholds to the confidences of the video, and decide about each track by what it has shown. "
        "Unset: on with `quality`, unless the card, this file or a flag sets a threshold.",
    )


class TwoWheelers(_Part):
    """Bicycles, motorcycles and who rides them: one road user each."""

    group: Name = result(
        "two-wheelers",
        description="Group of two-wheelers; left out where the model has none of its labels.",
    )
    riders: Name = result(
        "people", description="Group whose tracks are not counted where they ride a two-wheeler."
    )


class Pipeline(_Part):
    """One pipeline file."""

    name: Name = result(description="Name of the pipeline.")
    dialect: Dialect = machine("native", description="How records look on the topics.")
    stride: int = result(1, ge=1, description="Every n-th frame is sampled, beginning with frame 0.")
    preprocess: Preprocess = result(
        "none", description="`blur-contrast`: Gaussian blur 3, then contrast 1.3 and brightness 5."
    )
    branches: tuple[Branch, ...] = result((Branch(name="main"),), description="Detectors.")
    groups: dict[Name, tuple[str, ...]] = result(
        description='Labels that are tracked and counted together, any case; `["*"]` is every label.'
    )
    two_wheelers: TwoWheelers | None = result(
        None,
        description="Counts a two-wheeler and its rider as one. Unset: each box counts in its own group.",
    )
    tracker: Tracker = result(Tracker(), description="How objects are followed.")
    refine: bool | None = result(
        None, description="Improve finished tracks before they are counted. Unset: on with `quality`."
    )
    camera_motion: Literal["auto", "off"] = result(
        "auto",
        description="`auto` tells from the pictures how the camera moves; tracks are carried along with it.",
    )
    object_conf: Unit = result(
        0.0, description="Detections below it are no objects in `csv-a` and `json-b`; tracks keep theirs."
    )
    topics: dict[str, str] = machine(
        {},
        description="Topic by stream; `jobs` is that of job events. Unset ones are `<kind>-<part>-<name>`.",
    )
    consumers: dict[str, str] = machine(
        {},
        description='Consumer group by stage and stream, e.g. `"track detections:cars"`; `feed jobs` reads the job events of '
        "all pipelines. Unset ones are `sightline-<stage>-<name>`.",
    )
    formats: tuple[str, ...] = machine(
        ("mot", "csv"), description="Formats that are written when none is named."
    )

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if not self.groups or not all(self.groups.values()):
            raise ValueError('groups: name one at least, each with labels, e.g. objects = ["*"]')
        _check_branches(self.branches, list(self.groups))
        if self.two_wheelers is not None:
            _check_two_wheelers(self.two_wheelers, list(self.groups))
        if self.refine and self.tracker.mode != "quality":
            raise ValueError(f"refine works with the quality tracker only, not with {self.tracker.mode}")
        known = ["jobs", *self.streams()]
        for stream in self.topics:
            if stream not in known:
                raise ValueError(f"topics: no stream {stream!r}; {did_you_mean(stream, known)}")
        readers = self.readers()
        for reader in self.consumers:
            if reader not in readers:
                raise ValueError(f"consumers: nobody reads as {reader!r}; {did_you_mean(reader, readers)}")
        return self

    def readers(self) -> list[str]:
        """Stage and stream of everything that is read."""
        kinds = {"frames": ["detect"], "detections": ["track", "collect"], "tracks": ["stats", "collect"]}
        streams = [(stream, kinds.get(stream.partition(":")[0], ["collect"])) for stream in self.streams()]
        return ["feed jobs", *(f"{stage} {stream}" for stream, stages in streams for stage in stages)]

    def fitted(self, labels: Sequence[str]) -> Self:
        """The same pipeline for a detector made elsewhere, which knows `labels` alone: groups are made to fit them.

        A file of a user's own says what it means and stays as it is.
        """
        if self.name not in BUNDLED or not labels:
            return self
        groups = fitting(self.groups, labels)
        if groups.keys() == self.groups.keys():
            return self
        first = self.branches[0].model_copy(update={"groups": ()})
        rule = self.two_wheelers
        kept = rule if rule is not None and {rule.group, rule.riders} <= groups.keys() else None
        return self.model_copy(update={"groups": groups, "branches": (first,), "two_wheelers": kept})

    def streams(self) -> tuple[str, ...]:
        """Every stream that a job of this pipeline may have, tracked or not."""
        frames = [f"frames:{branch.name}" for branch in self.branches]
        kinds = ("detections", "tracks", "totals")
        return (*frames, *(f"{kind}:{group}" for kind in kinds for group in self.groups))


def _check_branches(branches: Sequence[Branch], groups: Sequence[str]) -> None:
    names = [branch.name for branch in branches]
    if not names or len(set(names)) != len(names):
        raise ValueError("branches: name one at least, no name twice")
    found = [group for branch in branches for group in branch.groups or groups]
    for group in found:
        if group not in groups:
            raise ValueError(f"branches: no group {group!r}; {did_you_mean(group, groups)}")
    if sorted(found) != sorted(groups):
        raise ValueError("branches: every group needs one branch that finds it, and one only")


def _check_two_wheelers(rule: TwoWheelers, groups: Sequence[str]) -> None:
    for group in (rule.group, rule.riders):
        if group not in groups:
            raise ValueError(f"two_wheelers: no group {group!r}; {did_you_mean(group, groups)}")
    if rule.group == rule.riders:
        raise ValueError(f"two_wheelers: group and riders are both {rule.group!r}; name two groups")


def load(name_or_path: str | Path) -> Pipeline:
    """A bundled pipeline by name, or a file.

    Raises:
        Misconfigured: no such pipeline, not TOML, an unknown key (names the nearest), or a value out of its range.
    """
    text = str(name_or_path)
    if text in BUNDLED:
        with resources.as_file(resources.files("sightline.pipelines") / f"{text}.toml") as path:
            return _read(path, path.name)
    path = Path(name_or_path)
    if path.suffix != ".toml" and not path.exists():
        raise Misconfigured(
            f"no pipeline {text!r}; {did_you_mean(text, BUNDLED)} (a file of your own ends in .toml)"
        )
    return _read(path, str(path))


def _read(path: Path, name: str) -> Pipeline:
    return checked(Pipeline, read_toml(path), lambda key: f"{name}: {key}")


def topic_of(pipeline: Pipeline, stream: str) -> str:
    """Topic of a stream.

    >>> topic_of(load("visdrone"), "frames:people"), topic_of(load("visdrone"), "jobs")
    ('person-frames', 'outbox_events')
    """
    default = "outbox_events" if stream == "jobs" else f"{stream.replace(':', '-')}-{pipeline.name}"
    return pipeline.topics.get(stream, default)


def consumer_of(pipeline: Pipeline, stage: str, stream: str) -> str:
    """Consumer group of a stage that reads a stream.

    >>> consumer_of(load("visdrone"), "track", "detections:cars"), consumer_of(load("traffic"), "track", "detections:cars")
    ('car-tracker-group', 'sightline-track-traffic')
    """
    return pipeline.consumers.get(f"{stage} {stream}", f"sightline-{stage}-{pipeline.name}")


def schema() -> dict[str, Any]:
    """JSON Schema of a pipeline file; `kind` says whether a key is part of the run key."""
    return Pipeline.model_json_schema()
