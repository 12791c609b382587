"""How the camera moved, as a file says it: read once, and put together for the frames that are sampled."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from sightline.arrays import FloatArray, IntArray
from sightline.camera import IDENTITY, Motion, motion_of
from sightline.disk import read_bytes
from sightline.formats import camera_text

__all__ = ["CameraFile", "read_camera_file"]


@dataclass(frozen=True, slots=True, eq=False)
class CameraFile:
    """What a file says.

    Attributes:
        frame: int64 (N,), numbers in the source, rising.
        maps: float64 (N, 4), rows of a, b, x, y: motions to these frames, each from the frame before it in the source.
    """

    frame: IntArray
    maps: FloatArray

    @property
    def sha256(self) -> str:
        """Of what is said, however it is written."""
        said = self.frame.astype("<i8").tobytes() + (self.maps + 0.0).astype("<f8").tobytes()
        return hashlib.sha256(said).hexdigest()

    def motions(self, frames: IntArray) -> list[Motion | None]:
        """To each of some frames from the one before it among them, in pixels of the source; None where a step is not said.

        Args:
            frames: int64 (F,), numbers in the source, rising.
        """
        steps = dict(zip(self.frame.tolist(), map(motion_of, self.maps), strict=True))
        found: list[Motion | None] = [None] * min(1, len(frames))
        numbers = frames.tolist()
        for before, after in pairwise(numbers):
            whole: Motion | None = IDENTITY
            for number in range(before + 1, after + 1):
                step = steps.get(number)
                whole = None if whole is None or step is None else whole.then(step)
            found.append(None if whole is None else whole.rounded())
        return found


def read_camera_file(path: Path) -> CameraFile:
    """Read a file.

    Raises:
        NotFound: there is none.
        InvalidFile, TooLarge: it cannot be read, or says something else; see `camera_text.decode`.
    """
    return CameraFile(*camera_text.decode(read_bytes(path), path.name))
