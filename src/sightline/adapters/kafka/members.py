"""Members over consumer groups: a group for each role, or for some of its topics, says who owns which partition.

One thread asks for news of all groups, five times a second at the least; what a group takes away is gone from `owned` at
once. The consumers read nothing: their partitions are paused from the first moment, as positions live in the ledger and
records are read by `KafkaLog`. So nothing is committed to the group either.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sightline.adapters.kafka.asking import Asker
from sightline.adapters.kafka.connection import Connection
from sightline.adapters.kafka.errors import Troubles, no_topic
from sightline.adapters.kafka.log import KafkaLog
from sightline.adapters.kafka.reports import Reports
from sightline.adapters.kafka.topics import REPORTS
from sightline.adapters.kafka.vendor import Consumer, KafkaError, KafkaException, TopicPartition
from sightline.errors import ServiceMisconfigured
from sightline.ports import Owned

__all__ = ["KafkaMembers"]

POLL_S = 0.05
SESSION_S = 10.0
_CLOCK = getattr(
    time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC
)  # runs on while a machine sleeps, if there is one


@dataclass(slots=True)
class _Role:
    """A role that this process takes part in, or the part of it that has a group of its own."""

    name: str
    group: str
    topics: dict[str, int]
    consumer: Any = None


class KafkaMembers:
    """`Members` of one process.

    Args:
        connection: where the brokers are; its `client` is the name of this process in reports, and no other's.
        groups: name of the consumer group by role, such as `{"track": "car-tracker-group"}`, or by role and topic, such as
            `{"track detections-cars": "car-tracker-group"}`.
        log: where counters are reported; None makes one, which `leave` does not end and `close` does.
        reports: topic of the counters.
        session_s: seconds without a sign of life after which the group gives partitions to others.

    Raises:
        ServiceMisconfigured: from any method: a topic was never made or has too few partitions, a role has no group, the
            login is refused.
    """

    def __init__(
        self,
        connection: Connection,
        groups: Mapping[str, str],
        *,
        log: KafkaLog | None = None,
        reports: str = REPORTS,
        session_s: float = SESSION_S,
    ) -> None:
        self._connection, self._groups, self._session_s = connection, dict(groups), session_s
        self._troubles = Troubles(connection)
        self._asker = Asker(connection, self._troubles)
        said_on = log or KafkaLog(connection)
        self._own_log = None if log else said_on
        self._reports = Reports(said_on, reports, connection.client)
        self._lock = threading.RLock()
        self._roles: dict[tuple[str, str], _Role] = {}
        self._owned: frozenset[Owned] = frozenset()
        self._polled = time.clock_gettime(_CLOCK)
        self._reported = False
        self._error: BaseException | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def join(self, role: str, topics: Mapping[str, int]) -> None:
        """See `Members`."""
        by_group: dict[str, dict[str, int]] = {}
        for topic, partitions in topics.items():
            by_group.setdefault(self._group(role, topic), {})[topic] = partitions
            there = len(self._asker.topic(topic).leaders)
            if there < partitions:
                raise no_topic(topic, there)
        with self._lock:
            for group, mine in by_group.items():
                self._take_part(role, group, mine)
            if self._thread is None:
                self._stop.clear()
                self._polled = time.clock_gettime(_CLOCK)
                self._thread = threading.Thread(target=self._run, name="kafka-members", daemon=True)
                self._thread.start()

    def owned(self) -> frozenset[Owned]:
        """See `Members`. Who was not heard of for a session, as it stood still, owns nothing until it is named anew."""
        if self._error is not None:
            raise self._error
        if time.clock_gettime(_CLOCK) - self._polled > self._session_s:
            return frozenset()
        return self._owned

    def report(self, counters: Mapping[str, int]) -> None:
        """See `Members`; a record on the topic of the reports.

        Raises:
            Unavailable: repeat.
        """
        self._reported = True
        self._reports.write(counters)

    def reports(self) -> Mapping[str, Mapping[str, int]]:
        """See `Members`; of those that are in one of the groups now.

        Raises:
            Unavailable: repeat.
        """
        with self._lock:
            groups = sorted({role.group for role in self._roles.values()})
        if not groups:
            return {}
        said, alive = self._reports.read(), self._alive(groups)
        return {name: counters for name, counters in sorted(said.items()) if name in alive}

    def rejoin(self, role: str) -> None:
        """Give up what is owned of a role and be named anew: for who is named, and fenced by a stale owner."""
        with self._lock:
            for each in self._roles.values():
                if each.name == role:
                    self._rejoin(each)

    def leave(self) -> None:
        """See `Members`; those that stay hear of it at once."""
        self._owned = frozenset()
        thread, self._thread = self._thread, None
        if thread is not None:
            self._stop.set()
            thread.join()
        with self._lock:
            roles, self._roles = self._roles, {}
            for role in roles.values():
                role.consumer.close()
            self._owned = frozenset()
        if self._reported:
            self._reports.write(None)
            self._reported = False

    def close(self) -> None:
        """Leave, and end the clients."""
        self.leave()
        if self._own_log is not None:
            self._own_log.close()

    def _group(self, role: str, topic: str) -> str:
        group = self._groups.get(f"{role} {topic}") or self._groups.get(role)
        if not group:
            known = ", ".join(sorted(self._groups)) or "none"
            raise ServiceMisconfigured(
                f"Kafka: role {role} has no consumer group for {topic}; those that have one: {known}",
                code="kafka_settings",
            )
        return group

    def _take_part(self, role: str, group: str, topics: dict[str, int]) -> None:
        before = self._roles.get((role, group))
        if before is not None and before.topics == topics:
            return
        if before is None:
            before = self._roles[role, group] = _Role(role, group, {})
            before.consumer = self._troubles.made(Consumer, self._settings(group))
        before.topics = topics
        self._subscribe(before)

    # --- the thread

    def _run(self) -> None:
        try:
            while not self._stop.wait(POLL_S):
                with self._lock:
                    now = time.clock_gettime(_CLOCK)
                    if now - self._polled > self._session_s:
                        # Stopped for so long that others own what was ours; the broker may say so too late.
                        for role in self._roles.values():
                            self._rejoin(role)
                    for role in self._roles.values():
                        self._poll(role)
                    self._polled = now
        except BaseException as error:  # `owned` raises it
            self._owned, self._error = frozenset(), error

    def _poll(self, role: _Role) -> None:
        """Hear what the group says; records of a moment before the pause are nobody's."""
        message = role.consumer.poll(0)
        error = None if message is None else message.error()
        if error is not None:
            ours = self._troubles.meaning(error, f"taking part in group {role.group}")
            if isinstance(ours, ServiceMisconfigured):
                raise ours
            if ours is None:
                raise KafkaException(error)

    def _subscribe(self, role: _Role) -> None:
        role.consumer.subscribe(
            sorted(role.topics),
            on_assign=lambda _, parts: self._named(role, parts),
            on_revoke=lambda _, parts: self._unnamed(role, parts),
            on_lost=lambda _, parts: self._unnamed(role, parts),
        )

    def _rejoin(self, role: _Role) -> None:
        self._owned = frozenset(
            each for each in self._owned if each.role != role.name or each.topic not in role.topics
        )
        role.consumer.unsubscribe()
        self._subscribe(role)

    def _named(self, role: _Role, parts: list[Any]) -> None:
        """The group gives partitions; from offset 0, so that nobody asks for a committed one, and paused."""
        places = [TopicPartition(part.topic, part.partition, 0) for part in parts]
        role.consumer.incremental_assign(places)
        role.consumer.pause(places)
        mine = {
            Owned(role.name, part.topic, part.partition)
            for part in parts
            if part.partition < role.topics.get(part.topic, 0)
        }
        self._owned = self._owned | mine

    def _unnamed(self, role: _Role, parts: list[Any]) -> None:
        """The group takes partitions, or has given them away already."""
        self._owned = self._owned - {Owned(role.name, part.topic, part.partition) for part in parts}
        role.consumer.incremental_unassign(parts)

    def _settings(self, group: str) -> dict[str, Any]:
        return {
            "group.id": group,
            "group.protocol": "classic",
            "partition.assignment.strategy": "cooperative-sticky",
            "session.timeout.ms": int(self._session_s * 1000),
            "heartbeat.interval.ms": int(min(3.0, self._session_s / 4) * 1000),
            "max.poll.interval.ms": 300_000,
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "error",
            "queued.max.messages.kbytes": 64,
        }

    def _alive(self, groups: list[str]) -> set[str]:
        """Names of the processes that are in the groups."""
        answers = self._asker.admin.describe_consumer_groups(
            groups, request_timeout=self._connection.request_s
        )
        alive: set[str] = set()
        for name, each in answers.items():
            try:
                described = self._asker.answer(each, f"asking for group {name}")
            except KafkaException as error:
                if error.args[0].code() == KafkaError.GROUP_ID_NOT_FOUND:  # nobody has joined it yet
                    continue
                raise
            alive |= {member.client_id for member in described.members}
        return alive
