"""Lines and zones: tracks in, crossings out.

An object stands where the middle of its box's lower edge is, and crosses a line when it was settled on one side, then
on the other (`vision.sides` says what that is); the step from the one to the other must pass through the segment, not
beyond its ends. It counts once per direction until it returns. `in` is to the right of a -> b as seen on the screen
(y down): with dx, dy from a to b and px, py from a to the object, the side `dx * py - dy * px > 0`.

It enters a zone and leaves it by the same rule, and by passing through it however fast. An object first settled inside
has entered, one whose track ends inside does not leave; one that stood on the border all the time is where it was for
most of it.

Objects that the picture's edge cuts stand on the edge as far as anyone can see, so a zone or a line that reaches the
edge goes on beyond it. Where the camera moves, lines and zones lie on the ground (`vision.ground`) and end where they
were drawn to end.

Only tracks that come near are tested, many together, a part of the anchors at a time: memory does not grow with the
length of the video.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sightline.arrays import BoolArray, FloatArray, IntArray
from sightline.counts import Anchors, CountedGroup, Event, EventKind, Line, Point, Zone
from sightline.types import FrameTable, TrackTable
from sightline.vision.borders import (
    NO_EDGES,
    Edges,
    clear_of_line,
    clear_of_outline,
    edges_of,
    inside,
    line_reach,
    may_cross,
    may_enter,
    off_line,
    within_edges,
)
from sightline.vision.foot_paths import FootPaths, Times, anchors_of, parts
from sightline.vision.ground import Ground
from sightline.vision.sides import changes, stays
from sightline.vision.track_rows import track_rows

__all__ = ["Line", "Zone", "crossings", "crossings_of"]

PASSAGE = (
    0.5  # of an object's size: this far from where it came in to where it goes out, it passes through a zone
)
ENDS: dict[type[Line] | type[Zone], tuple[EventKind, EventKind]] = {
    Line: ("line", "line"),
    Zone: ("zone_enter", "zone_exit"),
}


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """What happened at a line or zone in a part of a group's tracks.

    Attributes:
        track: int64 (E,), place of the track in the anchors.
        seq: int64 (E,), the frame.
        onward: bool (E,), whether to the line's right hand, or into the zone.
        x, y: float64 (E,), where, in pixels.
    """

    track: IntArray
    seq: IntArray
    onward: BoolArray
    x: FloatArray
    y: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class _Who:
    """A group's name and anchors, and id and label of each of its tracks."""

    group: str
    anchors: Anchors
    track_id: IntArray
    label: Sequence[str]


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
    rows = track_rows(tracks)
    ids = tracks.track_id[rows.order[rows.starts]]
    wanted = np.isin(ids, np.fromiter(labels_by_track, np.int64, len(labels_by_track)))
    labels = [labels_by_track.get(track_id, "") for track_id in ids.tolist()]
    who = _Who(group, anchors_of(tracks, wanted, width, height), ids, labels)
    return list(_events([who], frames.pts_us, (*lines, *zones), width, height, None))


def crossings_of(
    groups: Sequence[CountedGroup],
    pts_us: IntArray,
    lines: Sequence[Line],
    zones: Sequence[Zone],
    width: int,
    height: int,
    labels: Sequence[str],
    ground: Ground | None = None,
) -> list[Event]:
    """The same in all groups of a job, from their anchors.

    Args:
        groups: in the job's order.
        pts_us: int64 (F,), of the sampled frames.
        lines, zones, width, height: as for `crossings`.
        labels: by class id.
        ground: of a camera that moves; None: it stands still.

    Returns:
        Events by `seq`, the group's place, `track_id`, then line or zone in the order given.

    Raises:
        Misconfigured: a line or a zone of which no part lies on the picture, or one that was drawn on a frame that was not
            sampled.
    """
    who = [
        _Who(
            group.name,
            group.anchors,
            group.counts.track_id,
            [labels[number] for number in group.counts.class_id.tolist()],
        )
        for group in groups
    ]
    return list(_events(who, pts_us, (*lines, *zones), width, height, ground))


def _events(
    groups: Sequence[_Who],
    pts_us: IntArray,
    shapes: Sequence[Line | Zone],
    width: int,
    height: int,
    ground: Ground | None,
) -> Iterator[Event]:
    """Events in their order: frame, group, track, line or zone."""
    times = Times.of(pts_us)
    searches = [_search(shape, width, height, still=ground is None) for shape in shapes]
    drawn: dict[int, list[int]] = {}  # places of shapes by the frame that they were drawn on
    for at, shape in enumerate(shapes):
        drawn.setdefault(0 if ground is None else ground.seq_of(shape), []).append(at)
    every = [
        (place, at, found)
        for on, those in drawn.items()
        for place, who in enumerate(groups)
        for anchors in (who.anchors if ground is None else ground.seen_from(on, who.anchors),)
        for at in those
        for found in searches[at](anchors, times)
        if len(found.seq)
    ]
    if not every:
        return
    place, number = (np.concatenate([np.full(len(each[2].seq), each[k]) for each in every]) for k in (0, 1))
    track, seq, onward, x, y = (
        np.concatenate([getattr(found, name) for *_, found in every]) for name in _Found.__slots__
    )
    if ground is not None:
        on = np.array([ground.seq_of(shape) for shape in shapes], np.int64)
        x, y = ground.seen_in(seq, on[number], np.stack((x, y), axis=1)).T
    order = np.lexsort((number, track, place, seq))
    columns = (column[order].tolist() for column in (place, number, track, seq, onward, x, y))
    names = [(ENDS[type(shape)], shape.name, _directions(shape)) for shape in shapes]
    ids = [who.track_id.tolist() for who in groups]
    for at, which, who, frame, is_onward, across, down in zip(*columns, strict=True):
        kinds, name, directions = names[which]
        side = 0 if is_onward else 1
        group = groups[at]
        yield Event(
            kinds[side],
            name,
            directions[side],
            group.group,
            ids[at][who],
            group.label[who],
            frame,
            across,
            down,
        )


