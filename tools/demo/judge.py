"""Recall and precision of detections against exact truth, per group of classes.

A detection and an actor match at `IOU` or more. Actors with a visible share of `must` or more have to be found; those
with less may be: neither a hit, nor a miss, nor a false alarm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .scenes import GROUPS, LABELS, MUST, H, Truth, W
from .targets import MARGIN

__all__ = ["Found", "Score", "boxes_of", "judge", "overlap", "right_class", "true_count"]

IOU = 0.5
FLOOR = 0.1  # detections below this confidence are dropped
SUPPRESS = 0.5  # IoU from which the weaker of two boxes of a group is dropped


@dataclass(frozen=True, slots=True)
class Found:
    """Detections of one group in one frame, best first; xyxy in frame pixels."""

    boxes: np.ndarray
    confidence: np.ndarray
    class_ids: np.ndarray

    def above(self, high: float) -> Found:
        """Those with confidence `high` or more."""
        keep = self.confidence >= high
        return Found(self.boxes[keep], self.confidence[keep], self.class_ids[keep])


@dataclass(frozen=True, slots=True)
class Score:
    """Hits, misses and false alarms."""

    hits: int
    misses: int
    false: int

    @property
    def recall(self) -> float:
        """Share of the actors that were found."""
        return self.hits / max(1, self.hits + self.misses)

    @property
    def precision(self) -> float:
        """Share of the detections that are actors."""
        return self.hits / max(1, self.hits + self.false)


def overlap(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """IoU of every box in `a` with every box in `b`, (n, m)."""
    sides = np.minimum(a[:, None, 2:], b[None, :, 2:]) - np.maximum(a[:, None, :2], b[None, :, :2])
    shared = sides.clip(0).prod(-1)
    areas = [(q[:, 2] - q[:, 0]) * (q[:, 3] - q[:, 1]) for q in (a, b)]
    return shared / np.maximum(areas[0][:, None] + areas[1][None] - shared, 1e-9)


def _suppress(boxes: np.ndarray, confidence: np.ndarray) -> np.ndarray:
    """Indices that stay, best first."""
    order, keep = np.argsort(-confidence, kind="stable"), []
    while len(order):
        best, order = order[0], order[1:]
        keep.append(best)
        order = order[overlap(boxes[best : best + 1], boxes[order])[0] <= SUPPRESS]
    return np.array(keep, int)


def boxes_of(output: np.ndarray, group: str) -> Found:
    """One output of the network, (4 + classes, A), as detections of one group."""
    class_ids = np.array(GROUPS[group])
    scores = output[4 + class_ids]
    best, confidence = class_ids[scores.argmax(0)], scores.max(0)
    k = np.flatnonzero(confidence >= FLOOR)
    centre, half = output[:2, k].T, output[2:4, k].T / 2
    boxes = (np.concatenate([centre - half, centre + half], 1) - [0, MARGIN, 0, MARGIN]) * 2
    boxes = np.clip(boxes, 0, [W, H, W, H])
    keep = _suppress(boxes, confidence[k])
    return Found(boxes[keep], confidence[k][keep], best[k][keep])


def judge(found: Sequence[Found], truths: Sequence[Truth], group: str, must: float = MUST) -> Score:
    """Score the detections of one group, frame by frame; the surest detection takes its actor first."""
    hits = misses = false = 0
    for some, truth in zip(found, truths, strict=True):
        mine = np.isin(truth.class_ids, GROUPS[group])
        wanted = truth.visible[mine] >= must
        iou, free = overlap(some.boxes, truth.boxes[mine]), np.ones(len(wanted), bool)
        for row in iou:
            candidates = np.flatnonzero(free & (row >= IOU))
            if not len(candidates):
                false += 1
                continue
            taken = candidates[(row[candidates] + wanted[candidates]).argmax()]
            free[taken] = False
            hits += int(wanted[taken])
        misses += int((wanted & free).sum())
    return Score(hits, misses, false)


def right_class(found: Sequence[Found], truths: Sequence[Truth]) -> dict[str, float]:
    """Per label: share of the actors found whose best box has the right class."""
    right: dict[str, list[bool]] = {}
    for some, truth in zip(found, truths, strict=True):
        iou = overlap(truth.boxes, some.boxes)
        for k in np.flatnonzero((truth.visible >= MUST) & (iou.max(1, initial=0) >= IOU)):
            class_id = truth.class_ids[k]
            right.setdefault(LABELS[class_id], []).append(bool(some.class_ids[iou[k].argmax()] == class_id))
    return {label: float(np.mean(right[label])) for label in LABELS if label in right}


def true_count(truths: Sequence[Truth], group: str, frames: float) -> int:
    """Actors of a group that have to be found in at least `frames` frames."""
    mine = [t.ids[np.isin(t.class_ids, GROUPS[group]) & (t.visible >= MUST)] for t in truths]
    return int((np.unique(np.concatenate(mine), return_counts=True)[1] >= frames).sum())
