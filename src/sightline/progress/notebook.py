"""Progress below a cell of a notebook, and who is shown progress in Python at all."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from sightline.progress.lines import Listener, LiveLine, line
from sightline.telemetry import NULL, Event, Finished, Hook, Progress, Started

__all__ = ["CellLine", "Handle", "in_notebook", "shown"]

# What a cell shows travels through the notebook's server: ten times a second is too often.
REDRAW_S = 0.5


class Handle(Protocol):
    """An output of a cell that can be replaced, as `IPython.display.display(..., display_id=True)` returns it."""

    def update(self, obj: Any) -> None:
        """Show another object in its place."""


class Text:
    """Text that a notebook shows as it is.

    >>> Text("a < b")._repr_html_()
    '<pre>a &lt; b</pre>'
    """

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text

    def _repr_html_(self) -> str:
        from html import escape

        return f"<pre>{escape(self._text)}</pre>"


class CellLine(Listener):
    """Replaces one output of a cell: what goes on where it stood, and the line of all jobs together."""

    every_s = REDRAW_S

    def __init__(self, handle: Handle, now: Callable[[], float] = time.monotonic) -> None:
        """Show progress in `handle`."""
        super().__init__(now)
        self._handle = handle
        self._stays: list[str] = []

    def show(self, event: Progress, now: float) -> None:
        """Replace the line."""
        view = self._overview.view(now)
        if view is not None:
            self._update(line(view))

    def resumed(self, event: Started) -> None:
        """Said once, and stays."""
        of = f" of {event.frames:,}" if event.frames else ""
        self._stays.append(f"{event.job}: goes on at frame {event.done:,}{of}")
        self._update()

    def finished(self, event: Finished) -> None:
        """Nothing is shown of it any more."""
        self._update()

    def clear(self) -> None:
        """Leave what stays."""
        self._update()

    def _update(self, *lines: str) -> None:
        self._handle.update(Text("\n".join((*self._stays, *lines))))


class _Both:
    def __init__(self, first: Hook, second: Hook) -> None:
        self._hooks = first, second

    def emit(self, event: Event) -> None:
        for hook in self._hooks:
            hook.emit(event)


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook; IPython is asked only where it is loaded already."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return shell is not None and hasattr(shell, "kernel")


@contextmanager
def shown(hook: Hook | None, progress: bool | None) -> Iterator[Hook]:
    """Who hears of progress.

    Args:
        hook: that the caller gave.
        progress: show it too: in a notebook below the cell, else as a line on stderr. None: where somebody looks, in a
            notebook or on a terminal, and no hook was given.
    """
    looks = progress if progress is not None else hook is None and (in_notebook() or sys.stderr.isatty())
    if not looks:
        yield hook or NULL
        return
    display = _cell() if in_notebook() else LiveLine(sys.stderr)
    try:
        yield display if hook is None else _Both(hook, display)
    finally:
        display.clear()


def _cell() -> CellLine:
    from IPython.display import display

    return CellLine(display(Text(""), display_id=True))
