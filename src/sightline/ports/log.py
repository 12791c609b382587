"""Partitioned records in the order in which they were written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from sightline.errors import TooLarge
from sightline.events import MAX_BYTES

__all__ = ["Entry", "EventLog", "Limits", "Outgoing", "check_sizes", "usual"]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A record on its way to the log."""

    topic: str
    partition: int
    key: str
    value: bytes
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """A record as the log holds it; offsets of a partition rise, not always by one."""

    offset: int
    key: str
    value: bytes
    headers: tuple[tuple[str, str], ...] = ()


class EventLog(Protocol):
    """Partitioned, append-only records. Order holds within a partition.

    A log may leave holes between offsets: whoever reads on does so at `entry.offset + 1` of the last entry, never at
    a sum of lengths.
    """

    def append(self, records: Sequence[Outgoing]) -> None:
        """Append, in order within each partition; durable on return. No records: nothing happens.

        Raises:
            TooLarge: a record is over the log's limit; nothing was appended.
            Unavailable: perhaps some were appended; repeat all of them, readers drop what comes twice.
        """

    def read(self, topic: str, partition: int, offset: int, limit: int) -> list[Entry]:
        """Up to `limit` entries from `offset` on, in order, at once; in a hole, from the next entry on.

        Raises:
            Corrupt: `offset` is below what is kept or above the head (code `log_gap`): records are gone, or the log
                is another one.
            Unavailable: repeat.
        """

    def head(self, topic: str, partition: int) -> tuple[int, int]:
        """Lowest offset still kept, and the one behind the last entry; (0, 0) where nothing was written."""

    def trim(self, topic: str, partition: int, before: int) -> None:
        """Allow the log to forget entries below `before`. Repeating is harmless; offsets never change."""

    def wait(self, seen: int, limit_s: float) -> int:
        """A number that rises whenever records may have been appended, to any topic, by any process.

        Returns at once where it is above `seen` already, else when it rises, or after `limit_s` seconds. It may rise
        though nothing was appended, and says nothing to another process. Ask for it, read all there is, then wait for
        more than was asked: nothing that comes in between is missed. The first call is `wait(0, 0.0)`, whose answer
        is above 0.

        Raises:
            Unavailable: repeat.
        """

    def identity(self, topic: str) -> str:
        """Text that names the topic as it was created: one that was removed and made again has another.

        Positions belong to it; see `Ledger.claim`. A topic that nobody wrote to has one too.
        """


Limits = Callable[[str], int]
"""Bytes that a record may have, by topic."""


def usual(topic: str) -> int:
    """Bytes of a record on any topic but those that take more."""
    return MAX_BYTES


def check_sizes(records: Iterable[Outgoing], limits: Limits = usual) -> None:
    """Refuse records that their topic does not take, for logs and outboxes.

    Raises:
        TooLarge: a value has more bytes.
    """
    for record in records:
        if len(record.value) > (limit := limits(record.topic)):
            raise TooLarge(f"record of {len(record.value)} bytes on {record.topic}, limit {limit}")
