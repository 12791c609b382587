"""Knots: where objects stood, second by second, in metres or pixels, and how surely that is known.

Time is cut into windows of about a second for each track. In each a straight line is fitted to the places by weighted least
squares, what lies far off it is left out, and its middle is a knot.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sightline.arrays import BoolArray, FloatArray, IntArray
from sightline.camera import STILL
from sightline.speeds import Plane
from sightline.vision.alike import MOST_ROWS, rows_worth
from sightline.vision.foot_paths import FootPaths
from sightline.vision.ground import Ground
from sightline.vision.plane import PICTURE, Homography, homographies

__all__ = ["Knots", "Scale", "knots_of"]

WINDOW_US = 1_000_000
OFF = 4.0  # medians: what lies farther off the line is left out
NEARLY_NOTHING = 1e-6  # the weight of what is left out: where it is all there is, it counts all the same
FILLED, FILLED_WEIGHT = 2e-3, 1e-3  # of the size: no detector comes nearer to the line between its neighbours
PRIOR, PRIOR_ROWS = 0.03, 4.0  # of the size: what boxes are off by, worth so many rows


@dataclass(frozen=True, slots=True, eq=False)
class Scale:
    """How pixels become metres.

    Attributes:
        exact: by the plane as it was given; pixels as they are where there is none.
        near: by the plane with one coordinate of its points less and more, for each.
        in_metres: whether there is a plane.
        path_px: standard deviation of the path of a camera that moves, pixels.
        turn: float64 (F,), from each frame to the one that all is seen from; None: the camera stands still.
    """

    exact: Homography
    near: Sequence[tuple[Homography, Homography]]
    in_metres: bool
    path_px: float
    turn: FloatArray | None

    @classmethod
    def of(cls, plane: Plane | None, size: tuple[int, int], ground: Ground | None, seq: int) -> Scale:
        """Of what is seen from one frame, in a picture of that width and height."""
        exact, near = (PICTURE, []) if plane is None else homographies(plane, *size)
        path_px, turn = (0.0, None) if ground is None else (STILL * size[0] / 3, ground.turn(seq))
        return cls(exact, near, plane is not None, path_px, turn)


@dataclass(frozen=True, slots=True, eq=False)
class Knots:
    """Where some objects stood, by track, then time; at least two for each track that has two rows.

    Attributes:
        track: int64 (K,), places of the tracks in the anchors, rising.
        time_us: float64 (K,).
        place: float64 (K, 2), metres, or pixels where there is no plane.
        cov: float64 (K, 2, 2), covariance of the place.
        pixel: float64 (K, 2), the same place in the picture.
        size: float64 (K,), of the object, pixels.
        turn: float64 (K,), of the picture since the first frame that saw the object; 0 where the camera stands still.
    """

    track: IntArray
    time_us: FloatArray
    place: FloatArray
    cov: FloatArray
    pixel: FloatArray
    size: FloatArray
    turn: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """What is known of each box; a row each, by track, then time."""

    track: IntArray
    seq: IntArray
    time_us: FloatArray
    pixel: FloatArray
    size: FloatArray

    def __len__(self) -> int:
        return len(self.track)

    @property
    def first(self) -> BoolArray:
        """Whether it is the first one of its track."""
        first: BoolArray = np.diff(self.track, prepend=-1) != 0
        return first


def knots_of(paths: FootPaths, pts_us: IntArray, scale: Scale) -> Knots:
    """The knots of some objects; of one that is never seen whole there are none.

    Args:
        paths: where they stood, on the picture of one frame.
        pts_us: int64 (F,), of the sampled frames.
        scale: from there to metres.
    """
    rows = _whole(paths, pts_us, scale)
    starts = _windows(rows)
    window = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(rows)))
    measured = ~_filled(rows)
    place, slope = scale.exact.to_metres(rows.pixel), scale.exact.slope(rows.pixel)
    weight = np.where(measured, 1.0, FILLED_WEIGHT) / (rows.size**2 * (slope**2).sum(axis=(1, 2)))
    off = _off(rows, place, slope, weight, starts, window)
    far = np.hypot(*off.T) > OFF * np.maximum(_medians(np.hypot(*off.T), rows, measured), PRIOR)
    if far.any():
        measured &= ~far
        weight = np.where(far, NEARLY_NOTHING * weight, weight)
        off = _off(rows, place, slope, weight, starts, window)
    spread = _spread(rows, off, measured, starts, window)
    total = np.add.reduceat(weight, starts)
    middle = np.add.reduceat(weight[:, None] * place, starts) / total[:, None]
    own = slope * (weight * rows.size)[:, None, None]
    cov = np.add.reduceat(np.einsum("nij,nj,nkj->nik", own, spread, own), starts) / (total**2)[:, None, None]
    pixel = scale.exact.to_pixels(middle)
    there = scale.exact.slope(pixel)
    return Knots(
        rows.track[starts],
        np.add.reduceat(weight * rows.time_us, starts) / total,
        middle,
        cov + scale.path_px**2 * np.einsum("nij,nkj->nik", there, there),
        pixel,
        np.add.reduceat(weight * rows.size, starts) / total,
        _turns(rows, scale, starts),
    )


def _whole(paths: FootPaths, pts_us: IntArray, scale: Scale) -> _Rows:
    """The rows whose boxes are seen whole, on the ground before the camera."""
    every = np.arange(len(paths))
    pixel, size = np.stack((paths.x, paths.y), axis=1), paths.size(every)
    whole = (paths.anchors.edges[paths.rows] == 0) & (size > 0) & scale.exact.before(pixel)
    at = every[whole]
    seq = paths.seq(at)
    return _Rows(paths.places[paths.number(at)], seq, pts_us[seq].astype(np.float64), pixel[at], size[at])


def _windows(rows: _Rows) -> IntArray:
    """Where windows begin: two for each track at least, but one where it has a single row."""
    first = np.flatnonzero(rows.first)
    lengths = np.diff(first, append=len(rows))
    begin, end = rows.time_us[first], rows.time_us[first + lengths - 1]
    number = np.maximum(2, np.rint((end - begin) / WINDOW_US))
    width = np.maximum(end - begin, 1) / number
    part = np.floor((rows.time_us - begin.repeat(lengths)) / width.repeat(lengths))
    part = np.minimum(part, number.repeat(lengths) - 1)
    return np.flatnonzero(rows.first | (np.diff(part, prepend=-1) != 0))


def _filled(rows: _Rows) -> BoolArray:
    """Which rows lie on the line between their neighbours."""
    filled = np.zeros(len(rows), bool)
    same = rows.track[2:] == rows.track[:-2]
    share = (rows.time_us[1:-1] - rows.time_us[:-2]) / np.where(same, rows.time_us[2:] - rows.time_us[:-2], 1)
    between = rows.pixel[:-2] + share[:, None] * (rows.pixel[2:] - rows.pixel[:-2])
    filled[1:-1] = same & (np.hypot(*(rows.pixel[1:-1] - between).T) <= FILLED * rows.size[1:-1])
    return filled


def _off(
    rows: _Rows, place: FloatArray, slope: FloatArray, weight: FloatArray, starts: IntArray, window: IntArray
) -> FloatArray:
    """How far each row lies off the line that its window is fitted by, in sizes of the object, float64 (N, 2) in the picture."""
    total = np.add.reduceat(weight, starts)
    time = rows.time_us - (np.add.reduceat(weight * rows.time_us, starts) / total)[window]
    away = place - (np.add.reduceat(weight[:, None] * place, starts) / total[:, None])[window]
    long = np.add.reduceat(weight * time * time, starts)
    pace = np.add.reduceat((weight * time)[:, None] * away, starts) / np.where(long > 0, long, 1)[:, None]
    left = away - time[:, None] * pace[window]
    off: FloatArray = np.linalg.solve(slope, left[:, :, None])[:, :, 0] / rows.size[:, None]
    return off


def _medians(value: FloatArray, rows: _Rows, measured: BoolArray) -> FloatArray:
    """For each row the median over the measured ones of its track; over all where none is."""
    order = np.lexsort((value, ~measured, rows.track))
    first = np.flatnonzero(rows.first)
    lengths = np.diff(first, append=len(rows))
    those = np.add.reduceat(measured.astype(np.int64), first)
    median: FloatArray = value[order[first + np.where(those > 0, those, lengths) // 2]].repeat(lengths)
    return median


def _spread(
    rows: _Rows, off: FloatArray, measured: BoolArray, starts: IntArray, window: IntArray
) -> FloatArray:
    """Variance of each row in x and y, in sizes of the object; more where rows are like each other: float64 (N, 2)."""
    first = np.flatnonzero(rows.first)
    track = np.cumsum(rows.first) - 1
    seen = np.add.reduceat(measured, starts, dtype=np.int64)
    free = np.maximum(seen - 2, 0)
    counts = measured & (free > 0)[window]
    square = np.add.reduceat(np.where(counts[:, None], off**2, 0), first)
    freedom = np.bincount(track[starts], free) + PRIOR_ROWS
    variance = ((square + PRIOR_ROWS * PRIOR**2) / freedom[:, None])[track]
    pair = counts[1:] & counts[:-1] & (window[1:] == window[:-1])
    unlike = off / np.sqrt(variance)
    products = float((unlike[1:] * unlike[:-1]).sum(axis=1)[pair].sum())
    squares = float((unlike**2).sum(axis=1)[counts].sum())
    worth = rows_worth(seen[free > 0], products, squares)
    spread: FloatArray = variance * worth[np.clip(seen, 3, MOST_ROWS)][window][:, None]
    return spread


def _turns(rows: _Rows, scale: Scale, starts: IntArray) -> FloatArray:
    """The turn of each window, from the first row of its track."""
    if scale.turn is None:
        return np.zeros(len(starts))
    first = np.flatnonzero(rows.first)
    begun = scale.turn[rows.seq[first]].repeat(np.diff(first, append=len(rows)))
    turned = scale.turn[rows.seq] - begun
    sums = (np.add.reduceat(part(turned), starts) for part in (np.sin, np.cos))
    return np.arctan2(*sums)
