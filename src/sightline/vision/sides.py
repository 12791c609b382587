"""Which side of a border objects are on, and when they have changed it.

A box trembles, by some hundredths of its size, and its object may wait on the border: the sign of a distance is no
side. An object is *clear* of the border where it is farther from it than a tenth of its size (the root of the box's
area), at least three pixels; nearer, it is on neither side and stays on the one that it had. It is *settled* on a side
after half a second clear of the border there. Nothing is known of the time before a track and after it, so whoever is
clear where the track begins or ends is settled at once: who passes within two frames is counted.

The change belongs to the first row of the final stay: whoever waits on the border and then goes on has crossed it when
its foot was last seen on the old side.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sightline.arrays import BoolArray, FloatArray, IntArray
from sightline.vision.foot_paths import FootPaths, Times, spread

__all__ = [
    "CLEAR_PIXELS",
    "CLEAR_SIZE",
    "SETTLED_US",
    "Changes",
    "Stays",
    "changes",
    "margins",
    "stays",
    "widest",
]

SideArray = NDArray[np.int8]

CLEAR_SIZE = 0.1  # of the object's size
CLEAR_PIXELS = 3.0  # boxes tremble by a pixel or two, however small they are
SETTLED_US = 500_000
ROUNDING_US = 1_000  # containers that keep milliseconds round both ends


@dataclass(frozen=True, slots=True, eq=False)
class Stays:
    """Rows in a row of one track that are clear of the border on one side, long enough to be settled.

    Attributes:
        first, last: int64 (S,), rows of the paths, rising.
        side: int8 (S,), 1 or -1.
    """

    first: IntArray
    last: IntArray
    side: SideArray


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """Objects that changed sides.

    Attributes:
        row: int64 (C,), first row of the paths on the new side, for good.
        before: int64 (C,), the last one on the old side, or the one before the track's first.
        side: int8 (C,), the new side, 1 or -1.
    """

    row: IntArray
    before: IntArray
    side: SideArray


def margins(paths: FootPaths, at: IntArray) -> FloatArray:
    """How far from a border the objects of some rows are clear of it, pixels."""
    return np.maximum(CLEAR_SIZE * paths.size(at), CLEAR_PIXELS)


def widest(paths: FootPaths) -> float:
    """The largest of all margins."""
    return max(CLEAR_SIZE * paths.largest, CLEAR_PIXELS)


def stays(
    paths: FootPaths, times: Times, side: SideArray, clear: BoolArray, passage: float | None = None
) -> Stays:
    """Where objects were settled; an object that never was is where it was for most of its time.

    Args:
        paths: of all tracks.
        times: of the frames.
        side: int8 (R,): 1, -1, or 0 on the border itself.
        clear: bool (R,): clear of the border.
        passage: whoever comes from one place and goes on to another, so many of its sizes away, has settled in
            between however short it was; trembling returns to where it was. None: nobody does.
    """
    level = side * clear
    begins = paths.first
    first, last = _runs(level, begins)
    settled = begins[first] | np.append(begins, True)[last + 1]
    settled |= times.lasts_us(paths.seq(first), paths.seq(last)) + ROUNDING_US >= SETTLED_US
    if passage is not None:
        came, went = np.maximum(first - 1, 0), np.minimum(last + 1, len(paths) - 1)
        way = np.hypot(paths.x[went] - paths.x[came], paths.y[went] - paths.y[came])
        settled |= way >= passage * paths.size(first)
    settled &= level[first] != 0
    first, last = first[settled], last[settled]
    restless, mostly = _restless(paths, times, side, first)
    order = np.argsort(np.append(first, restless), kind="stable")
    return Stays(
        np.append(first, restless)[order],
        np.append(last, restless)[order],
        np.append(level[first], mostly)[order],
    )


def _runs(level: SideArray, begins: BoolArray) -> tuple[IntArray, IntArray]:
    """First and last rows of what is the same in a row; nothing goes on where `begins` is set, as in the first row."""
    new = begins.copy()
    new[1:] |= level[1:] != level[:-1]
    first = np.flatnonzero(new)
    return first, np.append(first[1:], len(level)) - 1


def _restless(
    paths: FootPaths, times: Times, side: SideArray, settled: IntArray
) -> tuple[IntArray, SideArray]:
    """First rows of the tracks that have no settled row, and the side on which each was longest."""
    alone = np.searchsorted(settled, paths.starts) == np.searchsorted(settled, paths.ends)
    starts, lengths = paths.starts[alone], (paths.ends - paths.starts)[alone]
    if not len(starts):
        return starts, side[starts]
    rows = spread(starts, lengths)
    seq = paths.seq(rows)
    balance = np.add.reduceat(side[rows] * times.lasts_us(seq, seq), lengths.cumsum() - lengths)
    return starts, np.where(balance > 0, np.int8(1), np.int8(-1))


def changes(paths: FootPaths, side: SideArray, settled: Stays, before: int | None = None) -> Changes:
    """Where objects that were settled on one side were first seen on the other, to settle there.

    Args:
        paths, side: as for `stays`.
        settled: the result of `stays`.
        before: the side on which every object was before its first row; None: nobody knows, the first settled side
            is no change.
    """
    track = paths.number(settled.first)
    begun = np.diff(track, prepend=-1) != 0
    other = np.diff(settled.side, prepend=0) != 0
    new = np.flatnonzero(np.where(begun, settled.side == -(before or 0), other))
    at, to = settled.first[new], settled.side[new]
    first, last = _runs(side, paths.first)
    right, left = ((first[which], last[which]) for which in (side[first] > 0, side[first] < 0))
    old = np.where(to > 0, _latest(*left, at), _latest(*right, at))
    old = np.maximum(old, paths.starts[track[new]] - 1)
    row = np.where(to > 0, _next(*right, old + 1, len(side)), _next(*left, old + 1, len(side)))
    return Changes(row, old, to)


def _latest(first: IntArray, last: IntArray, at: IntArray) -> IntArray:
    """The last row of some runs, rising, up to and including each place, -1 where there is none."""
    rows: IntArray = np.minimum(np.append(last, -1)[np.searchsorted(first, at, "right") - 1], at)
    return rows


def _next(first: IntArray, last: IntArray, at: IntArray, end: int) -> IntArray:
    """The first row of some runs, rising, from each place on, `end` where there is none."""
    rows: IntArray = np.maximum(np.append(first, end)[np.searchsorted(last, at)], at)
    return rows
