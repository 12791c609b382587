"""Lines and zones: tracks in, crossings out.

An object stands where the middle of its box's lower edge is, and crosses a line when it was settled on one side, then
on the other (`vision.sides` says what that is); the step from the one to the other must pass through the segment, not
beyond its ends. It counts once per direction until it returns. `in` is to the right of a -> b as seen on the screen
(y down): with dx, dy from a to b and px, py from a to the object, the side `dx * py - dy * px > 0`.

It enters a zone and leaves it by the same rule, and by passing through it however fast. An object first settled inside
has entered, one whose track ends inside does not leave; one that stood on the border all the time is where it was for
most of it.

Objects that the picture's edge cuts stand on the edge as far as anyone can see, so a zone or a line that reaches the
edge goes on beyond it.

All tracks are tested together, but only those that come near.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sightline.arrays import BoolArray, FloatArray, IntArray
from sightline.counts import Event, EventKind, Line, Point, Zone
from sightline.types import FrameTable, TrackTable
from sightline.vision.borders import (
    breadth,
    from_line,
    from_outline,
    inside,
    line_reach,
    past_line,
    within_edges,
)
from sightline.vision.foot_paths import FootPaths, foot_paths
from sightline.vision.sides import changes, margins, stays

__all__ = ["Line", "Zone", "crossings"]

PASSAGE = (
    0.5  # of an object's size: this far from where it came in to where it goes out, it passes through a zone
)


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """What happened at one line or zone: its name, rows of the table, and where, in pixels.

    Attributes:
        onward: bool (E,), whether to the line's right hand, or into the zone.
    """

    name: str
    row: IntArray
    onward: BoolArray
    x: FloatArray
    y: FloatArray


def crossings(
    frames: FrameTable,
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
        frames: the sampled frames of the job.
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
    paths = foot_paths(frames, tracks, labels_by_track, width, height)
    events: list[Event] = []
    for line in lines:
        a, b = line.pixels(width, height)
        crossed = _line(paths, a, b, line_reach(a, b, width, height), line.name)
        events += _events(tracks, crossed, "line", "line", line.directions, labels_by_track, group)
    for zone in zones:
        visited = _zone(paths, zone.pixels(width, height), width, height, zone.name)
        events += _events(tracks, visited, "zone_enter", "zone_exit", ("", ""), labels_by_track, group)
    events.sort(key=lambda event: (event.seq, event.track_id))
    return events


def _events(
    tracks: TrackTable,
    found: _Found,
    onward: EventKind,
    back: EventKind,
    directions: tuple[str, str],
    labels: Mapping[int, str],
    group: str,
) -> list[Event]:
    ids, seqs = tracks.track_id[found.row].tolist(), tracks.seq[found.row].tolist()
    return [
        Event(
            onward if right else back,
            found.name,
            directions[0 if right else 1],
            group,
            track_id,
            labels[track_id],
            seq,
            x,
            y,
        )
        for right, track_id, seq, x, y in zip(
            found.onward.tolist(), ids, seqs, found.x.tolist(), found.y.tolist(), strict=True
        )
    ]


def _line(every: FootPaths, a: Point, b: Point, reach: tuple[float, float], name: str) -> _Found:
    """Who crossed a line, and where the step over it met it."""
    paths = _on_both_sides(every, a, b)
    depth = from_line(paths, a, b)
    side = np.sign(depth).astype(np.int64)
    clear = past_line(paths, depth, a, b) >= margins(paths)
    found = changes(paths, side, stays(paths, side, clear))
    row, x, y = found.row, paths.x[found.before], paths.y[found.before]
    step_x, step_y = paths.x[row] - x, paths.y[row] - y
    dx, dy = b[0] - a[0], b[1] - a[1]
    along = (step_x * (y - a[1]) - step_y * (x - a[0])) / (step_x * dy - step_y * dx)
    met = (along >= reach[0]) & (along <= reach[1])
    x, y = a[0] + along[met] * dx, a[1] + along[met] * dy
    return _Found(name, paths.row[row[met]], found.side[met] > 0, x, y)


def _on_both_sides(paths: FootPaths, a: Point, b: Point) -> FootPaths:
    """The tracks that were on both sides of a line at all."""
    depth = from_line(paths, a, b)
    starts = np.flatnonzero(paths.first)
    if not len(starts):
        return paths
    both = (np.minimum.reduceat(depth, starts) < 0) & (np.maximum.reduceat(depth, starts) > 0)
    which = np.zeros(len(paths), bool)
    which[starts[both]] = True
    return paths.of_tracks(which)


def _zone(every: FootPaths, corners: Sequence[Point], width: int, height: int, name: str) -> _Found:
    """Who entered a zone and who left it, and where they stood then."""
    x, y = within_edges(every, width, height)
    paths = every.of_tracks(_in_bounds(x, y, corners))
    x, y = within_edges(paths, width, height)
    side = np.where(inside(x, y, corners), 1, -1)
    margin = np.minimum(margins(paths), breadth(corners) / 4)
    clear = from_outline(paths, x, y, corners, width, height) >= margin
    found = changes(paths, side, stays(paths, side, clear, PASSAGE), before=-1)
    row = found.row
    return _Found(name, paths.row[row], found.side > 0, paths.x[row], paths.y[row])


def _in_bounds(x: FloatArray, y: FloatArray, corners: Sequence[Point]) -> BoolArray:
    """Which points are in the rectangle around a polygon."""
    (left, right), (top, bottom) = ((min(part), max(part)) for part in zip(*corners, strict=True))
    bounded: BoolArray = (x >= left) & (x <= right) & (y >= top) & (y <= bottom)
    return bounded
