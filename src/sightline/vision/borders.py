"""Lines and zones seen from where objects stand: on which side they are, and how far away from the border.

An object that the picture's edge cuts stands farther out than its box shows: seen from a border that it has already
passed on its way out, it is farther away by its whole size. The picture's edge itself is no border: an outline along
it, or outside, separates nobody from anybody. Where the camera moves, there is ground beyond the edges, and they are
nowhere (`NO_EDGES`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from sightline.arrays import BoolArray, FloatArray, IntArray
from sightline.counts import Point
from sightline.vision.foot_paths import EDGE, FootPaths
from sightline.vision.sides import margins, widest

__all__ = [
    "NO_EDGES",
    "Edges",
    "breadth",
    "clear_of_line",
    "clear_of_outline",
    "edges_of",
    "inside",
    "line_reach",
    "may_cross",
    "may_enter",
    "off_line",
    "within_edges",
]

BESIDE = 1.0  # pixels: a track that stays so far beside a line's ends does not meet it, however numbers are rounded


class Edges(NamedTuple):
    """As far as an object counts as on the edge of the picture: pixels."""

    left: float
    top: float
    right: float
    bottom: float


NO_EDGES = Edges(-math.inf, -math.inf, math.inf, math.inf)


def edges_of(width: int, height: int) -> Edges:
    """Of a picture of that size."""
    x, y = EDGE * width, EDGE * height
    return Edges(x, y, width - x, height - y)


def off_line(x: FloatArray, y: FloatArray, a: Point, b: Point) -> FloatArray:
    """How far points are from the endless line through a and b; pixels, float64 (R,), positive to its right.

    The right as you look from a to b on the screen, where y grows downwards.
    """
    dx, dy = _direction(a, b)
    return dx * (y - a[1]) - dy * (x - a[0])


def may_cross(bounds: FloatArray, a: Point, b: Point, reach: tuple[float, float]) -> BoolArray:
    """Which tracks may cross a line, by where they stood: bool (N,). All others do not.

    Rounding keeps order, so no row lies farther on a side than all corners of the rectangle around its track.

    Args:
        bounds: float64 (N, 4), left, top, right, bottom of each track.
        a, b: the ends of the line.
        reach: the result of `line_reach`.
    """
    left, top, right, bottom = bounds.T
    corners = [off_line(x, y, a, b) for x in (left, right) for y in (top, bottom)]
    may: BoolArray = (np.minimum.reduce(corners) < 0) & (np.maximum.reduce(corners) > 0)
    for low, high, start, step in ((left, right, a[0], b[0] - a[0]), (top, bottom, a[1], b[1] - a[1])):
        ends = [start + (share * step if step else 0.0) for share in reach]
        may &= (high >= min(ends) - BESIDE) & (low <= max(ends) + BESIDE)
    return may


def may_enter(bounds: FloatArray, corners: Sequence[Point], edges: Edges) -> BoolArray:
    """Which tracks may have been in the rectangle around a zone, by where they stood: bool (N,). All others were not."""
    left, top, right, bottom = bounds.T
    (west, east), (north, south) = ((min(part), max(part)) for part in zip(*corners, strict=True))
    left, top = within_edges(left, top, edges)
    right, bottom = within_edges(right, bottom, edges)
    may: BoolArray = (right >= west) & (left <= east) & (bottom >= north) & (top <= south)
    return may


def clear_of_line(paths: FootPaths, depth: FloatArray, a: Point, b: Point) -> BoolArray:
    """Which objects are clear of a line, on whichever side, with what the picture's edge hides: bool (R,).

    Args:
        paths: of all tracks.
        depth: the result of `off_line`.
        a, b: the ends of the line.
    """
    dx, dy = _direction(a, b)
    past = np.abs(depth)
    clear: BoolArray = past >= widest(paths)
    near = np.flatnonzero(~clear)
    side = np.sign(depth[near])
    hidden = paths.size(near) * paths.outward(near, -side * dy, side * dx)
    clear[near] = past[near] + hidden >= margins(paths, near)
    return clear


def line_reach(a: Point, b: Point, width: int, height: int) -> tuple[float, float]:
    """Where a line begins and ends as shares of a -> b: 0 and 1, or endless where it leaves the picture."""
    length = math.hypot(b[0] - a[0], b[1] - a[1])
    x, y = (EDGE * size * step / length for size, step in ((width, b[0] - a[0]), (height, b[1] - a[1])))

    def outside(point: Point) -> bool:
        return not (0 <= point[0] <= width and 0 <= point[1] <= height)

    return (
        -math.inf if outside((a[0] - x, a[1] - y)) else 0.0,
        math.inf if outside((b[0] + x, b[1] + y)) else 1.0,
    )


def within_edges(x: FloatArray, y: FloatArray, edges: Edges) -> tuple[FloatArray, FloatArray]:
    """Where objects at x, y stand, but nothing nearer to the picture's edge than what counts as on it."""
    return x.clip(edges.left, edges.right), y.clip(edges.top, edges.bottom)


