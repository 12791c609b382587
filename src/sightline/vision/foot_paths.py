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

from sightline.arrays import BoolArray, ByteArray, FloatArray, IntArray, SeqArray
from sightline.counts import Anchors
from sightline.types import TrackTable
from sightline.vision.track_rows import track_rows

__all__ = [
    "EDGE",
    "LEFT",
    "LOWER",
    "NO_ANCHORS",
    "PART",
    "RIGHT",
    "UPPER",
    "FootPaths",
    "Times",
    "anchors_of",
    "bounded",
    "parts",
    "spread",
]


EDGE = 1 / 128  # of the picture's width and height: this near to its edge is on the edge
# The upper edge hides no foot; but of a picture that is turned it may be any edge that does.
LEFT, RIGHT, LOWER, UPPER = np.uint8(1), np.uint8(2), np.uint8(4), np.uint8(8)
# By edges that cut an object, to which side it stands farther out: -1 left, 1 right; -1 above, 1 below; 0 not.
OUT_X = np.array([(edges & 2) // 2 - (edges & 1) for edges in range(16)], float)
OUT_Y = np.array([(edges & 4) // 4 - (edges & 8) // 8 for edges in range(16)], float)
PART = 2**16  # rows: a column of them is half a megabyte
NO_ANCHORS = Anchors(
    np.zeros(1, np.int64),
    np.empty((0, 4)),
    np.empty(0),
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

    def lasts_us(self, first: IntArray, last: IntArray) -> IntArray:
        """From some frames to those that follow on others, microseconds."""
        return self.end_us[last] - self.start_us[first]

    @classmethod
    def of(cls, pts_us: IntArray) -> Times:
        """Of the sampled frames of a job; nothing follows the last one."""
        return cls(pts_us, np.append(pts_us[1:], pts_us[-1:]))


@dataclass(frozen=True, slots=True, eq=False)
class FootPaths:
    """Where some objects stood, rows by track, then time. Of what is asked for a few rows only, only these are read.

    Attributes:
        anchors: whose rows these are.
        rows: int64 (R,) or a slice, which.
        places: int64 (N,), the tracks, rising; each has rows.
        starts: int64 (N,), where each track begins.
        x, y: float64 (R,), pixels.
    """

    anchors: Anchors
    rows: slice | IntArray
    places: IntArray
    starts: IntArray
    x: FloatArray
    y: FloatArray

    @classmethod
    def of(cls, anchors: Anchors, places: IntArray) -> FootPaths:
        """Of these tracks, which have rows, rising; at least one."""
        first, end = anchors.first[places], anchors.first[places + 1]
        lengths = end - first
        starts = lengths.cumsum() - lengths
        together = end[-1] - first[0] == lengths.sum()
        rows = slice(int(first[0]), int(end[-1])) if together else spread(first, lengths)
        return cls(anchors, rows, places, starts, anchors.x[rows], anchors.y[rows])

    def __len__(self) -> int:
        return len(self.x)

    @property
    def ends(self) -> IntArray:
        """Int64 (N,): behind the last row of each track."""
        return np.append(self.starts[1:], len(self))

    @property
    def first(self) -> BoolArray:
        """Bool (R,): the first row of its track."""
        first = np.zeros(len(self), bool)
        first[self.starts] = True
        return first

    @property
    def largest(self) -> float:
        """The largest size of all, pixels."""
        return float(self.anchors.largest[self.places].max())

    def number(self, at: IntArray) -> IntArray:
        """Which of the tracks some rows belong to."""
        return np.searchsorted(self.starts, at, "right") - 1

    def seq(self, at: IntArray) -> IntArray:
        """The frames of some rows."""
        return self.anchors.seq[self._row(at)].astype(np.int64)

    def size(self, at: IntArray) -> FloatArray:
        """How large the objects are in some rows, pixels: the root of the box's area."""
        return self.anchors.size[self._row(at)]

    def outward(self, at: IntArray, x: FloatArray, y: FloatArray) -> FloatArray:
        """How much farther out along directions x, y the objects of some rows stand than their boxes show, in sizes."""
        edges = self.anchors.edges[self._row(at)]
        return np.maximum(OUT_X[edges] * x + OUT_Y[edges] * y, 0)

    def _row(self, at: IntArray) -> IntArray:
        return at + self.rows.start if isinstance(self.rows, slice) else self.rows[at]


def spread(first: IntArray, lengths: IntArray) -> IntArray:
    """All places of some ranges, one after the other."""
    begin = lengths.cumsum() - lengths
    return np.repeat(first - begin, lengths) + np.arange(lengths.sum())


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
    return bounded(first, tracks.seq[order].astype(np.uint32), x, y, size, edges)


def bounded(
    first: IntArray, seq: SeqArray, x: FloatArray, y: FloatArray, size: FloatArray, edges: ByteArray
) -> Anchors:
    """Anchors of these rows, with what all rows of a track have in common; arguments as their attributes."""
    wanted = np.diff(first) > 0
    bounds, largest = np.zeros((len(wanted), 4)), np.zeros(len(wanted))
    if len(seq):
        starts = first[:-1][wanted]
        bounds[wanted], largest[wanted] = _bounds(x, y, starts), np.maximum.reduceat(size, starts)
    return Anchors(first, bounds, largest, seq, x, y, size, edges)


def _bounds(x: FloatArray, y: FloatArray, starts: IntArray) -> FloatArray:
    low, high = np.minimum.reduceat, np.maximum.reduceat
    return np.column_stack([low(x, starts), low(y, starts), high(x, starts), high(y, starts)])


def parts(anchors: Anchors, which: BoolArray) -> Iterator[IntArray]:
    """The tracks in question that have rows, bool (N,), in parts of about `PART` rows: their places, rising."""
    lengths = np.diff(anchors.first)
    places = np.flatnonzero(which & (lengths > 0))
    number = (lengths[places].cumsum() - 1) // PART
    yield from np.split(places, np.flatnonzero(np.diff(number)) + 1) if len(places) else ()
