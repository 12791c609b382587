"""Which track is which detection: similarity of overlapping boxes and the best assignment.

Only pairs that share an area can be alike, so everything here works on lists of pairs. The assignment maximises the
sum of what each pair lies above the limit; that is the official `lapjv` with `cost_limit` (assigning first and
applying the limit afterwards is not the same). Between equal costs the lower row and the lower column win.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from sightline.arrays import BoolArray, FloatArray, IndexArray
from sightline.vision.boxes import area, overlaps
from sightline.vision.solver import linear_sum_assignment

__all__ = ["NONE", "Candidates", "Matches", "assign", "candidates", "choose", "covered", "upright"]

Matches = tuple[IndexArray, IndexArray]

# From so many rival pairs on they are split into groups first: the time of the solver grows cubically.
MANY_PAIRS = 250
# Groups are solved together until they hold so many pairs: a call costs more than a few more rows.
BATCH_PAIRS = 120

NONE: Matches = (np.empty(0, np.intp), np.empty(0, np.intp))


class Candidates(NamedTuple):
    """The pairs of a track and a detection that share an area, sorted by track, then detection.

    Attributes:
        rows, columns: (K,), track and detection of each pair.
        iou: float64 (K,) in (0, 1].
        shape: how many tracks and detections there are.
    """

    rows: IndexArray
    columns: IndexArray
    iou: FloatArray
    shape: tuple[int, int]


def candidates(tracks: FloatArray, found: FloatArray, margin: float = 0.0) -> Candidates:
    """Pairs of boxes (N, 4) and (M, 4), xyxy in pixels, that share an area; `margin` as in `boxes`."""
    rows, columns, shared = overlaps(tracks, found, margin)
    total = area(tracks, margin)[rows]
    total += area(found, margin)[columns]
    total -= shared
    return Candidates(rows, columns, shared / total, (len(tracks), len(found)))


def covered(tracks: FloatArray, found: FloatArray) -> float:
    """How well boxes (N, 4) lie on others (M, 4), xyxy in pixels: the sum of the largest overlap of each, exact."""
    pairs = candidates(tracks, found)
    largest = np.zeros(len(tracks))
    np.maximum.at(largest, pairs.rows, pairs.iou)
    return math.fsum(largest.tolist())


def upright(pairs: Candidates, tracks: FloatArray, found: FloatArray) -> FloatArray:
    """Root of the vertical overlap over the vertical union of each pair, float64 (K,) in [0, 1].

    People who walk behind each other differ in where they stand.
    """
    top, bottom = tracks[:, 1][pairs.rows], tracks[:, 3][pairs.rows]
    other_top, other_bottom = found[:, 1][pairs.columns], found[:, 3][pairs.columns]
    share: FloatArray = np.minimum(bottom, other_bottom)
    share -= np.maximum(top, other_top)
    share /= np.maximum(bottom, other_bottom) - np.minimum(top, other_top)
    return np.sqrt(share)


def choose(
    pairs: Candidates,
    similarity: FloatArray,
    limit: float,
    tracks: BoolArray | None = None,
    found: BoolArray | None = None,
) -> Matches:
    """Match tracks with detections, one to one.

    Args:
        pairs: who may be matched, sorted.
        similarity: float64 (K,), of each pair.
        limit: a pair is allowed where 1 - similarity is below it.
        tracks, found: bool (N,) and (M,), who takes part; all where there is none.

    Returns:
        tracks and detections that belong together, sorted by track.
    """
    least = 1.0 - limit
    fits = similarity > least
    if tracks is not None:
        fits &= tracks[pairs.rows]
    if found is not None:
        fits &= found[pairs.columns]
    at = fits.nonzero()[0]
    if not len(at):
        return NONE
    return assign(pairs.rows[at], pairs.columns[at], similarity[at] - least)


def assign(rows: IndexArray, columns: IndexArray, gain: FloatArray) -> Matches:
    """The one-to-one choice of pairs with the largest sum of gains.

    Args:
        rows, columns: (K,), K > 0, the pairs, each once, sorted by row, then column.
        gain: float64 (K,), above 0.

    Returns:
        rows and columns of the chosen pairs, sorted by row.

    >>> assign(np.array([0, 0, 1]), np.array([0, 1, 0]), np.array([0.5, 0.4, 0.3]))
    (array([0, 1]), array([1, 0]))
    """
    if len(rows) == 1:
        return rows, columns
    starts = _starts(rows)
    best = starts if len(starts) == len(rows) else _best(starts, gain)
    taken = columns[best]
    if len(best) == len(starts) and np.bincount(taken).max() == 1:
        return rows[best], taken
    alone = (np.bincount(rows)[rows] == 1) & (np.bincount(columns)[columns] == 1)
    parts = [(rows[alone], columns[alone])]
    for part in _groups(rows, columns, (~alone).nonzero()[0]):
        parts.append(_solve(rows[part], columns[part], gain[part]))
    matched, match = (np.concatenate(each) for each in zip(*parts, strict=True))
    order = matched.argsort()
    return matched[order], match[order]


def _starts(values: IndexArray) -> IndexArray:
    """Where each run of equal values begins."""
    begins = np.empty(len(values), bool)
    begins[0] = True
    np.not_equal(values[1:], values[:-1], out=begins[1:])
    return begins.nonzero()[0]


def _best(starts: IndexArray, gain: FloatArray) -> IndexArray:
    """The largest gain of each run, several of a run where they are equal."""
    count = np.empty_like(starts)
    np.subtract(starts[1:], starts[:-1], out=count[:-1])
    count[-1] = len(gain) - starts[-1]
    found: IndexArray = (gain == np.maximum.reduceat(gain, starts).repeat(count)).nonzero()[0]
    return found


def _groups(rows: IndexArray, columns: IndexArray, rivals: IndexArray) -> list[IndexArray]:
    """The rivals in parts that share no row and no column; all in one part where they are few."""
    if len(rivals) < MANY_PAIRS:
        return [rivals]
    group = _connected(rows[rivals], columns[rivals])
    order = group.argsort(kind="stable")
    cuts = [0]
    for start in _starts(group[order]).tolist():
        if start - cuts[-1] >= BATCH_PAIRS:
            cuts.append(start)
    return np.split(rivals[order], cuts[1:])


def _connected(rows: IndexArray, columns: IndexArray) -> IndexArray:
    """For each pair the lowest row that it is connected with."""
    label, starts = np.arange(rows[-1] + 1), _starts(rows)
    while True:
        lowest = np.full(columns.max() + 1, len(label))
        np.minimum.at(lowest, columns, label[rows])
        spread = label.copy()  # no row's lowest lies behind itself
        spread[rows[starts]] = np.minimum.reduceat(lowest[columns], starts)
        spread = spread[spread]
        if np.array_equal(spread, label):
            return label[rows]
        label = spread


def _solve(rows: IndexArray, columns: IndexArray, gain: FloatArray) -> Matches:
    """The best choice among pairs that compete, by a dense assignment on the rows and columns they touch."""
    row_ids, row_at = _compact(rows)
    column_ids, column_at = _compact(columns)
    total = np.zeros((len(row_ids), len(column_ids)))
    total[row_at, column_at] = gain
    left, right = linear_sum_assignment(total)
    real = total[left, right] > 0
    return row_ids[left[real]], column_ids[right[real]]


def _compact(values: IndexArray) -> tuple[IndexArray, IndexArray]:
    """The distinct values in rising order, and where each value is among them."""
    present = np.bincount(values).nonzero()[0]
    place = np.empty(present[-1] + 1, np.intp)
    place[present] = np.arange(len(present))
    return present, place[values]
