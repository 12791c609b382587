"""Motion of the camera, as tracks need it: what is too little to matter, and what the boxes alone show.

Between two frames of a panning camera every box moves by about the same vector, and overlap fails where that is more
than a box. Every track and every box of about its size that is not far away vote for the way from one to the other; the
way with most votes is the camera's, if half of the tracks went it and far fewer stayed where they were.
"""

from __future__ import annotations

import numpy as np

from sightline.arrays import BoolArray, FloatArray, IntArray
from sightline.camera import IDENTITY, Motion
from sightline.vision.boxes import overlaps

__all__ = ["MIN_TRACKS", "common_shift", "felt"]


MIN_TRACKS = 10  # fewer move alike by chance, as dancers do
ALIKE = 0.2  # how far two ways differ that are one, in median sides of a box
REACH = 4.0  # farthest shift, in median sides
RATIO = 0.25  # largest |ln| of the ratio of widths or heights
MIN_SHARE = 0.5  # of the tracks, or of the boxes where these are fewer
MORE = 1.5  # than stayed where they were predicted
LEAST = 0.1  # shift as part of the smaller median side: below, overlap copes
FELT_PER_S = 0.06  # of the picture's width: what moves no corner faster does a track no good


def felt(camera: Motion | None, width: int, height: int, elapsed_us: int) -> Motion | None:
    """A motion of the camera as tracks are carried by it: `IDENTITY` where no corner moves 0.2 % of the width in 1/30 s.

    Args:
        camera: since the sampled frame before, in pixels of the source; None where it is not known.
        width, height: of the source.
        elapsed_us: time since that frame.
    """
    if camera is None or camera.farthest(width, height) >= FELT_PER_S * width * elapsed_us / 1e6:
        return camera
    return IDENTITY


def common_shift(tracks: FloatArray, found: FloatArray) -> FloatArray | None:
    """How far the picture moved since the tracks were predicted.

    Args:
        tracks, found: float64 (N, 4) and (M, 4), xyxy in pixels: predicted boxes and confident detections.

    Returns:
        (dx, dy) in pixels; None where there is no clear motion: fewer than 10 of either, fewer than half that agree, too
        many that stayed, or a shift of under 10 % of the smaller median side.
    """
    fewest = min(len(tracks), len(found))
    if fewest < MIN_TRACKS:
        return None
    old, new = _measured(tracks), _measured(found)
    side = float(_median(np.sqrt(np.prod(old[2:], axis=0))[None])[0])
    alike = side * ALIKE
    least = max(MIN_TRACKS, MIN_SHARE * fewest)
    voter, way = _ways(old, new, alike)
    stayed = _voters(voter, _near(way, np.zeros(2), alike))
    if MORE * stayed > len(tracks):  # whoever else may win
        return None
    voter, way = _ways(old, new, REACH * side)
    if len(voter) < least:
        return None
    shift = _median(way[:, _near(way, _densest(way, alike), alike)])
    if _voters(voter, _near(way, shift, alike)) < max(least, MORE * stayed):
        return None
    return shift if np.abs(shift).max() > LEAST * _median(new[2:]).min() else None


def _measured(xyxy: FloatArray) -> FloatArray:
    """Centre, width and height, (4, N)."""
    sides = xyxy.T
    return np.concatenate(((sides[:2] + sides[2:]) / 2, np.maximum(sides[2:] - sides[:2], 1.0)))


def _ways(old: FloatArray, new: FloatArray, reach: float) -> tuple[IntArray, FloatArray]:
    """Pairs of one size that are less than `reach` apart on both axes: whose, (K,), and the way from old to new, (2, K)."""
    rows, columns, _ = overlaps(_around(old, reach / 2), _around(new, reach / 2))
    ratio = np.abs(np.log(new[2:, columns] / old[2:, rows])).max(0)
    same = ratio < RATIO
    rows, columns = rows[same], columns[same]
    return rows, new[:2, columns] - old[:2, rows]


def _around(boxes: FloatArray, half: float) -> FloatArray:
    return np.concatenate((boxes[:2] - half, boxes[:2] + half)).T


def _densest(way: FloatArray, alike: float) -> FloatArray:
    """The way that most others are alike to; the first of equal ones."""
    squares = _around(way, alike / 2)
    rows, _, _ = overlaps(squares, squares)
    return way[:, np.bincount(rows).argmax()]


def _near(way: FloatArray, middle: FloatArray, alike: float) -> BoolArray:
    across, down = np.abs(way - middle[:, None]) < alike
    near: BoolArray = across & down
    return near


def _voters(voter: IntArray, which: BoolArray) -> int:
    """Tracks with at least one such vote."""
    return len(np.unique(voter[which]))


def _median(values: FloatArray) -> FloatArray:
    """Median of each row; `np.median` takes ten times as long on a few values."""
    ordered, half = np.sort(values, axis=1), values.shape[1] // 2
    middle: FloatArray = (ordered[:, half] + ordered[:, -half - 1]) / 2
    return middle
