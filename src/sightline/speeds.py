"""Values of speeds that every layer shares: the plane that tells metres, and the way of each counted object."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import msgspec

from sightline.counts import Point, Unit, Unplaced
from sightline.errors import Misconfigured

__all__ = ["ERROR_PX", "JobSpeeds", "Passage", "Plane", "Way", "corners_of"]

ERROR_PX = 2.0  # what four points that somebody picked by eye are off by
FARTHEST = 1e7  # coordinates of points, 0..1 or pixels, and metres
NEAREST = {"points": 1e-4, "metres": 1e-2}  # the longest distance of two of the four is at least that
FLAT = 1e-3  # of the longest distance: a triangle that is not higher is a line


@dataclass(frozen=True, slots=True)
class Plane:
    """Four points of the ground in the picture, and where they are in metres: corners of a quadrangle, one after the other.

    Attributes:
        points: in the picture.
        metres: the same on the ground, from any origin along any two axes that are at right angles.
        unit: of the points, as for a `Line`.
        frame: number in the source of the frame on whose picture they lie; None: the first sampled one.
        error_px: standard deviation of each coordinate of the points, pixels.

    Raises:
        Misconfigured: three points lie in a line, or they do not go around a quadrangle without a dent.

    >>> Plane(((0, 0), (9, 0), (9, 5), (0, 5)), ((0, 0), (18, 0), (18, 10), (0, 10)), "px").pixels(90, 50)[2]
    (9.0, 5.0)
    """

    points: tuple[Point, ...]
    metres: tuple[Point, ...]
    unit: Unit = "norm"
    frame: int | None = None
    error_px: float = ERROR_PX

    def __post_init__(self) -> None:
        if self.unit not in ("norm", "px"):
            raise Misconfigured(f"plane: unit {self.unit!r}, expected norm (0..1) or px (pixels)")
        if self.frame is not None and (type(self.frame) is not int or self.frame < 0):
            raise Misconfigured(f"plane: frame {self.frame!r}; give the number of a frame, from 0, or none")
        if not (type(self.error_px) in (int, float) and math.isfinite(self.error_px) and self.error_px >= 0):
            raise Misconfigured(f"plane: error_px {self.error_px!r}; give pixels, 0 or more")
        object.__setattr__(self, "points", _quadrangle("points", self.points))
        object.__setattr__(self, "metres", _quadrangle("metres", self.metres))

    def pixels(self, width: int, height: int) -> tuple[Point, ...]:
        """The points in pixels of a picture of that size."""
        if self.unit == "px":
            return self.points
        return tuple((x * width, y * height) for x, y in self.points)


def corners_of(sides: Sequence[float], diagonal: float | None = None) -> tuple[Point, ...]:
    """Corners of a quadrangle, metres, the first one at the origin.

    Args:
        sides: from the first corner to the second, from there to the third, to the fourth, and back.
        diagonal: from the first corner to the third; None: a rectangle.

    Raises:
        Misconfigured: no such quadrangle; without a diagonal one whose opposite sides differ.

    >>> corners_of([3, 4, 3, 4])
    ((0.0, 0.0), (3.0, 0.0), (3.0, 4.0), (0.0, 4.0))
    """
    if len(sides) != 4 or not all(math.isfinite(side) and side > 0 for side in sides):
        raise Misconfigured(f"sides {list(sides)}: expected four lengths in metres, each more than 0")
    first, second, third, fourth = map(float, sides)
    if diagonal is None:
        if (first, second) != (third, fourth):
            raise Misconfigured(
                f"sides {list(sides)}: opposite ones differ, so it is no rectangle: measure the diagonal from the first "
                "point to the third too"
            )
        return (0.0, 0.0), (first, 0.0), (first, second), (0.0, second)
    across = _tip(first, second, float(diagonal)), _tip(fourth, third, float(diagonal))
    (x, y), (other_x, other_y) = across
    return (0.0, 0.0), (x, y), (float(diagonal), 0.0), (other_x, -other_y)


def _tip(left: float, right: float, base: float) -> Point:
    """Where the third corner of a triangle is above a base from the origin along x."""
    longest = max(left, right, base)
    if not (math.isfinite(base) and base > 0 and 2 * longest < left + right + base):
        raise Misconfigured(
            f"sides of {left:g} and {right:g} m do not meet over a diagonal of {base:g} m; measure them again"
        )
    x = (left * left - right * right + base * base) / (2 * base)
    return x, math.sqrt(max(left * left - x * x, 0.0))


def _quadrangle(kind: str, points: Sequence[Point]) -> tuple[Point, ...]:
    """The corners as floats.

    Raises:
        Misconfigured: see `Plane`.
    """
    if len(points) != 4:
        raise Misconfigured(f"plane: {len(points)} {kind}, expected four")
    if not all(len(point) == 2 and all(map(math.isfinite, point)) for point in points):
        raise Misconfigured(f"plane: {kind} {list(points)!r} are not four pairs of numbers")
    corners = tuple((float(x), float(y)) for x, y in points)
    if any(abs(each) > FARTHEST for corner in corners for each in corner):
        raise Misconfigured(
            f"plane: {kind} {', '.join(map(str, corners))} are too far away: {FARTHEST:,.0f} at most"
        )
    longest = max(math.dist(a, b) for a, b in combinations(corners, 2))
    if longest < NEAREST[kind]:
        raise Misconfigured(f"plane: {kind} {', '.join(map(str, corners))} are as good as one point")
    for a, b, c in combinations(corners, 3):
        if abs(_turn(a, b, c)) <= FLAT * longest * longest:
            raise Misconfigured(
                f"plane: {kind} {a}, {b} and {c} lie in a line; no three of the four may do so"
            )
    turns = [_turn(corners[at], corners[(at + 1) % 4], corners[(at + 2) % 4]) > 0 for at in range(4)]
    if len(set(turns)) > 1:
        raise Misconfigured(
            f"plane: {kind} {', '.join(map(str, corners))} are not in the order of a quadrangle without a dent: "
            "name its corners one after the other, as you walk around it"
        )
    return corners


def _turn(a: Point, b: Point, c: Point) -> float:
    """Twice the area of a triangle, above 0 where it goes round clockwise as seen with y down."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


