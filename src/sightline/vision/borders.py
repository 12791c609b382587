"""Lines and zones seen from where objects stand: on which side they are, and how far away from the border.

An object that the picture's edge cuts stands farther out than its box shows: seen from a border that it has already
passed on its way out, it is farther away by its whole size. The picture's edge itself is no border: an outline along
it, or outside, separates nobody from anybody.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from sightline.arrays import BoolArray, FloatArray
from sightline.counts import Point
from sightline.vision.foot_paths import EDGE, FootPaths

__all__ = ["breadth", "from_line", "from_outline", "inside", "line_reach", "past_line", "within_edges"]


def from_line(paths: FootPaths, a: Point, b: Point) -> FloatArray:
    """How far objects are from the endless line through a and b; pixels, float64 (R,), positive to its right.

    The right as you look from a to b on the screen, where y grows downwards.
    """
    dx, dy = _direction(a, b)
    return dx * (paths.y - a[1]) - dy * (paths.x - a[0])


def past_line(paths: FootPaths, depth: FloatArray, a: Point, b: Point) -> FloatArray:
    """How far objects are past a line, on whichever side, with what the picture's edge hides; pixels, float64 (R,).

    Args:
        paths: of all tracks.
        depth: the result of `from_line`.
        a, b: the ends of the line.
    """
    dx, dy = _direction(a, b)
    outward = np.sign(depth) * (dx * paths.out_y - dy * paths.out_x)
    return np.abs(depth) + paths.size * np.maximum(outward, 0)


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


def within_edges(paths: FootPaths, width: int, height: int) -> tuple[FloatArray, FloatArray]:
    """Where objects stand, x and y, but nothing nearer to the picture's edge than what counts as on it."""
    x, y = EDGE * width, EDGE * height
    return paths.x.clip(x, width - x), paths.y.clip(y, height - y)


def inside(x: FloatArray, y: FloatArray, corners: Sequence[Point]) -> BoolArray:
    """Which points are inside a polygon; a ray to the right crosses its outline an odd number of times."""
    odd = np.zeros(len(x), bool)
    for (x1, y1), (x2, y2) in _edges(corners):
        if y1 != y2:
            odd ^= ((y1 > y) != (y2 > y)) & (x < (x2 - x1) * (y - y1) / (y2 - y1) + x1)
    return odd


def from_outline(
    paths: FootPaths, x: FloatArray, y: FloatArray, corners: Sequence[Point], width: int, height: int
) -> FloatArray:
    """How far objects at x, y are from a zone's outline, with what the picture's edge hides; pixels, float64 (R,)."""
    nearest = np.full(len(x), np.inf)
    for a, b in _edges(corners):
        if _at_edge(a, b, width, height):
            continue
        dx, dy = b[0] - a[0], b[1] - a[1]
        along = (((x - a[0]) * dx + (y - a[1]) * dy) / (dx * dx + dy * dy)).clip(0, 1)
        away_x, away_y = x - a[0] - along * dx, y - a[1] - along * dy
        distance = np.hypot(away_x, away_y)
        outward = (paths.out_x * away_x + paths.out_y * away_y) / np.where(distance > 0, distance, 1)
        np.minimum(nearest, distance + paths.size * np.maximum(outward, 0), out=nearest)
    return nearest


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


def _at_edge(a: Point, b: Point, width: int, height: int) -> bool:
    """Whether a segment lies along one edge of the picture, or beyond it."""
    x, y = EDGE * width, EDGE * height
    return (
        max(a[0], b[0]) <= x
        or min(a[0], b[0]) >= width - x
        or max(a[1], b[1]) <= y
        or min(a[1], b[1]) >= height - y
    )
