"""The plane that tells metres as JSON: four points of the ground in the picture, and where they are or how far apart.

`{"points": [[412, 300], [868, 300], [1180, 690], [100, 690]], "unit": "px", "metres": [[0, 40], [10.5, 40], [10.5, 0], [0, 0]]}`:
corners of a quadrangle, one after the other. Instead of `metres`, `"sides": [10.5, 40, 10.5, 40]` are the lengths from the first
point to the second, from there to the third, to the fourth, and back; `"diagonal": 41.4` is that from the first to the third,
which only a rectangle does without. `"unit"` is `"norm"` where it is not said: 0..1 of the picture's width and height, origin
top-left. `"frame": 120` says on the picture of which frame the points lie, which counts where the camera moves; `"error_px": 2` how
far each of their coordinates may be off.
"""

from __future__ import annotations

from typing import Any, TypeGuard

import msgspec

from sightline.errors import InvalidFile, Misconfigured
from sightline.speeds import ERROR_PX, Plane, corners_of

__all__ = ["read_plane"]

KEYS = ("points", "unit", "metres", "sides", "diagonal", "frame", "error_px")


def read_plane(text: str, name: str) -> Plane:
    """The plane of a file called `name`.

    Raises:
        InvalidFile: not JSON, or no plane; says what is expected.

    >>> text = '{"points": [[0, 0], [9, 0], [9, 5], [0, 5]], "unit": "px", "sides": [18, 10, 18, 10]}'
    >>> read_plane(text, "f.json").metres
    ((0.0, 0.0), (18.0, 0.0), (18.0, 10.0), (0.0, 10.0))
    """
    try:
        found = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise InvalidFile(name, reason=f"not JSON: {error}") from error
    if not isinstance(found, dict):
        raise InvalidFile(name, reason='expected an object with "points" and "metres" or "sides"')
    strange = sorted(set(found) - set(KEYS))
    if strange:
        raise InvalidFile(name, reason=f"unknown key {strange[0]!r}, expected {', '.join(KEYS)}")
    points = _points(found, "points", name)
    try:
        return Plane(
            points,
            _metres(found, name),
            found.get("unit", "norm"),
            found.get("frame"),
            found.get("error_px", ERROR_PX),
        )
    except Misconfigured as error:
        raise InvalidFile(name, reason=str(error)) from error


def _metres(found: dict[str, Any], name: str) -> tuple[tuple[float, float], ...]:
    """Where the points are, as the file says it in one of two ways."""
    if ("metres" in found) == ("sides" in found):
        raise InvalidFile(
            name, reason="expected either metres, places of the four points, or sides, four lengths"
        )
    diagonal = found.get("diagonal")
    if "metres" in found:
        if diagonal is not None:
            raise InvalidFile(name, reason="diagonal belongs to sides: leave it out, metres say all")
        return _points(found, "metres", name)
    sides = found["sides"]
    if not isinstance(sides, list) or not all(
        map(_is_number, [*sides, *([] if diagonal is None else [diagonal])])
    ):
        raise InvalidFile(
            name, reason=f"sides {sides!r} and diagonal {diagonal!r}: expected lengths in metres"
        )
    return corners_of(sides, diagonal)


def _points(found: dict[str, Any], key: str, name: str) -> tuple[tuple[float, float], ...]:
    points = found.get(key)
    if not isinstance(points, list) or not all(
        isinstance(point, list) and len(point) == 2 and all(map(_is_number, point)) for point in points
    ):
        raise InvalidFile(name, reason=f"{key} {points!r}: expected four points [x, y] of two numbers")
    return tuple((float(x), float(y)) for x, y in points)


def _is_number(value: object) -> TypeGuard[float]:
    return type(value) in (int, float)
