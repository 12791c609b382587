"""Counts of a part of the objects: of some classes, sure enough, seen often enough. The counting rule stays.

A filter narrows what was counted. An object counts in the frame in which it was matched `min_hits` times with at least
`min_confidence`; its class stays the one that was voted for over its whole track, and so do the places where it crossed a
line: whether it did has nothing to do with other objects.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sightline.arrays import FloatArray, IntArray, SeqArray
from sightline.counts import JobCounts, TrackCounts
from sightline.errors import Misconfigured
from sightline.runs.opened import OpenRun
from sightline.runs.window import rows
from sightline.speeds import JobSpeeds
from sightline.types import Origin
from sightline.vision.counting import hits_limit

__all__ = ["EVERYTHING", "Filter", "Hits", "filtered", "hits_of", "of_counted"]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which objects count.

    Attributes:
        classes: labels or groups; none for all.
        min_confidence: of a box that is a hit, 0 for any.
        min_hits: hits of an object; None for the rule's own.
    """

    classes: tuple[str, ...] = ()
    min_confidence: float = 0.0
    min_hits: int | None = None


EVERYTHING = Filter()


@dataclass(frozen=True, slots=True, eq=False)
class Hits:
    """The boxes of a group in which the tracker matched its tracks, by track, then `seq`.

    Attributes:
        first: int64 (N + 1,): hits of track n are `first[n]` to `first[n + 1]`.
        seq: uint32 (H,).
        confidence: float64 (H,).
    """

    first: IntArray
    seq: SeqArray
    confidence: FloatArray

    @property
    def nbytes(self) -> int:
        """What they take in memory."""
        return self.first.nbytes + self.seq.nbytes + self.confidence.nbytes


def hits_of(run: OpenRun) -> tuple[Hits, ...]:
    """Hits of every group of a run, from its published tracks: anchors say where objects stood, not how sure they were.

    Raises:
        Corrupt: a segment is missing or damaged.
    """
    return tuple(_hits(run, group.name, group.counts) for group in run.tracked)


def filtered(run: OpenRun, counts: JobCounts, which: Filter, hits: Callable[[], Sequence[Hits]]) -> JobCounts:
    """What a filter leaves of the counts of a run.

    Args:
        run: that was counted.
        counts: of all its groups.
        which: the filter.
        hits: of all its groups; asked for only where classes alone do not decide.

    Raises:
        Misconfigured: a class that the run does not have, or fewer hits than the run was counted with.
    """
    least = hits_limit(run.video.rate)
    wanted = _classes(run, which.classes)
    if which.min_hits is not None and which.min_hits < least:
        raise Misconfigured(
            f"min_hits: {which.min_hits} is below {least}, with which this video was counted (a third of a second)",
            code="filter",
        )
    deep = which.min_confidence > 0 or which.min_hits is not None
    every = hits() if deep else [None] * len(counts.groups)
    groups = []
    for counted, of, group in zip(counts.groups, every, run.tracked, strict=True):
        assert counted is not None  # a run that is open has tracks in every group
        kept = counted.counted & wanted[group.name][counted.class_id]
        at = counted.counted_seq if of is None else _counted(of, which, least)
        groups.append(replace(counted, counted_seq=np.where(kept, at, -1)))
    left = replace(counts, groups=tuple(groups))
    counting = _counting(run, left)
    events = tuple(event for event in counts.events if (event.group, event.track_id) in counting)
    return replace(left, events=events)


def of_counted(speeds: JobSpeeds, run: OpenRun, counts: JobCounts) -> JobSpeeds:
    """Ways and crossings of the objects that a filter left in the counts of a run."""
    counting = _counting(run, counts)
    ways = tuple(way for way in speeds.ways if (way.group, way.track_id) in counting)
    passages = tuple(each for each in speeds.passages if (each.group, each.track_id) in counting)
    return replace(speeds, ways=ways, passages=passages)


def _counting(run: OpenRun, counts: JobCounts) -> set[tuple[str, int]]:
    """Group and id of every object that counts."""
    return {
        (group.name, track_id)
        for group, left in zip(run.tracked, counts.groups, strict=True)
        if left is not None
        for track_id in left.track_id[left.counted].tolist()
    }


def _classes(run: OpenRun, names: Sequence[str]) -> dict[str, np.typing.NDArray[np.bool_]]:
    """For each group, which class ids are wanted: bool (labels,)."""
    labels, groups = run.video.labels, [group.name for group in run.video.groups]
    strange = [name for name in names if name not in labels and name not in groups]
    if strange:
        known = ", ".join(dict.fromkeys((*groups, *_known(run))))
        raise Misconfigured(f"classes: there is no {strange[0]!r}; there are {known}", code="filter")
    chosen = np.array([not names or label in names for label in labels], bool)
    return {name: np.ones_like(chosen) if name in names else chosen for name in groups}


def _known(run: OpenRun) -> list[str]:
    return [run.video.labels[number] for group in run.video.groups for number in group.class_ids]


def _counted(hits: Hits, which: Filter, least: int) -> IntArray:
    """Int64 (N,): the frame in which each track had enough hits, -1 where it never had."""
    sure = hits.confidence >= which.min_confidence
    needed = which.min_hits or least
    through = np.append(0, sure.cumsum())  # the sure hits are numbered through all tracks
    before, after = through[hits.first[:-1]], through[hits.first[1:]]
    found = np.full(len(before), -1, np.int64)
    enough = after - before >= needed
    found[enough] = hits.seq[np.searchsorted(through, before[enough] + needed) - 1]
    return found


def _hits(run: OpenRun, group: str, counts: TrackCounts) -> Hits:
    table = rows(run.place, "tracks", group, 0, len(run.video.frames.frame))
    table = table[table.origin <= Origin.LOW]
    track = np.searchsorted(counts.track_id, table.track_id)
    order = np.argsort(track, kind="stable")  # rows come by seq
    first = np.append(0, np.bincount(track, minlength=len(counts)).cumsum())
    return Hits(first, table.seq[order].astype(np.uint32), table.confidence[order])
