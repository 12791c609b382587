"""What of a count is doubtful, so that an auditor looks there first: a pure function of a finished job.

| doubt | when |
|---|---|
| short | matched in less than one and a half times the frames that an object needs |
| near | its evidence is within a fifth of a bar that decided (`sightline.vision.evidence`) |
| gap | nobody saw it for a second or longer, between two boxes |
| linked | it was joined of several tracks: perhaps two objects |
| split | it ends in the picture where another one begins within three seconds, or the other way round: perhaps one object |

A refused track is doubtful where it is near every bar, and was seen as often as an object.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sightline.arrays import BoolArray, IntArray
from sightline.counts import TrackCounts
from sightline.types import FrameTable, GroupResult, Origin, TrackTable
from sightline.verdicts import Doubt, Reason, Verdicts
from sightline.vision.evidence import BEST, MOVED, NEAR, SEEN
from sightline.vision.linking import pairs
from sightline.vision.reference import NEW
from sightline.vision.track_rows import track_rows

__all__ = ["doubts"]

Bits = NDArray[np.uint8]

SHORT = 1.5
GAP_US = 1_000_000
SPLIT_US = 3_000_000
SPLIT_REACH = 1.5  # box sides at once, as many more for each second
SPLIT_RATIO = 0.5  # of areas' logarithms, as sides
BORDER = 0.02  # of the picture: who ends so near to its edge has left


def doubts(
    frames: FrameTable, group: GroupResult, counts: TrackCounts, min_hits: int, width: int, height: int
) -> Bits:
    """The doubts about each counted track of a group: uint8 (N,) of `Doubt`, 0 for tracks that do not count."""
    found = np.zeros(len(counts), np.uint8)
    if group.tracks is None or not len(counts):
        return found
    _mark(found, counts.hits < SHORT * min_hits, Doubt.SHORT)
    _mark(found, _gaps(frames, group.tracks), Doubt.GAP)
    if group.verdicts is not None and group.level is not None:
        _judged(found, counts.track_id, group.verdicts, group.level)
    counted = counts.counted.nonzero()[0]
    split = _split(frames, group.tracks, counted, width, height)
    _mark(found, counted[split], Doubt.SPLIT)
    found[~counts.counted] = 0
    return found


def _mark(found: Bits, which: BoolArray | IntArray, doubt: Doubt) -> None:
    found[which] |= np.uint8(doubt)


def _judged(found: Bits, track_id: IntArray, verdicts: Verdicts, level: float) -> None:
    """Mark what the verdicts say of published tracks, in place."""
    objects = verdicts.objects
    chain, parts = np.unique(verdicts.chain[objects], return_counts=True)
    _mark(found, np.isin(track_id, chain[parts > 1]), Doubt.LINKED)
    moved = verdicts.reason == Reason.MOTION
    barely = moved & (
        (verdicts.best < NEAR * BEST * level)
        | (verdicts.moved < NEAR * MOVED)
        | (verdicts.seen < NEAR * SEEN)
    )
    barely |= (verdicts.reason == Reason.BOXES) & (verdicts.best < (1 + (NEAR - 1) / 4) * NEW * level)
    sure = np.unique(verdicts.chain[objects & ~barely])
    doubtful = np.setdiff1d(verdicts.chain[barely], sure)  # a sure part speaks for the whole chain
    _mark(found, np.isin(track_id, doubtful), Doubt.NEAR)


def _gaps(frames: FrameTable, tracks: TrackTable) -> BoolArray:
    """Tracks that nobody saw for a second between two boxes: bool (N,), by rising id."""
    rows = track_rows(tracks)
    seen = tracks.origin[rows.order] != Origin.INTERPOLATED
    track, time = rows.track[seen], frames.pts_us[tracks.seq[rows.order][seen]]
    long = (np.diff(time) >= GAP_US) & (np.diff(track) == 0)
    gaps = np.zeros(len(rows.starts), bool)
    gaps[track[1:][long]] = True
    return gaps


def _split(frames: FrameTable, tracks: TrackTable, counted: IntArray, width: int, height: int) -> IntArray:
    """Which of the counted tracks may be parts of one object."""
    if len(counted) < 2:
        return np.empty(0, np.int64)
    rows = track_rows(tracks)
    first = rows.order[rows.starts[counted]]
    last = rows.order[(rows.starts + rows.lengths - 1)[counted]]
    end, start = frames.pts_us[tracks.seq[last]], frames.pts_us[tracks.seq[first]]
    before, after = pairs(end, start, SPLIT_US)
    old, new = tracks.xyxy[last][before], tracks.xyxy[first][after]
    gap_s = (start[after] - end[before]) / 1e6
    sides = [np.sqrt(np.maximum(np.prod(box[:, 2:] - box[:, :2], axis=1), 1.0)) for box in (old, new)]
    step = (new[:, :2] + new[:, 2:] - old[:, :2] - old[:, 2:]) / 2
    near = np.hypot(*step.T) <= SPLIT_REACH * (1 + gap_s) * np.sqrt(sides[0] * sides[1])
    near &= np.abs(np.log(sides[1] / sides[0])) < SPLIT_RATIO
    margin = BORDER * np.array([width, height], float)
    inside = (old[:, :2] > margin).all(1) & (old[:, 2:] < np.array([width, height]) - margin).all(1)
    at: IntArray = np.unique(np.concatenate((before[near & inside], after[near & inside])))
    return at
