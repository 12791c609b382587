"""Event log in a SQLite file: a batch of records is one row.

Table `log` holds up to `BATCH` records a row as MessagePack `[[key, value, [[name, value], ...]], ...]`; table `head`
the next offset of each partition, raised in the same transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from sightline.adapters.sqlite.file import Database
from sightline.errors import Corrupt
from sightline.ports import Entry, Outgoing, check_sizes

__all__ = ["SqliteLog", "append_to"]

BATCH = 256  # records of a row: what a reader decodes to reach the one that it asks for

_RAISE_HEAD = """
INSERT INTO head VALUES (:topic, :part, :n)
ON CONFLICT DO UPDATE SET next = next + :n RETURNING next
"""
_BATCHES = """
SELECT first_off, n, records FROM log WHERE topic = :topic AND part = :part AND first_off >= coalesce(
  (SELECT max(first_off) FROM log WHERE topic = :topic AND part = :part AND first_off <= :offset), 0)
ORDER BY first_off
"""
_HEAD = """
SELECT coalesce((SELECT min(first_off) FROM log WHERE topic = :topic AND part = :part), next), next
FROM head WHERE topic = :topic AND part = :part
"""
_TRIM = "DELETE FROM log WHERE topic = :topic AND part = :part AND first_off + n <= :before"

_Batch = list[tuple[str, bytes, tuple[tuple[str, str], ...]]]
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Batch)


def append_to(connection: Any, records: Sequence[Outgoing]) -> None:
    """Append within the caller's transaction."""
    batches: dict[tuple[str, int], list[Outgoing]] = {}
    for record in records:
        batches.setdefault((record.topic, record.partition), []).append(record)
    for (topic, part), batch in batches.items():
        at = {"topic": topic, "part": part}
        first = connection.execute(_RAISE_HEAD, {**at, "n": len(batch)}).get - len(batch)
        for i in range(0, len(batch), BATCH):
            rows = batch[i : i + BATCH]
            packed = _encoder.encode([(row.key, row.value, row.headers) for row in rows])
            connection.execute(
                "INSERT INTO log VALUES (?, ?, ?, ?, ?)", (topic, part, first + i, len(rows), packed)
            )


class SqliteLog:
    """`EventLog` in `database`, of the newest version."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, records: Sequence[Outgoing]) -> None:
        """See `EventLog`; durable as the database's `synchronous` says."""
        check_sizes(records)
        if records:
            self._database.write(lambda connection: append_to(connection, records))

    def read(self, topic: str, partition: int, offset: int, limit: int) -> list[Entry]:
        """See `EventLog`; offsets of this log rise by one."""
        with self._database.reader() as connection:
            rows = connection.execute(_BATCHES, {"topic": topic, "part": partition, "offset": offset})
            found: list[Entry] = []
            for first, n, packed in rows:
                if len(found) >= limit or first > offset + len(found):
                    break
                skip = offset + len(found) - first
                if skip < n:
                    batch = _decoder.decode(packed)[skip : skip + limit - len(found)]
                    found += [Entry(first + skip + i, *record) for i, record in enumerate(batch)]
            rows.close()
        if not found:
            kept, following = self.head(topic, partition)
            if not kept <= offset <= following:
                raise Corrupt(
                    f"{topic}/{partition}: offset {offset} outside {kept}..{following}", code="log_gap"
                )
        return found

    def head(self, topic: str, partition: int) -> tuple[int, int]:
        """See `EventLog`."""
        with self._database.reader() as connection:
            kept, following = connection.execute(_HEAD, {"topic": topic, "part": partition}).get or (0, 0)
            return int(kept), int(following)

    def trim(self, topic: str, partition: int, before: int) -> None:
        """See `EventLog`; forgets whole rows."""
        at = {"topic": topic, "part": partition, "before": before}
        self._database.write(lambda connection: connection.execute(_TRIM, at) and None)

    def wait(self, seen: int, limit_s: float) -> int:
        """See `EventLog`; rises within 50 ms of what other processes wrote, whatever it was."""
        return self._database.wait(seen, limit_s)

    def identity(self, topic: str) -> str:
        """See `EventLog`; all topics of a file are made and removed together."""
        with self._database.reader() as connection:
            return str(connection.execute("SELECT id FROM identity").get)
