"""Topology as a value: which stage reads which kind of stream, what it writes, and what folds it.

Embedded runs, services, workers, retention, progress and crash tests all read this one table.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sightline.events import Kind, part_of, stream_name
from sightline.jobs.derived import view_of
from sightline.jobs.recipe import Recipe
from sightline.stages.collect import Collect
from sightline.stages.stage import Stage
from sightline.stages.stats import Stats
from sightline.stages.track import Track
from sightline.vision.bytetrack import TrackerSettings
from sightline.vision.counting import CountRule, hits_limit

__all__ = [
    "BRANCH",
    "FOLDS",
    "FRAME_PARTITIONS",
    "JOB_TOPIC",
    "FoldStage",
    "Topology",
    "consumers",
    "folds_of",
    "frames_partition",
    "frames_stream",
    "frames_streams",
    "partition_of",
    "released_by",
    "rule_of",
    "stage_of",
    "streams_of",
    "topics_of",
    "tracker_of",
]

BRANCH = "main"
JOB_TOPIC = "jobs"
FRAME_PARTITIONS = 8


@dataclass(frozen=True, slots=True)
class FoldStage:
    """A stateful stage.

    Attributes:
        name: key of its positions and states.
        reads: kinds of streams.
        emits: the kind that it writes, if it writes to the log.
        make: the fold of a job; None where the job has no use for it.
    """

    name: str
    reads: tuple[Kind, ...]
    emits: Kind | None
    make: Callable[[Recipe], Stage[Any] | None]


def tracker_of(recipe: Recipe) -> TrackerSettings | None:
    """Settings of the tracker; None where nothing is tracked."""
    written = recipe.settings.tracker
    return None if written is None else tracker_settings(written)


def tracker_settings(written: Mapping[str, Any]) -> TrackerSettings:
    """A tracker's settings from those of a run."""
    return TrackerSettings(**{name: value for name, value in written.items() if name != "version"})


def rule_of(recipe: Recipe) -> CountRule:
    """When a track counts. Tracks are forgotten well after the tracker has: twice its buffer, in frames and in time."""
    tracker = tracker_of(recipe)
    buffer = 30.0 if tracker is None else tracker.track_buffer
    min_hits = hits_limit(recipe.sampled_rate)
    return CountRule(min_hits, max(1, int(2 * buffer) + 2), int(2 * buffer / 30 * 1e6) + 1_000_000)


def _track(recipe: Recipe) -> Track | None:
    settings = tracker_of(recipe)
    if settings is None:
        return None
    return Track(settings, view_of(recipe), (recipe.source.width, recipe.source.height))


def _stats(recipe: Recipe) -> Stats | None:
    return Stats(rule_of(recipe)) if recipe.tracked else None


def _collect(recipe: Recipe) -> Collect:
    return Collect(recipe.route.prefix)


FOLDS: tuple[FoldStage, ...] = (
    FoldStage("track", ("detections",), "tracks", _track),
    FoldStage("stats", ("tracks",), "totals", _stats),
    FoldStage("collect", ("detections", "tracks", "totals"), None, _collect),
)


def frames_stream() -> str:
    """The stream of sampled frames."""
    return stream_name("frames", BRANCH)


def frames_streams(recipe: Recipe) -> list[str]:
    """The streams of sampled frames of a job: one for each detector that shares the work."""
    return [stream for stream in recipe.route.topics if part_of(stream)[0] == "frames"]


def streams_of(groups: Iterable[str], *, tracked: bool) -> tuple[str, ...]:
    """Streams that must be complete before a job is published.

    >>> streams_of(["cars"], tracked=True)
    ('detections:cars', 'tracks:cars', 'totals:cars')
    """
    kinds: tuple[Kind, ...] = ("detections", "tracks", "totals") if tracked else ("detections",)
    return tuple(stream_name(kind, group) for group in groups for kind in kinds)


def topics_of(groups: Iterable[str], *, tracked: bool) -> dict[str, str]:
    """Topic of each stream inside one process."""
    return {name: name.replace(":", "-") for name in (frames_stream(), *streams_of(groups, tracked=tracked))}


