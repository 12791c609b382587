"""How far a picture is shifted, to a few pixels: the peak of the phase correlation of both at half their size.

Kuglin and Hines, The phase correlation image alignment method, 1975. High frequencies are damped: noise and what a codec of
low bitrate leaves out.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from sightline.arrays import ByteArray

__all__ = ["coarse_shift"]

HALF = 2
PASSED = 0.25  # cycles a pixel of the half-size picture
STEPS = 4096.0  # of the correlation: machines round it differently, and of equal peaks the first is taken


def coarse_shift(before: ByteArray, after: ByteArray) -> tuple[int, int]:
    """By how many pixels (x, y) `after` is shifted against `before`; anything where they show different things.

    Args:
        before, after: uint8 (h, w), sides of at least 8.
    """
    shape = (before.shape[0] // HALF, before.shape[1] // HALF)
    window, damping = _window_and_damping(*shape)
    one, other = (_spectrum(each, shape, window) for each in (before, after))
    cross = other * np.conj(one)
    cross /= np.abs(cross) + 1e-3
    cross *= damping
    peaks = np.fft.irfft2(cross, s=shape)
    y, x = divmod(int(np.rint(peaks * STEPS).argmax()), shape[1])
    return HALF * (x - shape[1] * (2 * x >= shape[1])), HALF * (y - shape[0] * (2 * y >= shape[0]))


def _spectrum(
    pixels: ByteArray, shape: tuple[int, int], window: NDArray[np.float32]
) -> NDArray[np.complexfloating]:
    height, width = HALF * shape[0], HALF * shape[1]
    rows = pixels[:height:2].astype(np.float32)
    rows += pixels[1:height:2]
    half = rows[:, :width:2] + rows[:, 1:width:2]
    half -= half.mean()
    half *= window
    return np.fft.rfft2(half)


@lru_cache(maxsize=4)
def _window_and_damping(height: int, width: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A window that fades to the borders, and the factors of the frequencies."""
    down, across = (np.sin(np.pi * (np.arange(side) + 0.5) / side) ** 2 for side in (height, width))
    fy, fx = np.fft.fftfreq(height), np.fft.rfftfreq(width)
    damping = np.exp(-(fy[:, None] ** 2 + fx**2) / PASSED**2)
    return (down[:, None] * across).astype(np.float32), damping.astype(np.float32)
