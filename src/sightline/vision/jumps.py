"""Fast objects at low rates: their boxes do not overlap from one sampled frame to the next.

A track that moves is expected where it leads, also one that was lost a moment ago. A candidate of a single box has no
velocity yet: it is expected where the nearest track in its lane goes, or, where there is none, anywhere in reach of a
plausible speed. What is found so confirms nothing; the next box must lie where the two lead.
"""

from __future__ import annotations

import numpy as np

from sightline.arrays import BoolArray, FloatArray
from sightline.vision.association import NONE, Matches, assign
from sightline.vision.kalman import XYWH
from sightline.vision.tracker_state import (
    BIRTH,
    CONFIRMED,
    FLAGS,
    LAST_FRAME,
    LAST_PTS,
    UNITS_PER_US,
    TrackerState,
)

__all__ = ["jumps"]


# Without a lane: so far, in box sides a second, but never farther than so many sides.
PER_S, FARTHEST = 15.0, 3.5
RATIO = 0.3  # largest |ln| of the ratio of widths or heights
# A track leads where it goes so many sides in a frame, and is expected there but for a side and so much of its way.
LEAD, TOLERANCE = 0.3, 0.4
LATELY_US = 500_000
# Who goes beside another by less, and follows or leads it by less, in sides, is in its lane.
LANE, LANE_FAR = 0.6, 15.0


def jumps(
    state: TrackerState,
    motion: FloatArray,
    xyxy: FloatArray,
    matched: tuple[Matches, ...],
    rest: BoolArray,
    pts_us: int,
) -> Matches:
    """Match tracks and boxes that lie apart.

    Args:
        state: before this frame.
        motion: float64 (20, N), predicted for this frame.
        xyxy: float64 (M, 4), boxes of this frame.
        matched: who has been matched already.
        rest: bool (M,), boxes that are left.
        pts_us: time of the frame.

    Returns:
        columns of the state and their boxes, sorted by column.
    """
    seconds = (pts_us - state.pts_us) / 1e6
    left, facts = _left(state, pts_us, matched), state.facts
    once = facts[LAST_FRAME] == facts[BIRTH]
    once[state.tracked :] = False
    step = LEAD / (seconds * 1e6 * UNITS_PER_US)
    square = motion[4] * motion[4] + motion[5] * motion[5]
    leads = square > step * step * np.maximum(motion[2] * motion[3], 1.0)
    tracks = (left & (once | leads)).nonzero()[0]
    if not len(tracks):
        return NONE
    found = rest.nonzero()[0]
    old, new = motion[:6, tracks], XYWH.measure(xyxy[found])
    side = np.sqrt(np.maximum(old[2] * old[3], 1.0))
    expected, reach = _expected(state, motion, old, side, once[tracks], seconds)
    way = np.hypot(new[0] - expected[0][:, None], new[1] - expected[1][:, None])
    ratio = np.abs(np.log(np.maximum(new[2:, None], 1.0) / np.maximum(old[2:4, :, None], 1.0))).max(0)
    gain = np.where(ratio < RATIO, 1 - way / np.maximum(reach, 1e-6)[:, None] - ratio, 0.0)
    rows, columns = (gain > 0).nonzero()
    if not len(rows):
        return NONE
    one, other = assign(rows, columns, gain[rows, columns])
    return tracks[one], found[other]


def _left(state: TrackerState, pts_us: int, matched: tuple[Matches, ...]) -> BoolArray:
    """Tracks that were seen in the frame before, or a moment ago, and are not now."""
    left: BoolArray = state.facts[LAST_PTS] >= pts_us - LATELY_US
    left[: state.tracked] = True
    for columns, _ in matched:
        left[columns] = False
    return left


def _expected(
    state: TrackerState,
    motion: FloatArray,
    old: FloatArray,
    side: FloatArray,
    once: BoolArray,
    seconds: float,
) -> tuple[FloatArray, FloatArray]:
    """Where each of the tracks may be now, (2, T), and how far from there, (T,) pixels; 0 for those that do not lead."""
    time = seconds * 1e6 * UNITS_PER_US
    step = np.hypot(old[4], old[5]) * time
    reach = np.where(~once & (step > LEAD * side), side + TOLERANCE * step, 0.0)
    expected = old[:2].copy()  # of tracks that move it has been predicted
    if once.any():
        reach[once] = (min(PER_S * seconds, FARTHEST) * side)[once]
        lane = _lanes(state, motion, old, side, time)
        known = once & np.isfinite(lane[0])
        expected[:, known] += lane[:, known]
        reach[known] = (side + TOLERANCE * np.hypot(*lane))[known]
    return expected, reach


def _lanes(
    state: TrackerState, motion: FloatArray, old: FloatArray, side: FloatArray, time: float
) -> FloatArray:
    """The way that the nearest confirmed track in the same lane goes in a frame, (2, T); NaN where there is none."""
    way = np.full((2, len(side)), np.nan)
    size = np.sqrt(np.maximum(motion[2] * motion[3], 1.0))
    speed = np.hypot(motion[4], motion[5])
    moves = ((state.facts[FLAGS] & CONFIRMED != 0) & (speed * time > LEAD * size)).nonzero()[0]
    if not len(moves):
        return way
    there, size, speed = motion[:6, moves], size[moves], speed[moves]
    along, up = there[4] / speed, there[5] / speed
    dx, dy = there[0] - old[0][:, None], there[1] - old[1][:, None]
    beside = np.abs(dx * up - dy * along) / side[:, None]
    far = np.abs(dx * along + dy * up) / side[:, None]
    cost = np.where((beside < LANE) & (far < LANE_FAR), far, np.inf)
    nearest = cost.argmin(1)
    fits = np.isfinite(cost[np.arange(len(side)), nearest])
    scale = (side / size[nearest]) ** 2  # what comes nearer grows, and is faster by its square
    way[:, fits] = (there[4:6, nearest] * time * scale)[:, fits]
    return way
