"""Boxes of which two are one object: they overlap, or one lies in the other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sightline.types import Detections
from sightline.vision.boxes import area, overlaps

__all__ = ["doubled", "merged", "strongest"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IndexArray = NDArray[np.intp]

SAME_IOU = 0.5
SAME_INSIDE = 0.85  # of the smaller box


def doubled(xyxy: FloatArray, others: FloatArray) -> BoolArray:
    """Which of the boxes (N, 4) are doubles of some of the others (M, 4): bool (N,)."""
    rows, _ = _same(xyxy, others)
    found = np.zeros(len(xyxy), bool)
    found[rows] = True
    return found


def merged(detections: Detections) -> Detections:
    """The detections without doubles of another class: of each two the weaker goes.

    Suppression in a detector is by class, so that one vehicle may be a car and a truck; of one class, the detector has
    spoken.
    """
    classes = detections.class_id
    if len(classes) < 2 or (classes == classes[0]).all():
        return detections
    rows, columns = _same(detections.xyxy, detections.xyxy)
    other = classes[rows] != classes[columns]
    keep = _kept(rows[other], columns[other], detections.confidence)
    return detections if keep.all() else detections[keep]


def strongest(xyxy: FloatArray, confidence: FloatArray) -> BoolArray:
    """Which boxes stay when of each two doubles the weaker goes: bool (N,)."""
    if len(xyxy) < 2:
        return np.ones(len(xyxy), bool)
    rows, columns = _same(xyxy, xyxy)
    return _kept(rows, columns, confidence)


def _kept(rows: IndexArray, columns: IndexArray, confidence: FloatArray) -> BoolArray:
    """Go through the boxes by falling confidence; each that stays removes its doubles behind it."""
    keep = np.ones(len(confidence), bool)
    rank = np.empty(len(confidence), np.intp)
    rank[np.argsort(-confidence, kind="stable")] = np.arange(len(confidence))
    behind = rank[rows] < rank[columns]
    rows, columns = rows[behind], columns[behind]
    for at in np.argsort(rank[rows], kind="stable").tolist():
        if keep[rows[at]]:
            keep[columns[at]] = False
    return keep


def _same(a: FloatArray, b: FloatArray) -> tuple[IndexArray, IndexArray]:
    """Pairs that are one object."""
    rows, columns, shared = overlaps(a, b)
    one, other = area(a)[rows], area(b)[columns]
    same = (shared > SAME_IOU * (one + other - shared)) | (shared > SAME_INSIDE * np.minimum(one, other))
    return rows[same], columns[same]
