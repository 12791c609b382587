"""Overlap of boxes, one-to-one assignment, and the frames of a sequence as every metric walks through them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from sightline.arrays import FloatArray, IndexArray, IntArray
from sightline.evaluation.sequence import Boxes
from sightline.vision.solver import linear_sum_assignment

__all__ = ["EPSILON", "Overlaps", "frame_slices", "iou", "match", "share_inside"]


# Tolerance of comparisons with a threshold, as in TrackEval: an overlap of 0.5 that rounding made smaller counts.
EPSILON = float(np.finfo(np.float64).eps)


def iou(a: FloatArray, b: FloatArray) -> FloatArray:
    """Overlap of every box in `a` with every box in `b`.

    Args:
        a, b: float64 (N, 4) and (M, 4), xyxy in continuous pixels. N or M may be 0.

    Returns:
        float64 (N, M) in [0, 1]; 0 where a box has no area.

    >>> iou(np.array([[0.0, 0, 2, 2]]), np.array([[1.0, 0, 3, 2]])).round(3)
    array([[0.333]])
    """
    shared = _shared(a, b)
    area_a, area_b = _area(a), _area(b)
    union = area_a[:, None] + area_b[None, :] - shared
    real = (area_a > EPSILON)[:, None] & (area_b > EPSILON)[None, :] & (union > EPSILON)
    return np.divide(shared, union, out=np.zeros_like(shared), where=real)


def _shared(a: FloatArray, b: FloatArray) -> FloatArray:
    sides = np.minimum(a[:, None, 2:], b[None, :, 2:]) - np.maximum(a[:, None, :2], b[None, :, :2])
    sides = np.maximum(sides, 0)
    shared: FloatArray = sides[..., 0] * sides[..., 1]
    return shared


def _area(xyxy: FloatArray) -> FloatArray:
    area: FloatArray = (xyxy[:, 2] - xyxy[:, 0]) * (xyxy[:, 3] - xyxy[:, 1])
    return area


def share_inside(boxes: FloatArray, regions: FloatArray) -> FloatArray:
    """Share of each box's area that lies in the union of the regions.

    Args:
        boxes, regions: float64 (N, 4) and (M, 4), xyxy. Regions may overlap each other.

    Returns:
        float64 (N,) in [0, 1]; 0 for a box without area.

    >>> share_inside(np.array([[0.0, 0, 4, 1]]), np.array([[0.0, 0, 2, 1], [1, 0, 3, 1]]))
    array([0.75])
    """
    covered = np.zeros(len(boxes))
    for piece in _disjoint(regions):
        covered += _shared(boxes, piece[None, :])[:, 0]
    area = _area(boxes)
    return np.divide(covered, area, out=np.zeros_like(covered), where=area > EPSILON)


def _disjoint(regions: FloatArray) -> Iterator[FloatArray]:
    """The union of rectangles as rectangles that do not overlap: cells of the grid of all their edges."""
    xs, ys = np.unique(regions[:, [0, 2]]), np.unique(regions[:, [1, 3]])
    for x1, x2 in pairwise(xs.tolist()):
        for y1, y2 in pairwise(ys.tolist()):
            inside = (
                (regions[:, 0] <= x1) & (regions[:, 2] >= x2) & (regions[:, 1] <= y1) & (regions[:, 3] >= y2)
            )
            if inside.any():
                yield np.array([x1, y1, x2, y2])


def match(similarity: FloatArray, threshold: float) -> tuple[IndexArray, IndexArray]:
    """The assignment of largest total similarity among pairs of `threshold` or more."""
    score = np.where(similarity < threshold - EPSILON, 0.0, similarity)
    rows, columns = linear_sum_assignment(score)
    good = score[rows, columns] > EPSILON
    return rows[good], columns[good]


@dataclass(frozen=True, slots=True, eq=False)
class Overlaps:
    """A prepared sequence, frame by frame, with ids numbered densely from 0.

    Attributes:
        true_ids, predicted_ids: number of distinct ids.
        true_boxes, predicted_boxes: number of boxes.
        frames: true ids (N,), predicted ids (M,) and IoU (N, M) of each frame that has a box.
    """

    true_ids: int
    predicted_ids: int
    true_boxes: int
    predicted_boxes: int
    frames: tuple[tuple[IndexArray, IndexArray, FloatArray], ...]

    @classmethod
    def of(cls, truth: Boxes, prediction: Boxes) -> Overlaps:
        """Compare boxes frame by frame."""
        truth, prediction = truth.by_frame(), prediction.by_frame()
        true_ids, true_number = np.unique(truth.object_id, return_inverse=True)
        predicted_ids, predicted_number = np.unique(prediction.object_id, return_inverse=True)
        frames = np.union1d(truth.frame, prediction.frame)
        true_rows, predicted_rows = frame_slices(truth, frames), frame_slices(prediction, frames)
        rows = [
            (true_number[a], predicted_number[b], iou(truth.xyxy[a], prediction.xyxy[b]))
            for a, b in zip(true_rows, predicted_rows, strict=True)
        ]
        return cls(len(true_ids), len(predicted_ids), len(truth), len(prediction), tuple(rows))

    def histogram(self) -> tuple[FloatArray, FloatArray]:
        """Boxes of each true id, float64 (true_ids,), and of each predicted id, float64 (predicted_ids,)."""
        true = np.zeros(self.true_ids)
        predicted = np.zeros(self.predicted_ids)
        for true_ids, predicted_ids, _ in self.frames:
            true[true_ids] += 1
            predicted[predicted_ids] += 1
        return true, predicted


def frame_slices(boxes: Boxes, frames: IntArray) -> list[slice]:
    """Rows of each of the frames; `boxes` are sorted by frame."""
    low = np.searchsorted(boxes.frame, frames, "left").tolist()
    high = np.searchsorted(boxes.frame, frames, "right").tolist()
    return [slice(a, b) for a, b in zip(low, high, strict=True)]
