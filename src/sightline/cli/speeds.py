"""`sightline speeds`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from sightline.cli.command import command
from sightline.cli.console import Console
from sightline.cli.count import RUN
from sightline.errors import Misconfigured
from sightline.progress.lines import clock

if TYPE_CHECKING:
    from sightline.runs.speeds import Speeds

__all__ = ["speeds"]

COLUMNS = (
    "video",
    "line",
    "direction",
    "group",
    "objects",
    "measured",
    "km/h",
    "half between",
    "error",
    "headings",
)
PLANE = Annotated[
    str | None,
    Parameter(
        help="JSON file of four points of the ground and their distances in metres. [default: headings only]",
        show_default=False,
    ),
]
DRAWN_ON = Annotated[
    int | None,
    Parameter(
        help="Number of the frame on whose picture headings are told, and plane and lines were drawn where their files do not "
        "say it; it matters where the camera moves. [default: the first sampled frame]",
        show_default=False,
    ),
]
LINES = Annotated[
    list[str] | None,
    Parameter(
        help="JSON file of lines at which speeds are asked for; repeat it.", show_default=False, negative=()
    ),
]
OUT = Annotated[
    str | None,
    Parameter(
        name=("--out", "-o"),
        help="File, .csv for objects or, with --lines, for crossings, .json for all; - writes the CSV to stdout.",
        show_default=False,
        allow_leading_hyphen=True,
    ),
]


@command()
def speeds(
    console: Console,
    *run: RUN,
    plane: PLANE = None,
    lines: LINES = None,
    drawn_on: DRAWN_ON = None,
    out: OUT = None,
) -> None:
    """Headings of the counted objects in finished runs, and with a plane their speeds, each with its error.

    Headings are those in the picture. Without inference; the runs stay as they are.
    """
    from sightline.runs.shapes import ShapeFiles
    from sightline.runs.speeds import measure_runs, plane_of

    if out == "-" and console.json:
        raise Misconfigured("-o - writes speeds to stdout, where --json would mix with them", code="usage")
    known = None if plane is None else plane_of(Path(plane))
    found = measure_runs(
        [Path(each) for each in run],
        known,
        ShapeFiles(lines or (), (), drawn_on),
        frame=drawn_on,
        out=Path(out) if out not in (None, "-") else None,
    )
    if out == "-":
        _to_stdout(found)
    else:
        _show(console, found)
    _warn(console, found, lines=bool(lines))


def _to_stdout(found: list[Speeds]) -> None:
    from sightline.formats import speeds_csv

    for _, chunks in speeds_csv.files([each.measured for each in found]):
        for chunk in chunks:
            sys.stdout.write(chunk.decode())


def _show(console: Console, found: list[Speeds]) -> None:
    """A table, or with `--json` an object; files by the way."""
    from sightline.formats.speeds_json import plain

    files = [str(path) for path in found[0].files]
    console.object({"runs": [plain(each.measured) | {"files": files} for each in found]})
    if not console.json:
        console.rows(COLUMNS, [row for each in found for row in _rows(each)])
        for path in files:
            console.note(path)


def _rows(found: Speeds) -> list[tuple[Any, ...]]:
    """Groups, then lines by direction."""
    from sightline.runs.speeds import rose_text

    return [
        (
            found.measured.video.video_id,
            row.line,
            row.direction,
            row.group,
            row.objects,
            row.measured,
            _number(row.median_kmh),
            "" if row.lower_kmh is None else f"{row.lower_kmh:.1f} - {row.upper_kmh:.1f}",
            _number(row.error_kmh),
            rose_text(row),
        )
        for row in (*found.groups, *found.lines)
    ]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _warn(console: Console, found: list[Speeds], *, lines: bool) -> None:
    from sightline.formats.speed_table import unfollowed

    for each in found:
        video_id = each.measured.video.video_id
        for span in unfollowed(each.measured):
            console.warning(
                f"{video_id}: from frame {span.frame} ({clock(span.start_s)}) to {clock(span.end_s)} nobody knows where the "
                f"camera looked: nothing is known of {', '.join(span.names)}"
            )
        if lines and not each.measured.lines:
            console.warning(f"{video_id}: no line in these files is for it")
