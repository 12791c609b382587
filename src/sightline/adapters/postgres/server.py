"""Connections to one database: a few, shared by threads, replaced when they break. Every call has an end.

A statement of ours is a transaction of its own (autocommit): what belongs together is one statement, most often a call of a
function that `versions` makes. So no lock outlives a round trip, and no client that stands still keeps one.
"""

from __future__ import annotations

import select
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from sightline.adapters.postgres.address import Address
from sightline.adapters.postgres.errors import translated
from sightline.adapters.postgres.text import register_text
from sightline.errors import ServiceMisconfigured, Unavailable

__all__ = ["ANSWER_S", "Connected", "Server", "connect"]

ANSWER_S = 45.0  # longer than any timeout of the server: beyond it the server itself stands still
CONNECTIONS = 8
OLDEST_SERVER = 140_000


class Connected(psycopg.Connection[tuple[Any, ...]]):
    """A connection that breaks off when the server does not answer: also of a process that is stopped."""

    answer_s = ANSWER_S

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """See psycopg; without a timeout of the caller's the answer must come within `answer_s` seconds."""
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, self.answer_s)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.pgconn.finish()  # nobody will read that answer
            raise


def connect(address: Address, answer_s: float = ANSWER_S) -> Connected:
    """A new connection.

    Raises:
        psycopg.Error: see `translated`.
        ServiceMisconfigured: a server that Sightline does not know, or a database whose text is not UTF-8.
    """
    connection = Connected.connect("", autocommit=True, **dict(address.parameters))  # type: ignore[arg-type]
    try:
        connection.answer_s = answer_s
        register_text(connection)
        if connection.info.server_version < OLDEST_SERVER:
            raise ServiceMisconfigured(
                f"{address.name}: needs PostgreSQL 14 or newer", code="database_version"
            )
        encoding = connection.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            raise ServiceMisconfigured(
                f"{address.name}: the database holds {encoding}, not UTF8; create it with ENCODING 'UTF8'",
                code="database_format",
            )
    except BaseException:
        connection.close()
        raise
    return connection


class Server:
    """Connections for many threads.

    Args:
        address: of the database.
        greet: looks at each new connection before it is used.
        connections: at most so many at once; who comes later waits.
        answer_s: seconds after which a call without an answer is given up.
    """

    def __init__(
        self,
        address: Address,
        greet: Callable[[Connected], None],
        *,
        connections: int = CONNECTIONS,
        answer_s: float = ANSWER_S,
    ) -> None:
        self.address, self.name = address, address.name
        self._greet, self._answer_s = greet, answer_s
        self._idle: deque[Connected] = deque()
        self._places = threading.BoundedSemaphore(connections)
        self._closed = False

    def rows(self, query: str, given: Sequence[Any] = (), *, binary: bool = False) -> list[tuple[Any, ...]]:
        """What a statement gives; it is a transaction of its own.

        Raises:
            Unavailable: repeat; a statement that writes may have done so.
        """
        with self.connection() as connection:
            cursor = connection.execute(query.encode(), given, binary=binary)
            return [] if cursor.description is None else cursor.fetchall()

    def row(self, query: str, given: Sequence[Any] = (), *, binary: bool = False) -> tuple[Any, ...] | None:
        """The first row of `rows`, None where there is none."""
        return next(iter(self.rows(query, given, binary=binary)), None)

    def open(self) -> Connected:
        """A connection that is the caller's own."""
        with translated(self.name):
            connection = connect(self.address, self._answer_s)
            try:
                self._greet(connection)
            except BaseException:
                connection.close()
                raise
            return connection

    @contextmanager
    def connection(self) -> Iterator[Connected]:
        """A connection of those that are shared; afterwards it is given back, or closed where it broke."""
        with translated(self.name):
            if not self._places.acquire(timeout=self._answer_s):
                raise Unavailable(f"{self.name}: all connections are in use", code="database_busy")
            try:
                connection = self._idle_one() or self.open()
                try:
                    yield connection
                finally:
                    self._give_back(connection)
            finally:
                self._places.release()

    def close(self) -> None:
        """Close all connections; those in use when they are given back. Repeating is harmless."""
        self._closed = True
        while (connection := self._idle_one()) is not None:
            connection.close()

    def _idle_one(self) -> Connected | None:
        """One that nobody uses and that the server has not closed meanwhile."""
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                return None
            if not _has_news(connection):
                return connection
            connection.close()

    def _give_back(self, connection: Connected) -> None:
        if self._closed or connection.pgconn.transaction_status != TransactionStatus.IDLE:
            connection.close()
        else:
            self._idle.append(connection)


def _has_news(connection: Connected) -> bool:
    """Whether the server said something unasked: of an idle connection, that it is closed."""
    asked = select.poll()
    asked.register(connection.pgconn.socket, select.POLLIN)
    return bool(asked.poll(0))
