"""Topics: planned as a value, made and compared by command, never by use."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from sightline.adapters.kafka.asking import Asker
from sightline.adapters.kafka.connection import Connection
from sightline.adapters.kafka.errors import Troubles
from sightline.adapters.kafka.sending import AROUND_BYTES
from sightline.adapters.kafka.vendor import (
    ConfigResource,
    KafkaError,
    KafkaException,
    NewTopic,
    ResourceType,
)
from sightline.errors import ServiceMisconfigured, Unavailable
from sightline.ports import Limits, usual

__all__ = ["Difference", "Planned", "TopicSettings", "check", "create", "plan"]

REPORTS = "sightline-reports"
DEAD = ".dlq"
LEADERS_S = 0.05  # between two questions whether a new topic has its leaders
_DAY_MS = 24 * 3600 * 1000
_BROKERS = 1024 * 1024 + 12  # bytes that brokers take, unless somebody has set less or more


@dataclass(frozen=True)
class TopicSettings:
    """How topics are made.

    Attributes:
        replication: copies of each partition. 1: a lost disk loses acknowledged records; for examples only.
        min_insync: copies that must have a record before it is acknowledged.
        retention_ms: how long records are kept; longer than the longest job, with the time that it may wait.
        dead_retention_ms: how long dead letters are kept.
        reports_ms: how long the counters of a process are kept after its last report.
        more: further settings of every topic, in Kafka's words; they win.
    """

    replication: int = 3
    min_insync: int = 2
    retention_ms: int = 7 * _DAY_MS
    dead_retention_ms: int = 30 * _DAY_MS
    reports_ms: int = _DAY_MS
    more: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        if not 1 <= self.min_insync <= self.replication:
            raise ServiceMisconfigured(
                f"Kafka: {self.min_insync} of {self.replication} copies cannot be in sync: min_insync is between 1 "
                "and replication",
                code="kafka_settings",
            )


@dataclass(frozen=True)
class Planned:
    """A topic as it should be; `config` in Kafka's words."""

    name: str
    partitions: int
    replication: int
    config: Mapping[str, str]


@dataclass(frozen=True)
class Difference:
    """What is not as planned.

    Attributes:
        topic: its name.
        what: `topic`, `partitions`, `replication`, or a setting in Kafka's words.
        planned, found: its value; found is empty where there is none.
    """

    topic: str
    what: str
    planned: str
    found: str


def plan(
    topics: Mapping[str, int],
    settings: TopicSettings = TopicSettings(),
    *,
    dead_letters: Iterable[str] | None = None,
    reports: str = REPORTS,
    limits: Limits = usual,
) -> tuple[Planned, ...]:
    """The topics of a deployment, sorted by name.

    Args:
        topics: partitions by name.
        settings: how they are made.
        dead_letters: topics whose dead letters are kept, each on `<topic>.dlq`; None: of all.
        reports: the topic where processes report their counters; empty for none.
        limits: bytes of a record, by topic.

    >>> [(each.name, each.partitions) for each in plan({"jobs": 1, "frames": 8}, dead_letters=["jobs"])]
    [('frames', 8), ('jobs', 1), ('jobs.dlq', 1), ('sightline-reports', 1)]
    """
    common = {
        "min.insync.replicas": str(settings.min_insync),
        "unclean.leader.election.enable": "false",
    }
    kept = {"cleanup.policy": "delete", "retention.bytes": "-1"}
    work = {**common, **kept, "retention.ms": str(settings.retention_ms)}
    dead = {**common, **kept, "retention.ms": str(settings.dead_retention_ms)}
    # The newest report of each process is enough; of one that is gone for long, none.
    newest = {**common, "cleanup.policy": "compact,delete", "retention.ms": str(settings.reports_ms)}
    wanted = {name: (count, work) for name, count in topics.items()}
    wanted |= {name + DEAD: (1, dead) for name in (topics if dead_letters is None else dead_letters)}
    wanted |= {reports: (1, newest)} if reports else {}
    # A record with what is written around it; a dead letter is as large as what it was.
    most = {name: min(limits(name.removesuffix(DEAD)) + 2 * AROUND_BYTES, _BROKERS) for name in wanted}
    return tuple(
        Planned(
            name,
            count,
            settings.replication,
            {**config, "max.message.bytes": str(most[name]), **settings.more},
        )
        for name, (count, config) in sorted(wanted.items())
    )


