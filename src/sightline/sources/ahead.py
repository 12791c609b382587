"""Ahead: sources are opened one after the other in a thread of its own, some ahead of those that are worked on.

A source is read twice before its first frame is decoded, for its index and for its hash: of a hundred long videos that
is hours, in which the first ones can be done.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence

from sightline.errors import SightlineError
from sightline.sources.named import Source
from sightline.sources.opening import Ready

__all__ = ["Ahead", "Opened"]

Opened = Ready | SightlineError


class Ahead:
    """Sources in their order, opened.

    Args:
        sources: what was named.
        open_one: reads a source; a `SightlineError` is what is wrong with that one.
        ahead: how many are held open for `take` at the most: an index is some megabytes for hours of video.
    """

    def __init__(self, sources: Sequence[Source], open_one: Callable[[Source], Ready], ahead: int) -> None:
        self._sources, self._open, self._ahead = sources, open_one, ahead
        self._opened: deque[tuple[int, Opened]] = deque()
        self._taken = 0
        self._error: BaseException | None = None
        self._stopped = False
        self._changed = threading.Condition()
        # A daemon: whoever interrupts a command does not wait until gigabytes are hashed.
        self._thread = threading.Thread(target=self._run, daemon=True, name="sightline-ahead")

    def start(self) -> None:
        """Begin to open."""
        self._thread.start()

    @property
    def left(self) -> int:
        """Sources that were not taken yet."""
        return len(self._sources) - self._taken

    def held(self) -> list[Ready]:
        """Those that are open and not taken."""
        with self._changed:
            return [opened for _, opened in self._opened if isinstance(opened, Ready)]

    def take(self, wait_s: float = 0.0) -> tuple[int, Opened] | None:
        """The next source by its number, with what came of it; None where it is not open yet.

        Raises:
            BaseException: what no source is to blame for.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._opened or self._error, wait_s)
            if not self._opened:
                if self._error is not None:
                    raise self._error
                return None
            self._taken += 1
            self._changed.notify_all()
            return self._opened.popleft()

    def close(self) -> None:
        """Open no more."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _run(self) -> None:
        try:
            for number, source in enumerate(self._sources):
                with self._changed:
                    self._changed.wait_for(lambda: self._stopped or len(self._opened) < self._ahead)
                    if self._stopped:
                        return
                opened = self._outcome(source)
                with self._changed:
                    self._opened.append((number, opened))
                    self._changed.notify_all()
        except BaseException as error:
            with self._changed:
                self._error = error
                self._changed.notify_all()

    def _outcome(self, source: Source) -> Opened:
        try:
            return self._open(source)
        except SightlineError as error:
            return error
