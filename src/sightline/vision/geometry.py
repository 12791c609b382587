"""Lines and zones: tracks in, crossings out.

An object stands where the middle of its box's lower edge is. It has changed sides when it was settled on one side,
then on the other, two frames each; the step between must pass through the segment, not beyond its ends. It counts
once per direction until it returns. Standing on a line is neither side; one noisy frame counts nothing. `in` is to the
right of a -> b as seen on the screen (y down): with dx, dy from a to b and px, py from a to the object, the side
`dx * py - dy * px > 0`. Zones need three frames; an object first seen inside has entered, one whose track ends inside
does not leave.

Objects that the picture's edge cuts stand on the edge as far as anyone can see, so a zone or a line that reaches the
edge goes on beyond it.

Frames are those in which the track has a box. All tracks are looked at together: the rows of a track fall into runs on
one side, and only runs long enough to be settled matter.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sightline.counts import Event, EventKind, Line, Point, Zone
from sightline.types import IntArray, TrackTable
from sightline.vision.track_rows import track_rows

__all__ = ["SETTLED_LINE", "SETTLED_ZONE", "Line", "Zone", "crossings"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

SETTLED_LINE, SETTLED_ZONE = 2, 3  # frames
EDGE = 1 / 128  # of the picture's width and height: this near to its edge is on the edge


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """Where objects stood, track by track.

    Attributes:
        x, y: float64 (R,), pixels.
        track: int64 (R,), rising number of the track.
    """

    x: FloatArray
    y: FloatArray
    track: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """What happened at one line or zone: its name, rows of the table, and where, in pixels."""

    name: str
    row: IntArray
    x: FloatArray
    y: FloatArray


def crossings(
    tracks: TrackTable,
    lines: Sequence[Line],
    zones: Sequence[Zone],
    width: int,
    height: int,
    labels_by_track: Mapping[int, str],
    group: str,
) -> list[Event]:
    """Find who crossed the lines and entered or left the zones.

    Args:
        tracks: of one group, sorted by `seq`, then `track_id`.
        lines, zones: normalised, or in pixels of this picture.
        width, height: of the picture.
        labels_by_track: label of each track that is counted; tracks without one are left out.
        group: name of the group.

    Returns:
        Events by `seq`, `track_id`, then line or zone in the order given.

    Raises:
        Misconfigured: a line or a zone of which no part lies on the picture.
    """
    if not (lines or zones) or not len(tracks):
        return []
    path, rows = _path(tracks, labels_by_track)
    events: list[Event] = []
    for line in lines:
        a, b = line.pixels(width, height)
        at, inward, x, y = _line(path, a, b, _reach(a, b, width, height))
        found = _Found(line.name, rows[at], x, y)
        kinds: list[EventKind] = ["line"] * len(at)
        events += _events(
            tracks,
            found,
            kinds,
            ["in" if each else "out" for each in inward.tolist()],
            labels_by_track,
            group,
        )
    seen = _within_edges(path, width, height) if zones else path
    for zone in zones:
        at, entered = _zone(seen, zone.pixels(width, height))
        found = _Found(zone.name, rows[at], path.x[at], path.y[at])
        kinds = ["zone_enter" if each else "zone_exit" for each in entered.tolist()]
        events += _events(tracks, found, kinds, [""] * len(at), labels_by_track, group)
    events.sort(key=lambda event: (event.seq, event.track_id))
    return events


def _path(tracks: TrackTable, labels: Mapping[int, str]) -> tuple[Path, IntArray]:
    """Where the counted tracks stood, and which rows of the table that are."""
    rows = track_rows(tracks)
    ids = tracks.track_id[rows.order[rows.starts]]
    wanted = np.isin(ids, np.fromiter(labels, np.int64, len(labels)))
    order, track = rows.order, rows.track
    if not wanted.all():
        inside = wanted[track]
        order, track = order[inside], track[inside]
    xyxy = tracks.xyxy
    return Path((xyxy[order, 0] + xyxy[order, 2]) / 2, xyxy[order, 3], track), order


def _events(
    tracks: TrackTable,
    found: _Found,
    kinds: Sequence[EventKind],
    directions: Sequence[str],
    labels: Mapping[int, str],
    group: str,
) -> list[Event]:
    ids, seqs = tracks.track_id[found.row].tolist(), tracks.seq[found.row].tolist()
    return [
        Event(kind, found.name, direction, group, track_id, labels[track_id], seq, x, y)
        for kind, direction, track_id, seq, x, y in zip(
            kinds, directions, ids, seqs, found.x.tolist(), found.y.tolist(), strict=True
        )
    ]


def _within_edges(path: Path, width: int, height: int) -> Path:
    """The same path, but nothing nearer to the picture's edge than what counts as on it."""
    x, y = EDGE * width, EDGE * height
    return Path(path.x.clip(x, width - x), path.y.clip(y, height - y), path.track)


