"""Where a frame lies in a detector's picture, and the way back for boxes.

The scale is `min(W / w, H / h)`, the frame becomes `round(w * scale) x round(h * scale)` pixels, and the offsets are
`(W - nw) // 2` and `(H - nh) // 2` (0, 0 for `topleft`), as in YOLOv5's `letterbox` and YOLOX's `preproc`. With
`stretch`, as DETRs want it, the frame fills the picture, whatever their shapes. Boxes go back through the same integers, so a box that covers the scaled frame covers the frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from sightline.arrays import FloatArray
from sightline.types import ImageSpec

__all__ = ["Letterbox"]


@dataclass(frozen=True, slots=True)
class Letterbox:
    """A frame of `width` x `height` pixels in a picture.

    Attributes:
        width, height: of the frame as displayed, after rotation, in pixels.
        scale: picture pixels per frame pixel, before rounding; with `stretch` the smaller of the two.
        inner_width, inner_height: pixels of the scaled frame in the picture.
        left, top: picture pixels before the scaled frame.
    """

    width: int
    height: int
    scale: float
    inner_width: int
    inner_height: int
    left: int
    top: int

    @classmethod
    def fit(cls, width: int, height: int, spec: ImageSpec) -> Self:
        """Place a frame in the picture that `spec` asks for; 0 x 0 keeps the frame as it is.

        Raises:
            ValueError: a side of the frame is not positive.

        >>> Letterbox.fit(1920, 1080, ImageSpec(640, 384))
        Letterbox(width=1920, height=1080, scale=0.3333333333333333, inner_width=640, inner_height=360, left=0, top=12)
        """
        if width < 1 or height < 1:
            raise ValueError(f"a frame of {width} x {height} pixels cannot be scaled")
        if spec.width == 0 and spec.height == 0:
            return cls(width, height, 1.0, width, height, 0, 0)
        scale = min(spec.width / width, spec.height / height)
        inner_width, inner_height = max(1, round(width * scale)), max(1, round(height * scale))
        if spec.fit == "stretch":
            return cls(width, height, scale, spec.width, spec.height, 0, 0)
        if spec.fit == "topleft":
            return cls(width, height, scale, inner_width, inner_height, 0, 0)
        left, top = (spec.width - inner_width) // 2, (spec.height - inner_height) // 2
        return cls(width, height, scale, inner_width, inner_height, left, top)

    def to_source(self, xyxy: FloatArray) -> FloatArray:
        """Boxes of the picture in pixels of the frame, clipped to the frame.

        Args:
            xyxy: float64 (N, 4), picture pixels. N may be 0.

        Returns:
            float64 (N, 4), frame pixels within [0, width] and [0, height].

        >>> Letterbox.fit(1920, 1080, ImageSpec(640, 384)).to_source(np.array([[0.0, 12, 640, 400]]))
        array([[   0.,    0., 1920., 1080.]])
        """
        size = np.array([self.width, self.height] * 2, dtype=np.float64)
        boxes: FloatArray = (xyxy - self._offset()) * size / self._inner()
        return np.clip(boxes, 0.0, size, out=boxes)

    def to_image(self, xyxy: FloatArray) -> FloatArray:
        """Boxes of the frame in pixels of the picture; the inverse of `to_source` within the frame.

        Args:
            xyxy: float64 (N, 4), frame pixels. N may be 0.

        Returns:
            float64 (N, 4), picture pixels.
        """
        size = np.array([self.width, self.height] * 2, dtype=np.float64)
        boxes: FloatArray = xyxy * self._inner() / size + self._offset()
        return boxes

    def _offset(self) -> FloatArray:
        return np.array([self.left, self.top] * 2, dtype=np.float64)

    def _inner(self) -> FloatArray:
        return np.array([self.inner_width, self.inner_height] * 2, dtype=np.float64)
