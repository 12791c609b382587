"""Where the objects of a group stood, track by track: what lines and zones look at.

An object stands where the middle of its box's lower edge is. Where the picture's left, right or lower edge cuts the
box, the object really stands farther out; how far, nobody can see. The upper edge hides no foot.

Anchors of an hour are large and lie in a mapped file: they are looked at a part at a time, whole tracks, so that memory
stays small and a part stays in the processor's cache.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sightline.arrays import BoolArray, ByteArray, FloatArray, IntArray
from sightline.counts import Anchors
from sightline.types import TrackTable
from sightline.vision.track_rows import track_rows

__all__ = ["EDGE", "NO_ANCHORS", "FootPaths", "Times", "anchors_of", "foot_paths", "parts", "rows_of"]


EDGE = 1 / 128  # of the picture's width and height: this near to its edge is on the edge
LEFT, RIGHT, LOWER = np.uint8(1), np.uint8(2), np.uint8(4)
# By edges that cut an object, to which side it stands farther out: -1 left, 1 right; 1 below; 0 not.
OUT_X = np.array([0.0, -1.0, 1.0, 0.0, 0.0, -1.0, 1.0, 0.0])
OUT_Y = np.array([0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0])
PART = 2**16  # rows: a column of them is half a megabyte
NO_ANCHORS = Anchors(
    np.zeros(1, np.int64),
    np.empty((0, 4)),
    np.empty(0, np.uint32),
    np.empty(0),
    np.empty(0),
    np.empty(0),
    np.empty(0, np.uint8),
)


@dataclass(frozen=True, slots=True, eq=False)
class Times:
    """Presentation time of each sampled frame, and of the next one: int64 (F,)."""

    start_us: IntArray
    end_us: IntArray

    @classmethod
    def of(cls, pts_us: IntArray) -> Times:
        """Of the sampled frames of a job; nothing follows the last one."""
        return cls(pts_us, np.append(pts_us[1:], pts_us[-1:]))


@dataclass(frozen=True, slots=True, eq=False)
class FootPaths:
    """Where some objects stood, rows by track, then time.

    Attributes:
        starts: int64 (N,), where each track begins.
        track: int64 (R,), place of the row's track in the anchors, rising.
        seq: int64 (R,), the row's frame.
        x, y: float64 (R,), pixels.
        size: float64 (R,), pixels, the root of the box's area.
        edges: uint8 (R,), which edges of the picture cut the object; see `Anchors`.
        times: of all frames.
    """

    starts: IntArray
    track: IntArray
    seq: IntArray
    x: FloatArray
    y: FloatArray
    size: FloatArray
    edges: ByteArray
    times: Times

    def __len__(self) -> int:
        return len(self.track)

    @property
    def first(self) -> BoolArray:
        """Bool (R,): the first row of its track."""
        first = np.zeros(len(self), bool)
        first[self.starts] = True
        return first

    def lasts_us(self, first: IntArray, last: IntArray) -> IntArray:
        """From the frames of some rows to those that follow on others, microseconds."""
        return self.times.end_us[self.seq[last]] - self.times.start_us[self.seq[first]]

    def outward(self, rows: IntArray, x: FloatArray, y: FloatArray) -> FloatArray:
        """How far each of some objects stands farther out than its box shows, in sizes, along directions x, y."""
        edges = self.edges[rows]
        return np.maximum(OUT_X[edges] * x + OUT_Y[edges] * y, 0)


def anchors_of(tracks: TrackTable, wanted: BoolArray, width: int, height: int) -> Anchors:
    """Where the wanted tracks stood in a picture of that size.

    Args:
        tracks: of one group, sorted by `seq`, then `track_id`.
        wanted: bool (N,), by rising `track_id`.
        width, height: of the picture, pixels.
    """
    rows = track_rows(tracks)
    order = rows.order if wanted.all() else rows.order[wanted[rows.track]]
    lengths = np.where(wanted, rows.lengths, 0)
    first = np.append(0, lengths.cumsum())
    x1, y1, x2, y2 = tracks.xyxy[order].T
    edges = LEFT * (x1 <= EDGE * width) + RIGHT * (x2 >= width - EDGE * width)
    edges += LOWER * (y2 >= height - EDGE * height)
    area = np.maximum((x2 - x1) * (y2 - y1), 0)
    x, y, size = (x1 + x2) / 2 + 0.0, y2 + 0.0, np.sqrt(area) + 0.0  # no negative zero
    bounds = np.zeros((len(wanted), 4))
    if len(order):
        bounds[wanted] = _bounds(x, y, first[:-1][wanted])
    return Anchors(first, bounds, tracks.seq[order].astype(np.uint32), x, y, size, edges)


def _bounds(x: FloatArray, y: FloatArray, starts: IntArray) -> FloatArray:
    low, high = np.minimum.reduceat, np.maximum.reduceat
    return np.column_stack([low(x, starts), low(y, starts), high(x, starts), high(y, starts)])


def parts(anchors: Anchors, which: BoolArray) -> Iterator[IntArray]:
    """The tracks in question that have rows, bool (N,), in parts of about `PART` rows: their places, rising."""
    lengths = np.diff(anchors.first)
    places = np.flatnonzero(which & (lengths > 0))
    number = (lengths[places].cumsum() - 1) // PART
    yield from np.split(places, np.flatnonzero(np.diff(number)) + 1) if len(places) else ()


def rows_of(anchors: Anchors, places: IntArray) -> tuple[slice | IntArray, IntArray]:
    """The rows of some tracks, a slice where they lie together, and where each track begins among them.

    Args:
        anchors: of a group.
        places: int64 (n,), of tracks that have rows, rising; at least one.
    """
    first, end = anchors.first[places], anchors.first[places + 1]
    lengths = end - first
    starts = lengths.cumsum() - lengths
    if end[-1] - first[0] == lengths.sum():
        return slice(int(first[0]), int(end[-1])), starts
    return np.repeat(first - starts, lengths) + np.arange(lengths.sum()), starts


def foot_paths(anchors: Anchors, places: IntArray, times: Times) -> FootPaths:
    """The paths of some tracks; `places` as for `rows_of`."""
    rows, starts = rows_of(anchors, places)
    seq = anchors.seq[rows].astype(np.int64)
    return FootPaths(
        starts,
        np.repeat(places, np.diff(starts, append=len(seq))),
        seq,
        anchors.x[rows],
        anchors.y[rows],
        anchors.size[rows],
        anchors.edges[rows],
        times,
    )
