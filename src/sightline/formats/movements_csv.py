"""`movements.csv`: the turning-movement table, a row a bin and movement; zeros are written.

Times are those of `counts.csv`. `heavy` are those of `count` whose label is one of a heavy vehicle.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sightline.formats.counts_csv import timespec
from sightline.formats.events_csv import seconds
from sightline.formats.movement_table import MovementTable
from sightline.formats.text import chunks, quoted
from sightline.formats.timeline import Timeline

__all__ = ["COLUMNS", "files"]

COLUMNS = (
    "video_id",
    "start_s",
    "end_s",
    "start_time",
    "end_time",
    "covered_s",
    "from",
    "to",
    "turn",
    "count",
    "heavy",
)


def files(tables: Iterable[tuple[Timeline, MovementTable]]) -> Iterator[tuple[str, Iterable[bytes]]]:
    """`movements.csv` of one timeline after the other."""
    yield "movements.csv", chunks(_lines(tables))


def _lines(tables: Iterable[tuple[Timeline, MovementTable]]) -> Iterator[str]:
    yield ",".join(COLUMNS) + "\n"
    for timeline, table in tables:
        video, spec = quoted(timeline.video_id), timespec(table.bin_us)
        for row in table.rows:
            movement = row.movement
            fields = (
                video,
                seconds(row.start_us),
                seconds(row.end_us),
                timeline.time(row.start_us, spec),
                timeline.time(row.end_us, spec),
                seconds(row.covered_us),
                quoted(movement.entered),
                quoted(movement.left),
                movement.turn,
                str(movement.count),
                str(movement.heavy),
            )
            yield ",".join(fields) + "\n"
