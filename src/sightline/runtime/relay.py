"""The relay: committed records from the outbox to the log; sent again when the acknowledgement got lost."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from sightline.errors import NotFound
from sightline.jobs.topology import JOB_TOPIC
from sightline.ports import EventLog, Jobs, Members, Outbox
from sightline.runtime.owning import Ownership

__all__ = ["Relay", "relay"]


def relay(
    outbox: Outbox,
    log: EventLog,
    owner: str = "relay",
    limit: int = 200,
    sent: Callable[[str, str], None] = lambda topic, key: None,
) -> int:
    """Send the oldest records, in order, and forget them after the log's acknowledgement; how many.

    Args:
        outbox, log: from, to.
        owner: name of this relay among those that share the outbox.
        limit: records at once.
        sent: hears topic and key of each record that the log has acknowledged, before it is forgotten.

    Raises:
        Unavailable: nothing is forgotten; repeat.
    """
    waiting = outbox.pending(owner, limit)
    if not waiting:
        return 0
    log.append([queued.record for queued in waiting])
    for queued in waiting:
        sent(queued.record.topic, queued.record.key)
    outbox.sent([queued.queue_id for queued in waiting])
    return len(waiting)


class Relay:
    """The relays of this process: one for each partition of job events that it owns.

    Relays share an outbox by name. Named by partitions, whoever owns one next holds what its last owner held, even if that
    was killed.

    Args:
        outbox, log, jobs: ports.
        topic, partitions: of job events.
        members: who owns the partitions; None where nobody else relays.
        limit: records at once.
    """

    def __init__(
        self,
        outbox: Outbox,
        log: EventLog,
        jobs: Jobs,
        *,
        topic: str = JOB_TOPIC,
        partitions: int = 1,
        members: Members | None = None,
        limit: int = 200,
    ) -> None:
        self._outbox, self._log, self._jobs, self._topic, self._limit = outbox, log, jobs, topic, limit
        self._owner = Ownership("relay", topic, range(partitions), members)
        self._turn = 0

    def step(self) -> int:
        """Send what waits; how many records.

        Raises:
            Unavailable: repeat.
        """
        named = sorted(self._owner.named())
        if not named:
            return 0
        # Any owner is given whatever waits, so the first one asks. In the name of the others somebody may hold records: their
        # last owner, or one that stood still and came late. They are asked in turn, for as long as they are owned.
        first, *others = named
        self._turn += 1
        turn = others[self._turn % len(others)] if others else first
        return sum(self._relayed(each) for each in dict.fromkeys((first, turn)))

    def _relayed(self, partition: int) -> int:
        return relay(self._outbox, self._log, _name(partition), self._limit, self._sent)

    def release(self) -> None:
        """Let others send what is held, as at a stop."""
        for partition in sorted(self._owner.named()):
            self._outbox.give_back(_name(partition))

    def _sent(self, topic: str, key: str) -> None:
        """A job is `sent` once the log has its event."""
        if topic == self._topic:
            with suppress(NotFound):  # it was removed meanwhile
                self._jobs.advance(key, "sent")


def _name(partition: int) -> str:
    return f"relay-{partition}"
