"""The tracker: detections of one frame in, tracks of that frame out; a pure function of state and frame.

The rules are those of ByteTrack (Zhang et al., ECCV 2022; ifzhang/ByteTrack at d1bf019): detections with a high score
are matched first, those with a low score may keep a track alive, a track is confirmed in its second frame.

Mode `bytetrack` gives the official tracker's ids and boxes. Mode `quality` differs in these points:

* width and height are filtered, not aspect and height, and boxes overlap without the extra pixel;
* time is the presentation time: motion over a gap is as long as the gap, a lost track is kept for seconds;
* the box given out is the matched detection's, not the filter's;
* a detection at the high threshold is a high one; a removed track is gone at once;
* tracks are carried along with the camera where its motion is known, unless they lie on more of the detections as they are:
  a motion that dancers or a wrong file feign moves nothing;
* `online`: people who overlap are told apart by where they stand, unconfirmed tracks move on, and where the motion of
  the camera is not known, what the boxes say of it shifts every track (`sightline.vision.motion`).

Ids count from 1 in the state; nothing is global.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sightline.arrays import BoolArray, FloatArray
from sightline.camera import Motion
from sightline.types import Detections, Tracks, TrackTable
from sightline.vision import kalman
from sightline.vision.association import NONE, Candidates, candidates, choose, covered, upright
from sightline.vision.candidates import BIRTH_CONF, FLOOR_CONF, Frame, match_candidates
from sightline.vision.doubles import merged
from sightline.vision.lifecycle import Levels, Matched, advance
from sightline.vision.motion import MIN_TRACKS, common_shift
from sightline.vision.reference import NO_SCORES, SURE, reference, score_counts
from sightline.vision.tracker_state import (
    CONFIRMED,
    FLAGS,
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


# Part of the run key: another number where the same detections may give other tracks.
TRACKER_VERSION = 4

SECOND_LIMIT, UNCONFIRMED_LIMIT = 0.5, 0.7
MAX_SHIFTS = 2


def initial(settings: TrackerSettings) -> TrackerState:
    """The state before the first frame; no track and no confidence."""
    scores = NO_SCORES if settings.evidence else NO_SCORES[:0]
    return TrackerState(0, NEVER, 1, 0, np.empty((5, 0), np.int64), np.empty((kalman.ROWS, 0)), scores)


def skip(
    settings: TrackerSettings, state: TrackerState, pts_us: int, seq: int, camera: Motion | None = None
) -> TrackerState:
    """The state after a frame that failed or was skipped; such a frame has no tracks.

    `quality` takes no step: a frame that nobody saw is no evidence of absence, and the next step covers its time; but
    tracks go along with the camera, where `camera` is known. `bytetrack` takes an empty frame, as the official tracker
    would.

    Raises:
        ValueError: `pts_us` is not after the last step.
    """
    if settings.mode == "bytetrack":
        return step(settings, state, Detections.empty(), pts_us, seq)[0]
    _check_time(state, pts_us, seq)
    if camera is None or camera.is_identity:
        return state
    motion = state.motion.copy()
    kalman.carry(motion, camera)
    return replace(state, motion=motion)


def step(
    settings: TrackerSettings,
    state: TrackerState,
    detections: Detections,
    pts_us: int,
    seq: int,
    camera: Motion | None = None,
) -> tuple[TrackerState, Tracks, TrackTable]:
    """Take one frame.

    Args:
        settings: the same for all frames of a state.
        state: after the frame before.
        detections: of this frame, finite; their order decides between equal costs and gives new ids.
        pts_us: presentation time, after that of the last step.
        seq: number of the sampled frame, kept with the first box of a track.
        camera: how the picture moved since the frame before, skipped ones included; what is too little to matter is
            `IDENTITY` (`sightline.vision.motion.felt`). None where that is not known. `bytetrack` takes no notice.

    Returns:
        the new state; the confirmed tracks matched in this frame; and the boxes of this frame that belong to tracks
        not confirmed (so far), origin `BIRTH`. Both are sorted by `track_id`.

    Raises:
        ValueError: `pts_us` is not after the last step.
    """
    _check_time(state, pts_us, seq)
    score, kept, doubles = detections.confidence, None, None
    if settings.evidence:
        kept, doubles = merged(detections.xyxy, score, detections.class_id)
        counts = score_counts(score if kept is None else score[kept])
        state = state.with_scores(state.scores + counts)
    levels = _levels(settings, state)
    high = score >= levels.high
    if settings.mode == "bytetrack":
        high = score > levels.high
    low = (score > levels.low) & (score < levels.high)
    if kept is not None:
        high, low = high & kept, low & kept
    motion = _predicted(settings, state, detections.xyxy[high], pts_us, camera)
    if settings.evidence:
        pairs, first, _ = _similarity(settings, levels, motion, detections)
        frame = Frame(settings, levels, state, motion, detections, kept, doubles, pts_us)
        matched = match_candidates(frame, pairs, first, high, low)
    else:
        matched = _match(settings, levels, state, motion, detections, high, low)
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
    settings: TrackerSettings, state: TrackerState, confident: FloatArray, pts_us: int, camera: Motion | None
) -> FloatArray:
    """Motion of all tracks at this frame: predicted, and moved with the camera."""
    motion = state.motion.copy()
    if not len(state):
        return motion
    if settings.mode == "bytetrack":
        kalman.predict(kalman.XYAH, motion, _time(state, 1.0), state.tracked)
        return motion
    time = (pts_us - state.pts_us) * UNITS_PER_US
    moves = time if settings.online else _time(state, time)
    kalman.predict(kalman.XYWH, motion, moves, state.tracked)
    confirmed = (state.facts[FLAGS, : state.tracked] & CONFIRMED).nonzero()[0]
    if camera is not None and not camera.is_identity:
        carried = state.motion.copy()
        kalman.carry(carried, camera)
        kalman.predict(kalman.XYWH, carried, moves, state.tracked)
        stays, goes = (
            covered(kalman.XYWH.boxes(each.take(confirmed, 1)), confident) for each in (motion, carried)
        )
        return motion if stays > goes else carried
    if settings.online and settings.own_motion and camera is None:
        for _ in range(MAX_SHIFTS if len(confirmed) >= MIN_TRACKS else 0):
            shift = common_shift(kalman.XYWH.boxes(motion.take(confirmed, 1)), confident)
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
    return Matched.of(free, one, two, three)


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
