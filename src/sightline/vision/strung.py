"""Boxes of several objects that were taken for one: it jumps from each to the next.

At a low rate a box may lie far from the one before, so that the first boxes of three cars that come after each other
look like one car. Each of them then lies where the track of its own object leads back to; those of one car do not.
"""

from __future__ import annotations

import numpy as np

from sightline.arrays import BoolArray, FloatArray, IntArray

__all__ = ["strung"]

# So many boxes may be strung together, of objects whose tracks begin or end so many frames away.
LONGEST, FRAMES = 5, (1, 2)
# From so many sides on a step is a jump, and a box is not where a track leads to.
OFF = 0.5


def strung(place: IntArray, xyxy: FloatArray, starts: IntArray) -> BoolArray:
    """Tracks that are boxes of other tracks' objects, more than half of them of one each: bool (N,).

    Args:
        place: int64 (R,), number of the frame of each row among those sampled; rows by track, then frame.
        xyxy: float64 (R, 4), pixels.
        starts: int64 (N,), where each track begins.
    """
    lengths, centre = np.diff(starts, append=len(place)), (xyxy[:, :2] + xyxy[:, 2:]) / 2
    far = np.ones(len(place), bool)
    far[1:] = (np.abs(np.diff(centre, axis=0)) > OFF * (xyxy[1:, 2:] - xyxy[1:, :2])).any(1)
    far[starts] = True
    found = np.logical_and.reduceat(far, starts) & (lengths >= 3) & (lengths <= LONGEST)
    others = (lengths >= 2).nonzero()[0]
    if not found.any():
        return found
    first, last = starts[others], (starts + lengths - 1)[others]
    ends, inner = np.concatenate((first, last)), np.concatenate((first + 1, last - 1))
    way = (centre[ends] - centre[inner]) / np.abs(place[ends] - place[inner])[:, None]
    outward = np.sign(place[ends] - place[inner])
    whose = np.concatenate((others, others))
    leads = np.concatenate([place[ends] + frames * outward for frames in FRAMES])
    order = np.argsort(leads, kind="stable")  # by frame: few lead to those of one track
    leads, whose = leads[order], np.tile(whose, len(FRAMES))[order]
    there = np.concatenate([centre[ends] + frames * way for frames in FRAMES])[order]
    for track in found.nonzero()[0].tolist():
        mine = np.arange(starts[track], starts[track] + lengths[track])
        near = slice(leads.searchsorted(place[mine[0]]), leads.searchsorted(place[mine[-1]], "right"))
        off = np.abs(centre[mine, None] - there[near]) < OFF * (xyxy[mine, 2:] - xyxy[mine, :2])[:, None]
        hit = off.all(2) & (place[mine, None] == leads[near])
        own = set(whose[near][hit.any(0)].tolist())
        found[track] = 2 * len(own - {track}) > len(mine)
    return found
