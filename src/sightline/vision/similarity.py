"""How a camera moved between two pictures: points of the earlier one are turned, scaled and shifted."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sightline.arrays import FloatArray

__all__ = ["IDENTITY", "Motion"]


@dataclass(frozen=True, slots=True)
class Motion:
    """Where points of an earlier picture are in a later one: (x, y) at (a x - b y + self.x, b x + a y + self.y).

    The origin is the top left corner of the picture, and pixel (0, 0) has its middle at (0.5, 0.5), as in boxes.

    Attributes:
        a, b: scale times cosine and sine of the turn; clockwise as seen where b > 0, as y points down.
        x, y: where the origin goes, in pixels.

    >>> Motion(1.0, 0.0, 3.0, -2.0).apply(np.array([[10.0, 10.0]]))
    array([[13.,  8.]])
    """

    a: float
    b: float
    x: float
    y: float

    @property
    def is_identity(self) -> bool:
        """Whether nothing moved at all."""
        return self == IDENTITY

    @property
    def scale(self) -> float:
        """How much longer a side became."""
        return math.sqrt(self.a * self.a + self.b * self.b)

    def apply(self, points: FloatArray) -> FloatArray:
        """Where points are in the later picture.

        Args:
            points: float64 (..., 2), (x, y).

        Returns:
            float64 of the same shape.
        """
        x, y = points[..., 0], points[..., 1]
        return np.stack((self.a * x - self.b * y + self.x, self.b * x + self.a * y + self.y), axis=-1)

    def then(self, later: Motion) -> Motion:
        """This motion, and `later` after it, as one."""
        return Motion(
            later.a * self.a - later.b * self.b,
            later.b * self.a + later.a * self.b,
            later.a * self.x - later.b * self.y + later.x,
            later.b * self.x + later.a * self.y + later.y,
        )

    def inverse(self) -> Motion:
        """From the later picture to the earlier one."""
        size = self.a * self.a + self.b * self.b
        a, b = self.a / size, -self.b / size
        return Motion(a, b, b * self.y - a * self.x, -b * self.x - a * self.y)

    def scaled(self, factor: float) -> Motion:
        """The same motion in pixels of a picture that is `factor` times as large."""
        return Motion(self.a, self.b, self.x * factor, self.y * factor)

    def farthest(self, width: float, height: float) -> float:
        """The longest way of a corner of the picture, in pixels."""
        corners = np.array([(0.0, 0.0), (width, 0.0), (0.0, height), (width, height)])
        ways = self.apply(corners) - corners
        return math.sqrt(float((ways * ways).sum(axis=1).max()))


IDENTITY = Motion(1.0, 0.0, 0.0, 0.0)
