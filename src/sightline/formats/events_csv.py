"""`events.csv`: a row for each time an object crossed a line, or entered or left a zone.

`event` counts from 1 in each video, or through joined files, whose `video_id`, `track_id`, `frame` and `pts_s` stay
those of the file; `label` is the vote of the object's whole track; `frame`, `pts_s` and `time` are those of the
first frame on the new side, `time` on the clock in its offset from UTC, or without a start time from the begin of the
video (`00:00:02.200000`); `x`, `y` are pixels: where the line was crossed, or where the object stood.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sightline.counts import Event
from sightline.formats.text import chunks, quoted
from sightline.formats.timeline import CountedJob, Timeline

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


def files(timelines: Iterable[Timeline]) -> Iterator[tuple[str, Iterable[bytes]]]:
    """`events.csv` of one timeline after the other; only its header where nothing happened."""
    yield "events.csv", chunks(_lines(timelines))


def seconds(microseconds: int) -> str:
    """Microseconds as seconds with all six decimals.

    >>> seconds(0), seconds(61_033_367)
    ('0.000000', '61.033367')
    """
    return f"{microseconds / 1e6:.6f}"


def _lines(timelines: Iterable[Timeline]) -> Iterator[str]:
    yield ",".join(COLUMNS) + "\n"
    for timeline in timelines:
        events = [(job, event) for job in timeline.jobs for event in job.counts.events]
        for number, (job, event) in enumerate(events, start=1):
            yield _line(timeline, job, event, number)


def _line(timeline: Timeline, job: CountedJob, event: Event, number: int) -> str:
    result = job.result
    pts_us = int(result.frames.pts_us[event.seq])
    fields = (
        quoted(result.video_id),
        str(number),
        event.kind,
        quoted(event.name),
        quoted(event.direction),
        str(event.track_id),
        quoted(event.group),
        quoted(event.label),
        str(result.frames.frame[event.seq]),
        seconds(pts_us),
        timeline.time(job.start_us + pts_us),
        _pixels(event.x),
        _pixels(event.y),
    )
    return ",".join(fields) + "\n"


def _pixels(value: float) -> str:
    return f"{round(value, 3) + 0.0:.3f}"  # + 0.0: no negative zero
