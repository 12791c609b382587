"""Links: tracks that are one object, broken by an occlusion, get one id.

The end of a track A and the start of a track B are compared: does A, moving on as it did, arrive where B begins, and
did B come from where A ended; are their boxes of one size; how long is the gap. All links are chosen at once, by one
assignment, so that a good link is not lost to a worse one that came first.

What goes away from a camera or comes nearer at a steady speed has a distance that is a straight line in time, and so is
one over its size; its place in the picture moves as its size does (a pinhole). Where an end shows that, it goes on so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sightline.arrays import FloatArray, IntArray
from sightline.types import TrackTable
from sightline.vision.association import assign

__all__ = ["chains", "joined", "pairs"]


WINDOW_US = 1_000_000  # how much of a track's end its velocity and size are taken from, both rows included
# Velocity of a span counts span / (span + TRUST_S): short spans are noise. Less so by the square of the way in sides.
TRUST_S = 0.1
REACH, REACH_PER_S = 0.2, 0.3  # how far off, in box sizes, a link may be, and how that grows with the gap
SIZE_RATIO = 0.4  # largest |ln| of the ratio of widths or heights
GAP_COST = 0.3  # cost of the longest gap
# An object comes nearer or goes away where its distance changes by so much within the window, and so evenly: the square
# of Student's t. Nothing is followed closer than to so much of the distance.
NEARS, EVENLY = 0.25, 20.0
NEAREST = 0.2
# Costs are whole millionths: sums are exact, and machines that differ in the last bit agree.
STEPS = 1e6


@dataclass(frozen=True, slots=True, eq=False)
class Ends:
    """One end of every track, a column a track.

    Attributes:
        time: int64 (N,), microseconds.
        centre: float64 (2, N), pixels, of the outermost box.
        velocity: float64 (2, N), pixels a second, of the centre at that time.
        size: float64 (2, N), width and height at that time, median of what the boxes say.
        outer: float64 (2, N), width and height of the outermost box.
        span: float64 (N,), seconds that it was seen for within the window.
        recedes: float64 (N,), how the distance changes a second, as a share of that at that time; 0 if not known.
    """

    time: IntArray
    centre: FloatArray
    velocity: FloatArray
    size: FloatArray
    outer: FloatArray
    span: FloatArray
    recedes: FloatArray


def chains(pts_us: IntArray, by_track: TrackTable, longest_us: int) -> IntArray:
    """The id of the first part of the chain that each track belongs to, int64 (N,), for each track by rising id.

    Args:
        pts_us: int64 (F,), time of each seq.
        by_track: rows sorted by `track_id`, then `seq`; at least one.
        longest_us: longest gap.
    """
    starts = np.flatnonzero(np.diff(by_track.track_id, prepend=by_track.track_id[0] - 1))
    before, after = _links(pts_us, by_track, starts, longest_us)
    first = np.arange(len(starts))
    first[after] = before
    while not np.array_equal(first, first[first]):  # follow each chain to its first part
        first = first[first]
    return by_track.track_id[starts][first]


def joined(by_track: TrackTable, chain: IntArray) -> TrackTable:
    """The rows with the ids of their chains, sorted by these, then `seq`; `chain` is as `chains` gave it."""
    starts = np.flatnonzero(np.diff(by_track.track_id, prepend=by_track.track_id[0] - 1))
    if np.array_equal(chain, by_track.track_id[starts]):
        return by_track
    ids = chain.repeat(np.diff(starts, append=len(by_track)))
    order = np.lexsort((by_track.seq, ids))
    rows = by_track[order]
    return TrackTable(rows.seq, ids[order], rows.class_id, rows.xyxy, rows.confidence, rows.origin)


def _links(
    pts_us: IntArray, by_track: TrackTable, starts: IntArray, longest_us: int
) -> tuple[IntArray, IntArray]:
    """Tracks that are followed, and those that follow them, as places in the order of ids."""
    time = pts_us[by_track.seq]
    lengths = np.diff(starts, append=len(time))
    last = starts + lengths - 1
    heads = _ends(by_track.xyxy, time, starts, starts, time - time[starts].repeat(lengths) <= WINDOW_US)
    tails = _ends(by_track.xyxy, time, starts, last, time[last].repeat(lengths) - time <= WINDOW_US)
    before, after = pairs(tails.time, heads.time, longest_us)
    cost = _costs(tails, heads, before, after, longest_us)
    gain = np.rint((1 - cost) * STEPS)
    good = gain > 0
    if not good.any():
        return before[:0], after[:0]
    return assign(before[good], after[good], gain[good])


def _ends(
    xyxy: FloatArray, time: IntArray, starts: IntArray, outermost: IntArray, inside: NDArray[np.bool_]
) -> Ends:
    """Facts about one end of every track, from the rows that are `inside` its window."""
    track = np.zeros(len(time), np.int64)
    track[starts[1:]] = 1
    track = track.cumsum()[inside]
    boxes, since = xyxy[inside].T, (time[inside] - time[outermost][track]) / 1e6
    centre, sides = (boxes[:2] + boxes[2:]) / 2, boxes[2:] - boxes[:2]
    at = np.flatnonzero(np.diff(track, prepend=-1))
    span = since[at + np.bincount(track) - 1] - since[at]
    recedes = _recedes(track, since, span, sides)
    distance = np.maximum(1 + recedes[track] * since, NEAREST)
    size = np.stack([_medians(track, values * distance) for values in sides])
    return Ends(
        time[outermost],
        (xyxy[outermost, :2] + xyxy[outermost, 2:]).T / 2,
        _velocities(track, span, since / distance, centre, size),
        size,
        (xyxy[outermost, 2:] - xyxy[outermost, :2]).T,
        span,
        recedes,
    )


def _recedes(track: IntArray, since: FloatArray, span: FloatArray, sides: FloatArray) -> FloatArray:
    """How the distance of each track changes a second, as a share of that at its end; 0 where it shows no such thing."""
    count = np.bincount(track)
    at = _off_mean(track, since, count)
    spread = np.bincount(track, at * at)

    def trend(far: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Slope, value at the end and r squared of each track's straight line."""
        off = _off_mean(track, far, count)
        both = np.bincount(track, at * off)
        slope = both / np.maximum(spread, 1e-12)
        here = (np.bincount(track, far) - slope * np.bincount(track, since)) / count
        return slope, here, both * both / np.maximum(spread * np.bincount(track, off * off), 1e-300)

    width, height = np.maximum(sides, 1.0)
    slope, here, evenly = trend(1 / np.sqrt(width * height))
    shows = (evenly * (count - 2) >= EVENLY * (1 - evenly)) & (count > 2) & (here > 0)
    for side in (width, height):
        one, there, _ = trend(1 / side)
        shows &= (one * slope > 0) & (np.abs(one) * span >= NEARS * np.abs(there))
    return np.where(shows, slope / np.where(shows, here, 1.0), 0.0)


