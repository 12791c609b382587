"""Whether the camera stands still, seen in the tracks alone.

A camera that moves, moves all boxes alike, whatever way their objects go. So the change of velocity of every object is
taken over a fifth of a second, and what it has in common with that of the other objects of the frame: the intraclass
correlation of these changes. Noise of a detector is each box's own. What lies along an object's own way is left out: a
video that stutters slows down all objects alike, and each of them along its way. A fifth of a second, and not a frame,
since a mast that trembles changes velocities from frame to frame, but goes nowhere.

Measured: still cameras 0.12 and less (MOT17, MOT20, a motorway from a bridge), moving ones 0.15 and more (walking, in a
car, on drones), most of them above 0.3.
"""

from __future__ import annotations

import numpy as np

from sightline.arrays import FloatArray, IntArray
from sightline.types import FrameTable, TrackTable
from sightline.vision.track_rows import looked_at

__all__ = ["common_change", "stands_still"]

APART_US = 200_000
LARGEST = 0.1  # change of velocity in box sides: a box that jumps must not outweigh all others
NOISE = 1e-4  # squared way, in box sides, below which an object has no direction
STILL = 0.13
MIN_FRAMES = 20


def stands_still(frames: FrameTable, by_track: TrackTable) -> bool:
    """Whether the camera is known to stand still; False also where too few objects are in view together to know.

    Args:
        frames: the sampled frames of the job.
        by_track: tracks of sure objects, sorted by `track_id`, then `seq`.
    """
    common, count = common_change(frames, by_track)
    return count >= MIN_FRAMES and common < STILL


def common_change(frames: FrameTable, by_track: TrackTable) -> tuple[float, int]:
    """What changes of velocity have in common, in [-1, 1], and in how many frames several objects show one."""
    seq, change = _changes(frames, by_track)
    count = np.bincount(seq, minlength=len(frames))
    sums = [np.bincount(seq, each, len(frames)) for each in change.T]
    own = np.bincount(seq, (change * change).sum(1), len(frames))
    several = count >= 2
    shared = sum(each * each for each in sums) - own
    total = float(own[several].sum())
    if not total:
        return 0.0, int(several.sum())
    return float((shared[several] / (count[several] - 1)).sum()) / total, int(several.sum())


def _changes(frames: FrameTable, by_track: TrackTable) -> tuple[IntArray, FloatArray]:
    """Frame and change of velocity, in box sides and across the object's way, of each row with two earlier ones."""
    place = looked_at(frames)[by_track.seq]
    if len(frames) < 3:
        return np.empty(0, np.int64), np.empty((0, 2))
    step_us = float(np.median(np.diff(frames.pts_us)))
    apart = max(1, round(APART_US / step_us))
    # So far apart that what was before the begin of a track is no other one's end.
    key = by_track.track_id * (len(frames) + 2 * apart) + place
    before, known = _earlier(key, apart)
    first, known_too = _earlier(key, 2 * apart)
    now = (known & known_too).nonzero()[0]
    before, first = before[now], first[now]
    time = frames.pts_us[by_track.seq]
    low, high = by_track.xyxy[:, :2], by_track.xyxy[:, 2:]
    centre, side = (low + high) / 2, np.sqrt(np.maximum(np.prod(high - low, axis=1), 1.0))
    unit = side[before][:, None]
    ratio = ((time[now] - time[before]) / (time[before] - time[first]))[:, None]
    way = (centre[before] - centre[first]) * ratio / unit
    change = (centre[now] - centre[before]) / unit - way
    along = (change * way).sum(1) / ((way * way).sum(1) + NOISE)
    change = np.clip(change - along[:, None] * way, -LARGEST, LARGEST)
    return by_track.seq[now], change


def _earlier(key: IntArray, apart: int) -> tuple[IntArray, np.typing.NDArray[np.bool_]]:
    """Where the row of the same track `apart` frames before each row is, and whether there is one; `key` rises."""
    at = key.searchsorted(key - apart)
    return at, key[at] == key - apart
