"""How far a command is: one line that is redrawn on a terminal, else a log line every ten seconds."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Any, TextIO

from sightline.progress.overview import Overview, View
from sightline.telemetry import Event, Finished, Progress, Started

__all__ = ["REDRAW_S", "Listener", "LiveLine", "LogLines", "bar", "clock", "line"]

REDRAW_S = 0.1
LOG_S = 10.0
BAR = 24
COLUMNS = 80  # of a terminal that does not say


def clock(seconds: float) -> str:
    """A length of time for people.

    >>> clock(23.4), clock(83), clock(3671)
    ('0:23', '1:23', '1:01:11')
    """
    whole = round(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def bar(share: float, cells: int, *, fine: bool = True) -> str:
    """A bar of so many cells; in ASCII where the terminal knows nothing finer.

    >>> bar(0.5, 8), bar(0.5, 8, fine=False)
    ('━━━━────', '####....')
    """
    full = min(cells, int(share * cells))
    return ("━" if fine else "#") * full + ("─" if fine else ".") * (cells - full)


def line(view: View, columns: int = COLUMNS, *, fine: bool = True) -> str:
    """One line of progress that fits a terminal: the bar gives way first, then the name is cut.

    >>> view = View(("street",), 2, 3, "", 512, 1500, 43.0, 23.0)
    >>> line(view)
    '2 of 3  street  ━━━━━━━━────────────────  512 of 1,500 · 43 fps · 0:23 left'
    >>> line(view, 50)
    '2 of 3  street  512 of 1,500 · 43 fps · 0:23 left'
    """
    place = f"{view.number} of {view.jobs}  " if view.jobs > 1 else ""
    name = ", ".join(view.names)
    facts = _facts(view, "·" if fine else "-")
    room = columns - 1 - len(place) - len(facts) - (2 if name else 0)
    cells = min(BAR, room - len(name) - 2) if view.total else 0
    if cells >= BAR // 3:
        facts = f"{bar(view.done / view.total, cells, fine=fine)}  {facts}"
    elif len(name) > room:
        name = name[: max(0, room - 3)] + "..."
    return (place + (f"{name}  " if name else "") + facts)[: columns - 1]


def _facts(view: View, dot: str) -> str:
    if view.doing == "writing":
        return "writing results"
    shown = f"{view.doing} " if view.doing else ""
    about = "about " if view.estimated else ""
    shown += f"{view.done:,} of {about}{view.total:,}" if view.total else f"{view.done:,}"
    if view.fps > 0:
        shown += f" {dot} {view.fps:.0f} fps" if view.fps >= 10 else f" {dot} {view.fps:.1f} fps"
    if view.left_s is not None:
        shown += f" {dot} {clock(view.left_s)} left"
    return shown


class Listener:
    """Keeps the overview; one event at a time."""

    every_s = LOG_S

    def __init__(self, now: Callable[[], float]) -> None:
        self._now, self._lock = now, threading.Lock()
        self._overview = Overview()
        self._shown_at: float | None = None

    def emit(self, event: Event) -> None:
        """Take note of an event."""
        with self._lock:
            now = self._now()
            self._overview.take(event, now)
            if isinstance(event, Started) and event.done:
                self.resumed(event)
            elif isinstance(event, Finished):
                self.finished(event)
            elif isinstance(event, Progress) and self._due(now) and not self._overview.is_over(event):
                self._shown_at = now
                self.show(event, now)

    def _due(self, now: float) -> bool:
        return self._shown_at is None or now - self._shown_at >= self.every_s

    def resumed(self, event: Started) -> None:
        """A job goes on where an earlier start stood."""

    def show(self, event: Progress, now: float) -> None:
        """Say how far it is."""

    def finished(self, event: Finished) -> None:
        """A job ended."""


class LiveLine(Listener):
    """Redraws one line of a terminal for all jobs together; notes stand above it."""

    every_s = REDRAW_S

    def __init__(self, stream: TextIO, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__(now)
        self._stream = stream
        self._fine = (getattr(stream, "encoding", None) or "utf-8").lower().startswith("utf")

    def show(self, event: Progress, now: float) -> None:
        """Redraw."""
        view = self._overview.view(now)
        if view is not None:
            self._write(line(view, self._columns(), fine=self._fine))

    def resumed(self, event: Started) -> None:
        """Said once, and stays."""
        of = f" of {event.frames:,}" if event.frames else ""
        self._write(f"{event.job}: goes on at frame {event.done:,}{of}\n")

    def finished(self, event: Finished) -> None:
        """Nothing is shown of it any more."""
        self.clear()

    def clear(self) -> None:
        """Leave the line empty for what comes next."""
        if self._shown_at is not None:
            self._write("")

    def _write(self, text: str) -> None:
        self._stream.write(f"\r\x1b[K{text}")
        self._stream.flush()

    def _columns(self) -> int:
        try:
            return os.get_terminal_size(self._stream.fileno()).columns or COLUMNS
        except (OSError, ValueError):  # no terminal, or no file at all
            return COLUMNS


class LogLines(Listener):
    """A log line every ten seconds, the first one after ten."""

    def __init__(self, log: Any, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__(now)
        self._log = log
        self._shown_at = now()

    def resumed(self, event: Started) -> None:
        """Write where."""
        self._log.info("resumed", video_id=event.job, done=event.done, total=event.frames)

    def show(self, event: Progress, now: float) -> None:
        """Write a line."""
        self._log.info(
            "progress",
            stage=event.stage,
            video_id=event.job,
            done=event.done,
            total=event.total,
            fps=round(self._overview.fps(event.job, event.stage, now), 1),
        )