def _velocities(
    track: IntArray, span: FloatArray, along: FloatArray, centre: FloatArray, size: FloatArray
) -> FloatArray:
    """Velocity of each track by least squares, (2, N); less the shorter the time and the way it was seen on."""
    count = np.bincount(track)
    at = _off_mean(track, along, count)
    spread = np.bincount(track, at * at)
    both = np.stack([np.bincount(track, at * _off_mean(track, values, count)) for values in centre])
    slope = np.divide(both, spread, out=np.zeros((2, len(count))), where=spread > 0)
    sides = span * span * (slope * slope).sum(0) / np.maximum(size[0] * size[1], 1.0)
    velocity: FloatArray = slope * (span / (span + TRUST_S / np.maximum(sides, 1.0)))
    return velocity


def _off_mean(track: IntArray, values: FloatArray, count: IntArray) -> FloatArray:
    return values - (np.bincount(track, values) / count)[track]


def _medians(track: IntArray, values: FloatArray) -> FloatArray:
    """Median of each track's values."""
    ordered = values[np.lexsort((values, track))]
    count = np.bincount(track)
    first = count.cumsum() - count
    middle: FloatArray = (ordered[first + (count - 1) // 2] + ordered[first + count // 2]) / 2
    return middle


def pairs(end: IntArray, start: IntArray, longest_us: int) -> tuple[IntArray, IntArray]:
    """Pairs (A, B) where B starts after A's end, at most `longest_us` later; sorted by A, then B."""
    order = np.argsort(start, kind="stable")
    low = np.searchsorted(start[order], end, "right")
    high = np.searchsorted(start[order], end + longest_us, "right")
    counts = high - low
    before = np.arange(len(end)).repeat(counts)
    within = np.arange(len(before)) - (counts.cumsum() - counts).repeat(counts)
    after = order[low.repeat(counts) + within]
    sort = np.lexsort((after, before))
    return before[sort], after[sort]


def _costs(tails: Ends, heads: Ends, before: IntArray, after: IntArray, longest_us: int) -> FloatArray:
    """Cost of each link, float64 (K,); 1 and more is no link."""
    gap = (heads.time[after] - tails.time[before]) / 1e6
    step = heads.centre[:, after] - tails.centre[:, before]
    recedes, comes = tails.recedes[before], heads.recedes[after]
    farther, nearer = np.maximum(1 + recedes * gap, NEAREST), np.maximum(1 - comes * gap, NEAREST)
    ahead = _missed(step, tails.velocity[:, before] * gap, 1 / farther)
    back = _missed(step, heads.velocity[:, after] * gap, 1 / nearer)
    # Where one end alone shows how the distance changes, that one knows; the other has the size of its last box.
    knows, asks = (recedes != 0) & (comes == 0), (recedes == 0) & (comes != 0)
    old = np.maximum(np.where(asks, tails.outer[:, before], tails.size[:, before]), 1e-3)
    new = np.maximum(np.where(knows, heads.outer[:, after], heads.size[:, after]), 1e-3)
    unit = np.prod(old * new, axis=0) ** 0.25  # geometric mean of both roots of area
    ratio = np.log(new / old)
    grown = np.abs(ratio - np.clip(ratio, *_ordered(-np.log(farther))))
    shrunk = np.abs(ratio - np.clip(ratio, *_ordered(np.log(nearer))))
    seen = tails.span[before] + TRUST_S, heads.span[after] + TRUST_S
    first = np.where(asks, 0.0, np.where(knows, 1.0, seen[0] / (seen[0] + seen[1])))
    off = (first * ahead + (1 - first) * back) / unit / (REACH + REACH_PER_S * gap)
    shape = (first * grown + (1 - first) * shrunk).max(axis=0) / SIZE_RATIO
    cost = np.sqrt((off * off + shape * shape) / 2) + GAP_COST * gap / (longest_us / 1e6)
    return np.where((off < 1) & (shape < 1), cost, 1.0)


def _missed(step: FloatArray, way: FloatArray, most: FloatArray) -> FloatArray:
    """How far a step (2, K) ends from a way (2, K) that is as long as it is, so many times as long, or between.

    Boxes of what has a depth grow less evenly than one that has none.
    """
    square = np.maximum((way * way).sum(0), 1e-12)
    times = np.clip((step * way).sum(0) / square, np.minimum(most, 1.0), np.maximum(most, 1.0))
    missed: FloatArray = np.hypot(*(step - way * times))
    return missed


def _ordered(value: FloatArray) -> tuple[FloatArray, FloatArray]:
    return np.minimum(value, 0.0), np.maximum(value, 0.0)
