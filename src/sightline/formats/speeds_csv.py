"""`speeds.csv`: a row for each counted object; `crossings.csv`: one for each crossing of a line, with the speed there.

A field is empty where it is not known; `formats.speed_table` says what the fields are. Times are as in `events.csv`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sightline.formats.speed_table import Measured, passage_fields, way_fields
from sightline.formats.text import chunks, quoted

__all__ = ["COLUMNS", "CROSSING_COLUMNS", "files"]

COLUMNS = (
    "video_id",
    "group",
    "track_id",
    "label",
    "first_frame",
    "last_frame",
    "start_s",
    "end_s",
    "start_time",
    "end_time",
    "heading",
    "straightness",
    "speed_kmh",
    "error_kmh",
    "metres",
)
CROSSING_COLUMNS = (
    "video_id",
    "name",
    "direction",
    "group",
    "track_id",
    "label",
    "frame",
    "pts_s",
    "time",
    "heading",
    "speed_kmh",
    "error_kmh",
)


def files(runs: Sequence[Measured]) -> Iterator[tuple[str, Iterable[bytes]]]:
    """`speeds.csv` of one run after the other, or where there are lines `crossings.csv`."""
    if any(run.lines for run in runs):
        passages = ((run, passage_fields(run, passage)) for run in runs for passage in run.speeds.passages)
        yield "crossings.csv", chunks(_lines(CROSSING_COLUMNS, passages))
    else:
        ways = ((run, way_fields(run, way)) for run in runs for way in run.speeds.ways)
        yield "speeds.csv", chunks(_lines(COLUMNS, ways))


def _lines(columns: tuple[str, ...], rows: Iterable[tuple[Measured, dict[str, Any]]]) -> Iterator[str]:
    yield ",".join(columns) + "\n"
    for run, fields in rows:
        named = {"video_id": run.video.video_id} | fields
        yield ",".join(_field(column, named[column]) for column in columns) + "\n"


def _field(column: str, value: Any) -> str:
    if value is None:
        return ""
    if column.endswith("_s"):
        return f"{value:.6f}"
    return quoted(value) if isinstance(value, str) else str(value)
