"""Outbox in PostgreSQL: outputs of commits that wait for relays, of each key in the order of its commits.

A key has a row in `outbox_keys` while records of it wait: the first of them (`head`), who holds it, and the last one that the
holder was given (`held_to`). Relays share by key, so that one that works on a key keeps no other from the rest.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from sightline.adapters.postgres.errors import translated
from sightline.adapters.postgres.server import Server
from sightline.ports import Outgoing, Queued, check_sizes

__all__ = ["PostgresOutbox", "columns_of"]

Columns = tuple[list[str], list[str], list[int], list[bytes], list[str]]

_TAKE = "SELECT id, key, topic, part, value, headers FROM take(%s, %s)"
_headers = msgspec.json.Decoder(tuple[tuple[str, str], ...])


class PostgresOutbox:
    """`Outbox` in the database of `server`, whose tables are of the newest version."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def pending(self, owner: str, limit: int) -> Sequence[Queued]:
        """See `Outbox`."""
        rows = self._server.rows(_TAKE, (owner, limit), binary=True)
        with translated(self._server.name):
            return [
                Queued(str(number), Outgoing(topic, part, key, bytes(value), _headers.decode(headers)))
                for number, key, topic, part, value, headers in rows
            ]

    def sent(self, queue_ids: Sequence[str]) -> None:
        """See `Outbox`."""
        if queue_ids:
            self._server.rows("SELECT forget(%s)", ([int(queue_id) for queue_id in queue_ids],))

    def give_back(self, owner: str) -> None:
        """See `Outbox`."""
        self._server.rows("SELECT let_go(%s)", (owner,))


def columns_of(records: Sequence[Outgoing]) -> Columns:
    """Records as the arguments of `emit`.

    Raises:
        TooLarge: a value has more than `MAX_BYTES`, which no log takes.
    """
    check_sizes(records)
    return (
        [record.key for record in records],
        [record.topic for record in records],
        [record.partition for record in records],
        [record.value for record in records],
        [msgspec.json.encode(record.headers).decode() for record in records],
    )
