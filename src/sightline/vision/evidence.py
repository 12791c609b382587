"""Which tracks are objects: decided when everything has been seen, by what each track has shown.

1. *Boxes.* A confident box followed by another one in the next frame: the rule of ByteTrack, with its thresholds scaled to
   the video (`sightline.vision.reference`). The track is an object from there on.
2. *Motion*, where the camera stands still (`sightline.vision.camera`), on the ground where it is known how it moves: a
   false alarm does not travel. A track that was seen
   most of the time, at some time with some confidence, and went somewhere in a straight line, is an object from its first
   box on.
3. *Links.* Tracks that end and begin where one object would have gone on are one chain (`sightline.vision.linking`);
   what moved but showed too little alone may be part of one. A chain is judged as a whole.

Facts of a track are folds over its rows; it may be judged at each of them, so that who has passed and then turns, passed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sightline.arrays import BoolArray, FloatArray, IntArray
from sightline.types import FrameTable, Origin, TrackTable
from sightline.verdicts import Reason, Verdicts
from sightline.vision.camera import stands_still
from sightline.vision.camera_path import CameraPath
from sightline.vision.linking import chains, joined
from sightline.vision.reference import HIGH, NEW
from sightline.vision.stabilised import on_ground
from sightline.vision.strung import strung
from sightline.vision.track_rows import looked_at

__all__ = ["judged"]


BEST = 0.6  # of the reference
# Motion: way in box sides, way over path, boxes over frames, time and number of boxes.
MOVED, STRAIGHT, SEEN, SECONDS_US, HITS = 1.0, 0.9, 0.5, 300_000, 3
# What comes so near to a bar is doubtful.
NEAR = 1.2
# A track of which half of the boxes lie so on those of sure tracks is one of these.
DOUBLE_IOU, DOUBLE_INSIDE, DOUBLE_SHARE = 0.3, 0.6, 0.5
# How far off, in sides, a box may lie from where two before it lead to.
LED = 0.5
# What may be part of a chain: way in box sides.
PART_MOVED = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class _Shown:
    """What each track had shown at each of its rows; columns as long as the table."""

    hits: IntArray
    best: FloatArray
    seen: FloatArray
    moved: FloatArray
    straight: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Rows of a table sorted by track, then seq: the table, where each track begins, and the place of each row's track."""

    table: TrackTable
    starts: IntArray
    lengths: IntArray
    track: IntArray

    @classmethod
    def of(cls, table: TrackTable) -> _Rows:
        new = np.diff(table.track_id, prepend=-1) != 0
        starts = new.nonzero()[0]
        return cls(table, starts, np.diff(starts, append=len(table)), new.cumsum() - 1)

    def on_ground(self, path: CameraPath | None) -> _Rows:
        """The same rows, with their boxes on the ground."""
        return self if path is None else replace(self, table=on_ground(path, self.table))

    @property
    def last(self) -> IntArray:
        return self.starts + self.lengths - 1


def judged(
    frames: FrameTable, by_track: TrackTable, level: float, longest_us: int, path: CameraPath | None = None
) -> tuple[TrackTable, Verdicts]:
    """The objects among the tracks of one group, parts of one object under one id, and why.

    Args:
        frames: the sampled frames of the job.
        by_track: as the tracker gave them, unconfirmed boxes included; sorted by `track_id`, then `seq`.
        level: the reference of the video's confidences.
        longest_us: longest gap between two parts of an object; 0: none is linked.
        path: how the camera moved, in one stretch; None where it stood still, or nobody knows. What moves, and where to,
            is seen on the ground.

    Returns:
        rows of objects, sorted by `track_id`, then `seq`, with a new origin: `HIGH` and `LOW` by the video's threshold,
        `BIRTH` where a track sure by its boxes has one before it was sure; and a verdict on each track.
    """
    if not len(by_track):
        return by_track, Verdicts.none()
    rows, place = _Rows.of(by_track), looked_at(frames)
    ground = rows.on_ground(path)
    sure = _first(rows, _sure(place, rows, ground, level))
    boxes = sure < len(by_track)
    still = stands_still(frames, ground.table[boxes[rows.track]])
    step_us = _step_us(frames)
    shown = _shown(place, ground)
    motion = np.zeros(len(boxes), bool)
    if still:
        motion = np.maximum.reduceat(_moves(shown, level, step_us), rows.starts)
    part = ~boxes & ~motion & (still & _is_part(shown, rows))
    double = strung(place[by_track.seq], ground.table.xyxy, rows.starts)
    double |= _doubles(rows, boxes, (motion | part) & ~boxes)
    boxes, motion, part = boxes & ~double, motion & ~double, part & ~double
    reason = _against(shown, rows, level, step_us, still=still)
    reason[boxes], reason[motion & ~boxes], reason[double] = Reason.BOXES, Reason.MOTION, Reason.DOUBLE
    chain = by_track.track_id[rows.starts].copy()
    linking = longest_us > 0
    candidates = boxes | motion | (part & linking)
    kept = _kept(rows, sure, motion | part, candidates, level)
    if len(kept) and linking:
        chain[candidates] = chains(frames.pts_us, on_ground(path, kept), longest_us)
        linked = _Rows.of(joined(kept, chain[candidates]))
        good = np.isin(linked.table.track_id[linked.starts], chain[boxes | motion])
        good |= np.maximum.reduceat(
            _moves(_shown(place, linked.on_ground(path)), level, step_us), linked.starts
        )
        kept = linked.table[good[linked.track]]
    reason[part & np.isin(chain, kept.track_id)] = Reason.LINKED
    refused = reason > Reason.LINKED
    chain[refused] = by_track.track_id[rows.starts][refused]
    last = rows.last
    return kept, Verdicts(
        by_track.track_id[rows.starts],
        reason,
        chain,
        rows.lengths,
        shown.best[last],
        shown.seen[last],
        shown.moved[last],
        shown.straight[last],
        by_track.seq[rows.starts],
        by_track.seq[last],
        refused & still & _nearly(shown, last, level),
        still and path is None,
    )


