"""Where the camera looked in each frame: motions from frame to frame, one after the other.

Coordinates in which the ground stands still are those of the first frame of a stretch. A stretch ends where the motion to
the next frame is not known: what lies behind has nothing in common with what lay before.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from sightline.arrays import FloatArray, IntArray
from sightline.vision.similarity import IDENTITY, Motion

__all__ = ["CameraPath", "path_of"]


@dataclass(frozen=True, slots=True, eq=False)
class CameraPath:
    """Where points of the ground are in each sampled frame.

    Attributes:
        maps: float64 (F, 4), rows of a, b, x, y: from the first frame of the stretch to each frame, see `Motion`. In pixels of
            the source.
        stretch: int64 (F,), which stretch each frame belongs to, from 0, never falling.
    """

    maps: FloatArray
    stretch: IntArray

    def __len__(self) -> int:
        return len(self.maps)

    @property
    def stands_still(self) -> bool:
        """Whether nothing ever moved."""
        return bool((self.maps == (1.0, 0.0, 0.0, 0.0)).all() and not self.stretch.any())

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

    def scale(self, seq: IntArray) -> FloatArray:
        """How many pixels of each frame are one of the first of its stretch, float64 (N,)."""
        a, b = self.maps[seq, :2].T
        scale: FloatArray = np.sqrt(a * a + b * b)
        return scale

    def between(self, before: int, after: int) -> Motion | None:
        """From one frame to another, None where they have nothing in common."""
        if self.stretch[before] != self.stretch[after]:
            return None
        return Motion(*self.maps[before].tolist()).inverse().then(Motion(*self.maps[after].tolist()))


def path_of(motions: Iterable[Motion | None]) -> CameraPath:
    """The path whose steps are known.

    Args:
        motions: to each frame from the one before, in pixels of the source, None where it is not known; that of the first
            frame plays no part.
    """
    maps: list[tuple[float, float, float, float]] = []
    stretch: list[int] = []
    place, number = IDENTITY, 0
    for seq, motion in enumerate(motions):
        if seq and motion is None:
            number += 1
        place = IDENTITY if seq == 0 or motion is None else place.then(motion)
        maps.append((place.a, place.b, place.x, place.y))
        stretch.append(number)
    return CameraPath(np.array(maps, np.float64).reshape(-1, 4), np.array(stretch, np.int64))
