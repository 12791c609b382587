"""Blur and contrast before a frame is scaled, exactly as OpenCV computes them.

The founding video system called `GaussianBlur(frame, (3, 3), 0)` and then `convertScaleAbs(alpha=1.3, beta=5)`; both
are reproduced bit for bit: OpenCV's 8-bit Gaussian of size 3 is the fixed-point kernel [1 2 1] / 4 in both
directions with reflect-101 borders, its scaling is float32 and rounds half to even.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sightline.arrays import ByteArray

__all__ = ["Preprocess", "blur3", "contrast_table"]

# Rows that are blurred at once: the 16-bit sums of a 1080p strip stay in a core's second-level cache.
_STRIP = 32


@dataclass(frozen=True, slots=True)
class Preprocess:
    """What happens to the full-size frame before it is scaled: a blur, then a change of contrast.

    Attributes:
        blur: size of the Gaussian kernel in pixels: 3, or 0 for none.
        contrast: factor on each value; 1 leaves it.
        brightness: added after the factor, in grey values.
    """

    blur: int = 0
    contrast: float = 1.0
    brightness: float = 0.0

    def __post_init__(self) -> None:
        if self.blur not in (0, 3):
            raise ValueError(f"blur is {self.blur}, expected 0 or 3 pixels")

    def __call__(self, image: ByteArray) -> ByteArray:
        """The image, processed; a new, read-only array where anything changes.

        Args:
            image: uint8 (height, width, channels), any order of channels.
        """
        result = blur3(image) if self.blur else image
        if self.contrast == 1.0 and self.brightness == 0.0:
            return result
        # `bytes.translate` looks bytes up twice as fast as indexing, which first widens them to 64 bits.
        table = contrast_table(self.contrast, self.brightness).tobytes()
        return np.frombuffer(result.tobytes().translate(table), np.uint8).reshape(result.shape)


def contrast_table(contrast: float, brightness: float) -> ByteArray:
    """Every grey value after `clip(rint(contrast * value + brightness), 0, 255)`, in float32 as OpenCV computes it.

    Returns:
        uint8 (256,).

    >>> contrast_table(1.3, 5.0)[[0, 45, 85, 165, 185, 255]]
    array([  5,  63, 115, 219, 245, 255], dtype=uint8)
    """
    values = np.float32(contrast) * np.arange(256, dtype=np.float32) + np.float32(brightness)
    table: ByteArray = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return table


def blur3(image: ByteArray) -> ByteArray:
    """Gaussian blur of size 3: kernel [1 2 1] / 4 both ways, reflect-101 borders, `(sum + 8) >> 4`.

    Args:
        image: uint8 (height, width, channels), each side 1 or more.

    Returns:
        uint8 of the same shape, a new array.
    """
    height = len(image)
    result = np.empty_like(image)
    above, below = _reflect(-1, height), _reflect(height, height)
    for first in range(0, height, _STRIP):
        end = min(first + _STRIP, height)
        top = image[first - 1] if first else image[above]
        bottom = image[end] if end < height else image[below]
        rows = np.concatenate([top[None], image[first:end], bottom[None]]).astype(np.uint16)
        sums = _across(rows[:-2] + 2 * rows[1:-1] + rows[2:])
        sums += 8
        sums >>= 4
        result[first:end] = sums
    return result


def _reflect(position: int, size: int) -> int:
    if size == 1:
        return 0
    return -position if position < 0 else 2 * (size - 1) - position if position >= size else position


def _across(
    rows: np.ndarray[tuple[int, ...], np.dtype[np.uint16]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint16]]:
    width = rows.shape[1]
    sums = 2 * rows
    sums[:, 1:] += rows[:, :-1]
    sums[:, :-1] += rows[:, 1:]
    sums[:, 0] += rows[:, _reflect(-1, width)]
    sums[:, -1] += rows[:, _reflect(width, width)]
    return sums
