"""Reading: taking a partition, and what its owner reads, or the news that it is no longer the owner."""

from __future__ import annotations

from sightline.errors import Corrupt, Fenced
from sightline.ports import Entry, EventLog, Ledger, Position

__all__ = ["claim", "read_owned"]


def claim(log: EventLog, ledger: Ledger, stage: str, topic: str, partition: int) -> Position:
    """Take a partition of the log as it is now; a first claim begins with what the log still keeps.

    Raises:
        Corrupt: the position belongs to a topic that was removed and made again.
    """
    return ledger.claim(stage, topic, partition, log.head(topic, partition)[0], log.identity(topic))


def read_owned(log: EventLog, ledger: Ledger, at: Position, offset: int, limit: int) -> list[Entry]:
    """Read as the owner of a position.

    A stale owner may ask for records that its successor has released and retention forgot: that is no damage.

    Raises:
        Fenced: another owner moved on.
        Corrupt: records are gone that this owner has not released.
    """
    try:
        return log.read(at.topic, at.partition, offset, limit)
    except Corrupt as error:
        for position in ledger.positions(at.topic):
            if (position.stage, position.partition) == (
                at.stage,
                at.partition,
            ) and position.epoch != at.epoch:
                raise Fenced(
                    f"{at.stage} on {at.topic}/{at.partition}: epoch {position.epoch}, mine {at.epoch}"
                ) from error
        raise
