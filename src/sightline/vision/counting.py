"""The unique count of a finished job: tracks in, each track's place in the count out.

An object counts once, in the frame in which the tracker has matched it `min_hits` times (by default a third of a
second's frames). Only rows of origin `HIGH` or `LOW` are hits: a birth or a filled gap is nobody's evidence.
Unconfirmed tracks spend ids too, so the largest id is not the answer.

Its class is decided by vote, each hit with its confidence (`sightline.vision.tally.elected`). `Tally` is the same count
frame by frame, for work in progress.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from sightline.arrays import IntArray
from sightline.counts import CountedGroup, JobCounts, Line, TrackCounts, Zone
from sightline.errors import Misconfigured
from sightline.types import FrameTable, GroupResult, JobResult, Origin, TrackTable
from sightline.vision.doubts import doubts
from sightline.vision.foot_paths import NO_ANCHORS, anchors_of
from sightline.vision.geometry import crossings_of
from sightline.vision.ground import Ground
from sightline.vision.tally import CountRule, Tally, elected
from sightline.vision.track_rows import track_rows

__all__ = [
    "CountRule",
    "Tally",
    "count_groups",
    "count_job",
    "count_tracks",
    "counted_groups",
    "cumulative",
    "hits_limit",
]


def hits_limit(rate: Fraction) -> int:
    """Frames that a track must be matched in before it counts: a third of a second's, at least one.

    The third is exact; a half is rounded to the even neighbour, as Python's `round` of a `Fraction` does.

    >>> [hits_limit(Fraction(rate)) for rate in (1, 10, 25, 30, 60)]
    [1, 3, 8, 10, 20]
    >>> hits_limit(Fraction(30000, 1001)), hits_limit(Fraction(15, 2)), hits_limit(Fraction(9, 2))
    (10, 2, 2)
    """
    return max(1, round(rate / 3))


def count_tracks(frames: FrameTable, tracks: TrackTable, min_hits: int) -> TrackCounts:
    """Count the tracks of one group.

    Args:
        frames: the sampled frames of the job.
        tracks: published tracks, sorted by `seq`, then `track_id`.
        min_hits: frames that a track must be matched in.

    Returns:
        A row a track. One that was never matched has the class of its first row and does not count.

    Raises:
        ValueError: a row of a frame that does not exist.
    """
    if len(tracks) and not 0 <= tracks.seq.min() <= tracks.seq.max() < len(frames):
        raise ValueError(f"tracks have seq {tracks.seq.min()} to {tracks.seq.max()} of {len(frames)} frames")
    rows = track_rows(tracks)
    seq, hit = tracks.seq[rows.order], tracks.origin[rows.order] <= Origin.LOW
    last = rows.starts + rows.lengths - 1
    nth = hit.cumsum()
    before = nth[rows.starts] - hit[rows.starts]  # hits of all tracks that come earlier
    hits = nth[last] - before
    counted = np.full(len(rows.starts), -1)
    enough = hits >= min_hits
    # The hits are numbered through, so a track's n-th hit is the first row that has that number.
    counted[enough] = seq[np.searchsorted(nth, before[enough] + min_hits)]
    return TrackCounts(
        tracks.track_id[rows.order[rows.starts]],
        _elected(tracks, rows.order, rows.starts, rows.track, hit),
        hits,
        seq[rows.starts],
        seq[last],
        counted,
    )


def _elected(
    tracks: TrackTable, order: IntArray, starts: IntArray, track: IntArray, hit: np.typing.NDArray[np.bool_]
) -> IntArray:
    """Class of each track by vote; of its first row where there is no vote."""
    chosen = tracks.class_id[order[starts]]
    if not hit.any():
        return chosen
    classes = int(tracks.class_id.max()) + 1
    key, place = np.unique(track[hit] * classes + tracks.class_id[order[hit]], return_inverse=True)
    votes = np.bincount(place)
    confidence = np.bincount(place, tracks.confidence[order[hit]]).astype(np.float64, copy=False)
    voter, candidate = np.divmod(key, classes)
    winner = elected(voter, candidate, votes, confidence)
    chosen[voter[winner]] = candidate[winner]
    return chosen


def cumulative(frames: FrameTable, tracks: TrackTable, min_hits: int) -> IntArray:
    """Unique objects counted up to and including each frame, int64 (F,); see `count_tracks`."""
    counted = count_tracks(frames, tracks, min_hits).counted_seq
    return np.bincount(counted[counted >= 0], minlength=len(frames)).cumsum()


def count_job(result: JobResult, lines: tuple[Line, ...] = (), zones: tuple[Zone, ...] = ()) -> JobCounts:
    """Count every group of a finished job, on its published tracks. Tracks too short to count make no events.

    Raises:
        Misconfigured: a line or a zone of which no part lies on the picture, two of one name, or of a camera that moves one
            that was drawn on a frame that was not sampled.
    """
    groups = [_group(result, group, anchored=bool(lines or zones)) for group in result.groups]
    size = result.width, result.height
    ground = Ground.of(result.camera, result.frames.frame)
    return count_groups(groups, result.frames.pts_us, size, result.labels, lines, zones, ground)


def count_groups(
    groups: Sequence[CountedGroup | None],
    pts_us: IntArray,
    size: tuple[int, int],
    labels: Sequence[str],
    lines: tuple[Line, ...] = (),
    zones: tuple[Zone, ...] = (),
    ground: Ground | None = None,
) -> JobCounts:
    """The same from the groups' anchors alone, wherever they lie.

    Args:
        groups: in the job's order; None for a group without a tracker.
        pts_us: int64 (F,), of the sampled frames.
        size: width and height of the picture.
        labels: by class id.
        lines, zones: what to look for.
        ground: of a camera that moves; None: it stands still.

    Raises:
        Misconfigured: as for `count_job`.
    """
    _check_names("line", [line.name for line in lines])
    _check_names("zone", [zone.name for zone in zones])
    tracked = [group for group in groups if group is not None]
    events = crossings_of(tracked, pts_us, lines, zones, *size, labels, ground)
    unplaced = () if ground is None else ground.unplaced((*lines, *zones))
    counts = tuple(None if group is None else group.counts for group in groups)
    return JobCounts(counts, lines, zones, tuple(events), tuple(unplaced))


def counted_groups(result: JobResult, counts: JobCounts | None = None) -> Iterator[CountedGroup | None]:
    """Counts and anchors of every group of a finished job, one by one; `counts` where they are known already."""
    known = [None] * len(result.groups) if counts is None else counts.groups
    for group, of in zip(result.groups, known, strict=True):
        yield _group(result, group, of, anchored=True)


def _group(
    result: JobResult, group: GroupResult, counts: TrackCounts | None = None, *, anchored: bool
) -> CountedGroup | None:
    if group.tracks is None:
        return None
    size = result.width, result.height
    if counts is None:
        counts = count_tracks(result.frames, group.tracks, result.min_hits)
        counts = replace(counts, doubts=doubts(result.frames, group, counts, result.min_hits, *size))
    anchors = anchors_of(group.tracks, counts.counted, *size) if anchored else NO_ANCHORS
    return CountedGroup(group.name, counts, anchors)


def _check_names(kind: str, names: Sequence[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise Misconfigured(f"{kind} {name!r} is there {names.count(name)} times; give each its own name")
