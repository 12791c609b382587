"""Tracks on the ground: where their boxes would be if the camera had stood still.

Whoever compares the end of a track with the beginning of another, or draws a line from one box to the next, does so there.
Where nobody knows how the camera moved, it is taken to have stood still for that step.
"""

from __future__ import annotations

import numpy as np

from sightline.arrays import FloatArray
from sightline.types import TrackTable
from sightline.vision.camera_path import CameraPath
from sightline.vision.similarity import IDENTITY, Motion

__all__ = ["in_frames", "on_ground", "unbroken"]


def unbroken(path: CameraPath | None) -> CameraPath | None:
    """The path in one stretch, as if the camera had stood still in each step that is not known; None if it never moved."""
    if path is None or (path.maps == (1.0, 0.0, 0.0, 0.0)).all():
        return None
    first = np.diff(path.stretch, prepend=-1).nonzero()[0]
    last = np.append(first, len(path))[1:] - 1
    place, places = IDENTITY, []
    for step in path.maps[last].tolist():
        places.append((place.a, place.b, place.x, place.y))
        place = place.then(Motion(*step))
    before = np.array(places).reshape(-1, 4).repeat(np.diff(first, append=len(path)), axis=0)
    (p, q, u, v), (a, b, x, y) = before.T, path.maps.T
    maps = np.stack((a * p - b * q, b * p + a * q, a * u - b * v + x, b * u + a * v + y), axis=1)
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