def _kept(rows: _Rows, sure: IntArray, whole: BoolArray, candidates: BoolArray, level: float) -> TrackTable:
    """Rows of the candidates: all of those that are objects as a whole, else from the one before they were sure."""
    table, at = rows.table, np.arange(len(rows.table))
    begin = np.where(whole, 0, sure - 1)[rows.track]
    origin = np.where(table.confidence >= HIGH * level, Origin.HIGH, Origin.LOW).astype(np.uint8)
    origin[~whole[rows.track] & (at < sure[rows.track])] = Origin.BIRTH
    same = (table.seq, table.track_id, table.class_id, table.xyxy, table.confidence)
    return TrackTable(*same, origin)[candidates[rows.track] & (at >= begin)]


def _nearly(shown: _Shown, last: IntArray, level: float) -> BoolArray:
    """Tracks that are within a fifth of every bar at their end."""
    return (
        (shown.best[last] * NEAR >= BEST * level)
        & (shown.seen[last] * NEAR >= SEEN)
        & (shown.moved[last] * NEAR >= MOVED)
        & (shown.straight[last] * NEAR >= STRAIGHT)
    )


def _step_us(frames: FrameTable) -> float:
    """Time from one frame to the next."""
    return float(np.median(np.diff(frames.pts_us))) if len(frames) > 1 else 0.0


def _doubles(rows: _Rows, sure: BoolArray, doubtful: BoolArray) -> BoolArray:
    """Doubtful tracks that lie on sure ones most of the time: bool (N,)."""
    table = rows.table
    mine = doubtful[rows.track].nonzero()[0]
    theirs = sure[rows.track].nonzero()[0]
    theirs = theirs[np.argsort(table.seq[theirs], kind="stable")]
    first, end = (table.seq[theirs].searchsorted(table.seq[mine], side) for side in ("left", "right"))
    count = end - first
    one = mine.repeat(count)
    other = theirs[np.arange(len(one)) - (count.cumsum() - count - first).repeat(count)]
    a, b = table.xyxy[one], table.xyxy[other]
    shared = np.prod(np.maximum(np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2]), 0.0), axis=1)
    areas = np.prod(a[:, 2:] - a[:, :2], axis=1), np.prod(b[:, 2:] - b[:, :2], axis=1)
    same = shared > DOUBLE_IOU * (areas[0] + areas[1] - shared)
    same |= shared > DOUBLE_INSIDE * np.minimum(*areas)
    covered = np.zeros(len(table), bool)
    covered[one[same]] = True
    return doubtful & (np.bincount(rows.track, covered, len(sure)) > DOUBLE_SHARE * rows.lengths)


def _sure(place: IntArray, rows: _Rows, ground: _Rows, level: float) -> BoolArray:
    """Rows at which a track is sure by its boxes; the very first frame has none before it."""
    confidence, at = rows.table.confidence, place[rows.table.seq]
    strong = confidence >= NEW * level
    again = np.zeros(len(at), bool)
    again[1:] = strong[:-1] & (np.diff(at) == 1) & (confidence[1:] >= HIGH * level)
    near = _near(at, ground)
    if ground is not rows:  # where the camera turns, boxes stand upright in the picture alone
        near |= _near(at, rows)
    again &= near
    again[rows.starts] = (strong & (at == 0) & _kept_up(near, rows))[rows.starts]
    return again


