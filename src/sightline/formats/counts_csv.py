"""`counts.csv`: objects by bins of time: counted first (`unique`), across lines, into and out of zones.

Zero bins are written, so every bin has the same rows. `start_s` and `end_s` are seconds of the video, `start_time` and
`end_time` the same on the clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sightline.counts import JobCounts
from sightline.formats.count_bins import bin_counts
from sightline.formats.events_csv import seconds
from sightline.formats.text import chunks, quoted, time_of
from sightline.types import JobResult

__all__ = ["COLUMNS", "files"]

COLUMNS = (
    "video_id",
    "start_s",
    "end_s",
    "start_time",
    "end_time",
    "kind",
    "name",
    "direction",
    "group",
    "label",
    "count",
)


def files(
    result: JobResult, counts: JobCounts, bin_us: int | None = None
) -> Iterator[tuple[str, Iterable[bytes]]]:
    """`counts.csv`; without `bin_us` one bin for the whole video."""
    yield "counts.csv", chunks(_lines(result, counts, bin_us))


def _lines(result: JobResult, counts: JobCounts, bin_us: int | None) -> Iterator[str]:
    yield ",".join(COLUMNS) + "\n"
    video = quoted(result.video_id)
    for row in bin_counts(result, counts, bin_us):
        fields = (
            video,
            seconds(row.start_us),
            seconds(row.end_us),
            time_of(result.clock_start, row.start_us),
            time_of(result.clock_start, row.end_us),
            row.kind,
            quoted(row.name),
            row.direction,
            quoted(row.group),
            quoted(row.label),
            str(row.count),
        )
        yield ",".join(fields) + "\n"
