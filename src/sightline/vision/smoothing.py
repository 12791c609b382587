"""Smoothing: boxes of a finished track without the detector's noise.

A Rauch-Tung-Striebel smoother over the tracker's own filter (`kalman.XYWH`): forward as the tracker went, then back,
so that each box knows what came after it. All tracks are smoothed together, a column each.
"""

from __future__ import annotations

import numpy as np

from sightline.arrays import FloatArray, IntArray
from sightline.types import TrackTable
from sightline.vision import kalman
from sightline.vision.kalman import XYWH, C, P, V

__all__ = ["smoothed"]


UNITS_PER_US = 30 / 1e6  # the noise figures belong to 30 frames a second


def smoothed(pts_us: IntArray, by_track: TrackTable) -> TrackTable:
    """The rows with smoothed boxes; everything else stays.

    Args:
        pts_us: int64 (F,), time of each seq.
        by_track: rows sorted by `track_id`, then `seq`, as measured; at least one.
    """
    starts = np.flatnonzero(np.diff(by_track.track_id, prepend=by_track.track_id[0] - 1))
    lengths = np.diff(starts, append=len(by_track))
    order = np.argsort(-lengths, kind="stable")  # tracks that go on are always the first columns
    starts, lengths = starts[order], lengths[order]
    xyxy = by_track.xyxy.copy()
    time = pts_us[by_track.seq].astype(np.float64) * UNITS_PER_US
    forward = _forward(xyxy, time, starts, lengths)
    later = forward[-1][:, :0]
    for step in range(len(forward) - 1, -1, -1):
        motion = forward.pop()
        rows = starts[: motion.shape[1]] + step
        goes_on = slice(0, later.shape[1])
        if later.shape[1]:
            elapsed = time[rows[goes_on] + 1] - time[rows[goes_on]]
            motion[:8, goes_on] = _backward(motion[:, goes_on], later, elapsed)
        xyxy[rows] = XYWH.boxes(motion)
        later = motion
    return TrackTable(
        by_track.seq, by_track.track_id, by_track.class_id, xyxy, by_track.confidence, by_track.origin
    )


def _forward(xyxy: FloatArray, time: FloatArray, starts: IntArray, lengths: IntArray) -> list[FloatArray]:
    """Motion after the k-th measurement of every track that has so many, for each k."""
    steps = [kalman.begin(XYWH, XYWH.measure(xyxy[starts]))]
    for step in range(1, int(lengths[0])):
        rows = starts[lengths > step] + step
        motion = steps[-1][:, : len(rows)].copy()
        kalman.predict(XYWH, motion, time[rows] - time[rows - 1], len(rows))
        kalman.correct(XYWH, motion, XYWH.measure(xyxy[rows]))
        steps.append(motion)
    return steps


def _backward(motion: FloatArray, later: FloatArray, elapsed: FloatArray) -> FloatArray:
    """Smoothed position and velocity (8, N) from what was known then and what is known of the next step."""
    ahead = motion.copy()
    kalman.predict(XYWH, ahead, elapsed, motion.shape[1])
    ahead_p, ahead_c, ahead_v = ahead[P], ahead[C], ahead[V]
    determinant = ahead_p * ahead_v - ahead_c * ahead_c
    off, off_velocity = later[:4] - ahead[:4], later[4:8] - ahead[4:8]
    pull = (ahead_v * off - ahead_c * off_velocity) / determinant
    pull_velocity = (ahead_p * off_velocity - ahead_c * off) / determinant
    # Covariance of (position, velocity) now with those of the next step.
    p, c, v = motion[P], motion[C], motion[V]
    position = motion[:4] + (p + c * elapsed) * pull + c * pull_velocity
    velocity = motion[4:8] + (c + v * elapsed) * pull + v * pull_velocity
    return np.concatenate((position, velocity))
