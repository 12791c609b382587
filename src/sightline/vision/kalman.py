"""Kalman filters for many boxes at once.

Four coordinates are filtered independently, each with its velocity, so the covariance of a box is four symmetric
2 x 2 blocks. `motion` is float64 (20, N), a column a box, in rows of four coordinates:

    0..3    position          8..11   variance of position
    4..7    velocity         12..15   covariance of position and velocity
                             16..19   variance of velocity

Positions are pixels, velocities pixels per unit of time. One unit is a frame in `XYAH` and 1/30 s in `XYWH`.

`XYAH` (cx, cy, width / height, height) is the filter of the official ByteTrack (ifzhang/ByteTrack at d1bf019,
`yolox/tracker/kalman_filter.py`). `XYWH` (cx, cy, width, height) lets the shape change, as BoT-SORT does: vehicles
change their aspect when they turn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sightline.arrays import FloatArray
from sightline.camera import Motion

__all__ = ["ROWS", "XYAH", "XYWH", "Model", "begin", "carry", "correct", "predict", "shift"]


ROWS = 20
POSITION, VELOCITY = slice(0, 4), slice(4, 8)
P, C, V = slice(8, 12), slice(12, 16), slice(16, 20)

# Standard deviations in parts of the box (DeepSORT's, kept by ByteTrack and BoT-SORT).
POSITION_STD, VELOCITY_STD = 1 / 20, 1 / 160
FLAT = 1e-3  # pixels; a lower box has no aspect, and no noise would divide by zero
ASPECT_STD, ASPECT_VELOCITY_STD, ASPECT_MEASURED_STD = 1e-2, 1e-5, 1e-1


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """What the third coordinate is, and the noise of all four.

    Attributes:
        aspect: the third coordinate is width / height; otherwise it is the width.
        still: rows of `motion` that are velocities of size: zeroed while a track is lost.
        process, process_velocity, measured, first, first_velocity: float64 (4, 1), variances in squared extents;
            absolute for an aspect.
    """

    aspect: bool
    still: slice
    process: FloatArray
    process_velocity: FloatArray
    measured: FloatArray
    first: FloatArray
    first_velocity: FloatArray

    def measure(self, xyxy: FloatArray) -> FloatArray:
        """Coordinates (4, N) of boxes (N, 4)."""
        by_side = xyxy.T
        out = np.empty((4, by_side.shape[1]))
        np.subtract(by_side[2:], by_side[:2], out=out[2:])
        np.add(by_side[:2], out[2:] / 2, out=out[:2])
        if self.aspect:
            out[2] /= np.maximum(out[3], FLAT)
        return out

    def boxes(self, motion: FloatArray) -> FloatArray:
        """Boxes xyxy (N, 4) of the positions; a view, fast by column."""
        out = np.empty((4, motion.shape[1]))
        size = motion[2:4]
        if self.aspect:
            size = size.copy()
            size[0] *= size[1]
        np.subtract(motion[:2], size / 2, out=out[:2])
        np.add(out[:2], size, out=out[2:])
        return out.T

    def extents(self, position: FloatArray) -> FloatArray:
        """Squared lengths (4, N) that the variances are parts of."""
        out: FloatArray = np.empty(position.shape)
        if self.aspect:
            np.multiply(position[3], position[3], out=out[0])
            np.maximum(out[0], FLAT * FLAT, out=out[0])
            out[1:] = out[0]
            out[2] = 1.0
        else:
            np.maximum(position[2:4], 1.0, out=out[:2])
            np.square(out[:2], out=out[:2])
            out[2:] = out[:2]
        return out


def _column(extent: float, aspect: float | None) -> FloatArray:
    third = extent if aspect is None else aspect
    return np.array([[extent**2], [extent**2], [third**2], [extent**2]])


def _model(*, aspect: bool) -> Model:
    wide = (ASPECT_STD, ASPECT_VELOCITY_STD, ASPECT_MEASURED_STD) if aspect else (None, None, None)
    return Model(
        aspect=aspect,
        still=slice(7, 8) if aspect else slice(6, 8),
        process=_column(POSITION_STD, wide[0]),
        process_velocity=_column(VELOCITY_STD, wide[1]),
        measured=_column(POSITION_STD, wide[2]),
        first=_column(2 * POSITION_STD, wide[0]),
        first_velocity=_column(10 * VELOCITY_STD, wide[1]),
    )


XYAH = _model(aspect=True)
XYWH = _model(aspect=False)


def begin(model: Model, measured: FloatArray) -> FloatArray:
    """Motion (20, N) of boxes seen for the first time, at rest; `measured` is (4, N)."""
    motion = np.zeros((ROWS, measured.shape[1]))
    extents = model.extents(measured)
    motion[POSITION] = measured
    motion[P] = model.first * extents
    motion[V] = model.first_velocity * extents
    return motion


def predict(model: Model, motion: FloatArray, time: float | FloatArray, tracked: int) -> None:
    """Move every box on by `time`, in place.

    Args:
        model: the filter.
        motion: float64 (20, N).
        time: units since the last step, one for all or (N,); 0 leaves a box as it was.
        tracked: boxes from this column on are lost: their size stops changing.
    """
    motion[model.still, tracked:] = 0.0
    blocks = motion.reshape(5, 4, -1)  # several at a time: half of the time is that of the calls
    position, _, p, c, v = blocks
    extents = model.extents(position)
    extents *= time
    moved = blocks[1::3] * time  # by velocity, and the covariance by its variance
    p += model.process * extents
    p += (c + c + moved[1]) * time
    v += model.process_velocity * extents
    blocks[::3] += moved


def correct(model: Model, motion: FloatArray, measured: FloatArray) -> None:
    """Take in measurements (4, N) of the same boxes, in place; noise is that of the predicted extents."""
    blocks = motion.reshape(5, 4, -1)
    position, _, p, c, v = blocks
    gain = blocks[2:4] / (p + model.measured * model.extents(position))  # of position and of velocity
    blocks[:2] += gain * (measured - position)
    v -= gain[1] * c
    blocks[2:4] -= gain[0] * blocks[2:4]


def shift(motion: FloatArray, xy: FloatArray) -> None:
    """Move every box by (dx, dy) pixels, in place."""
    motion[:2] += xy[:, None]


def carry(motion: FloatArray, camera: Motion) -> None:
    """Move every box of `XYWH` and its velocity as the camera moved the picture, in place: sizes by its scale alone."""
    scale = camera.scale
    for x, y in (motion[:2], motion[4:6]):
        x[:], y[:] = camera.a * x - camera.b * y, camera.b * x + camera.a * y
    motion[0] += camera.x
    motion[1] += camera.y
    motion[2:4] *= scale
    motion[6:8] *= scale
    motion[8:] *= scale * scale
