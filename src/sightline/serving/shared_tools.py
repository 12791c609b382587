"""What operators do to the stores that several services share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from sightline.serving.addresses import kafka_connection
from sightline.serving.backends import codecs_of, limits_of, shared_parts, topology_of
from sightline.settings import ServeOptions

if TYPE_CHECKING:
    from sightline.adapters.kafka.topics import Difference, Planned

__all__ = ["Behind", "check_topics", "create_topics", "lag"]


class Behind(NamedTuple):
    """How far a stage is in a partition: where it stands, and records that wait for it."""

    stage: str
    topic: str
    partition: int
    low_water: int
    records: int


def create_topics(options: ServeOptions, replication: int, min_insync: int | None) -> tuple[str, ...]:
    """Make the topics that are not there; their names.

    Raises:
        Misconfigured: no brokers are named.
        ServiceMisconfigured: they refuse it.
    """
    from sightline.adapters.kafka.topics import create  # late: an extra

    return create(kafka_connection(options, "sightline-topics"), _planned(options, replication, min_insync))


def check_topics(options: ServeOptions, replication: int, min_insync: int | None) -> tuple[Difference, ...]:
    """What of the topics is not as planned.

    Raises:
        Misconfigured: no brokers are named.
        ServiceMisconfigured: they refuse to say.
    """
    from sightline.adapters.kafka.topics import check  # late: an extra

    return check(kafka_connection(options, "sightline-topics"), _planned(options, replication, min_insync))


def lag(options: ServeOptions) -> Sequence[Behind]:
    """How far each stage is behind in each partition, in the order in which records pass them.

    Raises:
        Misconfigured: no database or no brokers are named.
        Unavailable: one does not answer.
    """
    with shared_parts(options, "sightline-lag") as (log, store):
        return [
            Behind(
                stage,
                topic,
                at.partition,
                at.low_water,
                max(0, log.head(topic, at.partition)[1] - at.low_water),
            )
            for stage, topic, _ in topology_of(options).reads()
            for at in store.positions(topic)
            if at.stage == stage
        ]


def _planned(options: ServeOptions, replication: int, min_insync: int | None) -> tuple[Planned, ...]:
    from sightline.adapters.kafka.topics import TopicSettings, plan  # late: an extra

    in_sync = max(1, replication - 1) if min_insync is None else min_insync
    topics = {topic: partitions for _, topic, partitions in topology_of(options).reads()}
    return plan(topics, TopicSettings(replication, in_sync), limits=limits_of(codecs_of(options)))
