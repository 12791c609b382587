"""Where the objects of a group stood, track by track: what lines and zones look at.

An object stands where the middle of its box's lower edge is. Where the picture's left, right or lower edge cuts the
box, the object really stands farther out; how far, nobody can see. The upper edge hides no foot.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sightline.arrays import BoolArray, FloatArray, IntArray
from sightline.types import FrameTable, TrackTable
from sightline.vision.track_rows import track_rows

__all__ = ["EDGE", "FootPaths", "foot_paths"]


EDGE = 1 / 128  # of the picture's width and height: this near to its edge is on the edge


@dataclass(frozen=True, slots=True, eq=False)
class FootPaths:
    """Where objects stood, rows by track, then time.

    Attributes:
        row: int64 (R,), rows of the table of tracks.
        track: int64 (R,), rising number of the track.
        x, y: float64 (R,), pixels.
        size: float64 (R,), pixels, the root of the box's area.
        out_x, out_y: float64 (R,), to which side the picture cuts the object: -1 left, 1 right; 1 below; 0 not.
        start_us, end_us: int64 (R,), presentation time of the row's frame and of the next frame of the job.
    """

    row: IntArray
    track: IntArray
    x: FloatArray
    y: FloatArray
    size: FloatArray
    out_x: FloatArray
    out_y: FloatArray
    start_us: IntArray
    end_us: IntArray

    def __len__(self) -> int:
        return len(self.row)

    @property
    def first(self) -> BoolArray:
        """Bool (R,): the first row of its track."""
        first: BoolArray = np.diff(self.track, prepend=-1) != 0
        return first

    def of_tracks(self, rows: BoolArray) -> FootPaths:
        """The tracks that have at least one of these rows, with all their rows."""
        if not len(self):
            return self
        wanted = np.zeros(int(self.track[-1]) + 1, bool)
        wanted[self.track[rows]] = True
        at = np.flatnonzero(wanted[self.track])
        return FootPaths(*(getattr(self, name)[at] for name in self.__slots__))


def foot_paths(
    frames: FrameTable, tracks: TrackTable, labels: Mapping[int, str], width: int, height: int
) -> FootPaths:
    """The paths of the tracks that have a label, in a picture of that size.

    Args:
        frames: the sampled frames of the job.
        tracks: of one group, sorted by `seq`, then `track_id`.
        labels: by `track_id`; tracks without one are left out.
        width, height: of the picture, pixels.
    """
    rows = track_rows(tracks)
    ids = tracks.track_id[rows.order[rows.starts]]
    wanted = np.isin(ids, np.fromiter(labels, np.int64, len(labels)))
    order, track = rows.order, rows.track
    if not wanted.all():
        inside = wanted[track]
        order, track = order[inside], track[inside]
    x1, y1, x2, y2 = tracks.xyxy[order].T
    left, right = x1 <= EDGE * width, x2 >= width - EDGE * width
    ends_us = np.append(frames.pts_us[1:], frames.pts_us[-1:])
    seq = tracks.seq[order]
    return FootPaths(
        order,
        track,
        (x1 + x2) / 2,
        y2,
        np.sqrt((x2 - x1) * (y2 - y1)),
        right.astype(np.float64) - left,
        (y2 >= height - EDGE * height).astype(np.float64),
        frames.pts_us[seq],
        ends_us[seq],
    )
