"""Lines and zones as JSON, drawn on the page or written by hand.

Lines: `[{"name": "north", "a": [0.1, 0.5], "b": [0.9, 0.5]}]`. Zones: `[{"name": "yard", "points": [[0, 0], [1, 0],
[1, 1]]}]`. Coordinates are 0..1 of the picture's width and height, origin top-left; `"unit": "px"` in an element says
that its own are pixels. Both fit into one file, `{"lines": [...], "zones": [...]}`: whoever asks for lines takes the
lines.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec

from sightline.counts import Line, Zone
from sightline.errors import InvalidFile, Misconfigured

__all__ = ["encode", "read_lines", "read_zones"]

Shape = TypeVar("Shape", Line, Zone)


def read_lines(text: str, name: str) -> tuple[Line, ...]:
    """The lines of a file called `name`.

    Raises:
        InvalidFile: not JSON, or an element that is no line; names the element and says what is expected.

    >>> read_lines('[{"name": "n", "a": [0, 0.5], "b": [1, 0.5]}]', "f.json")
    (Line(name='n', a=(0.0, 0.5), b=(1.0, 0.5), unit='norm'),)
    """
    return _shapes(
        text, name, "lines", ("name", "a", "b"), lambda e, unit: Line(e["name"], e["a"], e["b"], unit)
    )


def read_zones(text: str, name: str) -> tuple[Zone, ...]:
    """The zones of a file called `name`.

    Raises:
        InvalidFile: not JSON, or an element that is no zone; names the element and says what is expected.
    """
    return _shapes(
        text, name, "zones", ("name", "points"), lambda e, unit: Zone(e["name"], tuple(e["points"]), unit)
    )


def encode(lines: Sequence[Line], zones: Sequence[Zone]) -> bytes:
    r"""One file with both; what is in pixels says so.

    >>> encode([Line("n", (0, 0.5), (1, 0.5))], [])
    b'{"lines":[{"name":"n","a":[0.0,0.5],"b":[1.0,0.5]}],"zones":[]}\n'
    """
    plain = {
        "lines": [{"name": line.name, "a": line.a, "b": line.b} | _unit(line) for line in lines],
        "zones": [{"name": zone.name, "points": zone.points} | _unit(zone) for zone in zones],
    }
    return msgspec.json.encode(plain) + b"\n"


def _unit(shape: Line | Zone) -> dict[str, str]:
    return {} if shape.unit == "norm" else {"unit": shape.unit}


def _shapes(
    text: str, name: str, kind: str, keys: tuple[str, ...], make: Callable[[dict[str, Any], Any], Shape]
) -> tuple[Shape, ...]:
    shapes: list[Shape] = []
    for number, element in enumerate(_elements(text, name, kind), start=1):
        where = f"{kind} element {number}"
        if isinstance(element, dict) and isinstance(element.get("name"), str):
            where += f" ({element['name']!r})"
        _check(element, name, where, keys)
        try:
            shape = make(element, element.get("unit", "norm"))
        except Misconfigured as error:
            raise InvalidFile(name, reason=f"{where}: {error}") from error
        if any(shape.name == other.name for other in shapes):
            raise InvalidFile(name, reason=f"{where}: the name is taken; names of {kind} must differ")
        shapes.append(shape)
    return tuple(shapes)


def _elements(text: str, name: str, kind: str) -> list[Any]:
    try:
        found = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise InvalidFile(name, reason=f"not JSON: {error}") from error
    if isinstance(found, dict):
        strange = sorted(set(found) - {"lines", "zones"})
        if strange:
            raise InvalidFile(name, reason=f"unknown key {strange[0]!r}, expected lines or zones")
        found = found.get(kind, [])
    if not isinstance(found, list):
        raise InvalidFile(name, reason=f'expected a list of {kind} or an object with "lines" and "zones"')
    return found


def _check(element: Any, name: str, where: str, keys: tuple[str, ...]) -> None:
    """Refuse an element that lacks a key, has a strange one, or holds something else than points."""
    if not isinstance(element, dict):
        raise InvalidFile(name, reason=f"{where}: expected an object with {', '.join(keys)}")
    for key in keys:
        if key not in element:
            raise InvalidFile(name, reason=f"{where}: has no {key!r}, expected {', '.join(keys)}")
    strange = sorted(set(element) - {*keys, "unit"})
    if strange:
        raise InvalidFile(
            name, reason=f"{where}: unknown key {strange[0]!r}, expected {', '.join(keys)}, unit"
        )
    points = element["points"] if "points" in keys else [element["a"], element["b"]]
    if not isinstance(points, list) or not all(map(_is_point, points)):
        raise InvalidFile(name, reason=f"{where}: expected points [x, y] of two numbers, got {points!r}")


def _is_point(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(type(part) in (int, float) for part in value)
