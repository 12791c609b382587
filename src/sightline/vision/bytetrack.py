"""The tracker: detections of one frame in, tracks of that frame out; a pure function of state and frame.

The rules are those of ByteTrack (Zhang et al., ECCV 2022; ifzhang/ByteTrack at d1bf019): detections with a high score
are matched first, those with a low score may keep a track alive, a track is confirmed in its second frame.

Mode `bytetrack` gives the official tracker's ids and boxes. Mode `quality` differs in these points:

* width and height are filtered, not aspect and height, and boxes overlap without the extra pixel;
* time is the presentation time: motion over a gap is as long as the gap, a lost track is kept for seconds;
* the box given out is the matched detection's, not the filter's;
* a detection at the high threshold is a high one; a removed track is gone at once;
* `online`: people who overlap are told apart by where they stand, unconfirmed tracks move on, and a moving camera
  shifts every track (`sightline.vision.motion`).

Ids count from 1 in the state; nothing is global.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sightline.types import Detections, Tracks, TrackTable
from sightline.vision import kalman
from sightline.vision.association import NONE, Candidates, Matches, assign, candidates, choose, upright
from sightline.vision.doubles import doubled, merged, strongest
from sightline.vision.lifecycle import Levels, Matched, advance
from sightline.vision.motion import common_shift
from sightline.vision.reference import NO_SCORES, SURE, reference, score_counts
from sightline.vision.tracker_state import (
    BIRTH,
    CONFIRMED,
    FLAGS,
    LAST_FRAME,
    LAST_PTS,
    NEVER,
    UNITS_PER_US,
    TrackerSettings,
    TrackerState,
    decode,
    encode,
)

__all__ = [
    "TRACKER_VERSION",
    "TrackerSettings",
    "TrackerState",
    "decode",
    "encode",
    "initial",
    "skip",
    "step",
]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

# Part of the run key: another number where the same detections may give other tracks.
TRACKER_VERSION = 2

SECOND_LIMIT, UNCONFIRMED_LIMIT = 0.5, 0.7
MAX_SHIFTS = 2
# Candidates: confidence of a first box and of later ones, for a network whose sure boxes score 0.9.
BIRTH_CONF, FLOOR_CONF = 0.2, 0.05
# What is so fast, in box sides per 1/30 s, and alone needs less overlap with a low box, and comes back by one.
# A candidate of one box may go so far, in box sides a second, and change its size so much.
JUMP_PER_S, JUMP_FAR, JUMP_RATIO = 15.0, 3.5, 0.3
# A track leads where it goes so many sides in a frame, and is expected there but for a side and so much of its way.
LEAD, TOLERANCE = 0.3, 0.4
LATELY_US = 500_000
# Who goes beside another by less, and follows or leads it by less, in sides, is in its lane.
LANE, LANE_FAR = 0.6, 15.0
FRAMES_PER_S = 30
FAST, RIVAL_IOU, LOOSE = 0.07, 0.1, 0.3


def initial(settings: TrackerSettings) -> TrackerState:
    """The state before the first frame; no track and no confidence."""
    scores = NO_SCORES if settings.evidence else NO_SCORES[:0]
    return TrackerState(0, NEVER, 1, 0, np.empty((5, 0), np.int64), np.empty((kalman.ROWS, 0)), scores)


def skip(settings: TrackerSettings, state: TrackerState, pts_us: int, seq: int) -> TrackerState:
    """The state after a frame that failed or was skipped; such a frame has no tracks.

    `quality` takes no step: a frame that nobody saw is no evidence of absence, and the next step covers its time.
    `bytetrack` takes an empty frame, as the official tracker would.

    Raises:
        ValueError: `pts_us` is not after the last step.
    """
    if settings.mode == "bytetrack":
        return step(settings, state, Detections.empty(), pts_us, seq)[0]
    _check_time(state, pts_us, seq)
    return state


def step(
    settings: TrackerSettings, state: TrackerState, detections: Detections, pts_us: int, seq: int
) -> tuple[TrackerState, Tracks, TrackTable]:
    """Take one frame.

    Args:
        settings: the same for all frames of a state.
        state: after the frame before.
        detections: of this frame, finite; their order decides between equal costs and gives new ids.
        pts_us: presentation time, after that of the last step.
        seq: number of the sampled frame, kept with the first box of a track.

    Returns:
        the new state; the confirmed tracks matched in this frame; and the boxes of this frame that belong to tracks
        not confirmed (so far), origin `BIRTH`. Both are sorted by `track_id`.

    Raises:
        ValueError: `pts_us` is not after the last step.
    """
    _check_time(state, pts_us, seq)
    if settings.evidence:
        detections = merged(detections)
        state = replace(state, scores=state.scores + score_counts(detections.confidence))
    levels = _levels(settings, state)
    score = detections.confidence
    high = score >= levels.high
    if settings.mode == "bytetrack":
        high = score > levels.high
    low = (score > levels.low) & (score < levels.high)
    motion = _predicted(settings, state, detections.xyxy, high, pts_us)
    match = _match_candidates if settings.evidence else _match
    matched = match(settings, levels, state, motion, detections, high, low, pts_us)
    return advance(settings, levels, state, motion, detections, matched, pts_us, seq)


def _levels(settings: TrackerSettings, state: TrackerState) -> Levels:
    high, low, new = settings.track_high_thresh, settings.track_low_thresh, settings.new_track_thresh
    if not settings.evidence:
        return Levels(high, low, new, new, high, 1.0)
    scale = reference(state.scores) / SURE
    return Levels(high * scale, low * scale, new * scale, BIRTH_CONF * scale, FLOOR_CONF * scale, scale)


def _check_time(state: TrackerState, pts_us: int, seq: int) -> None:
    if pts_us <= state.pts_us:
        raise ValueError(f"seq {seq}: pts_us {pts_us} is not after {state.pts_us}; frames must come in order")


def _predicted(
    settings: TrackerSettings, state: TrackerState, xyxy: FloatArray, high: BoolArray, pts_us: int
) -> FloatArray:
    """Motion of all tracks at this frame: predicted, and shifted with the camera where it moves."""
    motion = state.motion.copy()
    if not len(state):
        return motion
    if settings.mode == "bytetrack":
        kalman.predict(kalman.XYAH, motion, _time(state, 1.0), state.tracked)
        return motion
    time = (pts_us - state.pts_us) * UNITS_PER_US
    kalman.predict(kalman.XYWH, motion, time if settings.online else _time(state, time), state.tracked)
    if settings.online and settings.own_motion:
        confirmed = (state.facts[FLAGS, : state.tracked] & CONFIRMED).nonzero()[0]
        for _ in range(MAX_SHIFTS):
            shift = common_shift(kalman.XYWH.boxes(motion.take(confirmed, 1)), xyxy[high])
            if shift is None:
                break
            kalman.shift(motion, shift)
    return motion


def _time(state: TrackerState, time: float) -> FloatArray:
    """Unconfirmed tracks stay where they were seen."""
    moves: FloatArray = time * (state.facts[FLAGS] & CONFIRMED != 0)
    return moves


def _match(
    settings: TrackerSettings,
    levels: Levels,
    state: TrackerState,
    motion: FloatArray,
    detections: Detections,
    high: BoolArray,
    low: BoolArray,
    pts_us: int,
) -> Matched:
    """The three associations: confirmed with high, tracked with low, unconfirmed with what is left of high."""
    pairs, first, fused = _similarity(settings, levels, motion, detections)
    active = state.facts[FLAGS] & CONFIRMED != 0
    young, free = ~active, high.copy()
    one = choose(pairs, first, settings.match_thresh, active, high)
    active[one[0]] = False
    active[state.tracked :] = False
    free[one[1]] = False
    two = choose(pairs, pairs.iou, SECOND_LIMIT, active, low)
    three = choose(pairs, fused, UNCONFIRMED_LIMIT, young, free) if young.any() else NONE
    free[three[1]] = False
    free &= detections.confidence >= settings.new_track_thresh
    return _matched(free, one, two, three)


def _match_candidates(
    settings: TrackerSettings,
    levels: Levels,
    state: TrackerState,
    motion: FloatArray,
    detections: Detections,
    high: BoolArray,
    low: BoolArray,
    pts_us: int,
) -> Matched:
    """As `_match` for confirmed tracks; then candidates with all boxes that these leave and do not cover."""
    pairs, first, _ = _similarity(settings, levels, motion, detections)
    score, xyxy = detections.confidence, detections.xyxy
    active = state.facts[FLAGS] & CONFIRMED != 0
    young = ~active
    one = choose(pairs, first, settings.match_thresh, active, high)
    lost = np.arange(len(state)) >= state.tracked
    free = state.facts[FLAGS] & CONFIRMED != 0
    free[one[0]] = False
    easy = _easy(pairs, motion, len(xyxy), (pts_us - state.pts_us) * UNITS_PER_US)
    fast, alone = easy
    similar = np.where(lost[pairs.rows] & ~alone, 0.0, pairs.iou + LOOSE * (fast & alone))
    two = choose(pairs, similar, SECOND_LIMIT, free, low)
    rest = score >= levels.floor
    taken = np.concatenate((one[1], two[1]))
    rest[taken] = False
    if not rest.any():
        return _matched(rest, one, two)
    rest &= ~_covered(xyxy, rest & ~high, taken)
    left = rest.nonzero()[0]
    rest[left] = strongest(xyxy[left], score[left]) | high[left]
    three = NONE
    if young.any():
        alike = pairs.iou * np.minimum(score / levels.birth, 1.0)[pairs.columns]
        once = young & (state.facts[LAST_FRAME] == state.facts[BIRTH])
        alike -= np.where(once[pairs.rows], settings.match_thresh - UNCONFIRMED_LIMIT, 0.0)
        three = choose(pairs, alike, settings.match_thresh, young, rest)
        rest[three[1]] = False
    rest &= score >= levels.birth
    four = _jumps(state, motion, xyxy, _unmatched(state, pts_us, one, two, three), rest, pts_us)
    rest[four[1]] = False
    return _matched(rest, one, two, three, four, jumped=four[0])


def _unmatched(state: TrackerState, pts_us: int, *parts: Matches) -> BoolArray:
    """Tracks that were seen in the frame before, or not long ago, and are not now."""
    left: BoolArray = state.facts[LAST_PTS] >= pts_us - LATELY_US
    left[: state.tracked] = True
    for columns, _ in parts:
        left[columns] = False
    return left


def _jumps(
    state: TrackerState,
    motion: FloatArray,
    xyxy: FloatArray,
    left: BoolArray,
    rest: BoolArray,
    pts_us: int,
) -> Matches:
    """Tracks that nothing overlaps, and boxes of their size that they may have gone to since the frame before.

    A track that moves is expected where it leads; a candidate of a single box where others went that passed there, or
    anywhere in reach.
    """
    tracks, found = left.nonzero()[0], rest.nonzero()[0]
    if not len(tracks) or not len(found):
        return NONE
    time = (pts_us - state.pts_us) * UNITS_PER_US
    old, new = motion[:, tracks], kalman.XYWH.measure(xyxy[found])
    side = np.sqrt(np.maximum(old[2] * old[3], 1.0))
    once = (state.facts[LAST_FRAME, tracks] == state.facts[BIRTH, tracks]) & (tracks < state.tracked)
    step = np.where(once, 0.0, old[4:6] * time)
    led = np.hypot(*step) > LEAD * side
    lane = _lanes(state, motion, old, side, once, time)
    known = once & np.isfinite(lane[0])
    step = np.where(known, lane, step)
    reach = np.where(
        led | known,
        side + TOLERANCE * np.hypot(*step),
        np.where(once, min(JUMP_PER_S * time / FRAMES_PER_S, JUMP_FAR) * side, 0.0),
    )
    expected = old[:2] + np.where(known, lane, 0.0)  # tracks that move have been predicted
    way = np.hypot(new[0] - expected[0][:, None], new[1] - expected[1][:, None])
    ratio = np.abs(np.log(np.maximum(new[2:, None], 1.0) / np.maximum(old[2:4, :, None], 1.0))).max(0)
    gain = np.where(ratio < JUMP_RATIO, 1 - way / np.maximum(reach, 1e-6)[:, None] - ratio, 0.0)
    rows, columns = (gain > 0).nonzero()
    if not len(rows):
        return NONE
    one, other = assign(rows, columns, gain[rows, columns])
    return tracks[one], found[other]


def _lanes(
    state: TrackerState, motion: FloatArray, old: FloatArray, side: FloatArray, once: BoolArray, time: float
) -> FloatArray:
    """The way that the nearest confirmed track in the same lane goes in a frame, (2, N); NaN where there is none."""
    way = np.full((2, len(side)), np.nan)
    others = (state.facts[FLAGS] & CONFIRMED).nonzero()[0]
    if not len(others) or not once.any():
        return way
    there = motion[:, others]
    size = np.sqrt(np.maximum(there[2] * there[3], 1.0))
    speed = np.hypot(there[4], there[5])
    moves = speed * time > LEAD * size
    there, size, speed = there[:, moves], size[moves], speed[moves]
    if not len(size):
        return way
    along, up = there[4] / speed, there[5] / speed
    dx, dy = there[0] - old[0][:, None], there[1] - old[1][:, None]
    beside = np.abs(dx * up - dy * along) / side[:, None]
    far = np.abs(dx * along + dy * up) / side[:, None]
    cost = np.where((beside < LANE) & (far < LANE_FAR), far, np.inf)
    nearest = cost.argmin(1)
    fits = np.isfinite(cost[np.arange(len(side)), nearest])
    scale = (side / size[nearest]) ** 2  # what comes nearer grows, and is faster by its square
    going = there[4:6, nearest] * time * scale
    way[:, fits] = going[:, fits]
    return way


def _easy(pairs: Candidates, motion: FloatArray, boxes: int, time: float) -> tuple[BoolArray, BoolArray]:
    """Pairs of a track that is fast and a box that no other track is near."""
    rivals = np.bincount(pairs.columns[pairs.iou > RIVAL_IOU], minlength=boxes)
    speed = np.hypot(motion[4], motion[5]) / np.sqrt(np.maximum(motion[2] * motion[3], 1.0))
    return (speed > FAST)[pairs.rows], rivals[pairs.columns] <= 1


def _covered(xyxy: FloatArray, weak: BoolArray, taken: NDArray[np.intp]) -> BoolArray:
    """Which of the weak boxes are doubles of boxes that confirmed tracks have taken."""
    covered = np.zeros(len(xyxy), bool)
    if len(taken) and weak.any():
        covered[weak] = doubled(xyxy[weak], xyxy[taken])
    return covered


def _matched(free: BoolArray, *parts: Matches, jumped: NDArray[np.intp] = NONE[0]) -> Matched:
    columns, found = (np.concatenate(each) for each in zip(*parts, strict=True))
    return Matched(columns, found, free.nonzero()[0], jumped)


def _similarity(
    settings: TrackerSettings, levels: Levels, motion: FloatArray, detections: Detections
) -> tuple[Candidates, FloatArray, FloatArray]:
    """Pairs that overlap, their similarity in the first association, and in that of unconfirmed tracks."""
    if settings.mode == "bytetrack":
        boxes, margin = kalman.XYAH.boxes(motion), 1.0
    else:
        boxes, margin = kalman.XYWH.boxes(motion), 0.0
    pairs = candidates(boxes, detections.xyxy, margin)
    fused = pairs.iou
    if settings.fuse_score:
        score = detections.confidence
        if levels.scale < 1.0:
            score = np.minimum(score / levels.scale, 1.0)
        fused = fused * score[pairs.columns]
    if settings.mode == "quality" and settings.online:
        return pairs, fused * upright(pairs, boxes, detections.xyxy), fused
    return pairs, fused, fused
