"""The event log on Kafka: a topic of ours is a topic there, a partition a partition, an offset an offset.

Records go to the partition that is named, never by a partitioner, whose rules differ between clients. Reading knows no
consumer group: positions live in the ledger. Where transactions of others are open, what lies behind them is not read yet.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sightline.adapters.kafka.asking import Asker
from sightline.adapters.kafka.connection import Connection
from sightline.adapters.kafka.errors import Troubles, no_topic
from sightline.adapters.kafka.reading import Reading
from sightline.adapters.kafka.sending import Sender, check_fits
from sightline.adapters.kafka.vendor import Producer, TopicPartition
from sightline.ports import Entry, Limits, Outgoing, usual

__all__ = ["KafkaLog"]


class KafkaLog:
    """`EventLog` over the brokers of a connection. Topics are made by command (`topics`), never by use.

    Args:
        connection: where the brokers are.
        deletes: `trim` removes records. False: it does nothing, as others read the topics too and retention forgets.
        settles: a read waits for all that was there when it was asked for. False: it gives what has come, and `wait` rises
            with what comes next; for workers, which are woken.
        limits: bytes of a record, by topic.
        delivery_s: seconds after which an append that is not acknowledged is `Unavailable`.
        make_producer: makes a producer of its settings.

    Raises:
        ServiceMisconfigured: the client refuses the connection; also by every method, with what to do, where the login or the
            name of the host is refused or a topic was never made (codes `kafka_access`, `kafka_host`, `no_topic`).
    """

    def __init__(
        self,
        connection: Connection,
        *,
        deletes: bool = False,
        settles: bool = True,
        limits: Limits = usual,
        delivery_s: float = 120.0,
        make_producer: Callable[[dict[str, Any]], Any] = Producer,
    ) -> None:
        troubles = Troubles(connection)
        self._connection, self._deletes, self._limits = connection, deletes, limits
        self._asker = Asker(connection, troubles)
        self._sender = Sender(troubles, delivery_s=delivery_s, make=make_producer)
        self._reading = Reading(connection, self._asker, troubles, settles=settles)
        self._known: dict[str, int] = {}

    def append(self, records: Sequence[Outgoing]) -> None:
        """See `EventLog`; acknowledged by all replicas that are in sync."""
        check_fits(records, self._limits)
        if not records:
            return
        places = dict.fromkeys((record.topic, record.partition) for record in records)
        for topic, partition in places:
            self._check_made(topic, partition)
        try:
            self._sender.send(records)
        finally:
            self._reading.ring(places)

    def read(self, topic: str, partition: int, offset: int, limit: int) -> list[Entry]:
        """See `EventLog`. A topic that was made again is found within a second of reading on."""
        return self._reading.read((topic, partition), offset, limit)

    def head(self, topic: str, partition: int) -> tuple[int, int]:
        """See `EventLog`; behind the last record that no open transaction of others holds back."""
        look = self._asker.look(topic, partition)
        return look.kept, look.following

    def trim(self, topic: str, partition: int, before: int) -> None:
        """See `EventLog`; forgets nothing unless the log `deletes`."""
        if not self._deletes:
            return
        at = TopicPartition(topic, partition, before)
        (answer,) = self._asker.admin.delete_records(
            [at], request_timeout=self._connection.request_s
        ).values()
        self._asker.answer(answer, f"deleting records of {topic}/{partition} below {before}")

    def wait(self, seen: int, limit_s: float) -> int:
        """See `EventLog`; of what other processes write it hears on partitions that were read here."""
        return self._reading.wait(seen, limit_s)

    def identity(self, topic: str) -> str:
        """See `EventLog`: the id that the brokers gave the topic when it was made."""
        return self._asker.topic(topic).identity

    def close(self) -> None:
        """End the clients; the log cannot be used afterwards."""
        self._reading.close()
        self._sender.close()

    def _check_made(self, topic: str, partition: int) -> None:
        """Refuse a partition that nobody made at once: the client would look for it for half a minute."""
        if not 0 <= partition < self._known.get(topic, 0):
            self._known[topic] = len(self._asker.topic(topic).leaders)
        if not 0 <= partition < self._known[topic]:
            raise no_topic(topic, partition)
