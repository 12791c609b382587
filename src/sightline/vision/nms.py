"""Non-maximum suppression: of boxes that overlap, the most confident one stays.

Boxes suppress each other within their *bucket* only. A bucket a class is the usual class-aware suppression; a bucket a
group (car, van, truck) keeps one box of a vehicle that the network takes for a car and for a truck at once, so that a
group's tracker never sees one object twice.
"""

from __future__ import annotations

import numpy as np

from sightline.types import FloatArray, IntArray
from sightline.vision.boxes import iou as overlap

__all__ = ["nms"]

# Up to so many boxes the whole matrix of overlaps is cheaper than one row for each box that stays.
MATRIX_BOXES = 600


def nms(
    xyxy: FloatArray, confidence: FloatArray, bucket: IntArray, iou: float, limit: int | None = None
) -> IntArray:
    """Rows of the boxes that stay, by falling confidence; equal confidences keep their order.

    Greedy, as `torchvision.ops.batched_nms`: a box goes if it overlaps a better one of its bucket by more than `iou`.

    Args:
        xyxy: float64 (N, 4), finite pixels, x2 > x1, y2 > y1. N may be 0.
        confidence: float64 (N,).
        bucket: int64 (N,), any integers from 0.
        iou: largest overlap that two boxes of a bucket may have.
        limit: at most so many rows, the most confident ones; None for all.

    Returns:
        int64 (K,), rows of `xyxy`.

    >>> boxes = np.array([[0.0, 0, 10, 10], [0, 0, 10, 9], [20, 0, 30, 10]])
    >>> nms(boxes, np.array([0.5, 0.9, 0.7]), np.zeros(3, np.int64), iou=0.5)
    array([1, 2])
    >>> nms(boxes, np.array([0.5, 0.9, 0.7]), np.array([0, 1, 0]), iou=0.5)
    array([1, 2, 0])
    """
    order = np.argsort(-confidence, kind="stable")
    if len(order) > 1:
        apart = _apart(xyxy[order], bucket[order])
        keep = _by_matrix if len(order) <= MATRIX_BOXES else _by_rows
        order = order[keep(apart, iou, limit)]
    return order[:limit]


def _apart(xyxy: FloatArray, bucket: IntArray) -> FloatArray:
    """Boxes moved so that those of different buckets cannot overlap.

    The distance is a power of two: adding it to pixels that come from float32 is exact in float64.
    """
    if (bucket == bucket[0]).all():
        return xyxy
    distance = 2.0 ** np.ceil(np.log2(xyxy.max() - xyxy.min() + 1.0))
    moved: FloatArray = xyxy + (bucket * distance)[:, None]
    return moved


def _by_matrix(xyxy: FloatArray, iou: float, _limit: int | None) -> IntArray:
    suppresses = np.triu(overlap(xyxy, xyxy) > iou, 1)
    stays = np.ones(len(xyxy), np.bool_)
    for row in np.flatnonzero(suppresses.any(axis=1)):
        if stays[row]:
            stays &= ~suppresses[row]
    return np.flatnonzero(stays)


def _by_rows(xyxy: FloatArray, iou: float, limit: int | None) -> IntArray:
    rest = np.arange(len(xyxy))
    kept: list[int] = []
    while len(rest) and len(kept) != limit:
        kept.append(int(rest[0]))
        overlaps = overlap(xyxy[rest[:1]], xyxy[rest[1:]])[0]
        rest = rest[1:][overlaps <= iou]
    return np.array(kept, np.int64)
