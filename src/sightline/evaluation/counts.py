"""Error of the unique count: predicted objects against true ones, summed so that sequences cannot cancel out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sightline.evaluation.sequence import Boxes

__all__ = ["Counts", "count"]


@dataclass(frozen=True, slots=True)
class Counts:
    """Sums of one or more sequences.

    Attributes:
        true, predicted: distinct objects.
        off: sum over sequences of the difference.
        ids: distinct ids, those seen in too few frames included.
    """

    true: int = 0
    predicted: int = 0
    off: int = 0
    ids: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.true + other.true,
            self.predicted + other.predicted,
            self.off + other.off,
            self.ids + other.ids,
        )

    @property
    def error(self) -> float:
        """`off` per true object; 0 where there is nothing to count and nothing was."""
        return self.off / max(1, self.true)


def count(truth: Boxes, counted: Boxes, min_hits: int) -> Counts:
    """Compare the number of true ids with that of predicted ids seen in `min_hits` frames or more."""
    true = len(np.unique(truth.object_id))
    _, hits = np.unique(counted.object_id, return_counts=True)
    predicted = int((hits >= min_hits).sum())
    return Counts(true, predicted, abs(predicted - true), len(hits))
