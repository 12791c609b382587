"""Where the camera looked in each frame: motions from frame to frame, one after the other."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from sightline.camera import IDENTITY, CameraPath, Motion

__all__ = ["CameraPath", "path_of"]


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
