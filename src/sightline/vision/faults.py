"""Faults: values that a head cannot have put out, so that the card describes another network.

Everything here is certain of one picture alone, so that neither the order of frames nor the number of threads decides
whether a run is refused: a score outside 0..1, or boxes most of which cannot be boxes. What a fault proves is said
together with the line of the model card that settles it. The checks look at the boxes that were kept, a few, and at
whole outputs only where those are strange already.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sightline.arrays import FloatArray
from sightline.vision.layouts import BoxOrder, BoxUnit, Found, HeadName, ScoreKind

__all__ = ["Fault", "box_fault", "class_fault", "place_fault", "score_fault", "side_fault", "softmax_fault"]

_SLACK = 1e-3  # rounding of bfloat16 and float16
_UNIT = 1.5  # parts of a picture stay below it, though a box may reach beyond the picture a little
_BEYOND = 1.0  # pictures that a box may reach beyond the picture
_LOG_SIDE = 10.0  # e^10 cells of 8 pixels are 176,000 pixels
_MOSTLY = 0.5
_CELLS = 100  # so many boxes tell their order for certain


class Fault(NamedTuple):
    """Why an output is not that of its head.

    Attributes:
        seen: what was found there.
        output: line of the card's `[output]` that settles it, e.g. `unit = "picture"`; empty where none does.
        head: the head that settles it.
        advice: where no line of a card is certain.
    """

    seen: str
    output: str = ""
    head: HeadName | None = None
    advice: str = ""


def score_fault(found: Found, kind: ScoreKind) -> Fault | None:
    """Scores that are no probabilities, or no logits."""
    if np.isnan(found.low) or np.isnan(found.top):
        return Fault(
            "a score that is no number (NaN)",
            advice="its weights are damaged, or it overflows in float16: export it again, in float32",
        )
    if kind == "logit":
        if found.low >= 0 and 0 < found.top <= 1:
            return Fault(
                f"scores from {found.low:.3g} to {found.top:.3g}, expected logits: they are probabilities already",
                'scores = "probability"',
            )
        return None
    if found.low < -_SLACK:
        return Fault(
            f"a score of {found.low:.3g}, expected 0..1: its scores lack the sigmoid", 'scores = "logit"'
        )
    if found.top > 1 + _SLACK:  # without one below zero they may be percent, objectness, or a column of boxes
        return Fault(
            f"a score of {found.top:.3g}, expected 0..1",
            advice="correct `head` in the model card; where its scores lack the sigmoid, write output = "
            '{ scores = "logit" }; percent cannot be read: export it with scores of 0..1',
        )
    return None


def class_fault(found: Found, labels: int, columns: int) -> Fault | None:
    """Class ids that are no class ids of `labels` labels; `columns` of the output where a row has several."""
    ids = found.named
    if not len(ids):
        return None
    odd = ids[~(np.isfinite(ids) & (ids == np.floor(ids)))] if ids.dtype.kind == "f" else ids[:0]
    if len(odd):
        seen = f"{odd[0]:.3g} where a class id is expected"
        if columns == 4 + labels:
            return Fault(f"{seen}: a row has a score for each class", head="rtdetr")
        return Fault(seen, advice="find its head in docs/reference/model-card.md")
    low, top = int(ids.min()), int(ids.max())
    if low < 0 or top >= labels:
        return Fault(
            f"class id {top if top >= labels else low}, but there are {labels} labels",
            advice="labels are needed for every class id, from 0 on",
        )
    return None


def softmax_fault(logits: NDArray[Any], labels: int) -> Fault | None:
    """Logits (queries, classes) of which the last, "no object", outweighs all others: they belong to a softmax."""
    if logits.shape[1] != labels + 1:
        return None
    # A sigmoid's spare class was never right in training, so its logits are far below 0.
    background = np.count_nonzero((logits.argmax(axis=1) == labels) & (logits[:, labels] > 0))
    if background < _MOSTLY * len(logits):
        return None
    return Fault(
        f"a last class that outweighs the {labels} labels in {background} of {len(logits)} queries: a softmax with a class "
        "for no object, as DETR and YOLOS have it",
        advice="such networks are not supported: RT-DETR, D-FINE and RF-DETR are",
    )


def side_fault(sides: FloatArray) -> Fault | None:
    """YOLOX's logarithms of sides that are sides: the network decodes its boxes itself."""
    wild = ~np.all(sides <= _LOG_SIDE, axis=1)
    if not _most(wild):
        return None
    return Fault(
        f"the logarithm of a side is {sides[wild].max():.3g}: its boxes are decoded already",
        head="yolox-decoded",
    )


