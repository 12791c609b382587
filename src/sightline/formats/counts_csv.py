"""`counts.csv`: objects by bins of time: counted first (`unique`), across lines, into and out of zones.

Zero bins are written, so every bin has the same rows. `start_s` and `end_s` are seconds from the begin of the video (of the
first of joined files), `start_time` and `end_time` the same on the clock, or without a start time as `00:15:00`.
`covered_s` says how much of the bin there was to look at: less than its length where the video begins or ends within.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sightline.formats.count_bins import bin_counts
from sightline.formats.events_csv import seconds
from sightline.formats.text import chunks, quoted
from sightline.formats.timeline import Timeline

__all__ = ["COLUMNS", "files", "timespec"]

COLUMNS = (
    "video_id",
    "start_s",
    "end_s",
    "start_time",
    "end_time",
    "covered_s",
    "kind",
    "name",
    "direction",
    "group",
    "label",
    "count",
)


def files(timelines: Iterable[Timeline], bin_us: int | None = None) -> Iterator[tuple[str, Iterable[bytes]]]:
    """`counts.csv` of one timeline after the other; without `bin_us` each is one bin."""
    yield "counts.csv", chunks(_lines(timelines, bin_us))


def _lines(timelines: Iterable[Timeline], bin_us: int | None) -> Iterator[str]:
    yield ",".join(COLUMNS) + "\n"
    for timeline in timelines:
        video = quoted(timeline.video_id)
        for row in bin_counts(timeline, bin_us):
            fields = (
                video,
                seconds(row.start_us),
                seconds(row.end_us),
                timeline.time(row.start_us, timespec(bin_us)),
                timeline.time(row.end_us, timespec(bin_us)),
                seconds(row.covered_us),
                row.kind,
                quoted(row.name),
                quoted(row.direction),
                quoted(row.group),
                quoted(row.label),
                str(row.count),
            )
            yield ",".join(fields) + "\n"


def timespec(bin_us: int | None) -> str:
    """How exactly the begin and end of bins are written: whole seconds are when bins begin and end with them."""
    return "microseconds" if bin_us is None or bin_us % 1_000_000 else "seconds"
