"""Lines and zones of a request, checked as those of files are, and drawn on the picture of a job."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from sightline.api.problems import cleaned, invalid
from sightline.api.v1.asked import recipe_of
from sightline.api.v1.result_models import LineBody, ZoneBody
from sightline.counts import Line, Zone
from sightline.errors import InvalidFile, Misconfigured
from sightline.formats.geometry_json import read_lines, read_zones
from sightline.ports import Job

__all__ = ["Shapes", "shapes_of"]

POINTS = 1000
Shape = TypeVar("Shape", Line, Zone)


@dataclass(frozen=True)
class Shapes:
    """Lines and zones as they were sent, and the text of a file that holds them."""

    lines: tuple[Line, ...]
    zones: tuple[Zone, ...]
    text: str

    def normalised(self, size: tuple[int, int]) -> tuple[tuple[Line, ...], tuple[Zone, ...]]:
        """The same in 0..1 of a picture of that size."""
        return (
            tuple(line.normalised(*size) for line in self.lines),
            tuple(zone.normalised(*size) for zone in self.zones),
        )


def shapes_of(job: Job, lines: Sequence[LineBody] | None, zones: Sequence[ZoneBody] | None) -> Shapes:
    """Lines and zones of a body, if they can be counted at in this job.

    Raises:
        Problem: 422: they cannot; 409: nothing is known of its picture yet.
    """
    drawn = {
        "lines": [_plain(line) for line in lines or ()],
        "zones": [_plain(zone) for zone in zones or ()],
    }
    points = 2 * len(lines or ()) + sum(len(zone.points) for zone in zones or ())
    if points > POINTS:
        raise invalid(("body", f"{points} points, {POINTS} are allowed"))
    text, size = msgspec.json.encode(drawn).decode(), size_of(job)
    return Shapes(_read("lines", read_lines, text, size), _read("zones", read_zones, text, size), text)


def _read(
    kind: str, read: Callable[[str, str], tuple[Shape, ...]], text: str, size: tuple[int, int]
) -> tuple[Shape, ...]:
    """Lines or zones of a text, each of which lies on the picture in part.

    Raises:
        Problem: 422.
    """
    try:
        found = read(text, "body")
        for shape in found:
            shape.pixels(*size)
    except (InvalidFile, Misconfigured) as error:
        raise invalid(
            (kind, cleaned(error.reason if isinstance(error, InvalidFile) else str(error)))
        ) from error
    return found


def size_of(job: Job) -> tuple[int, int]:
    """Width and height of the picture of a job.

    Raises:
        Problem: 409: nothing is known of it yet.
    """
    source = recipe_of(job).source
    return source.width, source.height


def _plain(shape: LineBody | ZoneBody) -> dict[str, object]:
    return shape.model_dump(by_alias=True)
