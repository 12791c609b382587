"""Whether the camera stands still, seen in the tracks alone.

A camera that moves, moves all boxes alike, whatever way their objects go. So the change of velocity of every object is
taken over a fifth of a second, and what it has in common with that of the other objects of the frame: the intraclass
correlation of these changes. Noise of a detector is each box's own. What lies along an object's own way is left out: a
video that stutters slows down all objects alike, and each of them along its way. A fifth of a second, and not a frame,
since a mast that trembles changes velocities from frame to frame, but goes nowhere.

Measured: still cameras 0.12 and less (MOT17, MOT20, a motorway from a bridge), moving ones 0.15 and more (walking, in a
car, on drones), most of them above 0.3.

A camera that pans or flies evenly changes no velocity. Past what stands it moves all boxes by the same way, and what is
so much alike may be the camera. Measured over a second: 0.77 and less in the same videos (one carriageway of a motorway),
0.98 where generated vehicles go one way at 80 to 120 km/h, 0.999 past what stands.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sightline.arrays import BoolArray, FloatArray, IntArray
from sightline.types import FrameTable, TrackTable
from sightline.vision.track_rows import looked_at

__all__ = ["common_change", "stands_still"]

APART_US = 200_000
LARGEST = 0.1  # change of velocity in box sides: a box that jumps must not outweigh all others
NOISE = 1e-4  # squared way, in box sides, below which an object has no direction
STILL = 0.13
# What the ways of a second have in common where nobody can tell whether all go alike or the camera does.
WAY_US, ONE_WAY = 1_000_000, 0.998
MIN_FRAMES = 20


def stands_still(frames: FrameTable, by_track: TrackTable) -> bool:
    """Whether the camera is known to stand still; False also where too few objects are in view together to know.

    Args:
        frames: the sampled frames of the job.
        by_track: tracks of sure objects, sorted by `track_id`, then `seq`.
    """
    common, count = common_change(frames, by_track)
    return count >= MIN_FRAMES and common < STILL and _common_way(frames, by_track) < ONE_WAY


def common_change(frames: FrameTable, by_track: TrackTable) -> tuple[float, int]:
    """What changes of velocity have in common, in [-1, 1], and in how many frames several objects show one."""
    return _in_common(*_changes(frames, by_track), len(frames))


def _common_way(frames: FrameTable, by_track: TrackTable) -> float:
    """What the ways of a second have in common, in pixels, in [-1, 1]."""
    rows = _Steps.of(frames, by_track, WAY_US, 1)
    before, known = rows.earlier(1)
    centre = (by_track.xyxy[:, :2] + by_track.xyxy[:, 2:]) / 2
    return _in_common(by_track.seq[known], (centre - centre[before])[known], len(frames))[0]


def _in_common(seq: IntArray, vectors: FloatArray, frames: int) -> tuple[float, int]:
    """Intraclass correlation of the vectors of each frame, and how many frames have several."""
    count = np.bincount(seq, minlength=frames)
    sums = [np.bincount(seq, each, frames) for each in vectors.T]
    own = np.bincount(seq, (vectors * vectors).sum(1), frames)
    several = count >= 2
    shared = sum(each * each for each in sums) - own
    total = float(own[several].sum())
    if not total:
        return 0.0, int(several.sum())
    return float((shared[several] / (count[several] - 1)).sum()) / total, int(several.sum())


def _changes(frames: FrameTable, by_track: TrackTable) -> tuple[IntArray, FloatArray]:
    """Frame and change of velocity, in box sides and across the object's way, of each row with two earlier ones."""
    if len(frames) < 3:
        return np.empty(0, np.int64), np.empty((0, 2))
    rows = _Steps.of(frames, by_track, APART_US, 2)
    before, known = rows.earlier(1)
    first, known_too = rows.earlier(2)
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


class _Steps(NamedTuple):
    """Rows by track and frame: `key` rises, and `apart` frames are a step."""

    key: IntArray
    apart: int

    @classmethod
    def of(cls, frames: FrameTable, by_track: TrackTable, step_us: int, most: int) -> _Steps:
        """Rows of which up to `most` steps are looked back: no other track's end lies there."""
        apart = max(1, round(step_us / float(np.median(np.diff(frames.pts_us)))))
        place = looked_at(frames)[by_track.seq]
        return cls(by_track.track_id * (len(frames) + most * apart) + place, apart)

    def earlier(self, steps: int) -> tuple[IntArray, BoolArray]:
        """Where the row of the same track so many steps before each row is, and whether there is one."""
        wanted = self.key - steps * self.apart
        at = self.key.searchsorted(wanted)
        return at, self.key[at] == wanted