def _reach(a: Point, b: Point, width: int, height: int) -> tuple[float, float]:
    """Where a line begins and ends as shares of a -> b: 0 and 1, or endless where it leaves the picture."""
    length = math.hypot(b[0] - a[0], b[1] - a[1])
    x, y = (EDGE * size * step / length for size, step in ((width, b[0] - a[0]), (height, b[1] - a[1])))

    def outside(point: Point) -> bool:
        return not (0 <= point[0] <= width and 0 <= point[1] <= height)

    return (
        -math.inf if outside((a[0] - x, a[1] - y)) else 0.0,
        math.inf if outside((b[0] + x, b[1] + y)) else 1.0,
    )


def _line(
    path: Path, a: Point, b: Point, reach: tuple[float, float]
) -> tuple[IntArray, BoolArray, FloatArray, FloatArray]:
    """Rows in which objects were first seen across the line, whether inwards, and where they met it."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    side = dx * (path.y - a[1]) - dy * (path.x - a[0])
    clear = np.flatnonzero(side)  # on the line is neither side
    right = side[clear] > 0
    starts = _settled(path.track[clear], right, SETTLED_LINE)
    track, inward = path.track[clear[starts]], right[starts]
    changed = (np.diff(track, prepend=-1) == 0) & (np.diff(inward.astype(np.int8), prepend=0) != 0)
    now = clear[starts[changed]]
    last = clear[starts[changed] - 1]  # on the other side, as every run follows one of the other side
    x, y = path.x[last], path.y[last]
    step_x, step_y = path.x[now] - x, path.y[now] - y
    along = (step_x * (y - a[1]) - step_y * (x - a[0])) / (step_x * dy - step_y * dx)
    met = (along >= reach[0]) & (along <= reach[1])
    return now[met], inward[changed][met], a[0] + along[met] * dx, a[1] + along[met] * dy


def _zone(path: Path, points: Sequence[Point]) -> tuple[IntArray, BoolArray]:
    """Rows in which objects were first seen inside or outside again, and whether inside."""
    inside = _inside(path, points)
    starts = _settled(path.track, inside, SETTLED_ZONE)
    track, within = path.track[starts], inside[starts]
    first = np.diff(track, prepend=-1) != 0
    changed = np.where(first, within, np.diff(within.astype(np.int8), prepend=0) != 0)
    return starts[changed], within[changed]


def _settled(track: IntArray, side: BoolArray, frames: int) -> IntArray:
    """First rows of the runs on one side that last so many rows."""
    new = (np.diff(track, prepend=-1) != 0) | (np.diff(side.astype(np.int8), prepend=0) != 0)
    starts = np.flatnonzero(new)
    settled: IntArray = starts[np.diff(starts, append=len(track)) >= frames]
    return settled


def _inside(path: Path, points: Sequence[Point]) -> BoolArray:
    """Which rows are inside a polygon; a ray to the right crosses its outline an odd number of times."""
    corners = np.array(points)
    (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
    near = np.flatnonzero((path.x >= left) & (path.x <= right) & (path.y >= top) & (path.y <= bottom))
    x, y = path.x[near], path.y[near]
    odd = np.zeros(len(near), bool)
    for (x1, y1), (x2, y2) in zip(points, [*points[-1:], *points[:-1]], strict=True):
        if y1 != y2:
            odd ^= ((y1 > y) != (y2 > y)) & (x < (x2 - x1) * (y - y1) / (y2 - y1) + x1)
    inside = np.zeros(len(path.x), bool)
    inside[near] = odd
    return inside
