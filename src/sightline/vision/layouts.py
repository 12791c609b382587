"""Layouts: where a network's outputs hold boxes, scores and classes, and how each is to be understood.

| head | outputs for one picture | source |
|---|---|---|
| `yolov8` | (4 + classes, cells): centre x, y, width, height in pixels, then scores | Ultralytics YOLOv8, 11 |
| `yolov5` | (cells, 5 + classes): the same box, objectness, then scores | YOLOv5 |
| `yolox` | (cells, 5 + classes): offsets in cells, log sizes, objectness, scores; strides 8, 16, 32 | Megvii YOLOX |
| `yolox-decoded` | the same, with boxes as those of `yolov5`: exported with `--decode_in_inference` | Megvii YOLOX |
| `end2end` | (boxes, 6): x1, y1, x2, y2, score, class id; already suppressed | YOLOv10, YOLO26 |
| `rtdetr` | (boxes, 4 + classes): centre, size in 0..1, then scores | Ultralytics RT-DETR |
| `detr` | logits (queries, classes), boxes (queries, 4): centre, size in 0..1 | RT-DETR, D-FINE, DEIM, RF-DETR |
| `detr-deployed` | labels (boxes), boxes (boxes, 4): x1, y1, x2, y2 in pixels, scores (boxes) | RT-DETR, D-FINE, DEIM |

Only *wanted* classes are read: their maximum, the threshold, then the box and the class of the cells that are left.
A cell, or query, stands for one object, so it has one class.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from sightline.arrays import IntArray

__all__ = [
    "HEADS",
    "LAYOUTS",
    "BoxOrder",
    "BoxUnit",
    "Found",
    "HeadName",
    "Layout",
    "Outputs",
    "ScoreKind",
    "sigmoid",
]

HeadName = Literal[
    "yolox",
    "yolox-decoded",
    "yolov8",
    "yolov5",
    "end2end",
    "rtdetr",
    "detr",
    "detr-deployed",
    "ultralytics",
]
HEADS: tuple[HeadName, ...] = get_args(HeadName)
BoxOrder = Literal["cxcywh", "xywh", "xyxy"]
BoxUnit = Literal["pixel", "picture"]
ScoreKind = Literal["probability", "logit"]

Raw = NDArray[np.float32]
Outputs = tuple[NDArray[Any], ...]
Side = int | str

PADDING = -1.0  # score of rows that an end-to-end network fills up with


class Found(NamedTuple):
    """Cells that hold a wanted class, and what tells whether the output was understood.

    Attributes:
        cell: int64 (K,), rows of boxes.
        confidence: float32 (K,), scores as the network has them.
        class_id: int64 (K,).
        low, top: least and greatest score that was read; NaN where one is no number.
        named: float (M,), class ids as the network has them, of every row above the threshold; empty where a class is a
            place and no number.
    """

    cell: IntArray
    confidence: Raw
    class_id: IntArray
    low: float
    top: float
    named: NDArray[Any] = np.empty(0)


Find = Callable[[Outputs, IntArray, float, ScoreKind], Found]


@dataclass(frozen=True, slots=True)
class Layout:
    """One head.

    Attributes:
        find: cells that hold a wanted class, of the outputs of one picture, class ids and the least score.
        box: all boxes as the network has them, (cells, 4), of its outputs.
        shapes: of its outputs, batch of 1 included, for a number of labels and of cells; words for what may vary.
        order, unit, scores: what its numbers mean where a card says nothing else.
        suppressed: its boxes do not overlap any more.
    """

    find: Find
    box: Callable[[Outputs], NDArray[Any]]
    shapes: Callable[[int, int], tuple[tuple[Side, ...], ...]]
    order: BoxOrder = "cxcywh"
    unit: BoxUnit = "pixel"
    scores: ScoreKind = "probability"
    suppressed: bool = False


def sigmoid(values: NDArray[Any]) -> NDArray[np.float64]:
    """Logits as probabilities, float64; NaN stays NaN."""
    return 1.0 / (1.0 + np.exp(-np.clip(values.astype(np.float64), -60.0, 60.0)))


def _range(values: NDArray[Any]) -> tuple[float, float]:
    return (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)


def _find_yolov8(raw: Outputs, classes: IntArray, floor: float, _kind: ScoreKind) -> Found:
    scores = raw[0][4:]
    best = scores[classes[0]].copy()
    for class_id in classes[1:]:  # a row at a time: no copy of the wanted rows, and vectorised
        np.maximum(best, scores[class_id], out=best)
    cell = np.flatnonzero(best >= floor)
    return Found(cell, best[cell], classes[scores[np.ix_(classes, cell)].argmax(axis=0)], *_range(best))


def _find_objects(raw: Outputs, classes: IntArray, floor: float, kind: ScoreKind) -> Found:
    said = raw[0][:, 4]
    objects = said if kind == "probability" else sigmoid(said).astype(np.float32)
    cell = np.flatnonzero(objects >= floor)  # no score is above 1, so no product is above the objectness
    scores = raw[0][np.ix_(cell, classes + 5)]
    best = scores.argmax(axis=1)
    own = scores[np.arange(len(cell)), best]
    (low, top), ends = _range(said), _range(own)
    low, top = float(np.minimum(low, ends[0])), float(np.maximum(top, ends[1]))
    confidence = objects[cell] * (own if kind == "probability" else sigmoid(own).astype(np.float32))
    kept = confidence >= floor
    return Found(cell[kept], confidence[kept], classes[best[kept]], low, top)


def _find_rows(scores: NDArray[Any], classes: IntArray, floor: float) -> Found:
    """Of scores (rows, classes)."""
    wanted = scores[:, classes]
    class_id = wanted.argmax(axis=1)
    best = wanted[np.arange(len(wanted)), class_id]
    cell = np.flatnonzero(best >= floor)
    return Found(cell, best[cell], classes[class_id[cell]], *_range(best))


def _find_rtdetr(raw: Outputs, classes: IntArray, floor: float, _kind: ScoreKind) -> Found:
    return _find_rows(raw[0][:, 4:], classes, floor)


def _find_detr(raw: Outputs, classes: IntArray, floor: float, _kind: ScoreKind) -> Found:
    return _find_rows(raw[0], classes, floor)


def _find_named(scores: NDArray[Any], labels: NDArray[Any], classes: IntArray, floor: float) -> Found:
    """Of scores (rows,) and the class ids (rows,) beside them."""
    above = np.flatnonzero(scores >= floor)
    named = labels[above]
    if (
        labels.dtype.kind == "f"
    ):  # what is no class id shows that the columns mean something else, however low the score
        odd = labels[(labels % 1 != 0) & (scores < floor)]
        named = np.concatenate((named, odd))
    ids = labels[above].astype(np.float64)
    class_id = np.nan_to_num(ids, nan=-1.0, posinf=-1.0, neginf=-1.0).astype(np.int64)
    kept = np.isin(class_id, classes)
    real = scores[scores != PADDING]
    return Found(above[kept], scores[above[kept]], class_id[kept], *_range(real), named)


def _find_end2end(raw: Outputs, classes: IntArray, floor: float, _kind: ScoreKind) -> Found:
    return _find_named(raw[0][:, 4], raw[0][:, 5], classes, floor)


def _find_deployed(raw: Outputs, classes: IntArray, floor: float, _kind: ScoreKind) -> Found:
    return _find_named(raw[2], raw[0], classes, floor)


LAYOUTS: Mapping[str, Layout] = {
    "yolov8": Layout(
        _find_yolov8, lambda raw: raw[0][:4].T, lambda labels, _cells: ((1, 4 + labels, "cells"),)
    ),
    "yolov5": Layout(
        _find_objects, lambda raw: raw[0][:, :4], lambda labels, _cells: ((1, "cells", 5 + labels),)
    ),
    "yolox": Layout(
        _find_objects, lambda raw: raw[0][:, :4], lambda labels, cells: ((1, cells, 5 + labels),)
    ),
    "yolox-decoded": Layout(
        _find_objects, lambda raw: raw[0][:, :4], lambda labels, cells: ((1, cells, 5 + labels),)
    ),
    "end2end": Layout(
        _find_end2end,
        lambda raw: raw[0][:, :4],
        lambda _labels, _cells: ((1, "boxes", 6),),
        order="xyxy",
        suppressed=True,
    ),
    "rtdetr": Layout(
        _find_rtdetr,
        lambda raw: raw[0][:, :4],
        lambda labels, _cells: ((1, "boxes", 4 + labels),),
        unit="picture",
        suppressed=True,
    ),
    "detr": Layout(
        _find_detr,
        lambda raw: raw[1],
        lambda labels, _cells: ((1, "queries", labels), (1, "queries", 4)),
        unit="picture",
        scores="logit",
        suppressed=True,
    ),
    "detr-deployed": Layout(
        _find_deployed,
        lambda raw: raw[1],
        lambda _labels, _cells: ((1, "boxes"), (1, "boxes", 4), (1, "boxes")),
        order="xyxy",
        suppressed=True,
    ),
}