def box_fault(
    raw: FloatArray,
    xyxy: FloatArray,
    order: BoxOrder,
    unit: BoxUnit,
    size: tuple[int, int],
    every: NDArray[Any],
) -> Fault | None:
    """Boxes most of which cannot be boxes of a picture.

    Args:
        raw: float64 (K, 4), the kept boxes as the network has them, K from 1.
        xyxy: float64 (K, 4), the same in pixels of the picture.
        order, unit: how they were understood.
        size: width and height of the picture.
        every: (cells, 4), all boxes as the network has them; looked at only where the kept ones are strange.
    """
    infinite = ~np.all(np.isfinite(raw), axis=1)
    if _most(infinite):
        return Fault(
            f"a box of {_numbers(raw[infinite][0])}",
            advice="its weights are damaged, or it overflows in float16: export it again, in float32",
        )
    raw, xyxy = raw[~infinite], xyxy[~infinite]
    if unit == "pixel" and np.abs(raw).max() <= _UNIT and _greatest(every) <= _UNIT:
        return Fault(
            f"a box of {_numbers(raw[0])}: parts of the picture, expected pixels", 'unit = "picture"'
        )
    if unit == "picture" and _most(np.any(raw > 2 * _UNIT, axis=1)):
        return Fault(f"a box of {_numbers(raw[0])}: pixels, expected parts of the picture", 'unit = "pixel"')
    inverted = (xyxy[:, 2] < xyxy[:, 0]) | (xyxy[:, 3] < xyxy[:, 1])
    if _most(inverted):
        ends, sides = (raw[:, 2:] < raw[:, :2]).any(axis=1), (raw[:, 2:] < 0).any(axis=1)
        if _most(np.logical_and(ends, sides)):
            return Fault(
                f"a box of {_numbers(raw[inverted][0])}: neither its sides nor its end fit its start",
                advice="correct `head` in the model card, or export it again",
            )
        seen = f"a box of {_numbers(raw[inverted][0])}: its end lies before its start, read as {order}"
        if order != "xyxy":
            return Fault(seen, 'box = "xyxy"')
        likely = _likely(raw[inverted], size, unit)
        return Fault(
            f'{seen}; its sides follow a centre (box = "cxcywh") or a corner ("xywh"), look which',
            f'box = "{likely}"',
        )
    if order != "xyxy" and (raw[:, 2:] > raw[:, :2]).all() and _ends_at(every):
        return Fault(
            f"a box of {_numbers(raw[0])}: every end lies behind its start, so these are no sides",
            'box = "xyxy"',
        )
    return place_fault(raw, xyxy, size)


def place_fault(raw: FloatArray, xyxy: FloatArray, size: tuple[int, int]) -> Fault | None:
    """Boxes most of which lie far outside the picture; arguments as above."""
    picture = np.array(size * 2, np.float64)
    outside = np.any((xyxy < -_BEYOND * picture) | (xyxy > (1 + _BEYOND) * picture), axis=1)
    if not _most(outside):
        return None
    return Fault(
        f"a box of {_numbers(raw[outside][0])}, far outside a picture of {size[0]} x {size[1]}",
        advice="correct `head`, `imgsz` or [output] in the model card",
    )


def _ends_at(every: NDArray[Any]) -> bool:
    """Whether, of many boxes, each has its second point behind its first: centres and sides have not."""
    real = np.unique(every[(every != 0).all(axis=1)], axis=0)
    return len(real) >= _CELLS and bool((real[:, 2:] > real[:, :2]).all())


def _most(rows: NDArray[Any]) -> bool:
    return 0 < len(rows) <= 2 * int(rows.sum())


def _greatest(every: NDArray[Any]) -> float:
    finite = every[np.isfinite(every).all(axis=1)]
    return float(np.abs(finite).max(initial=0.0))


def _numbers(box: FloatArray) -> str:
    return ", ".join(f"{side:.4g}" for side in box)


def _likely(raw: FloatArray, size: tuple[int, int], unit: BoxUnit) -> BoxOrder:
    """Centres or corners before sides: corners and sides that leave the picture are centres and sides."""
    limit = np.array(size if unit == "pixel" else (1, 1), np.float64)
    leaves = (raw[:, :2] + raw[:, 2:] > limit * (1 + _SLACK)).any()
    starts = (raw[:, :2] - raw[:, 2:] / 2 < -limit * _SLACK).any()
    return "xywh" if starts and not leaves else "cxcywh"