def _kept_up(near: BoolArray, rows: _Rows) -> BoolArray:
    """Rows that are the only one of their track, or that one of the next two is near: else it jumped to another object."""
    soon = np.append(near, (False, False))
    left = rows.lengths[rows.track] + rows.starts[rows.track] - np.arange(len(near))
    kept_up: BoolArray = (left == 1) | soon[1:-1] | (soon[2:] & (left > 2))
    return kept_up


def _near(place: IntArray, rows: _Rows) -> BoolArray:
    """Rows that overlap the one before, or lie where it and the one before that one lead to."""
    xyxy = rows.table.xyxy
    near = np.zeros(len(xyxy), bool)
    sides = np.minimum(xyxy[1:, 2:], xyxy[:-1, 2:]) - np.maximum(xyxy[1:, :2], xyxy[:-1, :2])
    near[1:] = (sides > 0).all(1)
    centre = (xyxy[:, :2] + xyxy[:, 2:]) / 2
    off = np.abs(centre[2:] - 2 * centre[1:-1] + centre[:-2])
    led = (off < LED * (xyxy[2:, 2:] - xyxy[2:, :2])).all(1)
    near[2:] |= led & (place[2:] - place[:-2] == 2) & (rows.track[2:] == rows.track[:-2])
    return near


def _first(rows: _Rows, marked: BoolArray) -> IntArray:
    """The first marked row of each track, the number of rows where there is none."""
    count = len(marked)
    first: IntArray = np.minimum.reduceat(np.where(marked, np.arange(count), count), rows.starts)
    return first


def _shown(place: IntArray, rows: _Rows) -> _Shown:
    """Fold each track's rows."""
    table, first = rows.table, rows.starts[rows.track]
    hits, at = np.arange(len(table)) - first + 1, place[table.seq]
    low, high = table.xyxy[:, :2], table.xyxy[:, 2:]
    centre = (low + high) / 2
    side = np.sqrt(np.maximum(np.prod(high - low, axis=1), 1.0))
    step = np.zeros(len(table))
    step[1:] = np.hypot(*np.diff(centre, axis=0).T)
    path, sides = step.cumsum(), side.cumsum()
    way = np.hypot(*(centre - centre[first]).T)
    return _Shown(
        hits,
        _highest(table.confidence, rows),
        hits / (at - at[first] + 1),
        way / ((sides - sides[first] + side[first]) / hits),
        way / np.maximum(path - path[first], 1e-6),
    )


def _highest(confidence: FloatArray, rows: _Rows) -> FloatArray:
    """Highest confidence of each track so far: one accumulation of ranks, each track lifted above those before."""
    values, rank = np.unique(confidence, return_inverse=True)
    lift = rows.track * len(values)
    highest: FloatArray = values[np.maximum.accumulate(rank + lift) - lift]
    return highest


def _moves(shown: _Shown, level: float, step_us: float) -> BoolArray:
    """Rows at which a track has shown that it is an object, by motion."""
    return (
        (shown.hits >= HITS)
        & (shown.hits * step_us >= SECONDS_US)
        & (shown.best >= BEST * level)
        & (shown.seen >= SEEN)
        & (shown.moved >= MOVED)
        & (shown.straight >= STRAIGHT)
    )


def _is_part(shown: _Shown, rows: _Rows) -> BoolArray:
    """Tracks that may be part of a chain."""
    last = rows.last
    return (shown.hits[last] >= HITS) & (shown.moved[last] >= PART_MOVED) & (shown.straight[last] >= STRAIGHT)


def _against(shown: _Shown, rows: _Rows, level: float, step_us: float, *, still: bool) -> NDArray[np.uint8]:
    """What stands against each track, at its end."""
    last = rows.last
    hits = shown.hits[last]
    return np.select(
        [
            (hits < HITS) | (hits * step_us < SECONDS_US),
            shown.best[last] < BEST * level,
            shown.seen[last] < SEEN,
            np.full(len(last), not still),
            shown.moved[last] < MOVED,
        ],
        [Reason.SHORT, Reason.FAINT, Reason.BROKEN, Reason.CAMERA, Reason.STANDS],
        Reason.WANDERS,
    ).astype(np.uint8)
