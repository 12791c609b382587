"""News from the database: whoever waits for work learns that some was committed, by any process."""

from __future__ import annotations

import threading
import time

from sightline.adapters.postgres.errors import translated
from sightline.adapters.postgres.server import Connected, Server

__all__ = ["News", "channel"]

SLICE_S = 0.5  # how long one look lasts, so that closing waits no longer


def channel(schema: str) -> str:
    """The name under which the tables of `schema` give notice."""
    return f"sightline_{schema}"


class News:
    """Waiting on one connection, for all threads of a process.

    NOTIFY wakes; it may also be lost, with the connection. So whoever waits looks for work now and then anyway.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._connection: Connected | None = None
        self._changed = threading.Condition()
        self._number, self._listening, self._closed = 0, False, False

    def wait(self, seen: int, limit_s: float) -> int:
        """A number that rises when jobs or outbox may have changed; see `EventLog.wait`.

        Raises:
            Unavailable: repeat.
        """
        deadline = time.monotonic() + limit_s
        while True:
            left = min(max(deadline - time.monotonic(), 0.0), SLICE_S)
            with self._changed:
                mine = not self._listening and not self._closed
                if mine:
                    self._listening = True
                elif self._number <= seen:
                    self._changed.wait(left)
            if mine:
                self._look(0.0 if self._number > seen else left)
            if self._number > seen or self._closed or time.monotonic() >= deadline:
                return self._number

    def close(self) -> None:
        """Nobody waits any longer. Repeating is harmless."""
        with self._changed:
            self._closed = True
            self._changed.wait_for(lambda: not self._listening)
            self._forget()

    def _look(self, limit_s: float) -> None:
        """One of all who wait asks the server; a new connection is news, as something may have been missed."""
        heard = False
        try:
            with translated(self._server.name):
                if self._connection is None:
                    self._connection = self._server.open()
                    self._connection.execute(f"LISTEN {channel(self._server.address.schema)}".encode())
                    heard = True
                else:
                    found = self._connection.notifies(timeout=limit_s, stop_after=1)
                    heard = bool(list(found))
        except BaseException:
            self._forget()
            raise
        finally:
            with self._changed:
                self._number += heard
                self._listening = False
                self._changed.notify_all()

    def _forget(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
