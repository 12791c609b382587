"""From the picture to metres on the ground: the homography of four points.

Hartley and Zisserman, *Multiple View Geometry in Computer Vision*, 2nd edition, 2004, 2.3 and 4.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sightline.arrays import BoolArray, FloatArray
from sightline.counts import Point
from sightline.speeds import Plane

__all__ = ["PICTURE", "Homography", "homographies"]

HORIZON = 1e-3  # of the nearest of the four points' depth: what is farther is as good as on the horizon


@dataclass(frozen=True, slots=True, eq=False)
class Homography:
    """Where points of the picture lie on the ground.

    Attributes:
        matrix: float64 (3, 3), of homogeneous coordinates; what lies on the ground before the camera has a third one above 0.
        nearest: the largest third coordinate of the points that it was made of.
    """

    matrix: FloatArray
    nearest: float = 1.0

    def before(self, xy: FloatArray) -> BoolArray:
        """Whether points, float64 (N, 2), lie below the horizon, bool (N,)."""
        below: BoolArray = self._depth(xy) > HORIZON * self.nearest
        return below

    def to_metres(self, xy: FloatArray) -> FloatArray:
        """Points of the picture on the ground, float64 (N, 2) both."""
        metres: FloatArray = (xy @ self.matrix[:2, :2].T + self.matrix[:2, 2]) / self._depth(xy)[:, None]
        return metres

    def to_pixels(self, metres: FloatArray) -> FloatArray:
        """The other way."""
        return Homography(np.linalg.inv(self.matrix).astype(np.float64)).to_metres(metres)

    def slope(self, xy: FloatArray) -> FloatArray:
        """Metres by pixels around points, float64 (N, 2) to (N, 2, 2): rows of metres, columns of pixels."""
        away = self.to_metres(xy)[:, :, None] * self.matrix[2, :2]
        slope: FloatArray = (self.matrix[:2, :2] - away) / self._depth(xy)[:, None, None]
        return slope

    def _depth(self, xy: FloatArray) -> FloatArray:
        depth: FloatArray = xy @ self.matrix[2, :2] + self.matrix[2, 2]
        return depth


PICTURE = Homography(np.eye(3))
"""Of no plane: everything stays in pixels."""


def homographies(
    plane: Plane, width: int, height: int
) -> tuple[Homography, list[tuple[Homography, Homography]]]:
    """Of the plane, and of it with each coordinate of its points in the picture less and more by its standard deviation.

    Args:
        plane: see there.
        width, height: of the picture, pixels.
    """
    points, metres = np.array(plane.pixels(width, height)), np.array(plane.metres)
    pairs = []
    for coordinate in range(8 if plane.error_px else 0):
        step = np.zeros(8)
        step[coordinate] = plane.error_px
        less, more = (points + sign * step.reshape(4, 2) for sign in (-1, 1))
        pairs.append((_homography(less, metres), _homography(more, metres)))
    return _homography(points, metres), pairs


def _homography(points: FloatArray, metres: FloatArray) -> Homography:
    """The one that leads from four points to four places; solved about their middles, so that it stays exact."""
    to_unit, from_unit = _about(points.tolist()), np.linalg.inv(_about(metres.tolist()))
    rows, right = [], []
    there = np.linalg.inv(from_unit)
    for point, place in zip(points, metres, strict=True):
        (x, y), (u, v) = _moved(to_unit, point), _moved(there, place)
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        right += [u, v]
    unit = np.append(np.linalg.solve(np.array(rows), np.array(right)), 1.0).reshape(3, 3)
    matrix = from_unit @ unit @ to_unit
    depth = points @ matrix[2, :2] + matrix[2, 2]
    return Homography(matrix * np.sign(depth[0]), float(np.abs(depth).max()))


def _about(points: Sequence[Point]) -> FloatArray:
    """The matrix that moves points' middle to the origin and their spread to about 1."""
    places = np.array(points)
    middle = places.mean(axis=0)
    scale = 1 / np.abs(places - middle).max()
    return np.array([[scale, 0, -scale * middle[0]], [0, scale, -scale * middle[1]], [0, 0, 1]])


def _moved(matrix: FloatArray, point: FloatArray) -> FloatArray:
    moved: FloatArray = matrix[:2, :2] @ point + matrix[:2, 2]
    return moved
