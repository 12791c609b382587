"""`sightline count`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from sightline.cli.command import command
from sightline.cli.console import Console
from sightline.cli.progress import clock

if TYPE_CHECKING:
    from sightline.app.recount import Recount

__all__ = ["count"]

COLUMNS = ("video", "from", "to", "kind", "name", "direction", "group", "label", "count")
SECOND = 1_000_000


@command()
def count(
    console: Console,
    run: Annotated[str, Parameter(help="Folder of a run, or of a whole command.", show_default=False)],
    /,
    *,
    lines: Annotated[str | None, Parameter(help="JSON file of lines to cross.", show_default=False)] = None,
    zones: Annotated[
        str | None, Parameter(help="JSON file of zones to enter and leave.", show_default=False)
    ] = None,
    bins: Annotated[
        str | None,
        Parameter(help="Length of a bin: 15m, 30s. [default: the whole video]", show_default=False),
    ] = None,
    out: Annotated[
        str | None,
        Parameter(name=("--out", "-o"), help="Folder for events.csv and counts.csv.", show_default=False),
    ] = None,
) -> None:
    """Count lines and zones in a finished run, without inference. The run stays as it is.

    Without lines and zones: how many objects were counted. Rows of zero are left out of the table, not of the files.
    """
    from sightline.app.recount import count_run
    from sightline.formats.count_bins import parse_bins
    from sightline.formats.geometry_json import read_lines, read_zones
    from sightline.formats.text import read_text

    found = count_run(
        Path(run),
        read_lines(read_text(Path(lines)), lines) if lines else (),
        read_zones(read_text(Path(zones)), zones) if zones else (),
        bin_us=parse_bins(bins) if bins else None,
        out=Path(out) if out else None,
    )
    console.object({"runs": [_object(each) for each in found]})
    if not console.json:
        console.rows(COLUMNS, [row for each in found for row in _rows(each)])
        for path in (path for each in found for path in each.files):
            console.note(str(path))


def _rows(recount: Recount) -> list[tuple[Any, ...]]:
    """What was counted, a row each; bins in minutes and seconds of the video."""
    return [
        (
            recount.result.video_id,
            clock(row.start_us / SECOND),
            clock(row.end_us / SECOND),
            row.kind,
            row.name,
            row.direction,
            row.group,
            row.label,
            row.count,
        )
        for row in recount.bins
        if row.count
    ]


def _object(recount: Recount) -> dict[str, Any]:
    return {
        "video_id": recount.result.video_id,
        "events": len(recount.counts.events),
        "counts": [
            {
                "start_s": row.start_us / SECOND,
                "end_s": row.end_us / SECOND,
                "kind": row.kind,
                "name": row.name,
                "direction": row.direction,
                "group": row.group,
                "label": row.label,
                "count": row.count,
            }
            for row in recount.bins
        ],
        "files": [str(path) for path in recount.files],
    }
