"""Values of counting that every layer shares: lines and zones, what crossed them, each track's place in the count.

Lines and zones are drawn on the picture: 0..1 of its width and height (`norm`) or pixels (`px`), origin top-left, y
down. They may reach beyond it, but some part must lie on it. They are stored normalised, so that they fit any size of
the same view. Where the camera moves, the picture is that of one frame, and they stay on the ground that it shows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from sightline.arrays import BoolArray, ByteArray, FloatArray, IntArray, SeqArray
from sightline.errors import Misconfigured

__all__ = [
    "Anchors",
    "CountedGroup",
    "Event",
    "EventKind",
    "JobCounts",
    "Line",
    "Movement",
    "Movements",
    "Point",
    "TrackCounts",
    "Turn",
    "Unit",
    "Unplaced",
    "Zone",
    "overlaps",
    "touches",
]

Point = tuple[float, float]
Unit = Literal["norm", "px"]
EventKind = Literal["line", "zone_enter", "zone_exit"]
Turn = Literal["left", "through", "right", "u-turn"]

FARTHEST = 10.0  # pictures: whatever is farther away in 0..1 was meant in pixels
FARTHEST_PIXELS = 1e9  # no picture is as large, and lengths must be numbers


@dataclass(frozen=True, slots=True)
class Line:
    """A segment that objects cross. In: to the right of `a` -> `b`, as seen on the screen; out: to the left.

    Attributes:
        name: of the line.
        a, b: its ends.
        unit: of the ends.
        directions: what crossing it inwards and outwards is called in events, counts and drawings.
        frame: number in the source of the frame that it was drawn on; None: the first sampled one. Where the camera stands
            still, all are alike.

    >>> Line("north", (0.1, 0.5), (0.9, 0.5)).pixels(100, 50)
    ((10.0, 25.0), (90.0, 25.0))
    """

    name: str
    a: Point
    b: Point
    unit: Unit = "norm"
    directions: tuple[str, str] = ("in", "out")
    frame: int | None = None

    def __post_init__(self) -> None:
        _check_directions(self.name, self.directions)
        _check_frame("line", self.name, self.frame)
        a, b = _checked("line", self.name, (self.a, self.b), self.unit)
        object.__setattr__(self, "a", a)
        object.__setattr__(self, "b", b)
        if a == b:
            raise Misconfigured(f"line {self.name!r}: both ends are {a}; move one of them")
        if self.unit == "norm":
            self.pixels(1, 1)

    def pixels(self, width: int, height: int) -> tuple[Point, ...]:
        """Both ends in pixels of a picture of that size.

        Raises:
            Misconfigured: no part of it lies on the picture, or both ends are one point of it.
        """
        a, b = _pixels((self.a, self.b), self.unit, width, height)
        if a == b:
            raise Misconfigured(f"line {self.name!r}: both ends are pixel {a}; move one of them")
        if not touches(a, b, width, height):
            raise _missed("line", self.name, (self.a, self.b), self.unit, width, height)
        return a, b

    def normalised(self, width: int, height: int) -> Line:
        """The same line in 0..1 of a picture of that size.

        Raises:
            Misconfigured: no part of it lies on the picture.
        """
        a, b = _normalised(self.pixels(width, height), self.unit, (self.a, self.b), width, height)
        return Line(self.name, a, b, "norm", self.directions, self.frame)


@dataclass(frozen=True, slots=True)
class Zone:
    """A polygon that objects enter and leave; at least three points, closed by itself.

    Where it crosses itself, a point is inside if a ray from it crosses the outline an odd number of times. `frame` as for
    a `Line`.
    """

    name: str
    points: tuple[Point, ...]
    unit: Unit = "norm"
    frame: int | None = None

    def __post_init__(self) -> None:
        _check_frame("zone", self.name, self.frame)
        points = _checked("zone", self.name, self.points, self.unit)
        object.__setattr__(self, "points", points)
        if len(set(points)) < 3:
            raise Misconfigured(f"zone {self.name!r}: {len(set(points))} different points, needs 3 or more")
        if _in_line(points):
            raise Misconfigured(f"zone {self.name!r}: all points lie on one line, so nothing is inside")
        if self.unit == "norm":
            self.pixels(1, 1)

    def pixels(self, width: int, height: int) -> tuple[Point, ...]:
        """The corners in pixels of a picture of that size.

        Raises:
            Misconfigured: no part of it lies on the picture.
        """
        corners = _pixels(self.points, self.unit, width, height)
        if not overlaps(corners, width, height):
            raise _missed("zone", self.name, self.points, self.unit, width, height)
        return corners

    def normalised(self, width: int, height: int) -> Zone:
        """The same zone in 0..1 of a picture of that size.

        Raises:
            Misconfigured: no part of it lies on the picture.
        """
        corners = _normalised(self.pixels(width, height), self.unit, self.points, width, height)
        return Zone(self.name, corners, "norm", self.frame)


def _in_line(points: Sequence[Point]) -> bool:
    """Whether one straight line leads through all points, of which two differ at least."""
    (x, y), *others = points
    far_x, far_y = max(((a - x, b - y) for a, b in others), key=lambda step: abs(step[0]) + abs(step[1]))
    size = abs(far_x) + abs(far_y)
    return all(abs((a - x) * far_y - (b - y) * far_x) <= 1e-9 * size * size for a, b in others)


def _check_directions(name: str, directions: tuple[str, str]) -> None:
    """Refuse names that cannot be told apart.

    Raises:
        Misconfigured: one is empty or no text, or both are one.
    """
    inwards, outwards = directions
    if not all(isinstance(word, str) and word.strip() for word in directions) or inwards == outwards:
        raise Misconfigured(
            f"line {name!r}: directions {inwards!r} and {outwards!r}; give two different names, or none for in and out"
        )


def _check_frame(kind: str, name: str, frame: int | None) -> None:
    """Refuse what is no number of a frame.

    Raises:
        Misconfigured: says so.
    """
    if frame is not None and (type(frame) is not int or frame < 0):
        raise Misconfigured(f"{kind} {name!r}: frame {frame!r}; give the number of a frame, from 0, or none")


def _checked(kind: str, name: str, points: Sequence[Point], unit: Unit) -> tuple[Point, ...]:
    """The points as floats.

    Raises:
        Misconfigured: no name, an unknown unit, or a point that is none or far from any picture.
    """
    if not isinstance(name, str) or not name.strip():
        raise Misconfigured(f"{kind} at {points!r} has no name; give it one")
    if unit not in ("norm", "px"):
        raise Misconfigured(f"{kind} {name!r}: unit {unit!r}, expected norm (0..1) or px (pixels)")
    checked = []
    for point in points:
        if len(point) != 2 or not all(math.isfinite(value) for value in point):
            raise Misconfigured(f"{kind} {name!r}: point {tuple(point)} is no pair of numbers")
        checked.append((float(point[0]), float(point[1])))
        if max(map(abs, checked[-1])) > FARTHEST_PIXELS and unit == "px":
            raise Misconfigured(f"{kind} {name!r}: point {tuple(point)} is far from any picture")
        if unit == "norm" and max(map(abs, checked[-1])) > FARTHEST:
            raise Misconfigured(
                f"{kind} {name!r}: point {tuple(point)} is far from the picture; coordinates are 0..1; "
                'for pixels say unit "px"'
            )
    return tuple(checked)


def _pixels(points: Sequence[Point], unit: Unit, width: int, height: int) -> tuple[Point, ...]:
    return tuple((x * width, y * height) for x, y in points) if unit == "norm" else tuple(points)


def overlaps(corners: Sequence[Point], width: int, height: int) -> bool:
    """Whether a polygon and the picture have a point in common."""
    outline = zip(corners, (*corners[-1:], *corners[:-1]), strict=True)
    return any(touches(a, b, width, height) for a, b in outline) or _encloses(corners, width / 2, height / 2)


def touches(a: Point, b: Point, width: int, height: int) -> bool:
    """Whether a segment and the picture have a point in common (Liang and Barsky's clipping)."""
    first, last = 0.0, 1.0  # the part of a -> b that is left
    for start, step, size in ((a[0], b[0] - a[0], width), (a[1], b[1] - a[1], height)):
        if step == 0:
            if not 0 <= start <= size:
                return False
            continue
        enters, leaves = sorted((-start / step, (size - start) / step))
        first, last = max(first, enters), min(last, leaves)
    return first <= last


def _encloses(corners: Sequence[Point], x: float, y: float) -> bool:
    """Whether a ray to the right crosses the outline an odd number of times."""
    odd = False
    for (x1, y1), (x2, y2) in zip(corners, (*corners[-1:], *corners[:-1]), strict=True):
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            odd = not odd
    return odd


def _missed(
    kind: str, name: str, points: Sequence[Point], unit: Unit, width: int, height: int
) -> Misconfigured:
    picture = "0..1" if unit == "norm" else f"{width} x {height} pixels"
    return Misconfigured(
        f"{kind} {name!r}: {', '.join(map(str, points))} lies outside the picture of {picture}; "
        "draw it so that some part is on the picture"
    )


def _normalised(
    pixels: Sequence[Point], unit: Unit, points: tuple[Point, ...], width: int, height: int
) -> tuple[Point, ...]:
    return points if unit == "norm" else tuple((x / width, y / height) for x, y in pixels)


class Event(msgspec.Struct, frozen=True, gc=False):
    """An object crossed a line, or entered or left a zone.

    Attributes:
        kind, name: what happened, and the name of the line or zone.
        direction: one of the line's `directions`, `in` or `out` where they have no names; empty for a zone.
        group, track_id, label: whose; the label by vote over the whole track.
        seq: first frame on the new side, a row of the job's `FrameTable`.
        x, y: pixels of that frame: where the line was crossed, or where the object stood.
    """

    kind: EventKind
    name: str
    direction: str
    group: str
    track_id: int
    label: str
    seq: int
    x: float
    y: float


class Movement(msgspec.Struct, frozen=True, gc=False):
    """An object came over one line and went over another; see `vision.movements`.

    Attributes:
        group, track_id, label: whose.
        entered, left: names of the lines.
        turn: as seen in the picture.
        entered_seq, left_seq: frames of both crossings.
    """

    group: str
    track_id: int
    label: str
    entered: str
    left: str
    turn: Turn
    entered_seq: int
    left_seq: int


@dataclass(frozen=True, slots=True)
class Movements:
    """Movements of a job, and how many objects have none, as they were seen only to enter, or only to leave."""

    found: tuple[Movement, ...] = ()
    entered_only: int = 0
    left_only: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class TrackCounts:
    """How each track of a group counts, a row a track, rising by `track_id`.

    Attributes:
        track_id: int64 (N,).
        class_id: int64 (N,), by vote of the frames in which the tracker matched it.
        hits: int64 (N,), number of those frames.
        first_seq, last_seq: int64 (N,), first and last frame with a box, births and filled gaps included.
        counted_seq: int64 (N,), the frame in which it entered the count, -1 if it never did.
        doubts: uint8 (N,), why somebody should look at it (`verdicts.Doubt`); None where nobody asked.
    """

    track_id: IntArray
    class_id: IntArray
    hits: IntArray
    first_seq: IntArray
    last_seq: IntArray
    counted_seq: IntArray
    doubts: ByteArray | None = None

    def __len__(self) -> int:
        return len(self.track_id)

    @property
    def counted(self) -> BoolArray:
        """Bool (N,): who counts."""
        counted: BoolArray = self.counted_seq >= 0
        return counted


@dataclass(frozen=True, slots=True, eq=False)
class Anchors:
    """Where the counted objects of a group stood: a row a box, by track, then `seq`. Columns may lie in a mapped file.

    Attributes:
        first: int64 (N + 1,), rows of track n are `first[n]` to `first[n + 1]`; a track that does not count has none.
        bounds: float64 (N, 4), pixels: left, top, right, bottom of where each track stood; 0 where it has no rows.
        largest: float64 (N,), the largest size of each track; 0 where it has no rows.
        seq: uint32 (R,), row of the job's `FrameTable`.
        x, y: float64 (R,), pixels, the middle of the box's lower edge.
        size: float64 (R,), pixels, the root of the box's area.
        edges: uint8 (R,), edges of the picture that cut the box: 1 left, 2 right, 4 lower.
    """

    first: IntArray
    bounds: FloatArray
    largest: FloatArray
    seq: SeqArray
    x: FloatArray
    y: FloatArray
    size: FloatArray
    edges: ByteArray

    def __len__(self) -> int:
        return len(self.seq)


@dataclass(frozen=True, slots=True, eq=False)
class CountedGroup:
    """All that lines and zones need of a group.

    Attributes:
        name: of the group.
        counts: a row a track.
        anchors: of the same tracks.
    """

    name: str
    counts: TrackCounts
    anchors: Anchors


@dataclass(frozen=True, slots=True)
class Unplaced:
    """Frames in which nobody knows where some lines and zones lie: nothing leads there from the frame they were drawn on.

    Attributes:
        names: of the lines, then the zones.
        first, end: rows of the job's `FrameTable`, end exclusive.
    """

    names: tuple[str, ...]
    first: int
    end: int


@dataclass(frozen=True, slots=True, eq=False)
class JobCounts:
    """The counts of a finished job.

    Attributes:
        groups: in the job's order; None for a group without a tracker.
        lines, zones: what events were looked for on.
        events: by `seq`, the group's place, `track_id`, then line or zone in the order given.
        unplaced: where none were looked for, by the first of each one's lines and zones, then `first`.
    """

    groups: tuple[TrackCounts | None, ...]
    lines: tuple[Line, ...] = ()
    zones: tuple[Zone, ...] = ()
    events: tuple[Event, ...] = ()
    unplaced: tuple[Unplaced, ...] = ()
