"""Questions to the brokers: where a partition begins and ends, and which topic it belongs to."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from sightline.adapters.kafka.connection import Connection
from sightline.adapters.kafka.errors import Troubles, no_topic
from sightline.adapters.kafka.vendor import (
    AdminClient,
    IsolationLevel,
    KafkaError,
    KafkaException,
    OffsetSpec,
    TopicCollection,
    TopicPartition,
)
from sightline.errors import ServiceMisconfigured, Unavailable

__all__ = ["Asker", "Look", "Topic"]

T = TypeVar("T")
_NO_ID = "A" * 22  # sixteen zero bytes: the broker knows no ids
_TWICE_S = 0.5  # after which a broker that has just come up has heard of a topic, and a client of new leaders
_MOVED = frozenset(
    {
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.UNKNOWN_LEADER_EPOCH,
        KafkaError.FENCED_LEADER_EPOCH,
    }
)


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as the brokers know it.

    Attributes:
        identity: the topic's id: one that was removed and made again has another.
        leaders: whether each partition has a leader now, by number.
        replicas: copies of each partition, by number.
    """

    identity: str
    leaders: Mapping[int, bool]
    replicas: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Look:
    """A partition at one moment: lowest offset kept, the one behind the last record, and whose they are."""

    kept: int
    following: int
    identity: str


class Asker:
    """Asks the brokers, each time anew; safe for threads.

    Args:
        connection: to whom.
        troubles: hears what the client complains about.
    """

    def __init__(self, connection: Connection, troubles: Troubles) -> None:
        self._connection, self._troubles = connection, troubles
        self.admin: Any = troubles.made(AdminClient, {})

    def look(self, topic: str, partition: int) -> Look:
        """A partition now.

        Raises:
            ServiceMisconfigured: it was never made.
            Unavailable: repeat.
        """
        try:
            return self._look_once(topic, partition)
        except Unavailable as error:
            if not _moved(error):
                raise
        # A client hears of a leader's new term by asking in the old one: once for every topic, when a broker is back.
        time.sleep(_TWICE_S)
        return self._look_once(topic, partition)

    def _look_once(self, topic: str, partition: int) -> Look:
        offsets = self._offsets([(topic, partition)])[topic, partition]
        found = self.topic(topic)
        if partition not in found.leaders:
            raise no_topic(topic, partition)
        if not found.leaders[partition]:
            raise Unavailable(
                f"{topic}/{partition} has no leader now (brokers {self._connection.bootstrap})",
                code="kafka_down",
            )
        return self._look(topic, partition, offsets, found.identity)

    def looks(self, places: Sequence[tuple[str, int]]) -> dict[tuple[str, int], Look]:
        """Partitions now, in as many requests as for one; those of which the brokers said it.

        Raises:
            Unavailable: repeat.
        """
        if not places:
            return {}
        offsets = self._offsets(places)
        found = self.topics(topic for topic, _ in places)
        seen: dict[tuple[str, int], Look] = {}
        for topic, partition in places:
            if topic in found and found[topic].leaders.get(partition, False):
                with suppress(
                    Unavailable, ServiceMisconfigured, KafkaException
                ):  # asked for alone, it says why
                    seen[topic, partition] = self._look(
                        topic, partition, offsets[topic, partition], found[topic].identity
                    )
        return seen

    def _look(self, topic: str, partition: int, offsets: Sequence[Future[Any]], identity: str) -> Look:
        doing = f"asking for the offsets of {topic}/{partition}"
        kept, following = (int(self.answer(each, doing).offset) for each in offsets)
        return Look(kept, following, identity)

    def topic(self, name: str) -> Topic:
        """A topic now.

        Raises:
            ServiceMisconfigured: it was never made, or the broker gives topics no ids.
            Unavailable: repeat.
        """
        found = self.topics([name])
        if name not in found:
            time.sleep(_TWICE_S)
            found = self.topics([name])
        if name not in found:
            raise no_topic(name)
        return found[name]

    def topics(self, names: Iterable[str]) -> dict[str, Topic]:
        """Those of the topics that are there."""
        asked = list(dict.fromkeys(names))
        if not asked:
            return {}
        answers = self.admin.describe_topics(
            TopicCollection(asked), request_timeout=self._connection.request_s
        )
        found = {}
        for name, future in answers.items():
            try:
                described = self.answer(future, f"asking for topic {name}", missing=True)
            except KeyError:
                continue
            identity = str(described.topic_id)
            if identity == _NO_ID:
                raise ServiceMisconfigured(
                    f"{self._connection.bootstrap} gives topics no ids, so a topic that is removed and made again "
                    "could not be told from the one before: Kafka 2.8 or newer is needed",
                    code="kafka_settings",
                )
            parts = described.partitions
            leaders = {part.id: part.leader is not None and part.leader.id >= 0 for part in parts}
            found[name] = Topic(identity, leaders, {part.id: len(part.replicas) for part in parts})
        return found

    def answer(self, future: Future[T], doing: str, *, missing: bool = False) -> T:
        """What a future of the client holds.

        Args:
            future: of a call of `admin`.
            doing: for the error.
            missing: a topic that is not there is a `KeyError`, not an error for the user.
        """
        with self._troubles.translated(doing, lambda: self.admin.poll(0)):
            try:
                return future.result(self._connection.request_s + 5)
            except KafkaException as error:
                if missing and error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                    raise KeyError(doing) from error
                raise
            except FutureTimeout:
                raise Unavailable(
                    f"{doing}: no answer from {self._connection.bootstrap}", code="kafka_down"
                ) from None

    def _offsets(self, places: Sequence[tuple[str, int]]) -> dict[tuple[str, int], list[Future[Any]]]:
        """The lowest of each, and up to the last record of which it is settled that it stays: transactions of others may
        still be open.
        """
        found: dict[tuple[str, int], list[Future[Any]]] = {place: [] for place in places}
        for spec in (OffsetSpec.earliest(), OffsetSpec.latest()):
            answers = self.admin.list_offsets(
                {TopicPartition(*place): spec for place in places},
                isolation_level=IsolationLevel.READ_COMMITTED,
                request_timeout=self._connection.request_s,
            )
            for at, answer in answers.items():
                found[at.topic, at.partition].append(answer)
        return found


def _moved(error: Unavailable) -> bool:
    """Whether somebody was asked who leads the partition no more, or not as before."""
    said = error.__context__  # of the client, whose text is in ours
    return isinstance(said, KafkaException) and said.args[0].code() in _MOVED
