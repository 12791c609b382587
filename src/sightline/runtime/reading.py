"""Reading: what an owner of a partition reads, or the news that it is no longer the owner."""

from __future__ import annotations

from sightline.errors import Corrupt, Fenced
from sightline.ports import Entry, EventLog, Ledger, Position

__all__ = ["read_owned"]


def read_owned(
    log: EventLog, ledger: Ledger, at: Position, offset: int, limit: int, wait_s: float = 0.0
) -> list[Entry]:
    """Read as the owner of a position.

    A stale owner may ask for records that its successor has released and retention forgot: that is no damage.

    Raises:
        Fenced: another owner moved on.
        Corrupt: records are gone that this owner has not released.
    """
    try:
        return log.read(at.topic, at.partition, offset, limit, wait_s)
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