def _directions(shape: Line | Zone) -> tuple[str, str]:
    return shape.directions if isinstance(shape, Line) else ("", "")


Search = Callable[[Anchors, Times], Iterator[_Found]]


def _search(shape: Line | Zone, width: int, height: int, *, still: bool) -> Search:
    """How to find what happened at a line or zone, in a picture of that size, whose edges count where the camera is still.

    Raises:
        Misconfigured: no part of it lies on the picture.
    """
    if isinstance(shape, Line):
        a, b = shape.pixels(width, height)
        reach = line_reach(a, b, width, height) if still else (0.0, 1.0)
        return lambda anchors, times: _line(anchors, times, a, b, reach)
    corners = shape.pixels(width, height)
    edges = edges_of(width, height) if still else NO_EDGES
    return lambda anchors, times: _zone(anchors, times, corners, edges)


def _line(anchors: Anchors, times: Times, a: Point, b: Point, reach: tuple[float, float]) -> Iterator[_Found]:
    """Who crossed a line, and where the step over it met it."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    for paths, depth in _on_both_sides(anchors, a, b, reach):
        side = (depth > 0).view(np.int8) - (depth < 0).view(np.int8)
        found = changes(paths, side, stays(paths, times, side, clear_of_line(paths, depth, a, b)))
        row, x, y = found.row, paths.x[found.before], paths.y[found.before]
        step_x, step_y = paths.x[row] - x, paths.y[row] - y
        along = (step_x * (y - a[1]) - step_y * (x - a[0])) / (step_x * dy - step_y * dx)
        met = (along >= reach[0]) & (along <= reach[1])
        row, along = row[met], along[met]
        yield _happened(paths, row, found.side[met] > 0, a[0] + along * dx, a[1] + along * dy)


def _on_both_sides(
    anchors: Anchors, a: Point, b: Point, reach: tuple[float, float]
) -> Iterator[tuple[FootPaths, FloatArray]]:
    """The tracks that come near a line and were on both sides of it at all, and how far each row is from it."""
    for places in parts(anchors, may_cross(anchors.bounds, a, b, reach)):
        paths = FootPaths.of(anchors, places)
        depth = off_line(paths.x, paths.y, a, b)
        low, high = (fold.reduceat(depth, paths.starts) for fold in (np.minimum, np.maximum))
        both = (low < 0) & (high > 0)
        if both.all():
            yield paths, depth
        elif both.any():
            yield FootPaths.of(anchors, places[both]), depth[np.repeat(both, paths.ends - paths.starts)]


def _zone(anchors: Anchors, times: Times, corners: Sequence[Point], edges: Edges) -> Iterator[_Found]:
    """Who entered a zone and who left it, and where they stood then."""
    for paths in _in_bounds(anchors, corners, edges):
        x, y = within_edges(paths.x, paths.y, edges)
        side = np.where(inside(x, y, corners), np.int8(1), np.int8(-1))
        clear = clear_of_outline(paths, x, y, corners, edges)
        found = changes(paths, side, stays(paths, times, side, clear, PASSAGE), before=-1)
        row = found.row
        yield _happened(paths, row, found.side > 0, paths.x[row], paths.y[row])


def _in_bounds(anchors: Anchors, corners: Sequence[Point], edges: Edges) -> Iterator[FootPaths]:
    """The tracks that stood in the rectangle around a zone at any time."""
    (left, right), (top, bottom) = ((min(part), max(part)) for part in zip(*corners, strict=True))
    for places in parts(anchors, may_enter(anchors.bounds, corners, edges)):
        paths = FootPaths.of(anchors, places)
        x, y = within_edges(paths.x, paths.y, edges)
        bounded = (x >= left) & (x <= right) & (y >= top) & (y <= bottom)
        near = np.logical_or.reduceat(bounded, paths.starts)
        if near.any():
            yield paths if near.all() else FootPaths.of(anchors, places[near])


def _happened(paths: FootPaths, row: IntArray, onward: BoolArray, x: FloatArray, y: FloatArray) -> _Found:
    return _Found(paths.places[paths.number(row)], paths.seq(row), onward, x, y)
