"""HOTA: how well boxes are found and kept together, at 19 overlaps.

Luiten et al., "HOTA: A Higher Order Metric for Evaluating Multi-Object Tracking", IJCV 2021. Boxes are assigned once
per frame, by IoU times how well their two ids agree over the whole sequence; an overlap alpha of 0.05, 0.10 ... 0.95
then decides which pairs count. The figures here are the means over alpha, as TrackEval prints them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sightline.arrays import FloatArray, IndexArray
from sightline.evaluation.matching import EPSILON, Overlaps
from sightline.vision.solver import linear_sum_assignment

__all__ = ["ALPHAS", "Hota", "hota"]


ALPHAS: FloatArray = np.arange(0.05, 0.99, 0.05)


@dataclass(frozen=True, slots=True, eq=False)
class Hota:
    """Sums of one or more sequences, float64 (19,) each; adding two gives both sequences' together.

    Attributes:
        tp, fn, fp: pairs, true boxes without a pair, predicted boxes without one.
        association: sum over pairs of the Jaccard index of their ids.
        location: sum over pairs of IoU.
    """

    tp: FloatArray
    fn: FloatArray
    fp: FloatArray
    association: FloatArray
    location: FloatArray

    def __add__(self, other: Hota) -> Hota:
        return Hota(
            self.tp + other.tp,
            self.fn + other.fn,
            self.fp + other.fp,
            self.association + other.association,
            self.location + other.location,
        )

    @property
    def det_a_by_alpha(self) -> FloatArray:
        """Detection accuracy at each alpha."""
        return self.tp / np.maximum(1, self.tp + self.fn + self.fp)

    @property
    def ass_a_by_alpha(self) -> FloatArray:
        """Association accuracy at each alpha."""
        return self.association / np.maximum(1, self.tp)

    @property
    def hota(self) -> float:
        """Mean over alpha of the root of detection times association accuracy."""
        return float(np.sqrt(self.det_a_by_alpha * self.ass_a_by_alpha).mean())

    @property
    def det_a(self) -> float:
        """Detection accuracy."""
        return float(self.det_a_by_alpha.mean())

    @property
    def ass_a(self) -> float:
        """Association accuracy."""
        return float(self.ass_a_by_alpha.mean())

    @property
    def loc_a(self) -> float:
        """Mean IoU of the pairs; 1 where there are none."""
        return float((np.maximum(1e-10, self.location) / np.maximum(1e-10, self.tp)).mean())


def hota(overlaps: Overlaps) -> Hota:
    """HOTA of one sequence."""
    if not overlaps.true_boxes or not overlaps.predicted_boxes:
        none = np.zeros(len(ALPHAS))
        return Hota(none, none + overlaps.true_boxes, none + overlaps.predicted_boxes, none, none)
    true_count, predicted_count = overlaps.histogram()
    true_ids, predicted_ids, similarity = _pairs(overlaps, true_count, predicted_count)
    tp, association, location = (np.zeros(len(ALPHAS)) for _ in range(3))
    for place, alpha in enumerate(ALPHAS):
        good = similarity >= alpha - EPSILON
        pairs, together = np.unique(
            true_ids[good] * overlaps.predicted_ids + predicted_ids[good], return_counts=True
        )
        either = (
            true_count[pairs // overlaps.predicted_ids]
            + predicted_count[pairs % overlaps.predicted_ids]
            - together
        )
        tp[place] = good.sum()
        association[place] = (together * (together / np.maximum(1, either))).sum()
        location[place] = similarity[good].sum()
    return Hota(tp, overlaps.true_boxes - tp, overlaps.predicted_boxes - tp, association, location)


def _pairs(
    overlaps: Overlaps, true_count: FloatArray, predicted_count: FloatArray
) -> tuple[IndexArray, IndexArray, FloatArray]:
    """Assigned boxes of all frames: true id, predicted id and IoU."""
    scores = _aligned(overlaps, true_count, predicted_count)
    found: list[tuple[IndexArray, IndexArray, FloatArray]] = []
    for (true_ids, predicted_ids, similarity), score in zip(overlaps.frames, scores, strict=True):
        if similarity.size:
            rows, columns = linear_sum_assignment(score)
            found.append((true_ids[rows], predicted_ids[columns], similarity[rows, columns]))
    if not found:
        return np.empty(0, np.intp), np.empty(0, np.intp), np.empty(0)
    true, predicted, overlap = (np.concatenate(column) for column in zip(*found, strict=True))
    return true, predicted, overlap


def _aligned(overlaps: Overlaps, true_count: FloatArray, predicted_count: FloatArray) -> list[FloatArray]:
    """IoU of each frame, weighted by how well the two ids agree over the whole sequence."""
    places = [np.nonzero(similarity) for _, _, similarity in overlaps.frames]
    frames = list(zip(overlaps.frames, places, strict=True))
    keys = np.concatenate(
        [
            true_ids[rows] * overlaps.predicted_ids + predicted_ids[columns]
            for (true_ids, predicted_ids, _), (rows, columns) in frames
        ]
    )
    shares = np.concatenate([_share(similarity)[place] for (_, _, similarity), place in frames])
    pairs, number = np.unique(keys, return_inverse=True)
    potential = np.bincount(number, shares, len(pairs))
    either = true_count[pairs // overlaps.predicted_ids] + predicted_count[pairs % overlaps.predicted_ids]
    alignment = (potential / (either - potential))[number]
    scores, start = [], 0
    for (_, _, similarity), place in frames:
        end = start + len(place[0])
        score = np.zeros_like(similarity)
        score[place] = alignment[start:end] * similarity[place]
        scores.append(score)
        start = end
    return scores


def _share(similarity: FloatArray) -> FloatArray:
    """How much of what a box overlaps is this one pair."""
    total = similarity.sum(axis=0)[None, :] + similarity.sum(axis=1)[:, None] - similarity
    share: FloatArray = np.divide(similarity, total, out=np.zeros_like(similarity), where=total > EPSILON)
    return share
