"""How a camera moved: from one picture to another, and from frame to frame of a whole video.

Coordinates in which the ground stands still are those of the first frame of a stretch. A stretch ends where the motion to
the next frame is not known: what lies behind has nothing in common with what lay before, unless it was found again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sightline.arrays import FloatArray, IntArray

__all__ = ["IDENTITY", "STILL", "CameraPath", "Motion", "is_still", "motion_of", "numbers_of"]


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

    def turned(self, way: tuple[float, float]) -> tuple[float, float]:
        """The direction of a way, (x, y), in the later picture, as long as before times the scale."""
        return self.a * way[0] - self.b * way[1], self.b * way[0] + self.a * way[1]

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

    def rounded(self) -> Motion:
        """The same as records have it: a corner of a large picture is off by less than a hundredth of a pixel."""
        return Motion(
            round(self.a, 6) + 0.0, round(self.b, 6) + 0.0, round(self.x, 2) + 0.0, round(self.y, 2) + 0.0
        )

    def farthest(self, width: float, height: float) -> float:
        """The longest way of a corner of the picture, in pixels."""
        most = 0.0
        for x, y in ((0.0, 0.0), (width, 0.0), (0.0, height), (width, height)):
            right, down = self.a * x - self.b * y + self.x - x, self.b * x + self.a * y + self.y - y
            most = max(most, right * right + down * down)
        return math.sqrt(most)


IDENTITY = Motion(1.0, 0.0, 0.0, 0.0)


STILL = 0.003
"""Share of the picture's width. Where no corner moves more than this, the camera stands still: a mast trembles, fields of
interlaced video lie half a line apart."""


def is_still(motion: Motion, width: float, height: float) -> bool:
    """Whether a motion is none to speak of in a picture of that size."""
    return motion.farthest(width, height) <= STILL * width


def numbers_of(motion: Motion | None) -> tuple[float, float, float, float]:
    """A motion as a row of a column; zeros, which no motion is, where it is not known."""
    return (0.0, 0.0, 0.0, 0.0) if motion is None else (motion.a, motion.b, motion.x, motion.y)


def motion_of(row: FloatArray) -> Motion | None:
    """The motion of such a row, float64 (4,)."""
    a, b, x, y = row.tolist()
    return Motion(a, b, x, y) if a or b else None


@dataclass(frozen=True, slots=True, eq=False)
class CameraPath:
    """Where points of the ground are in each sampled frame.

    Attributes:
        maps: float64 (F, 4), rows of a, b, x, y: from the first frame of the stretch to each frame, see `Motion`. In pixels of
            the source.
        stretch: int64 (F,), which stretch each frame belongs to, from 0.
    """

    maps: FloatArray
    stretch: IntArray

    def __len__(self) -> int:
        return len(self.maps)

    @property
    def moves(self) -> bool:
        """Whether it is known to have moved at all: what was never seen to move is taken to stand still."""
        return bool((self.maps != (1.0, 0.0, 0.0, 0.0)).any())

    def farthest(self, width: float, height: float) -> float:
        """The longest way of a corner of the picture, from the first frame of its stretch to any other one; pixels."""
        a, b, x, y = (self.maps - (1.0, 0.0, 0.0, 0.0)).T
        ways = [
            np.hypot(a * right - b * down + x, b * right + a * down + y)
            for right in (0.0, width)
            for down in (0.0, height)
        ]
        return max(float(way.max(initial=0.0)) for way in ways)

    def to_ground(self, xy: FloatArray, seq: IntArray) -> FloatArray:
        """Points of frames in the coordinates of the first frames of their stretches.

        Args:
            xy: float64 (N, 2), pixels of the frames.
            seq: int64 (N,), of which frames.

        Returns:
            float64 (N, 2).
        """
        a, b, x, y = self.maps[seq].T
        size = a * a + b * b
        right, down = xy[:, 0] - x, xy[:, 1] - y
        return np.stack(((a * right + b * down) / size, (a * down - b * right) / size), axis=1)

    def to_frame(self, xy: FloatArray, seq: IntArray) -> FloatArray:
        """The other way: points of the ground in pixels of frames; see `to_ground`."""
        a, b, x, y = self.maps[seq].T
        return np.stack((a * xy[:, 0] - b * xy[:, 1] + x, b * xy[:, 0] + a * xy[:, 1] + y), axis=1)

    def in_frame(self, seq: int) -> Motion:
        """Where points of the ground are in one frame."""
        return Motion(*self.maps[seq].tolist())

    def scale(self, seq: IntArray) -> FloatArray:
        """How many pixels of each frame are one of the first of its stretch, float64 (N,)."""
        a, b = self.maps[seq, :2].T
        scale: FloatArray = np.sqrt(a * a + b * b)
        return scale

    def between(self, before: int, after: int) -> Motion | None:
        """From one frame to another, None where they have nothing in common."""
        if self.stretch[before] != self.stretch[after]:
            return None
        return self.in_frame(before).inverse().then(self.in_frame(after))