def folds_of(topics: Mapping[str, str]) -> list[tuple[FoldStage, str]]:
    """Every stateful stage with each topic that it reads, in the order in which records pass them.

    Args:
        topics: topic by stream, of one job or of all jobs of a process.
    """
    pairs = [
        (stage, topic)
        for stage in FOLDS
        for stream, topic in topics.items()
        if part_of(stream)[0] in stage.reads and _follows(stage, stream, topics)
    ]
    return list(dict.fromkeys(pairs))


def _follows(stage: FoldStage, stream: str, topics: Mapping[str, str]) -> bool:
    """Whether what a stage would write has a place: without a topic of tracks nothing is tracked."""
    return stage.emits is None or stream_name(stage.emits, part_of(stream)[1]) in topics


@dataclass(frozen=True)
class Topology:
    """The topics of a store, for all jobs that it may hold.

    Attributes:
        frames: partitions by topic of frames.
        folds: every stateful stage with each topic that it reads, in the order in which records pass them.
        jobs: the topic of job events.
        gather: partitions of that topic and of every one that folds read.
    """

    frames: Mapping[str, int]
    folds: Sequence[tuple[FoldStage, str]]
    jobs: str = JOB_TOPIC
    gather: int = 1

    @classmethod
    def of(
        cls, topics: Mapping[str, str], frame_partitions: int, *, jobs: str = JOB_TOPIC, gather: int = 1
    ) -> Topology:
        """That of jobs whose records travel on `topics`, by stream."""
        frames = {
            topic: frame_partitions for stream, topic in topics.items() if part_of(stream)[0] == "frames"
        }
        return cls(frames, folds_of(topics), jobs, gather)

    def joined(self, other: Topology) -> Topology:
        """That of jobs of both, which share the topic of job events."""
        folds = list(dict.fromkeys([*self.folds, *other.folds]))
        return replace(self, frames={**self.frames, **other.frames}, folds=folds)

    def reads(self) -> list[tuple[str, str, int]]:
        """Stage, topic and partitions of everything that is read, in the order in which records pass them."""
        return [
            ("feed", self.jobs, self.gather),
            *(("detect", topic, partitions) for topic, partitions in self.frames.items()),
            *((stage.name, topic, self.gather) for stage, topic in self.folds),
        ]


def consumers(topology: Topology) -> dict[str, int]:
    """How many stages read each topic; below the slowest of them nobody reads again."""
    counts: dict[str, int] = {}
    for _, topic, _ in topology.reads():
        counts[topic] = counts.get(topic, 0) + 1
    return counts


def partition_of(job_id: str, partitions: int) -> int:
    """Where the events of a job and all that gathers of it lie.

    >>> partition_of("0b7a1d0e-3c5f-4f0e-9d0a-8d2b6f1e7c11", 8), partition_of("any", 1)
    (2, 0)
    """
    return int.from_bytes(hashlib.sha256(job_id.encode()).digest()[:8], "big") % partitions


def frames_partition(chunk: int, first: int, partitions: int) -> int:
    """Where the frames of a chunk lie: one video is spread over all partitions.

    Args:
        chunk: its number.
        first: partition of the job's first chunk: jobs begin at different ones, or the short ones would all share the lowest.
        partitions: of the topic.

    >>> frames_partition(0, 6, 8), frames_partition(3, 6, 8)
    (6, 1)
    """
    return (first + chunk) % partitions


def stage_of(recipe: Recipe, stage: FoldStage, stream: str) -> Stage[Any] | None:
    """What folds a stream of a job; None where the stage has nothing to do with it."""
    if stream not in recipe.streams or part_of(stream)[0] not in stage.reads:
        return None
    return stage.make(recipe)


def released_by(recipe: Recipe) -> tuple[tuple[str, str], ...]:
    """The stages and streams behind detection: what all of them have released makes room for new frames."""
    stage = "track" if recipe.tracked else "collect"
    return tuple((stage, stream_name("detections", group)) for group in recipe.class_ids)
