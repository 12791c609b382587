"""What operators do to the stores that several services share."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from sightline.serving.backends import (
    check_database,
    documents_of,
    kafka_connection,
    postgres_address,
    topology_of,
)
from sightline.settings import ServeOptions

if TYPE_CHECKING:
    from sightline.adapters.kafka.topics import Difference, Planned

__all__ = ["Behind", "check_topics", "create_topics", "lag", "migrate"]


class Behind(NamedTuple):
    """How far a stage is in a partition: where it stands, and records that wait for it."""

    stage: str
    topic: str
    partition: int
    low_water: int
    records: int


def migrate(options: ServeOptions) -> tuple[int, int]:
    """Bring tables up to this release; their version before and after, 0 where there were none.

    Raises:
        Misconfigured: no database is chosen.
        ServiceMisconfigured: it refuses us, or its tables are another program's or a newer release's.
    """
    check_database(options)
    if options.ledger == "mongo":
        from sightline.adapters.mongo.versions import migrate as lead  # late: an extra

        return lead(
            os.environ["MONGO_URI"],
            options.mongo_database,
            runner_uri=os.environ.get("RUNNER_MONGO_URI") or None,
            runner_database=options.runner_database,
        )
    from sightline.adapters.postgres.versions import migrate as run  # late: an extra

    return run(postgres_address(options), options.postgres_schema)


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
    from sightline.adapters.kafka.log import KafkaLog  # late: an extra

    connection = kafka_connection(options, "sightline-lag")
    with (
        closing(documents_of(options)) as store,
        closing(KafkaLog(connection)) as log,
    ):
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
    return plan(topics, TopicSettings(replication, in_sync))
