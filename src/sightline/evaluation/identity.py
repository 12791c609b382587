"""IDF1: the share of boxes under the right id, when each true object is given one predicted id for the whole video.

Ristani et al., "Performance Measures and a Data Set for Multi-Target, Multi-Camera Tracking", 2016; overlap 0.5.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sightline.evaluation.matching import Overlaps
from sightline.vision.solver import linear_sum_assignment

__all__ = ["Identity", "identity"]

THRESHOLD = 0.5


@dataclass(frozen=True, slots=True)
class Identity:
    """Sums of one or more sequences: boxes under the right id, true boxes that lack it, predicted boxes beyond it."""

    tp: int = 0
    fn: int = 0
    fp: int = 0

    def __add__(self, other: Identity) -> Identity:
        return Identity(self.tp + other.tp, self.fn + other.fn, self.fp + other.fp)

    @property
    def idf1(self) -> float:
        """Harmonic mean of `idp` and `idr`."""
        return self.tp / max(1.0, self.tp + 0.5 * self.fp + 0.5 * self.fn)

    @property
    def idp(self) -> float:
        """Share of the predicted boxes."""
        return self.tp / max(1.0, self.tp + self.fp)

    @property
    def idr(self) -> float:
        """Share of the true boxes."""
        return self.tp / max(1.0, self.tp + self.fn)


def identity(overlaps: Overlaps) -> Identity:
    """Identity of one sequence."""
    together = np.zeros((overlaps.true_ids, overlaps.predicted_ids))
    for true_ids, predicted_ids, similarity in overlaps.frames:
        rows, columns = np.nonzero(similarity >= THRESHOLD)
        together[true_ids[rows], predicted_ids[columns]] += 1
    # Ids that never meet another one cannot gain: leaving them out keeps the matrix small.
    together = together[together.any(axis=1)][:, together.any(axis=0)]
    tp = int(together[linear_sum_assignment(together)].sum())
    return Identity(tp, overlaps.true_boxes - tp, overlaps.predicted_boxes - tp)
