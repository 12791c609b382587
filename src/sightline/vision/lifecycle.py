"""What becomes of the tracks once it is known which of them was seen: born, confirmed, lost, removed.

The columns of a state keep the order of the official tracker, which decides between equal costs. Tracked: those that
were, then new ones, then those found again. Lost: those that were, then newly lost ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sightline.types import Detections, Origin, Tracks, TrackTable
from sightline.vision import kalman
from sightline.vision.boxes import area, overlaps
from sightline.vision.kalman import XYAH, XYWH
from sightline.vision.tracker_state import (
    BIRTH,
    CONFIRMED,
    FLAGS,
    LAST_FRAME,
    LAST_PTS,
    NO_TABLE,
    REMOVED,
    TRACK_ID,
    UNITS_PER_US,
    TrackerSettings,
    TrackerState,
)

__all__ = ["Matched", "advance"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IndexArray = NDArray[np.intp]
FactArray = NDArray[np.int64]

DUPLICATE_LIMIT = 0.15


@dataclass(frozen=True, slots=True, eq=False)
class Matched:
    """Which column of the state is which detection.

    Attributes:
        columns, found: a track's column and its detection.
        free: detections that start a track.
        confirmed: columns that were unconfirmed until now, rising.
    """

    columns: IndexArray
    found: IndexArray
    free: IndexArray
    confirmed: IndexArray


@dataclass(frozen=True, slots=True, eq=False)
class _Places:
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
    state: TrackerState,
    motion: FloatArray,
    detections: Detections,
    matched: Matched,
    pts_us: int,
    seq: int,
) -> tuple[TrackerState, Tracks, TrackTable]:
    """The next state, the tracks of this frame by `track_id`, and the first boxes of those that it confirmed.

    Args:
        settings, state, detections, pts_us, seq: as in `bytetrack.step`.
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
    motion = _seen(settings, motion, places, detections.xyxy.take(found[: places.tracked], 0))
    facts = _facts(state, facts, places, frames, pts_us)
    tracked, births = places.tracked, _births(state, matched)
    keep = _distinct(settings, motion, facts, tracked)
    if keep is not None:
        tracked = int(keep[:tracked].sum())
        motion, facts, found = motion.compress(keep, 1), facts.compress(keep, 1), found[keep]
        births = births[np.isin(births.track_id, facts[TRACK_ID])]
    tracks, young = _output(settings, motion, facts[:, :tracked], found[:tracked], detections, seq)
    next_id = state.next_id + len(matched.free)
    return TrackerState(frames, pts_us, next_id, tracked, facts, motion, young), tracks, births


def _places(
    settings: TrackerSettings, state: TrackerState, found: IndexArray, frames: int, pts_us: int
) -> tuple[FactArray, _Places]:
    """Who stays, and the facts of the old columns with those marked that are too old."""
    facts, was, count = state.facts, state.tracked, len(state)
    hit = found[:count] >= 0
    kept = ~hit
    if settings.mode == "quality":
        # One more microsecond, as both times may have been rounded to one.
        kept &= facts[LAST_PTS] >= pts_us - 1 - round(settings.track_buffer / UNITS_PER_US)
    else:
        kept &= facts[FLAGS] < REMOVED
        if was < count:
            facts = _too_old(settings, state, kept, frames)
    lost = kept[:was] & (facts[FLAGS, :was] != 0)  # an unconfirmed track gets no second chance
    parts = (
        hit[:was].nonzero()[0],
        np.arange(count, len(found)),
        hit[was:].nonzero()[0] + was,
        kept[was:].nonzero()[0] + was,
        lost.nonzero()[0],
    )
    first, behind = len(parts[0]), len(parts[0]) + len(parts[1])
    return facts, _Places(np.concatenate(parts), slice(first, behind), behind + len(parts[2]))


def _too_old(settings: TrackerSettings, state: TrackerState, kept: BoolArray, frames: int) -> FactArray:
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


def _facts(state: TrackerState, facts: FactArray, places: _Places, frames: int, pts_us: int) -> FactArray:
    """Facts in the new order: what is tracked was seen now, and is confirmed unless it is new."""
    new, tracked = places.new, places.tracked
    born = new.stop - new.start
    if born:
        facts = np.concatenate((facts, np.zeros((len(facts), born), np.int64)), 1)
    facts = facts.take(places.order, 1)
    facts[LAST_FRAME, :tracked] = frames
    facts[LAST_PTS, :tracked] = pts_us
    facts[FLAGS, : new.start] |= CONFIRMED
    facts[FLAGS, new.stop : tracked] |= CONFIRMED
    if born:
        facts[TRACK_ID, new] = np.arange(state.next_id, state.next_id + born)
        facts[BIRTH, new] = frames
        facts[FLAGS, new] = CONFIRMED if frames == 1 else 0
    return facts


def _births(state: TrackerState, matched: Matched) -> TrackTable:
    """First boxes of the tracks that this frame confirms."""
    if not len(matched.confirmed):
        return NO_TABLE
    return state.young[state.young.track_id.searchsorted(state.facts[TRACK_ID, matched.confirmed])]


def _distinct(
    settings: TrackerSettings, motion: FloatArray, facts: FactArray, tracked: int
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
    if not same.any():
        return None
    rows, columns = rows[same], columns[same]
    life = facts[LAST_FRAME] - facts[BIRTH]
    keep = np.ones(len(xyxy), bool)
    keep[np.where(life[rows] > life[columns], columns, rows)] = False
    return keep


def _output(
    settings: TrackerSettings,
    motion: FloatArray,
    facts: FactArray,
    found: IndexArray,
    detections: Detections,
    seq: int,
) -> tuple[Tracks, TrackTable]:
    """The confirmed tracks by id, and the first boxes of the others; `facts` and `found` are of tracked columns."""
    confirmed = facts[FLAGS] != 0
    shown = confirmed.nonzero()[0]
    shown = shown[facts[TRACK_ID].take(shown).argsort()]
    at = found[shown]
    confidence = detections.confidence.take(at)
    low = confidence < settings.track_high_thresh  # a high match is never below
    tracks = Tracks(
        xyxy=detections.xyxy.take(at, 0) if settings.mode == "quality" else XYAH.boxes(motion)[shown],
        confidence=confidence,
        class_id=detections.class_id.take(at),
        track_id=facts[TRACK_ID].take(shown),
        origin=low.view(np.uint8),  # Origin.HIGH is 0, Origin.LOW is 1
    )
    if len(shown) == len(found):
        return tracks, NO_TABLE
    new = (~confirmed).nonzero()[0]
    at = found[new]
    return tracks, TrackTable(
        seq=np.full(len(at), seq, np.int64),
        track_id=facts[TRACK_ID, new],
        class_id=detections.class_id[at],
        xyxy=detections.xyxy[at],
        confidence=detections.confidence[at],
        origin=np.full(len(at), Origin.BIRTH, np.uint8),
    )
