"""`sightline count`."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from sightline.cli.command import command
from sightline.cli.console import Console
from sightline.cli.render import DRAWN_ON
from sightline.cli.words import value
from sightline.errors import Misconfigured
from sightline.progress.lines import clock
from sightline.settings.words import clock_time

if TYPE_CHECKING:
    from sightline.formats.timeline import Timeline
    from sightline.runs.recount import Recount

__all__ = ["RUN", "count"]

COLUMNS = ("video", "from", "to", "covered", "kind", "name", "direction", "group", "label", "count")
DOUBTFUL_COLUMNS = ("video", "from", "to", "group", "track", "label", "is", "why", "doubts")
SECOND = 1_000_000
DAY = "%Y-%m-%d %H:%M:%S"


RUN = Annotated[
    str, Parameter(help="Folders of runs, or of whole commands.", show_default=False, negative=())
]
LINES = Annotated[
    list[str] | None,
    Parameter(
        help="JSON file of lines to cross; repeat it, for instance with a file for each video.",
        show_default=False,
        negative=(),
    ),
]
ZONES = Annotated[
    list[str] | None,
    Parameter(help="JSON file of zones to enter and leave; repeat it.", show_default=False, negative=()),
]
BINS = Annotated[
    str | None,
    Parameter(help="Length of a bin: 15m, 30s. [default: the whole video]", show_default=False),
]
START_TIME = Annotated[
    list[str] | None,
    Parameter(
        help="Clock time of frame 0, with its offset from UTC: bins lie on the clock. Once for all runs (with --joined "
        "for the first), or once for each. [default: what each run says]",
        show_default=False,
        negative=(),
    ),
]
JOINED = Annotated[
    bool,
    Parameter(
        help="The runs are consecutive files of one camera: count them as one.",
        show_default=False,
        negative="",
    ),
]
DOUBTFUL = Annotated[
    bool,
    Parameter(
        help="List what of the counts is doubtful, for somebody who looks there first. Takes runs alone.",
        show_default=False,
        negative="",
    ),
]
OUT = Annotated[
    str | None,
    Parameter(
        name=("--out", "-o"),
        help="File for the counts, .csv or .json, or folder for events.csv and counts.csv; - writes the counts to "
        "stdout as CSV.",
        show_default=False,
        allow_leading_hyphen=True,
    ),
]


@command()
def count(
    console: Console,
    *run: RUN,
    lines: LINES = None,
    zones: ZONES = None,
    drawn_on: DRAWN_ON = None,
    bins: BINS = None,
    start_time: START_TIME = None,
    joined: JOINED = False,
    doubtful: DOUBTFUL = False,
    out: OUT = None,
) -> None:
    """Count lines and zones in finished runs, without inference. The runs stay as they are.

    Without lines and zones: how many objects were counted. Rows of zero are left out of the table, not of the files.
    """
    from sightline.formats.count_bins import parse_bins
    from sightline.formats.unplaced import unplaced
    from sightline.runs.recount import count_runs
    from sightline.runs.shapes import ShapeFiles

    if doubtful:
        if lines or zones or drawn_on is not None or bins or start_time or joined or out:
            raise Misconfigured("--doubtful takes runs alone: leave out the other options", code="usage")
        _show_doubtful(console, [Path(each) for each in run])
        return
    if out == "-" and console.json:
        raise Misconfigured("-o - writes counts to stdout, where --json would mix with them", code="usage")
    bin_us = parse_bins(bins) if bins else None
    found = count_runs(
        [Path(each) for each in run],
        ShapeFiles(lines or (), zones or (), drawn_on),
        bin_us=bin_us,
        start_times=[value("--start-time", each, clock_time) for each in start_time or ()],
        join=joined,
        out=Path(out) if out not in (None, "-") else None,
    )
    if out == "-":
        _to_stdout(found, bin_us)
    else:
        _show(console, found, bin_us)
    for job in (job for one in found for job in one.timeline.jobs):
        if (lines or zones) and not (job.counts.lines or job.counts.zones):
            console.warning(f"{job.result.video_id}: no line and no zone in these files is for it")
    for span in (span for one in found for span in unplaced(one.timeline)):
        console.warning(
            f"{span.video_id}: from frame {span.frame} ({clock(span.start_s)}) to {clock(span.end_s)} nobody knows where the "
            f"camera looked: nothing was counted at {', '.join(span.names)}"
        )
    for before, after, length in (each for one in found for each in one.timeline.overlaps()):
        console.warning(
            f"{after} begins {length / SECOND:.1f} s before {before} ends: who is seen in both counts twice"
        )


def _show_doubtful(console: Console, runs: list[Path]) -> None:
    """A table, or with `--json` an object."""
    from sightline.runs.doubtful import doubtful

    rows = doubtful(runs)
    console.object({"doubtful": [asdict(row) for row in rows]})
    if not console.json:
        if not rows:
            console.note("nothing is doubtful")
            return
        console.rows(
            DOUBTFUL_COLUMNS,
            [
                (
                    row.video_id,
                    clock(row.from_s),
                    clock(row.to_s),
                    row.group,
                    row.track_id,
                    row.label,
                    "counted" if row.counted else "refused",
                    row.why,
                    ", ".join(row.doubts),
                )
                for row in rows
            ],
        )


def _to_stdout(found: list[Recount], bin_us: int | None) -> None:
    from sightline.formats import counts_csv

    for _, chunks in counts_csv.files([each.timeline for each in found], bin_us):
        for chunk in chunks:
            sys.stdout.write(chunk.decode())


def _show(console: Console, found: list[Recount], bin_us: int | None) -> None:
    """A table, or with `--json` an object; files by the way."""
    from sightline.formats.counts_json import plain

    files = [str(path) for path in found[0].files]
    console.object({"runs": [plain(each.timeline, bin_us) | {"files": files} for each in found]})
    if not console.json:
        console.rows(COLUMNS, [row for each in found for row in _rows(each)])
        for path in files:
            console.note(path)


def _rows(recount: Recount) -> list[tuple[Any, ...]]:
    """What was counted, a row each; how much a bin covers where that is not all of it."""
    return [
        (
            recount.timeline.video_id,
            _time(recount.timeline, row.start_us),
            _time(recount.timeline, row.end_us),
            None if row.covered_us == row.end_us - row.start_us else clock(row.covered_us / SECOND),
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


def _time(timeline: Timeline, microseconds: int) -> str:
    """Day and time of the clock, or minutes and seconds of the video."""
    if timeline.clock_start is None:
        return clock(microseconds / SECOND)
    return (timeline.clock_start + timedelta(microseconds=microseconds)).strftime(DAY)
