"""`events.csv`: a row for each time an object crossed a line, or entered or left a zone.

`event` counts from 1; `label` is the vote of the object's whole track; `frame`, `pts_s` and `time` are those of the
first frame on the new side, `time` on the clock in its offset from UTC, or without a start time from the begin of the
video (`00:00:02.200000`); `x`, `y` are pixels: where the line was crossed, or where the object stood.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sightline.counts import JobCounts
from sightline.formats.text import chunks, quoted, time_of
from sightline.types import JobResult

__all__ = ["COLUMNS", "files", "seconds"]

COLUMNS = (
    "video_id",
    "event",
    "kind",
    "name",
    "direction",
    "track_id",
    "group",
    "label",
    "frame",
    "pts_s",
    "time",
    "x",
    "y",
)


def files(result: JobResult, counts: JobCounts) -> Iterator[tuple[str, Iterable[bytes]]]:
    """`events.csv`; only its header where nothing happened."""
    yield "events.csv", chunks(_lines(result, counts))


def seconds(microseconds: int) -> str:
    """Microseconds as seconds with all six decimals.

    >>> seconds(0), seconds(61_033_367)
    ('0.000000', '61.033367')
    """
    return f"{microseconds / 1e6:.6f}"


def _lines(result: JobResult, counts: JobCounts) -> Iterator[str]:
    yield ",".join(COLUMNS) + "\n"
    video = quoted(result.video_id)
    for number, event in enumerate(counts.events, start=1):
        pts_us = int(result.frames.pts_us[event.seq])
        fields = (
            video,
            str(number),
            event.kind,
            quoted(event.name),
            event.direction,
            str(event.track_id),
            quoted(event.group),
            quoted(event.label),
            str(result.frames.frame[event.seq]),
            seconds(pts_us),
            time_of(result.clock_start, pts_us),
            _pixels(event.x),
            _pixels(event.y),
        )
        yield ",".join(fields) + "\n"


def _pixels(value: float) -> str:
    return f"{round(value, 3) + 0.0:.3f}"  # + 0.0: no negative zero
