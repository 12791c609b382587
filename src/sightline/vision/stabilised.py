"""Tracks on the ground: where their boxes would be if the camera had stood still.

Whoever compares the end of a track with the beginning of another, or draws a line from one box to the next, does so there.
Where nobody knows how the camera moved, it is taken to have stood still for that step.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from sightline.arrays import FloatArray
from sightline.camera import IDENTITY, CameraPath, Motion, numbers_of
from sightline.types import TrackTable

__all__ = ["in_frames", "on_ground", "unbroken"]


def unbroken(path: CameraPath | None) -> CameraPath | None:
    """The path in one stretch, as if the camera had stood still in each step that is not known; None if it never moved."""
    if path is None or not path.moves:
        return None
    place, begins = IDENTITY, dict[int, Motion]()
    maps = np.empty_like(path.maps)
    first = np.diff(path.stretch, prepend=-1).nonzero()[0].tolist()
    for start, end in pairwise([*first, len(path)]):
        stretch = int(path.stretch[start])
        if stretch not in begins:
            begins[stretch] = path.in_frame(start).inverse().then(place) if start else IDENTITY
        before = begins[stretch]
        for seq in range(start, end):
            place = before.then(path.in_frame(seq))
            maps[seq] = numbers_of(place)
    return CameraPath(maps, np.zeros_like(path.stretch))


def on_ground(path: CameraPath | None, tracks: TrackTable) -> TrackTable:
    """The rows with their boxes on the ground: centres are mapped, sides scaled. Where the camera stands still, as they are."""
    if path is None:
        return tracks
    middle, sides = _measured(tracks)
    return _with_boxes(tracks, path.to_ground(middle, tracks.seq), sides / path.scale(tracks.seq)[:, None])


def in_frames(path: CameraPath | None, tracks: TrackTable) -> TrackTable:
    """The other way: rows on the ground with their boxes in the frames."""
    if path is None:
        return tracks
    middle, sides = _measured(tracks)
    return _with_boxes(tracks, path.to_frame(middle, tracks.seq), sides * path.scale(tracks.seq)[:, None])


def _measured(tracks: TrackTable) -> tuple[FloatArray, FloatArray]:
    low, high = tracks.xyxy[:, :2], tracks.xyxy[:, 2:]
    return (low + high) / 2, high - low


def _with_boxes(tracks: TrackTable, middle: FloatArray, sides: FloatArray) -> TrackTable:
    xyxy = np.concatenate((middle - sides / 2, middle + sides / 2), axis=1)
    return TrackTable(tracks.seq, tracks.track_id, tracks.class_id, xyxy, tracks.confidence, tracks.origin)
