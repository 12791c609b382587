"""Where a count could not follow its lines and zones, as users and JSON get it: the camera moved, nobody knows where to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sightline.formats.timeline import CountedJob, Timeline

__all__ = ["UnplacedSpan", "unplaced"]

SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class UnplacedSpan:
    """Frames in which nothing was looked for.

    Attributes:
        video_id: of the file.
        names: of the lines, then the zones.
        frame: number in the source of the first of these frames.
        start_s, end_s: seconds from the begin of the video, or of the first of joined ones.
    """

    video_id: str
    names: tuple[str, ...]
    frame: int
    start_s: float
    end_s: float


def unplaced(timeline: Timeline) -> Iterator[UnplacedSpan]:
    """The spans of every job, in their order."""
    for job in timeline.jobs:
        frames = job.result.frames
        for each in job.counts.unplaced:
            yield UnplacedSpan(
                job.result.video_id,
                each.names,
                int(frames.frame[each.first]),
                _begin_us(job, each.first) / SECOND,
                _begin_us(job, each.end) / SECOND,
            )


def _begin_us(job: CountedJob, seq: int) -> int:
    """When a frame begins on the axis; behind the last one, when that ends."""
    pts_us = job.result.frames.pts_us
    return job.start_us + int(pts_us[seq]) if seq < len(pts_us) else job.span_us[1]