class Way(msgspec.Struct, frozen=True, gc=False):
    """The way of a counted object on the ground; None where nothing can be said, see `vision.speeds`.

    Attributes:
        group, track_id, label: whose; the label by vote over the whole track.
        first_seq, last_seq: rows of the job's `FrameTable`: where the track begins and ends.
        heading: from its first place to its last, degrees clockwise from the top of the picture, 0 to 360.
        straightness: distance from its first place to its last by the length of its way, 0 to 1.
        metres: length of its way.
        speed_kmh: while it moved.
        error_kmh: twice the standard error of the speed: 19 of 20 are off by less.
    """

    group: str
    track_id: int
    label: str
    first_seq: int
    last_seq: int
    heading: float | None
    straightness: float | None
    metres: float | None
    speed_kmh: float | None
    error_kmh: float | None


class Passage(msgspec.Struct, frozen=True, gc=False):
    """An object as it crossed a line; attributes as for an `Event`, and of that moment as for a `Way`."""

    line: str
    direction: str
    group: str
    track_id: int
    label: str
    seq: int
    heading: float | None
    speed_kmh: float | None
    error_kmh: float | None


@dataclass(frozen=True, slots=True)
class JobSpeeds:
    """What is known of the ways in a finished job.

    Attributes:
        ways: of all counted objects, by group, then `track_id`.
        passages: at lines, by `seq`.
        unplaced: frames that have nothing in common with the picture that headings and metres are told on, and where
            nobody knows where lines lie.
    """

    ways: tuple[Way, ...]
    passages: tuple[Passage, ...] = ()
    unplaced: tuple[Unplaced, ...] = ()
