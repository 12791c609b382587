"""How far a run is: one line that is redrawn on a terminal, else a log line every ten seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TextIO

from sightline.telemetry import Event, Finished, Progress, Started

__all__ = ["LiveLine", "LogLines", "Speed", "clock", "line"]

REDRAW_S = 0.1
LOG_S = 10.0


def clock(seconds: float) -> str:
    """A length of time for people.

    >>> clock(23.4), clock(83), clock(3671)
    ('0:23', '1:23', '1:01:11')
    """
    whole = round(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


@dataclass(slots=True)
class Speed:
    """Frames a second of one job in this process; what an earlier start did is no speed of this one."""

    since: float
    first: int

    def at(self, now: float, done: int) -> float:
        """Frames a second so far; 0 before anything can be said."""
        return (done - self.first) / (now - self.since) if now > self.since else 0.0


def line(event: Progress, fps: float) -> str:
    """One line of progress.

    >>> line(Progress("detect", "street", 512, 1500), 43.0)
    'detect 512/1500 · 43 fps · 0:23 left'
    """
    shown = f"{event.stage} {event.done}" + (f"/{event.total}" if event.total else "")
    if fps > 0:
        shown += f" · {fps:.0f} fps" if fps >= 10 else f" · {fps:.1f} fps"
        if event.total:
            shown += f" · {clock((event.total - event.done) / fps)} left"
    return shown


class _Listener:
    """Keeps the speed of each job and stage; one event at a time."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now, self._lock = now, threading.Lock()
        self._speeds: dict[tuple[str, str], Speed] = {}
        self._jobs: dict[str, None] = {}
        self._shown_at: float | None = None

    def emit(self, event: Event) -> None:
        """Take note of an event."""
        with self._lock:
            if isinstance(event, Started):
                self._jobs[event.job] = None
            elif isinstance(event, Progress):
                self._jobs.setdefault(event.job)
                self._progress(event)
            elif isinstance(event, Finished):
                self._jobs.pop(event.job, None)
                self._finished(event)

    def _progress(self, event: Progress) -> None:
        now = self._now()
        key = event.job, event.stage
        speed = self._speeds.setdefault(key, Speed(now, event.done))
        due = self._shown_at is None or now - self._shown_at >= self.every_s
        if due:
            self._shown_at = now
            self.show(event, speed.at(now, event.done))

    every_s = LOG_S

    def show(self, event: Progress, fps: float) -> None:
        """Say it."""

    def _finished(self, event: Finished) -> None:
        """A job ended."""


class LiveLine(_Listener):
    """Redraws one line of a terminal; names the job where there are several."""

    every_s = REDRAW_S

    def __init__(self, stream: TextIO, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__(now)
        self._stream = stream

    def show(self, event: Progress, fps: float) -> None:
        """Redraw."""
        name = f"{event.job}  " if len(self._jobs) > 1 else ""
        self._stream.write(f"\r\x1b[K{name}{line(event, fps)}")
        self._stream.flush()

    def _finished(self, event: Finished) -> None:
        self.clear()

    def clear(self) -> None:
        """Leave the line empty for what comes next."""
        if self._shown_at is not None:
            self._stream.write("\r\x1b[K")
            self._stream.flush()


class LogLines(_Listener):
    """A log line every ten seconds, the first one after ten."""

    def __init__(self, log: Any, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__(now)
        self._log = log
        self._shown_at = now()

    def show(self, event: Progress, fps: float) -> None:
        """Write a line."""
        self._log.info(
            "progress",
            stage=event.stage,
            video_id=event.job,
            done=event.done,
            total=event.total,
            fps=round(fps, 1),
        )
