"""Event log and outbox in memory, with one lock as their transaction."""

from __future__ import annotations

import secrets
import threading
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence

from sightline.errors import Corrupt
from sightline.ports import Entry, Outgoing, Queued, check_sizes

__all__ = ["MemoryLog"]


class _Partition:
    def __init__(self) -> None:
        self.first = self.next = 0
        self.entries: list[Entry] = []


class MemoryLog:
    """`EventLog` and `Outbox`.

    Args:
        relayed: outputs of commits wait in the outbox for a relay; else they reach the log within the commit.
        hole: offsets that stay empty before each record, as those of a broker's own marks do.
    """

    def __init__(self, *, relayed: bool = False, hole: int = 0) -> None:
        self._relayed, self._hole = relayed, hole
        self._changed = threading.Condition(threading.RLock())
        self._changes, self._identity = 1, secrets.token_hex(16)
        self._log: defaultdict[tuple[str, int], _Partition] = defaultdict(_Partition)
        self._queue: dict[str, Outgoing] = {}
        self._queued = 0
        self._senders: dict[str, str] = {}

    # --- EventLog

    def append(self, records: Sequence[Outgoing]) -> None:
        """See `EventLog`."""
        check_sizes(records)
        with self._changed:
            for record in records:
                at = self._log[record.topic, record.partition]
                offset = at.next + self._hole
                at.entries.append(Entry(offset, record.key, record.value, record.headers))
                at.next = offset + 1
            self._changes += bool(records)
            self._changed.notify_all()

    def read(self, topic: str, partition: int, offset: int, limit: int) -> list[Entry]:
        """See `EventLog`."""
        with self._changed:
            at = self._log[topic, partition]
            if not at.first <= offset <= at.next:
                raise Corrupt(
                    f"{topic}/{partition}: offset {offset} outside {at.first}..{at.next}", code="log_gap"
                )
            start = bisect_left(at.entries, offset, key=lambda entry: entry.offset)
            return at.entries[start : start + limit]

    def head(self, topic: str, partition: int) -> tuple[int, int]:
        """See `EventLog`."""
        with self._changed:
            at = self._log[topic, partition]
            return at.first, at.next

    def trim(self, topic: str, partition: int, before: int) -> None:
        """See `EventLog`."""
        with self._changed:
            at = self._log[topic, partition]
            del at.entries[: bisect_left(at.entries, before, key=lambda entry: entry.offset)]
            at.first = max(at.first, min(before, at.next))

    def wait(self, seen: int, limit_s: float) -> int:
        """See `EventLog`."""
        with self._changed:
            self._changed.wait_for(lambda: self._changes > seen, limit_s)
            return self._changes

    def identity(self, topic: str) -> str:
        """See `EventLog`; all topics of a store are made together."""
        return self._identity

    # --- Outbox

    def pending(self, owner: str, limit: int) -> Sequence[Queued]:
        """See `Outbox`."""
        found: list[Queued] = []
        blocked: set[str] = set()
        with self._changed:
            for queue_id, record in self._queue.items():
                if len(found) == limit:
                    break
                if self._senders.get(queue_id, owner) != owner:
                    blocked.add(record.key)
                elif record.key not in blocked:
                    self._senders[queue_id] = owner
                    found.append(Queued(queue_id, record))
            return found

    def sent(self, queue_ids: Sequence[str]) -> None:
        """See `Outbox`."""
        with self._changed:
            for queue_id in queue_ids:
                self._queue.pop(queue_id, None)
                self._senders.pop(queue_id, None)

    def give_back(self, owner: str) -> None:
        """See `Outbox`."""
        with self._changed:
            self._senders = {queue_id: who for queue_id, who in self._senders.items() if who != owner}

    def _emit(self, records: Sequence[Outgoing]) -> None:
        if not self._relayed:
            self.append(records)
            return
        for record in records:
            self._queued += 1
            self._queue[str(self._queued)] = record
