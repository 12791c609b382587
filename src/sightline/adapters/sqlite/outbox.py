"""Outbox in the SQLite file: outputs of commits that wait for a relay.

The file has one process, so that what an owner holds is memory: when the file is opened again, nobody holds anything.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import msgspec

from sightline.adapters.sqlite.file import Database
from sightline.adapters.sqlite.log import SqliteLog, append_to
from sightline.ports import Outgoing, Queued

__all__ = ["SqliteOutbox"]

_record = msgspec.msgpack.Decoder(tuple[str, int, str, bytes, tuple[tuple[str, str], ...]])


class SqliteOutbox(SqliteLog):
    """`EventLog` and `Outbox` in one file.

    Args:
        database: the file.
        relayed: outputs of commits wait in the outbox for a relay; else they reach the log within the commit.
    """

    def __init__(self, database: Database, *, relayed: bool) -> None:
        super().__init__(database)
        self._relayed = relayed
        self._held: dict[int, str] = {}
        self._holding = threading.Lock()

    def pending(self, owner: str, limit: int) -> Sequence[Queued]:
        """See `Outbox`."""
        found: list[Queued] = []
        blocked: set[str] = set()
        with self._holding, self._database.reader() as connection:
            rows = connection.execute("SELECT id, record FROM outbox ORDER BY id")
            for number, packed in rows:
                if len(found) == limit:
                    break
                record = Outgoing(*_record.decode(packed))
                if self._held.get(number, owner) != owner:
                    blocked.add(record.key)
                elif record.key not in blocked:
                    self._held[number] = owner
                    found.append(Queued(str(number), record))
            rows.close()
        return found

    def sent(self, queue_ids: Sequence[str]) -> None:
        """See `Outbox`."""
        numbers = [int(queue_id) for queue_id in queue_ids]

        def work(connection: Any) -> None:
            connection.executemany("DELETE FROM outbox WHERE id = ?", [(number,) for number in numbers])

        if numbers:
            self._database.write(work)
            with self._holding:
                for number in numbers:
                    self._held.pop(number, None)

    def give_back(self, owner: str) -> None:
        """See `Outbox`."""
        with self._holding:
            self._held = {number: holder for number, holder in self._held.items() if holder != owner}

    def _emit(self, connection: Any, records: Sequence[Outgoing]) -> None:
        if not self._relayed:
            append_to(connection, records)
            return
        for record in records:
            fields = (record.topic, record.partition, record.key, record.value, record.headers)
            connection.execute("INSERT INTO outbox (record) VALUES (?)", (msgspec.msgpack.encode(fields),))
