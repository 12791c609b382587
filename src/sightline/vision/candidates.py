"""Matching where thresholds are the video's own: confirmed tracks first, then candidates, then what nothing overlaps.

Confirmed tracks are matched as ByteTrack does it. What they leave and do not cover belongs to *candidates*: tracks that
any box from a low confidence on may start, and of which nobody knows yet whether they are objects
(`sightline.vision.evidence`). What is left then may be a fast object at a low rate (`sightline.vision.jumps`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sightline.arrays import BoolArray, FloatArray
from sightline.types import Detections
from sightline.vision.association import NONE, Candidates, Matches, choose
from sightline.vision.doubles import same, suppress
from sightline.vision.jumps import jumps
from sightline.vision.lifecycle import Levels, Matched
from sightline.vision.tracker_state import BIRTH, CONFIRMED, FLAGS, LAST_FRAME, TrackerSettings, TrackerState

__all__ = ["BIRTH_CONF", "FLOOR_CONF", "Frame", "match_candidates"]


# Confidence of a candidate's first box and of later ones, for a network whose sure boxes score 0.9.
BIRTH_CONF, FLOOR_CONF = 0.2, 0.05
LOW_LIMIT, ONCE_LIMIT = 0.5, 0.7
# What is so fast, in box sides per 1/30 s, and alone needs less overlap with a low box.
FAST, LOOSE = 0.07, 0.3
SMALLER = 0.53  # both sides by so much: another object
RIVAL_IOU = 0.1  # from here on another track is near


class Frame(NamedTuple):
    """A frame to be matched.

    Attributes:
        settings, levels, state: of the tracker.
        motion: float64 (20, N), predicted for this frame.
        detections: of this frame.
        kept: bool (M,), which of them take part; None for all.
        doubles: pairs of them that are one object, where these have been looked for already.
        pts_us: its time.
    """

    settings: TrackerSettings
    levels: Levels
    state: TrackerState
    motion: FloatArray
    detections: Detections
    kept: BoolArray | None
    doubles: Matches | None
    pts_us: int


def match_candidates(
    frame: Frame, pairs: Candidates, similarity: FloatArray, high: BoolArray, low: BoolArray
) -> Matched:
    """Match everything.

    Args:
        frame: what there is.
        pairs: predicted boxes and detections that overlap.
        similarity: float64 (K,), of each pair in the first association.
        high, low: bool (M,), detections that are matched first, and those that keep confirmed tracks alive.
    """
    state, levels = frame.state, frame.levels
    score = frame.detections.confidence
    confirmed = state.facts[FLAGS] & CONFIRMED != 0
    one = choose(pairs, similarity, frame.settings.match_thresh, confirmed, high)
    one = _of_one_size(frame, one)
    two = _low(frame, pairs, confirmed, one, low)
    free = score >= levels.floor
    if frame.kept is not None:
        free &= frame.kept
    free[one[1]] = False
    free[two[1]] = False
    young = ~confirmed
    rest = score >= levels.birth
    rest[pairs.columns[young[pairs.rows]]] = True
    rest &= free
    if not np.count_nonzero(rest):
        return Matched.of(rest, one, two)
    taken = np.zeros(len(score), bool)
    taken[one[1]] = True
    taken[two[1]] = True
    _single(frame, rest, high, taken)
    three = _candidates(frame, pairs, young, rest)
    rest[three[1]] = False
    rest &= score >= levels.birth
    four = NONE
    if np.count_nonzero(rest) and len(state):
        four = jumps(state, frame.motion, frame.detections.xyxy, (one, two, three), rest, frame.pts_us)
        rest[four[1]] = False
    return Matched.of(rest, one, two, three, four, jumped=four[0])


def _of_one_size(frame: Frame, one: Matches) -> Matches:
    """Without boxes that are much smaller or larger both ways than expected: somebody else's, within or around."""
    expected, xyxy = frame.motion[2:4, one[0]], frame.detections.xyxy[one[1]]
    sides = (xyxy[:, 2:] - xyxy[:, :2]).T
    fits = (sides >= SMALLER * expected).any(0) & (SMALLER * sides <= expected).any(0)
    return one if fits.all() else (one[0][fits], one[1][fits])


def _low(frame: Frame, pairs: Candidates, confirmed: BoolArray, one: Matches, low: BoolArray) -> Matches:
    """Confirmed tracks that are left and low boxes. A lost one comes back where no other track is near."""
    free = confirmed.copy()
    free[one[0]] = False
    some = _some(pairs, free, low)
    if not len(some.rows):
        return NONE
    near = pairs.columns[pairs.iou > RIVAL_IOU]
    alone = (np.bincount(near, minlength=len(low)) <= 1)[some.columns]
    width, height, right, down = frame.motion[2:6, some.rows]
    fast = right * right + down * down > FAST * FAST * width * height
    similar = some.iou + LOOSE * (fast & alone)
    similar[(some.rows >= frame.state.tracked) & ~alone] = 0.0
    return choose(some, similar, LOW_LIMIT)


def _some(pairs: Candidates, tracks: BoolArray, found: BoolArray) -> Candidates:
    """The pairs of some tracks and some detections."""
    at = (tracks[pairs.rows] & found[pairs.columns]).nonzero()[0]
    return Candidates(pairs.rows[at], pairs.columns[at], pairs.iou[at], pairs.shape)


def _single(frame: Frame, rest: BoolArray, high: BoolArray, taken: BoolArray) -> None:
    """Leave of the rest what is no double, in place: weak ones of taken boxes, and weaker ones of each other."""
    xyxy, score = frame.detections.xyxy, frame.detections.confidence
    if frame.doubles is None:
        left = rest.nonzero()[0]
        one, other = same(xyxy[left], xyxy)
        one = left[one]
    else:
        one, other = frame.doubles
    pairs = (rest[one] & (one != other)).nonzero()[0]
    if not len(pairs):
        return
    one, other = one[pairs], other[pairs]
    rest[one[taken[other] & ~high[one]]] = False
    rivals = (rest[one] & rest[other] & ~high[other]).nonzero()[0]
    if len(rivals):
        suppress(one[rivals], other[rivals], score, rest)


def _candidates(frame: Frame, pairs: Candidates, young: BoolArray, rest: BoolArray) -> Matches:
    """Candidates and what is left; one of a single box needs more overlap."""
    some = _some(pairs, young, rest)
    if not len(some.rows):
        return NONE
    facts, limit = frame.state.facts, frame.settings.match_thresh
    share = np.minimum(frame.detections.confidence[some.columns] / frame.levels.birth, 1.0)
    once = facts[LAST_FRAME, some.rows] == facts[BIRTH, some.rows]
    return choose(some, some.iou * share - once * (limit - ONCE_LIMIT), limit)
