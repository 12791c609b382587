"""CLEAR MOT: misses, false alarms and switches of identity, at an overlap of 0.5.

Bernardin and Stiefelhagen, "Evaluating Multiple Object Tracking Performance: The CLEAR MOT Metrics", 2008, in the
form that TrackEval gave it: a pair of the frame before is kept while it overlaps enough, the rest is assigned by IoU; a
switch is a true object whose last known id was another one, however long ago.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from sightline.evaluation.matching import EPSILON, Overlaps
from sightline.vision.solver import linear_sum_assignment

__all__ = ["Clear", "clear"]


THRESHOLD = 0.5
NONE = -1
# More than all IoU of a frame together could gain.
KEEP = 1000.0


@dataclass(frozen=True, slots=True)
class Clear:
    """Sums of one or more sequences; adding two gives both sequences' together.

    Attributes:
        tp, fn, fp: pairs, true boxes without one (misses), predicted boxes without one (false alarms).
        switches: a true object continued under another id.
        fragmentations: a true object was lost and found again.
        mostly_tracked, partly_tracked, mostly_lost: true ids found in more than 80 %, 20 to 80 %, less of their frames.
        overlap: sum of IoU over pairs.
    """

    tp: int = 0
    fn: int = 0
    fp: int = 0
    switches: int = 0
    fragmentations: int = 0
    mostly_tracked: int = 0
    partly_tracked: int = 0
    mostly_lost: int = 0
    overlap: float = 0.0

    def __add__(self, other: Clear) -> Clear:
        sums: dict[str, Any] = {f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)}
        return Clear(**sums)

    @property
    def mota(self) -> float:
        """1 less errors per true box; below 0 where there are more errors than boxes, 0 without true boxes."""
        true = self.tp + self.fn
        return (self.tp - self.fp - self.switches) / true if true else 0.0

    @property
    def motp(self) -> float:
        """Mean IoU of the pairs; 0 where there are none."""
        return self.overlap / max(1, self.tp)


def clear(overlaps: Overlaps) -> Clear:
    """CLEAR of one sequence."""
    if not overlaps.true_boxes or not overlaps.predicted_boxes:
        return Clear(fn=overlaps.true_boxes, fp=overlaps.predicted_boxes, mostly_lost=overlaps.true_ids)
    last = np.full(overlaps.true_ids, NONE)  # id under which an object was last seen
    before = np.full(overlaps.true_ids, NONE)  # the same, in the frame before only
    matched, pieces = np.zeros(overlaps.true_ids), np.zeros(overlaps.true_ids)
    tp, switches, overlap = 0, 0, 0.0
    for true_ids, predicted_ids, similarity in overlaps.frames:
        if not similarity.size:
            continue
        keep = predicted_ids[None, :] == before[true_ids][:, None]
        score = np.where(similarity < THRESHOLD - EPSILON, 0.0, KEEP * keep + similarity)
        rows, columns = linear_sum_assignment(score)
        good = score[rows, columns] > EPSILON
        rows, columns = rows[good], columns[good]
        true, predicted = true_ids[rows], predicted_ids[columns]
        switches += int(((last[true] != NONE) & (last[true] != predicted)).sum())
        pieces[true[before[true] == NONE]] += 1
        before[:] = NONE
        last[true] = before[true] = predicted
        matched[true] += 1
        tp += len(rows)
        overlap += float(similarity[rows, columns].sum())
    share = matched / overlaps.histogram()[0]
    return Clear(
        tp=tp,
        fn=overlaps.true_boxes - tp,
        fp=overlaps.predicted_boxes - tp,
        switches=switches,
        fragmentations=int((pieces[pieces > 0] - 1).sum()),
        mostly_tracked=int((share > 0.8).sum()),
        partly_tracked=int(((share >= 0.2) & (share <= 0.8)).sum()),
        mostly_lost=int((share < 0.2).sum()),
        overlap=overlap,
    )
