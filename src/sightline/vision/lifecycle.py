"""What becomes of the tracks once it is known which of them was seen: born, confirmed, lost, removed.

The columns of a state keep the order of the official tracker, which decides between equal costs. Tracked: those that
were, then new ones, then those found again. Lost: those that were, then newly lost ones.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sightline.arrays import BoolArray, FloatArray, IndexArray, IntArray
from sightline.types import Detections, Origin, Tracks, TrackTable
from sightline.vision import kalman
from sightline.vision.association import NONE, Matches
from sightline.vision.boxes import area, overlaps
from sightline.vision.kalman import XYAH, XYWH
from sightline.vision.tracker_state import (
    BIRTH,
    CONFIRMED,
    FLAGS,
    JUMPED,
    LAST_FRAME,
    LAST_PTS,
    REMOVED,
    STRONG,
    TRACK_ID,
    UNITS_PER_US,
    TrackerSettings,
    TrackerState,
)

__all__ = ["Levels", "Matched", "advance"]


DUPLICATE_LIMIT = 0.15
# How long a candidate is kept that was not seen: after a single box, and after more.
ONCE_US, CANDIDATE_US = 200_000, 500_000

NO_TABLE = TrackTable.empty()


class Levels(NamedTuple):
    """Confidences that decide in a frame.

    Attributes:
        high: from here on a box is matched first, and confirms a track.
        low: above it a box keeps a confirmed track alive.
        new: from here on a box starts a track, which the next high box confirms.
        birth: from here on a box starts a candidate.
        floor: from here on a box keeps a candidate alive.
        scale: confidences are divided by it before they are multiplied with an overlap.
    """

    high: float
    low: float
    new: float
    birth: float
    floor: float
    scale: float


class Matched(NamedTuple):
    """Which column of the state is which detection.

    Attributes:
        columns, found: a track's column and its detection.
        free: detections that start a track.
        jumped: columns matched without overlap, which confirms nothing yet.
    """

    columns: IndexArray
    found: IndexArray
    free: IndexArray
    jumped: IndexArray

    @classmethod
    def of(cls, free: BoolArray, *parts: Matches, jumped: IndexArray = NONE[0]) -> Matched:
        """All parts together, and what is free."""
        columns = np.concatenate([each for each, _ in parts])
        return cls(columns, np.concatenate([each for _, each in parts]), free.nonzero()[0], jumped)


class _Places(NamedTuple):
    """Where the columns of the next state come from.

    Attributes:
        order: column of the old state, or behind those the number of a new track.
        new: where the new tracks lie in it.
        tracked: how many of it are tracked.
    """

    order: IndexArray
    new: slice
    tracked: int


def advance(
    settings: TrackerSettings,
    levels: Levels,
    state: TrackerState,
    motion: FloatArray,
    detections: Detections,
    matched: Matched,
    pts_us: int,
    seq: int,
) -> tuple[TrackerState, Tracks, TrackTable]:
    """The next state, the confirmed tracks of this frame, and the boxes of those that are not, both by `track_id`.

    Args:
        settings, detections, pts_us, seq: as in `bytetrack.step`.
        levels: confidences that decide in this frame.
        state: as in `bytetrack.step`, with this frame's confidences taken in.
        motion: float64 (20, N), predicted for this frame.
        matched: what the associations found.
    """
    frames = state.frames + 1
    found = np.empty(len(state) + len(matched.free), np.intp)
    found[: len(state)] = -1
    found[matched.columns] = matched.found
    found[len(state) :] = matched.free
    facts, places = _places(settings, state, found, frames, pts_us)
    found = found.take(places.order)
    seen = found[: places.tracked]
    motion = _seen(settings, motion, places, detections.xyxy.take(seen, 0))
    confidence = detections.confidence.take(seen)
    if len(matched.jumped):
        facts = facts.copy()
        facts[FLAGS, matched.jumped] |= JUMPED
    facts = _facts(settings, levels, state, facts, places, confidence, frames, pts_us)
    tracked = places.tracked
    keep = _distinct(settings, motion, facts, tracked)
    if keep is not None:
        tracked = int(keep[:tracked].sum())
        motion, facts, found = motion.compress(keep, 1), facts.compress(keep, 1), found[keep]
    tracks, births = _output(settings, levels, motion, facts[:, :tracked], found[:tracked], detections, seq)
    next_id = state.next_id + len(matched.free)
    return TrackerState(frames, pts_us, next_id, tracked, facts, motion, state.scores), tracks, births


def _places(
    settings: TrackerSettings, state: TrackerState, found: IndexArray, frames: int, pts_us: int
) -> tuple[IntArray, _Places]:
    """Who stays, and the facts of the old columns with those marked that are too old."""
    facts, was, count = state.facts, state.tracked, len(state)
    hit = found[:count] >= 0
    kept = ~hit
    confirmed = facts[FLAGS] & CONFIRMED != 0
    if settings.mode == "quality":
        kept &= facts[LAST_PTS] >= pts_us - 1 - _patience_us(settings, facts, confirmed)
    else:
        kept &= facts[FLAGS] < REMOVED
        if was < count:
            facts = _too_old(settings, state, kept, frames)
    lost = kept[:was]
    if not settings.evidence:
        lost = lost & confirmed[:was]  # an unconfirmed track gets no second chance
    parts = (
        hit[:was].nonzero()[0],
        np.arange(count, len(found)),
        hit[was:].nonzero()[0] + was,
        kept[was:].nonzero()[0] + was,
        lost.nonzero()[0],
    )
    first, behind = len(parts[0]), len(parts[0]) + len(parts[1])
    return facts, _Places(np.concatenate(parts), slice(first, behind), behind + len(parts[2]))


def _patience_us(settings: TrackerSettings, facts: IntArray, confirmed: BoolArray) -> int | IntArray:
    """How long each track may be unseen; a microsecond more, as both times may have been rounded to one."""
    longest = round(settings.track_buffer / UNITS_PER_US)
    if not settings.evidence or np.count_nonzero(confirmed) == len(confirmed):
        return longest
    patience = np.where(facts[LAST_FRAME] == facts[BIRTH], ONCE_US, min(CANDIDATE_US, longest))
    patience[confirmed] = longest
    return patience


def _too_old(settings: TrackerSettings, state: TrackerState, kept: BoolArray, frames: int) -> IntArray:
    """Facts with lost tracks marked as removed after `track_buffer` frames.

    The official tracker still matches such a track in the next frame; found then, it lives on until it is lost the
    next time.
    """
    old = kept & (state.facts[LAST_FRAME] < frames - int(settings.track_buffer))
    old[: state.tracked] = False
    if not old.any():
        return state.facts
    facts = state.facts.copy()
    facts[FLAGS, old] |= REMOVED
    return facts


def _seen(settings: TrackerSettings, motion: FloatArray, places: _Places, xyxy: FloatArray) -> FloatArray:
    """Motion in the new order, corrected by the boxes (T, 4) of the tracked columns."""
    model, new, tracked = XYWH if settings.mode == "quality" else XYAH, places.new, places.tracked
    measured = model.measure(xyxy)
    born = new.stop - new.start
    if born:
        motion = np.concatenate((motion, kalman.begin(model, measured[:, new])), 1)
    motion = motion.take(places.order, 1)
    if not born:
        kalman.correct(model, motion[:, :tracked], measured)
        return motion
    kalman.correct(model, motion[:, : new.start], measured[:, : new.start])
    if new.stop < tracked:
        kalman.correct(model, motion[:, new.stop : tracked], measured[:, new.stop :])
    return motion


def _facts(
    settings: TrackerSettings,
    levels: Levels,
    state: TrackerState,
    facts: IntArray,
    places: _Places,
    confidence: FloatArray,
    frames: int,
    pts_us: int,
) -> IntArray:
    """Facts in the new order: what is tracked was seen now, with these confidences, and may be confirmed thereby."""
    new, tracked = places.new, places.tracked
    born = new.stop - new.start
    if born:
        facts = np.concatenate((facts, np.zeros((len(facts), born), np.int64)), 1)
    facts = facts.take(places.order, 1)
    flags = facts[FLAGS, :tracked]
    if settings.evidence:
        strong = confidence >= levels.new
        again = flags & (STRONG | JUMPED) == STRONG
        again &= facts[LAST_FRAME, :tracked] == frames - 1
        again &= confidence >= levels.high
        flags &= ~(STRONG | JUMPED)
        flags |= again * CONFIRMED
        flags |= strong * STRONG
        sure = strong[new]
    else:
        flags[: new.start] |= CONFIRMED
        flags[new.stop :] |= CONFIRMED
        sure = np.ones(born, bool)
    facts[LAST_FRAME, :tracked] = frames
    facts[LAST_PTS, :tracked] = pts_us
    if born:
        facts[TRACK_ID, new] = np.arange(state.next_id, state.next_id + born)
        facts[BIRTH, new] = frames
        if frames == 1:
            flags[new] |= sure * CONFIRMED
    return facts


def _distinct(
    settings: TrackerSettings, motion: FloatArray, facts: IntArray, tracked: int
) -> BoolArray | None:
    """Which columns stay where a tracked and a lost box are one object, None for all: the longer life wins."""
    if tracked == len(motion.T):
        return None
    quality = settings.mode == "quality"
    boxes, margin = (XYWH, 0.0) if quality else (XYAH, 1.0)
    xyxy = boxes.boxes(motion)
    rows, columns, shared = overlaps(xyxy[:tracked], xyxy[tracked:], margin)
    if not len(rows):
        return None
    sizes = area(xyxy, margin)
    columns = columns + tracked
    same = 1 - shared / (sizes[rows] + sizes[columns] - shared) < DUPLICATE_LIMIT
    if settings.evidence:  # a candidate is no rival of a confirmed track
        same &= (facts[FLAGS, rows] ^ facts[FLAGS, columns]) & CONFIRMED == 0
    if not same.any():
        return None
    rows, columns = rows[same], columns[same]
    life = facts[LAST_FRAME] - facts[BIRTH]
    keep = np.ones(len(xyxy), bool)
    keep[np.where(life[rows] > life[columns], columns, rows)] = False
    return keep


def _output(
    settings: TrackerSettings,
    levels: Levels,
    motion: FloatArray,
    facts: IntArray,
    found: IndexArray,
    detections: Detections,
    seq: int,
) -> tuple[Tracks, TrackTable]:
    """The confirmed tracks by id, and the boxes of the others; `facts` and `found` are of tracked columns."""
    candidate = facts[FLAGS] & CONFIRMED == 0
    shown = len(found) - np.count_nonzero(candidate)
    order = np.lexsort((facts[TRACK_ID], candidate))  # the confirmed come first
    track_id, at = facts[TRACK_ID].take(order), found.take(order)
    xyxy, class_id = detections.xyxy.take(at, 0), detections.class_id.take(at)
    confidence = detections.confidence.take(at)
    origin = (confidence < levels.high).view(np.uint8)  # a high match is never below
    origin[shown:] = Origin.BIRTH
    tracks = Tracks(
        xyxy=xyxy[:shown] if settings.mode == "quality" else XYAH.boxes(motion)[order[:shown]],
        confidence=confidence[:shown],
        class_id=class_id[:shown],
        track_id=track_id[:shown],
        origin=origin[:shown],  # Origin.HIGH is 0, Origin.LOW is 1
    )
    if shown == len(found):
        return tracks, NO_TABLE
    return tracks, TrackTable(
        seq=np.full(len(found) - shown, seq),
        track_id=track_id[shown:],
        class_id=class_id[shown:],
        xyxy=xyxy[shown:],
        confidence=confidence[shown:],
        origin=origin[shown:],
    )
