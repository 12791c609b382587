"""Boxes of which two are one object: they overlap, or one lies in the other."""

from __future__ import annotations

import numpy as np

from sightline.arrays import BoolArray, FloatArray, IndexArray, IntArray
from sightline.vision.boxes import area, overlaps

__all__ = ["merged", "same", "suppress"]

Pairs = tuple[IndexArray, IndexArray]

SAME_IOU = 0.5
SAME_INSIDE = 0.85  # of the smaller box


def merged(
    xyxy: FloatArray, confidence: FloatArray, class_id: IntArray
) -> tuple[BoolArray | None, Pairs | None]:
    """Which boxes stay when of doubles of different classes the weaker goes.

    Suppression in a detector is by class, so that one vehicle may be a car and a truck; of one class, the detector has
    spoken.

    Returns:
        bool (N,), None where all stay; and the doubles of any class, None where all boxes are of one.
    """
    if np.count_nonzero(class_id == class_id[:1]) == len(class_id):
        return None, None
    one, other = doubles = same(xyxy, xyxy)
    unlike = (class_id[one] != class_id[other]).nonzero()[0]
    if not len(unlike):
        return None, doubles
    keep = np.ones(len(confidence), bool)
    suppress(one[unlike], other[unlike], confidence, keep)
    return keep, doubles


def suppress(one: IndexArray, other: IndexArray, confidence: FloatArray, keep: BoolArray) -> None:
    """Go through pairs of doubles by falling confidence: who stays removes weaker doubles from `keep`, in place.

    Of equal ones the first stays; who was removed removes nobody.
    """
    behind = (confidence[other] < confidence[one]) | ((confidence[other] == confidence[one]) & (one < other))
    one, other = one[behind], other[behind]
    for at in np.lexsort((other, one, -confidence[one])).tolist():
        if keep[one[at]]:
            keep[other[at]] = False


def same(a: FloatArray, b: FloatArray) -> Pairs:
    """Pairs of boxes (N, 4) and (M, 4) that are one object, by overlap or because one lies in the other."""
    rows, columns, shared = overlaps(a, b)
    sizes = area(a)
    one, other = sizes[rows], (sizes if b is a else area(b))[columns]
    found = (shared > SAME_IOU * (one + other - shared)) | (shared > SAME_INSIDE * np.minimum(one, other))
    return rows[found], columns[found]
