"""Motion of the camera, seen in the tracks alone: when everything shifts alike, the tracks are shifted first.

Between two frames of a panning camera every box moves by about the same vector, and overlap fails where that is more
than a box. Grown boxes still overlap; their matches vote on the shift.
"""

from __future__ import annotations

import numpy as np

from sightline.arrays import FloatArray
from sightline.vision.association import candidates, choose, upright

__all__ = ["GROWTH", "LIMIT", "MIN_PAIRS", "common_shift"]


MIN_PAIRS = 10
GROWTH = 0.5  # of a box's size, on each side
LIMIT = 0.9
MIN_DEVIATIONS = 2.0  # median shift over median absolute deviation: below, objects move, not the camera
MIN_SHARE = 0.1  # of the smaller median side: below, overlap copes


def common_shift(tracks: FloatArray, found: FloatArray) -> FloatArray | None:
    """How far the picture moved since the tracks were predicted.

    Args:
        tracks, found: float64 (N, 4) and (M, 4), xyxy in pixels: predicted boxes and confident detections.

    Returns:
        (dx, dy) in pixels, None where there is no clear motion: fewer than 10 matches, or a median shift that is on
        neither axis above 2 median absolute deviations, or on neither above 10 % of the smaller median side.
    """
    if len(tracks) < MIN_PAIRS or len(found) < MIN_PAIRS:
        return None
    before, after = _grown(tracks), _grown(found)
    pairs = candidates(before, after)
    similarity = pairs.iou * upright(pairs, before, after)
    rows, columns = choose(pairs, similarity, LIMIT)
    if len(rows) < MIN_PAIRS:
        return None
    old, new = tracks.T[:, rows], found.T[:, columns]
    shifts = (new[:2] + new[2:] - old[:2] - old[2:]) / 2
    middle = _median(shifts)
    size = np.abs(middle)
    clear = (size > MIN_DEVIATIONS * _median(np.abs(shifts - middle[:, None]))).any()
    return middle if clear and size.max() > MIN_SHARE * _median(new[2:] - new[:2]).min() else None


def _median(values: FloatArray) -> FloatArray:
    """Median of each row; `np.median` takes ten times as long on a few values."""
    ordered, half = np.sort(values, axis=1), values.shape[1] // 2
    middle: FloatArray = (ordered[:, half] + ordered[:, -half - 1]) / 2
    return middle


def _grown(xyxy: FloatArray) -> FloatArray:
    sides = xyxy.T
    extra = (sides[2:] - sides[:2]) * GROWTH
    return np.concatenate((sides[:2] - extra, sides[2:] + extra)).T