def create(connection: Connection, planned: Iterable[Planned]) -> tuple[str, ...]:
    """Make the topics that are not there; names of those that were made. What is there stays as it is: see `check`.

    Raises:
        ServiceMisconfigured: the brokers refuse it, as with more copies than brokers.
        Unavailable: perhaps some were made; repeat.
    """
    troubles = Troubles(connection)
    asker = Asker(connection, troubles)
    planned = tuple(planned)
    there = asker.topics(each.name for each in planned)
    missing = [each for each in planned if each.name not in there]
    if not missing:
        return ()
    answers = asker.admin.create_topics(
        [
            NewTopic(each.name, each.partitions, each.replication, config=dict(each.config))
            for each in missing
        ],
        request_timeout=connection.request_s,
        operation_timeout=connection.request_s,
    )
    made = tuple(each for each in missing if _made(asker, each.name, answers[each.name]))
    for each in made:
        _await(asker, each, connection.request_s)
    return tuple(each.name for each in made)


def check(connection: Connection, planned: Iterable[Planned]) -> tuple[Difference, ...]:
    """What differs from the plan, by topic and setting; nothing is changed.

    Raises:
        ServiceMisconfigured: the brokers refuse to say.
        Unavailable: repeat.
    """
    troubles = Troubles(connection)
    asker = Asker(connection, troubles)
    planned = tuple(planned)
    there = asker.topics(each.name for each in planned)
    resources = [ConfigResource(ResourceType.TOPIC, name) for name in there]
    described = (
        asker.admin.describe_configs(resources, request_timeout=connection.request_s) if resources else {}
    )
    configs = {
        resource.name: asker.answer(answer, f"asking for the settings of topic {resource.name}")
        for resource, answer in described.items()
    }
    found: list[Difference] = []
    for each in planned:
        topic = there.get(each.name)
        if topic is None:
            found.append(Difference(each.name, "topic", "there", ""))
            continue
        replicas = sorted({str(count) for count in topic.replicas.values()})
        values = {name: str(entry.value) for name, entry in configs[each.name].items()}
        pairs = [
            ("partitions", str(each.partitions), str(len(topic.leaders))),
            ("replication", str(each.replication), " ".join(replicas)),
            *((name, value, values.get(name, "")) for name, value in sorted(each.config.items())),
        ]
        found += [Difference(each.name, *pair) for pair in pairs if not _same(pair[1], pair[2])]
    return tuple(found)


def _same(planned: str, found: str) -> bool:
    """A list of values has no order."""
    return sorted(planned.split(",")) == sorted(found.split(","))


_REFUSED = frozenset(
    {
        KafkaError.INVALID_REPLICATION_FACTOR,
        KafkaError.INVALID_PARTITIONS,
        KafkaError.INVALID_CONFIG,
        KafkaError.TOPIC_EXCEPTION,
        KafkaError.POLICY_VIOLATION,
        KafkaError.INVALID_REQUEST,
    }
)


def _made(asker: Asker, name: str, answer: Any) -> bool:
    """Whether this call made a topic; another one may have been quicker."""
    try:
        asker.answer(answer, f"making topic {name}")
    except KafkaException as error:
        code = error.args[0].code()
        if code == KafkaError.TOPIC_ALREADY_EXISTS:
            return False
        if code in _REFUSED:
            raise ServiceMisconfigured(
                f"Kafka refuses topic {name}: {error.args[0].str()}", code="kafka_settings"
            ) from error
        raise
    return True


def _await(asker: Asker, planned: Planned, limit_s: float) -> None:
    """A topic is there when the leader of each partition answers for it."""
    until = time.monotonic() + limit_s
    for partition in range(planned.partitions):
        while True:
            try:
                asker.look(planned.name, partition)
                break
            except (Unavailable, ServiceMisconfigured):
                if time.monotonic() > until:
                    raise
                time.sleep(LEADERS_S)
