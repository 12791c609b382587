"""Lines and zones as JSON, drawn on the page or written by hand.

Lines: `[{"name": "north", "a": [0.1, 0.5], "b": [0.9, 0.5]}]`. Zones: `[{"name": "yard", "points": [[0, 0], [1, 0],
[1, 1]]}]`. Coordinates are 0..1 of the picture's width and height, origin top-left; `"unit": "px"` in an element says
that its own are pixels. A line names its directions with `"in": "northbound", "out": "southbound"`. Both fit into one
file, `{"lines": [...], "zones": [...]}`: whoever asks for lines takes the lines.

`"video": "north"` beside `lines` and `zones`, or in an element, says for which video they are: a name, a pattern such as
`"gate-*"`, or a list of them. What names none is for all.

`"frame": 120` there says on the picture of which frame they were drawn, which counts where the camera moves; what says none was
drawn on the first one that was sampled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import Any, NamedTuple, TypeVar

import msgspec

from sightline.counts import Line, Zone
from sightline.errors import InvalidFile, Misconfigured

__all__ = ["encode", "read_lines", "read_videos", "read_zones"]

Shape = TypeVar("Shape", Line, Zone)

DIRECTIONS = ("in", "out")


class _Element(NamedTuple):
    """What a list holds, with what it, or else its file, says of its video and of the frame that it was drawn on."""

    value: Any
    video: tuple[str, ...]
    frame: Any


def read_lines(text: str, name: str, video: Sequence[str] | None = None) -> tuple[Line, ...]:
    """The lines of a file called `name`.

    Args:
        text, name: of the file.
        video: names of the video that they are wanted for; None for those of every video.

    Raises:
        InvalidFile: not JSON, or an element that is no line; names the element and says what is expected.

    >>> read_lines('[{"name": "n", "a": [0, 0.5], "b": [1, 0.5]}]', "f.json")
    (Line(name='n', a=(0.0, 0.5), b=(1.0, 0.5), unit='norm', directions=('in', 'out'), frame=None),)
    """
    return _shapes(text, name, "lines", ("name", "a", "b"), _line, video, DIRECTIONS)


def _line(element: dict[str, Any], unit: Any, frame: Any) -> Line:
    inwards, outwards = (element.get(key, key) for key in DIRECTIONS)
    return Line(element["name"], element["a"], element["b"], unit, (inwards, outwards), frame)


def read_zones(text: str, name: str, video: Sequence[str] | None = None) -> tuple[Zone, ...]:
    """The zones of a file called `name`; arguments as for `read_lines`.

    Raises:
        InvalidFile: not JSON, or an element that is no zone; names the element and says what is expected.
    """
    return _shapes(
        text,
        name,
        "zones",
        ("name", "points"),
        lambda e, unit, frame: Zone(e["name"], tuple(e["points"]), unit, frame),
        video,
    )


def read_videos(text: str, name: str) -> tuple[str, ...]:
    """The names and patterns of videos that a file has, each once; empty where it is for all.

    Raises:
        InvalidFile: not JSON, or not such a file.
    """
    elements = [*_elements(text, name, "lines"), *_elements(text, name, "zones")]
    return tuple(dict.fromkeys(word for element in elements for word in element.video))


def encode(lines: Sequence[Line], zones: Sequence[Zone]) -> bytes:
    r"""One file with both; what is in pixels says so, and what was drawn on another frame than the first.

    >>> encode([Line("n", (0, 0.5), (1, 0.5))], [])
    b'{"lines":[{"name":"n","a":[0.0,0.5],"b":[1.0,0.5]}],"zones":[]}\n'
    """
    plain = {
        "lines": [
            {"name": line.name, "a": line.a, "b": line.b} | _more(line) | _directions(line) for line in lines
        ],
        "zones": [{"name": zone.name, "points": zone.points} | _more(zone) for zone in zones],
    }
    return msgspec.json.encode(plain) + b"\n"


def _more(shape: Line | Zone) -> dict[str, Any]:
    unit = {} if shape.unit == "norm" else {"unit": shape.unit}
    return unit if shape.frame is None else {**unit, "frame": shape.frame}


def _directions(line: Line) -> dict[str, str]:
    return {key: word for key, word in zip(DIRECTIONS, line.directions, strict=True) if word != key}


def _shapes(
    text: str,
    name: str,
    kind: str,
    keys: tuple[str, ...],
    make: Callable[[dict[str, Any], Any, Any], Shape],
    video: Sequence[str] | None,
    more: tuple[str, ...] = (),
) -> tuple[Shape, ...]:
    shapes: list[Shape] = []
    taken = set()
    for number, (element, meant, frame) in enumerate(_elements(text, name, kind), start=1):
        where = f"{kind} element {number}"
        if isinstance(element, dict) and isinstance(element.get("name"), str):
            where += f" ({element['name']!r})"
        _check(element, name, where, keys, more)
        try:
            shape = make(element, element.get("unit", "norm"), frame)
        except Misconfigured as error:
            raise InvalidFile(name, reason=f"{where}: {error}") from error
        if video is not None and not _is_meant(meant, video):
            continue
        key = shape.name, meant if video is None else ()
        if key in taken:
            raise InvalidFile(name, reason=f"{where}: the name is taken; names of {kind} must differ")
        taken.add(key)
        shapes.append(shape)
    return tuple(shapes)


def _is_meant(meant: Sequence[str], video: Sequence[str]) -> bool:
    """Whether what names these videos is for one that has these names."""
    return not meant or any(word == each or fnmatchcase(each, word) for word in meant for each in video)


def _elements(text: str, name: str, kind: str) -> list[_Element]:
    """The elements of a kind."""
    of_file: tuple[str, ...] = ()
    frame: Any = None
    try:
        found = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise InvalidFile(name, reason=f"not JSON: {error}") from error
    if isinstance(found, dict):
        strange = sorted(set(found) - {"lines", "zones", "video", "frame"})
        if strange:
            raise InvalidFile(
                name,
                reason=f"unknown key {strange[0]!r}, expected lines or zones, and perhaps video and frame",
            )
        of_file, frame = _videos(found, name, "the file", ()), found.get("frame")
        found = found.get(kind, [])
    if not isinstance(found, list):
        raise InvalidFile(name, reason=f'expected a list of {kind} or an object with "lines" and "zones"')
    return [
        _Element(
            element,
            _videos(element, name, f"{kind} element {number}", of_file),
            element.get("frame", frame) if isinstance(element, dict) else frame,
        )
        for number, element in enumerate(found, start=1)
    ]


def _videos(holder: Any, name: str, where: str, otherwise: tuple[str, ...]) -> tuple[str, ...]:
    """The videos that a file or an element names."""
    if not isinstance(holder, dict) or "video" not in holder:
        return otherwise
    said = holder["video"]
    words = said if isinstance(said, list) else [said]
    if not words or not all(isinstance(word, str) and word for word in words):
        raise InvalidFile(
            name, reason=f"{where}: video is {said!r}, expected the name of a video, or a list of names"
        )
    return tuple(words)


def _check(element: Any, name: str, where: str, keys: tuple[str, ...], more: tuple[str, ...]) -> None:
    """Refuse an element that lacks a key, has a strange one, or holds something else than points."""
    if not isinstance(element, dict):
        raise InvalidFile(name, reason=f"{where}: expected an object with {', '.join(keys)}")
    for key in keys:
        if key not in element:
            raise InvalidFile(name, reason=f"{where}: has no {key!r}, expected {', '.join(keys)}")
    optional = ("unit", "video", "frame", *more)
    strange = sorted(set(element) - {*keys, *optional})
    if strange:
        raise InvalidFile(
            name, reason=f"{where}: unknown key {strange[0]!r}, expected {', '.join((*keys, *optional))}"
        )
    points = element["points"] if "points" in keys else [element["a"], element["b"]]
    if not isinstance(points, list) or not all(map(_is_point, points)):
        raise InvalidFile(name, reason=f"{where}: expected points [x, y] of two numbers, got {points!r}")


def _is_point(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(type(part) in (int, float) for part in value)
