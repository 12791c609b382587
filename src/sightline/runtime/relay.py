"""The relay: committed records from the outbox to the log; sent again when the acknowledgement got lost."""

from __future__ import annotations

from sightline.ports import EventLog, Outbox

__all__ = ["relay"]


def relay(outbox: Outbox, log: EventLog, owner: str = "relay", limit: int = 200) -> int:
    """Send the oldest records, in order, and forget them after the log's acknowledgement; how many.

    Args:
        outbox, log: from, to.
        owner: name of this relay among those that share the outbox.
        limit: records at once.

    Raises:
        Unavailable: nothing is forgotten; repeat.
    """
    waiting = outbox.pending(owner, limit)
    log.append([queued.record for queued in waiting])
    outbox.sent([queued.queue_id for queued in waiting])
    return len(waiting)
