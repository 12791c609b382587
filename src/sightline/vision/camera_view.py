"""From a detector's picture to the look that camera motion is told from, and back to pixels of the source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from sightline.arrays import ByteArray, FloatArray
from sightline.camera import Motion
from sightline.vision.letterbox import Letterbox
from sightline.vision.looks import Look, look_pixels, look_scale

__all__ = ["CAMERA_VERSION", "CameraView"]

# Part of the run key: another number where the same pictures may give other motions.
CAMERA_VERSION = 1


@dataclass(frozen=True, slots=True)
class CameraView:
    """How the frames of a job are seen.

    Attributes:
        letterbox: where a frame lies in the detector's picture.
        layout: of that picture.
    """

    letterbox: Letterbox
    layout: Literal["rgb", "bgr", "i420"]

    def pixels(self, image: ByteArray) -> ByteArray:
        """What the look of a frame shows: luma, or green where the picture is of colours.

        Args:
            image: uint8, `ImageSpec.shape()`.

        Returns:
            uint8 (h, w), see `look_pixels`; a copy.
        """
        box = self.letterbox
        gray = image if self.layout == "i420" else image[..., 1]
        inner = gray[box.top : box.top + box.inner_height, box.left : box.left + box.inner_width]
        return look_pixels(np.ascontiguousarray(inner))

    def look(self, pixels: ByteArray, xyxy: FloatArray) -> Look:
        """The look of a frame, with what was detected in it.

        Args:
            pixels: as `pixels` gave them.
            xyxy: float64 (N, 4), pixels of the source.
        """
        return Look(pixels, xyxy / np.array(self._scale() * 2))

    def motion(self, motion: Motion) -> Motion:
        """A motion in pixels of looks, in pixels of the source, as records have it.

        A picture that is stretched turns by a little more or less than the source does; the middle of it goes where it goes.
        """
        across, down = self._scale()
        return Motion(motion.a, motion.b, motion.x * across, motion.y * down).rounded()

    @property
    def scale(self) -> float:
        """Pixels of the source that are one of a look."""
        return self._scale()[0]

    def _scale(self) -> tuple[float, float]:
        """Pixels of the source that are one of the look, across and down."""
        box = self.letterbox
        factor = look_scale(box.inner_height, box.inner_width)
        return factor * box.width / box.inner_width, factor * box.height / box.inner_height
