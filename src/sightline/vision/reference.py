"""What a sure box of this network scores in this video: the scale of all thresholds that nobody has set.

Networks score differently: a car in full view is 0.9 to one and 0.6 to another, and small pictures lower all of them.
The thresholds of ByteTrack were chosen for a network whose sure boxes score 0.9. Elsewhere they are shares of the
*reference*: the 0.8 quantile of all confidences, each weighted by itself, so that a crowd of doubtful boxes weighs
little; never below 0.4, as doubtful boxes alone are no objects.

Confidences are counted in hundredths, so the reference is a sum of whole numbers: the same in any order.
"""

from __future__ import annotations

import numpy as np

from sightline.arrays import FloatArray, IntArray

__all__ = ["HIGH", "NEW", "NO_SCORES", "STEPS", "SURE", "reference", "score_counts"]


STEPS = 100
SURE = 0.9  # what a sure box scores where the thresholds of ByteTrack come from
LEAST = 0.4
# A box from the first on, followed in the next frame by one from the second on, is an object; in shares of the reference.
NEW, HIGH = 0.7 / SURE, 0.6 / SURE
QUANTILE = 0.8

NO_SCORES: IntArray = np.zeros(STEPS + 1, np.int64)
_WEIGHTS: IntArray = np.arange(STEPS + 1)


def score_counts(confidence: FloatArray) -> IntArray:
    """How many confidences there are of each hundredth: int64 (101,), of float64 (N,) in [0, 1]."""
    return np.bincount((confidence * STEPS).astype(np.int64), minlength=STEPS + 1)


def reference(counts: IntArray) -> float:
    """The reference of all confidences counted so far, in [0.4, 1]; 0.9 where there are none.

    >>> reference(score_counts(np.array([0.1] * 30 + [0.6] * 10)))
    0.6
    """
    weights = (counts * _WEIGHTS).cumsum()
    total = int(weights[-1])
    if not total:
        return SURE
    return max(float(weights.searchsorted(QUANTILE * total)) / STEPS, LEAST)
