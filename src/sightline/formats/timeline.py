"""Counted jobs on one axis of time: a video by itself, or consecutive files of one camera.

The axis begins with the first file's pts 0. With a clock time for that moment it is the clock, in its offset from UTC
throughout; without one, times are how long after the begin.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Protocol

from sightline.arrays import IntArray
from sightline.counts import JobCounts
from sightline.errors import Misconfigured, setting
from sightline.formats.text import time_of

__all__ = ["CountedJob", "Filmed", "FrameTimes", "GroupClasses", "Timeline", "alone", "joined"]

MICROSECOND = timedelta(microseconds=1)
OVERLAP_US = 1_000_000  # clocks of recorders have whole seconds


class FrameTimes(Protocol):
    """The sampled frames, as `FrameTable` has them."""

    @property
    def frame(self) -> IntArray:
        """Int64 (F,), number in the source."""

    @property
    def pts_us(self) -> IntArray:
        """Int64 (F,), microseconds."""


class GroupClasses(Protocol):
    """A group, as `GroupResult` names it."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def class_ids(self) -> tuple[int, ...]:
        """Its classes, places in the labels."""


class Filmed(Protocol):
    """What counts need to know of a finished job: a `JobResult`, or what was read of a run without its tracks."""

    @property
    def video_id(self) -> str:
        """Name for people."""

    @property
    def clock_start(self) -> datetime | None:
        """Clock time of pts 0; None where nobody said it."""

    @property
    def rate(self) -> Fraction:
        """Sampled frames per second."""

    @property
    def frames(self) -> FrameTimes:
        """The sampled frames."""

    @property
    def labels(self) -> tuple[str, ...]:
        """By class id."""

    @property
    def groups(self) -> Sequence[GroupClasses]:
        """In the pipeline's order."""


@dataclass(frozen=True, slots=True, eq=False)
class CountedJob:
    """A finished job, its counts, and where its pts 0 lies on the axis, in microseconds."""

    result: Filmed
    counts: JobCounts
    start_us: int = 0

    @property
    def span_us(self) -> tuple[int, int]:
        """From its first frame to the end of its last one on the axis, end exclusive; both 0 without frames."""
        pts_us = self.result.frames.pts_us
        if not len(pts_us):
            return self.start_us, self.start_us
        return (
            self.start_us + int(pts_us[0]),
            self.start_us + int(pts_us[-1]) + round(1_000_000 / self.result.rate),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """One axis of time.

    Attributes:
        video_id: of the file, or `first..last` where there are several.
        clock_start: clock time of the axis' begin; None where nobody said it.
        jobs: what lies on it, in the order of time.
    """

    video_id: str
    clock_start: datetime | None
    jobs: tuple[CountedJob, ...]

    def time(self, microseconds: int, timespec: str = "microseconds") -> str:
        """A moment of the axis: clock time, or without a clock how long after the begin."""
        return time_of(self.clock_start, microseconds, timespec)

    @property
    def grid_us(self) -> int:
        """Where bins are laid from: midnight of the first day on the clock, or without a clock the begin."""
        if self.clock_start is None:
            return 0
        midnight = self.clock_start.replace(hour=0, minute=0, second=0, microsecond=0)
        return (midnight - self.clock_start) // MICROSECOND

    def spans_us(self) -> list[tuple[int, int]]:
        """Where there are frames, rising; files that overlap or touch are one span."""
        spans: list[tuple[int, int]] = []
        for begin, end in sorted(job.span_us for job in self.jobs):
            if spans and begin <= spans[-1][1]:
                spans[-1] = spans[-1][0], max(spans[-1][1], end)
            else:
                spans.append((begin, end))
        return spans

    def overlaps(self) -> Iterator[tuple[str, str, int]]:
        """Files that begin well before the one before them ends: both names, and how long, microseconds."""
        for before, after in pairwise(self.jobs):
            length = before.span_us[1] - after.span_us[0]
            if length > OVERLAP_US:
                yield before.result.video_id, after.result.video_id, length


def alone(result: Filmed, counts: JobCounts) -> Timeline:
    """The axis of one video."""
    return Timeline(result.video_id, result.clock_start, (CountedJob(result, counts),))


def joined(counted: Sequence[tuple[Filmed, JobCounts]], starts: Sequence[datetime | None]) -> Timeline:
    """One axis for consecutive files: each at its start time, those without one right behind the file before.

    Objects stay those of their file: who is seen at the end of one and at the begin of the next counts in both.

    Args:
        counted: the files in the order of time.
        starts: clock time of each one's pts 0, None where nobody said it.

    Raises:
        Misconfigured: a file has a start time and the first has none, or one begins before the one before it.
    """
    first = starts[0]
    jobs: list[CountedJob] = []
    for (result, counts), start in zip(counted, starts, strict=True):
        job = CountedJob(result, counts)
        if jobs and start is None:
            job = CountedJob(result, counts, jobs[-1].span_us[1] - job.span_us[0])
        elif jobs and start is not None:
            if first is None:
                raise Misconfigured(
                    f"{result.video_id} begins at {start.isoformat()}, but nobody said when "
                    f"{jobs[0].result.video_id} begins: say it with {setting('start_time')}",
                    code="usage",
                )
            job = CountedJob(result, counts, (start - first) // MICROSECOND)
            _check_order(jobs[-1], job, start)
        jobs.append(job)
    names = [job.result.video_id for job in jobs]
    return Timeline(names[0] if len(names) == 1 else f"{names[0]}..{names[-1]}", first, tuple(jobs))


def _check_order(before: CountedJob, after: CountedJob, start: datetime) -> None:
    if after.span_us[0] < before.span_us[0]:
        raise Misconfigured(
            f"{after.result.video_id} begins at {start.isoformat()}, before {before.result.video_id}, which is named "
            f"before it: name the runs in the order of time, or say {setting('start_time')} once for each",
            code="usage",
        )