def inside(x: FloatArray, y: FloatArray, corners: Sequence[Point]) -> BoolArray:
    """Which points are inside a polygon; a ray to the right crosses its outline an odd number of times."""
    odd = np.zeros(len(x), bool)
    for (x1, y1), (x2, y2) in _edges(corners):
        if y1 != y2:
            level = np.flatnonzero((y1 > y) != (y2 > y))
            odd[level] ^= x[level] < (x2 - x1) * (y[level] - y1) / (y2 - y1) + x1
    return odd


def clear_of_outline(
    paths: FootPaths, x: FloatArray, y: FloatArray, corners: Sequence[Point], edges: Edges
) -> BoolArray:
    """Which objects at x, y are clear of a zone's outline, with what the picture's edge hides: bool (R,).

    In a narrow zone a quarter of its breadth is enough.

    Args:
        paths: of all tracks.
        x, y: float64 (R,), where they stand, pixels.
        corners: of the zone.
        edges: of the picture.
    """
    clear = np.ones(len(x), bool)
    narrow = breadth(corners) / 4
    reach = min(widest(paths), narrow) + BESIDE
    for a, b in _edges(corners):
        if not _at_edge(a, b, edges):
            near = np.flatnonzero(_beside(x, y, reach, a, b))
            far = _from_edge(paths, near, x[near], y[near], a, b)
            clear[near] &= far >= np.minimum(margins(paths, near), narrow)
    return clear


def _beside(x: FloatArray, y: FloatArray, reach: float, a: Point, b: Point) -> BoolArray:
    """Which points lie in the rectangle around a segment, or no farther from it."""
    (left, right), (top, bottom) = sorted((a[0], b[0])), sorted((a[1], b[1]))
    beside: BoolArray = (
        (x >= left - reach) & (x <= right + reach) & (y >= top - reach) & (y <= bottom + reach)
    )
    return beside


def _from_edge(
    paths: FootPaths, rows: IntArray, x: FloatArray, y: FloatArray, a: Point, b: Point
) -> FloatArray:
    """How far the objects of some rows, at x, y, are from a segment of an outline, with what the picture hides."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    along = (((x - a[0]) * dx + (y - a[1]) * dy) / (dx * dx + dy * dy)).clip(0, 1)
    away_x, away_y = x - a[0] - along * dx, y - a[1] - along * dy
    distance = np.hypot(away_x, away_y)
    outward = paths.outward(rows, away_x, away_y) / np.where(distance > 0, distance, 1)
    return distance + paths.size(rows) * outward


def breadth(corners: Sequence[Point]) -> float:
    """How broad a zone is, pixels: twice its area by its circumference, the width of a long strip."""
    around = [*corners, corners[0]]
    area = abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairwise(around))) / 2
    return 2 * area / sum(math.dist(a, b) for a, b in pairwise(around))


def _direction(a: Point, b: Point) -> Point:
    length = math.dist(a, b)
    return (b[0] - a[0]) / length, (b[1] - a[1]) / length


def _edges(corners: Sequence[Point]) -> list[tuple[Point, Point]]:
    """The edges of a polygon that have a length."""
    return [(a, b) for a, b in pairwise([*corners, corners[0]]) if a != b]


def _at_edge(a: Point, b: Point, edges: Edges) -> bool:
    """Whether a segment lies along one edge of the picture, or beyond it."""
    return (
        max(a[0], b[0]) <= edges.left
        or min(a[0], b[0]) >= edges.right
        or max(a[1], b[1]) <= edges.top
        or min(a[1], b[1]) >= edges.bottom
    )
