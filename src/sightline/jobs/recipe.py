"""The recipe of a job: all that decides its bytes, and where its records travel. No path, no clock, no open thing.

`feed` resolves it once and writes it to the job's row as its facts; every worker of any process reads it there. The
run key is computed from it, and `run.json` tells the part of it that decides a result.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import astuple
from datetime import datetime
from fractions import Fraction
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from sightline.jobs.rows import read
from sightline.ports import Job
from sightline.types import ImageSpec

__all__ = [
    "NAMESPACE",
    "VERSION",
    "Camera",
    "Engine",
    "GroupLabels",
    "Model",
    "Picture",
    "Recipe",
    "Riding",
    "Route",
    "Settings",
    "SourceFacts",
    "asked_of",
    "decode",
    "encode",
    "job_id_of",
    "job_of",
    "keyed",
    "known_of",
    "run_key",
]

# One that follows the camera is of version 2: a release that does not would pass it over. Others are of version 1.
VERSION = 2
NAMESPACE = uuid.UUID("6f1c1d0e-6d2a-5a0f-9f0e-0d5c7a3b9e11")


class GroupLabels(msgspec.Struct, frozen=True, kw_only=True):
    """A group and the labels of the model that belong to it."""

    name: str
    labels: tuple[str, ...]


class Riding(msgspec.Struct, frozen=True, kw_only=True):
    """Groups of two-wheelers and of their riders, and the version of the rule."""

    group: str
    riders: str
    version: int


class Camera(msgspec.Struct, frozen=True, kw_only=True):
    """Where the camera's motion is known from: the pictures (`auto`) or a `file`, by the hash of what it says; and the
    version of the estimate.
    """

    motion: Literal["auto", "file"]
    version: int
    sha256: str = ""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Result settings, as `run.json` has them.

    Attributes:
        stride: every so many frames are sampled.
        preprocess: `none`, or `blur-contrast` as the pipeline `detect` promises.
        conf, iou, max_det: of the detector.
        object_conf: confidence from which a detection is an object.
        groups: in the pipeline's order.
        tracker: its mode, thresholds and version; None: nothing is tracked.
        refine: settings and version of refinement; None: tracks stay as the tracker gave them.
        start_us, end_us: presentation times, end exclusive; None for all.
        fps: frames per second of a source that has no times of its own.
        two_wheelers: how riders are found; not there: riders are people.
        text: how a text of detections was read; not there for other sources.
        camera: where the camera's motion is known from; not there: it is not.
    """

    stride: int
    preprocess: Literal["none", "blur-contrast"]
    conf: float
    iou: float
    max_det: int
    object_conf: float
    groups: tuple[GroupLabels, ...]
    tracker: dict[str, Any] | None
    refine: dict[str, Any] | None
    start_us: int | None = None
    end_us: int | None = None
    fps: str | None = None
    two_wheelers: Riding | UnsetType = UNSET
    text: dict[str, Any] | UnsetType = UNSET
    camera: Camera | UnsetType = UNSET


class SourceFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What was read: name for people, bytes, hash; what the index found: frames, size of the picture, and its key.

    Attributes:
        kind: `video`, `images` or `detections`.
        name: file or folder name.
        bytes, sha256: of its content.
        frames: rows of the index.
        width, height: pixels of the first frame as displayed.
        index: object key of the stored index, below the job's prefix.
        media_start_us: what a player calls the time of the first frame; 0 too for jobs of releases that did not look.
    """

    kind: Literal["video", "images", "detections"]
    name: str
    bytes: int
    sha256: str
    frames: int
    width: int
    height: int
    index: str = "index.bin"
    media_start_us: int = 0


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """Detector by name, digest and labels; `reading` says how its card has pictures and outputs read."""

    name: str
    sha256: str
    labels: tuple[str, ...]
    reading: tuple[str, ...] = ()


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """The picture that a detector wants; see `ImageSpec`."""

    width: int
    height: int
    layout: Literal["rgb", "bgr", "i420"]
    fit: Literal["centre", "topleft", "stretch"]
    pad: int

    @classmethod
    def of(cls, image: ImageSpec) -> Picture:
        """The same as a part of a recipe."""
        return cls(width=image.width, height=image.height, layout=image.layout, fit=image.fit, pad=image.pad)

    def spec(self) -> ImageSpec:
        """The same for readers and detectors."""
        return ImageSpec(self.width, self.height, self.layout, self.fit, self.pad)


class Engine(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker must honour or refuse: engine, version, resolved precision, picture."""

    name: str
    version: str
    precision: str
    picture: Picture


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """Where the records of a job travel.

    Attributes:
        topics: topic by stream.
        frame_partitions: the frames of a video are spread over so many partitions, by chunk.
        partition: where its first chunk lies, and everything else of the job gathers.
        prefix: of every object key of the job.
        branches: groups by branch, where several detectors share the work; not there: one finds all groups.
        bucket: where an old client looks for the result; not there: none does.
        stored: prefix of the job whose stored detections are this one's too; not there: its frames are detected.
    """

    topics: dict[str, str]
    frame_partitions: int
    partition: int = 0
    prefix: str = ""
    branches: dict[str, tuple[str, ...]] | UnsetType = UNSET
    bucket: str | UnsetType = UNSET
    stored: str | UnsetType = UNSET

    def found_in(self, topic: str) -> tuple[str, ...] | None:
        """Groups whose detector reads a topic of frames; None for all."""
        if self.branches is UNSET:
            return None
        return next(
            groups for branch, groups in self.branches.items() if self.topics[f"frames:{branch}"] == topic
        )


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """See the module.

    Attributes:
        v: version of this form.
        run_key: digest over everything that decides a result.
        job_id, video_id: identity, and name for people.
        pipeline: its name.
        settings, source, model, engine, route: see there.
        class_ids: the model's classes by group.
        rate: sampled frames per second, a fraction as text.
        sampled: number of sampled frames.
        streams: those that must be complete before results are published.
        formats: of the result files.
        created_at_us: time stamp of frame 0 on the topics, microseconds since 1970-01-01 UTC.
        clock_start: clock time of frame 0 as ISO 8601; None where nobody said it.
    """

    v: int = 1
    run_key: str = ""
    job_id: str = ""
    video_id: str
    pipeline: str
    settings: Settings
    source: SourceFacts
    model: Model
    engine: Engine
    class_ids: dict[str, tuple[int, ...]]
    rate: str
    sampled: int
    streams: tuple[str, ...]
    formats: tuple[str, ...]
    route: Route
    created_at_us: int = 0
    clock_start: str | None = None

    @property
    def tracked(self) -> bool:
        """Whether detections become tracks."""
        return self.settings.tracker is not None

    @property
    def sampled_rate(self) -> Fraction:
        """Sampled frames per second."""
        return Fraction(self.rate)

    @property
    def clock(self) -> datetime | None:
        """Clock time of frame 0; None where nobody said it."""
        return None if self.clock_start is None else datetime.fromisoformat(self.clock_start)

    def in_order(self) -> Recipe:
        """The same with one partition of frames, on which they are detected in their order. Changes no byte."""
        return msgspec.structs.replace(self, route=msgspec.structs.replace(self.route, frame_partitions=1))

    def settings_json(self) -> dict[str, Any]:
        """The result settings as `run.json` has them, JSON values only."""
        built: dict[str, Any] = msgspec.to_builtins(self.settings)
        return built


def keyed(recipe: Recipe) -> Recipe:
    """The same with its run key; where it names no job, as in `track`, with a job that follows from the key."""
    key = run_key(recipe)
    v = 1 if recipe.settings.camera is UNSET else VERSION
    return msgspec.structs.replace(recipe, v=v, run_key=key, job_id=recipe.job_id or job_id_of(key))


def run_key(recipe: Recipe) -> str:
    """Hex digest over all that decides a result: settings, detector, and the bytes of the source.

    The name of a model, clock, formats and route are not part of it.
    """
    model, engine = recipe.model, recipe.engine
    decides = {
        "pipeline": recipe.pipeline,
        "settings": recipe.settings_json(),
        "model": [model.sha256, model.labels, list(model.reading)],
        "engine": [engine.name, engine.version, engine.precision, astuple(engine.picture.spec())],
        "source": [recipe.source.kind, recipe.source.sha256],
    }
    canonical = json.dumps(decides, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def job_id_of(key: str) -> str:
    """The job of a run key where nobody counts jobs, as in `track`: a UUID of version 5."""
    return str(uuid.uuid5(NAMESPACE, key))


def encode(recipe: Recipe) -> dict[str, Any]:
    """JSON values, as a job's row holds them."""
    built: dict[str, Any] = msgspec.to_builtins(recipe)
    return built


def decode(facts: Mapping[str, Any]) -> Recipe:
    """The recipe in a job's facts.

    Raises:
        Misconfigured: a newer release wrote it.
        Corrupt: it is none.
    """
    return read(facts, Recipe, VERSION, "recipe")


def job_of(recipe: Recipe) -> Job:
    """A new job whose recipe is known before it is fed, as in `track`, whose folder is named by the run key."""
    return Job(recipe.job_id, recipe.video_id, recipe.created_at_us, request={"recipe": encode(recipe)})


def known_of(job: Job) -> Recipe:
    """What is known of a job: what was found of it, or before that what it was stored with.

    Raises:
        Corrupt: neither is a recipe.
        Misconfigured: a newer release wrote it.
    """
    return decode(job.facts) if job.facts else asked_of(job)


def asked_of(job: Job) -> Recipe:
    """The recipe that a job was stored with.

    Raises:
        Corrupt: it was stored with none.
        Misconfigured: a newer release wrote it.
    """
    return decode(job.request.get("recipe", {}))
