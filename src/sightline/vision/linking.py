"""Links: tracks that are one object, broken by an occlusion, get one id.

The end of a track A and the start of a track B are compared: does A, moving on as it did, arrive where B begins, and
did B come from where A ended; are their boxes of one size; how long is the gap. All links are chosen at once, by one
assignment, so that a good link is not lost to a worse one that came first.
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
TRUST_S = 0.1  # velocity of a span counts span / (span + TRUST_S): short spans are noise
REACH, REACH_PER_S = 0.2, 0.3  # how far off, in box sizes, a link may be, and how that grows with the gap
SIZE_RATIO = 0.4  # largest |ln| of the ratio of widths or heights
GAP_COST = 0.3  # cost of the longest gap
# Costs are whole millionths: sums are exact, and machines that differ in the last bit agree.
STEPS = 1e6


@dataclass(frozen=True, slots=True, eq=False)
class Ends:
    """One end of every track, a column a track.

    Attributes:
        time: int64 (N,), microseconds.
        centre: float64 (2, N), pixels, of the outermost box.
        velocity: float64 (2, N), pixels a second, of the centre.
        size: float64 (2, N), median width and height.
    """

    time: IntArray
    centre: FloatArray
    velocity: FloatArray
    size: FloatArray


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
    seconds, boxes = (time[inside] - time.min()) / 1e6, xyxy[inside].T
    centre, sides = (boxes[:2] + boxes[2:]) / 2, boxes[2:] - boxes[:2]
    return Ends(
        time[outermost],
        (xyxy[outermost, :2] + xyxy[outermost, 2:]).T / 2,
        np.stack([_slopes(track, seconds, values) for values in centre]),
        np.stack([_medians(track, values) for values in sides]),
    )


def _slopes(track: IntArray, seconds: FloatArray, values: FloatArray) -> FloatArray:
    """Velocity of each track by least squares, less the shorter the time it was seen in; 0 for a single row."""
    count = np.bincount(track)
    first = np.flatnonzero(np.diff(track, prepend=-1))
    span = seconds[first + count - 1] - seconds[first]
    at = seconds - (np.bincount(track, seconds) / count)[track]
    off = values - (np.bincount(track, values) / count)[track]
    spread = np.bincount(track, at * at)
    slope = np.divide(np.bincount(track, at * off), spread, out=np.zeros(len(count)), where=spread > 0)
    velocity: FloatArray = slope * (span / (span + TRUST_S))
    return velocity


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
    ahead = np.hypot(*(step - tails.velocity[:, before] * gap))
    back = np.hypot(*(step - heads.velocity[:, after] * gap))
    old, new = (np.maximum(size, 1e-3) for size in (tails.size[:, before], heads.size[:, after]))
    unit = np.prod(old * new, axis=0) ** 0.25  # geometric mean of both roots of area
    off = (ahead + back) / 2 / unit / (REACH + REACH_PER_S * gap)
    shape = np.abs(np.log(new / old)).max(axis=0) / SIZE_RATIO
    cost = np.sqrt((off * off + shape * shape) / 2) + GAP_COST * gap / (longest_us / 1e6)
    return np.where((off < 1) & (shape < 1), cost, 1.0)
