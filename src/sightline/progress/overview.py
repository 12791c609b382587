"""Overview: the events of all jobs of a command in, what to show of them together out; it knows no terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sightline.telemetry import Event, Finished, Planned, Progress, Started

__all__ = ["Overview", "View"]

DRAWING = "render"
NOTHING_PLANNED = Planned(0, 0)


@dataclass(frozen=True, slots=True)
class View:
    """What there is to show.

    Attributes:
        names: jobs that are worked on.
        number, jobs: the newest of them is number so many of so many.
        doing: empty while inference runs, `drawing`, or `writing` where all frames are done.
        done, total: frames of all jobs, of those that are drawn while drawing; total 0 where it is not known.
        estimated: the total is an estimate.
        fps: frames a second in this process, all jobs together; 0 before anything can be said.
        left_s: seconds left in all, None where nothing can be said.
    """

    names: tuple[str, ...]
    number: int
    jobs: int
    doing: str
    done: int
    total: int
    fps: float
    left_s: float | None
    estimated: bool = False


@dataclass(slots=True)
class _Stage:
    """Frames of a job in one stage; what an earlier start did is no speed of this one."""

    since: float
    first: int
    done: int
    total: int

    def fps(self, now: float) -> float:
        return (self.done - self.first) / (now - self.since) if now > self.since else 0.0


@dataclass(slots=True)
class _Job:
    detected: _Stage | None = None
    drawn: _Stage | None = None  # once it is there, inference is done
    ended: bool = False


@dataclass(slots=True)
class Overview:
    """All jobs of a command, as far as events told."""

    planned: Planned = NOTHING_PLANNED
    jobs: dict[str, _Job] = field(default_factory=dict)

    def take(self, event: Event, now: float) -> None:
        """Take note of an event."""
        if isinstance(event, Planned):
            self.planned = event
        elif isinstance(event, Started):
            self.jobs[event.job] = _Job(_Stage(now, event.done, event.done, event.frames))
        elif isinstance(event, Progress):
            self._progress(event, now)
        elif isinstance(event, Finished):
            self._finished(event, now)

    def fps(self, job: str, stage: str, now: float) -> float:
        """Frames a second of one job in one stage."""
        known = self.jobs.get(job, _Job())
        found = known.drawn if stage == DRAWING else known.detected
        return 0.0 if found is None else found.fps(now)

    def is_over(self, event: Progress) -> bool:
        """Whether a stage is told of that a later one of the same job has followed."""
        known = self.jobs.get(event.job)
        return known is not None and known.drawn is not None and event.stage != DRAWING

    def view(self, now: float) -> View | None:
        """What to show now; None where no job is worked on."""
        active = {name: job for name, job in self.jobs.items() if not job.ended}
        if not active:
            return None
        drawn = [job.drawn for job in active.values() if job.drawn is not None]
        detected = [job.detected for job in self.jobs.values() if job.detected is not None]
        doing, stages, planned = "", detected, self.planned.frames
        if drawn and len(drawn) == len(active):
            doing, stages, planned = "drawing", drawn, 0
        elif all(_is_done(job) for job in active.values()):
            doing = "writing"
        done = sum(stage.done for stage in stages)
        total = max(planned, sum(stage.total for stage in stages))
        if any(not stage.total for stage in stages):
            total = 0
        fps = _together(stages, now)
        left = (total - done) / fps if fps > 0 and total else None
        about = self.planned.estimated and 0 < total == planned
        return View(tuple(active), len(self.jobs), self.planned.jobs, doing, done, total, fps, left, about)

    def _progress(self, event: Progress, now: float) -> None:
        job = self.jobs.setdefault(event.job, _Job())
        stage = job.drawn if event.stage == DRAWING else job.detected
        if stage is None:
            stage = _Stage(now, event.done, event.done, event.total)
            if event.stage == DRAWING:
                job.drawn = stage
            else:
                job.detected = stage
        stage.done, stage.total = event.done, event.total

    def _finished(self, event: Finished, now: float) -> None:
        """An ended job is done with all its frames; one that was done before took no time, one that never began has none."""
        job = self.jobs.setdefault(event.job, _Job())
        job.ended = True
        if job.detected is None:
            if not event.frames:
                return
            job.detected = _Stage(now, event.frames, event.frames, event.frames)
        missing = job.detected.total - job.detected.done
        job.detected.first += missing
        job.detected.done += missing


def _is_done(job: _Job) -> bool:
    return job.detected is not None and 0 < job.detected.total <= job.detected.done


def _together(stages: Sequence[_Stage], now: float) -> float:
    """Frames a second of all stages, from the begin of the first that did something here."""
    working = [stage for stage in stages if stage.done > stage.first]
    if not working:
        return 0.0
    passed = now - min(stage.since for stage in working)
    return sum(stage.done - stage.first for stage in working) / passed if passed > 0 else 0.0
