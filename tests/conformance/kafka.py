"""What the tests of Kafka share: names that no other test uses, topics, and a log that gives the suites their names."""

import itertools
import os
import time
from dataclasses import replace

from confluent_kafka.admin import AdminClient

from sightline.adapters.kafka.connection import Connection
from sightline.adapters.kafka.topics import TopicSettings, create, plan

_numbers = itertools.count()
PATIENT_S = 60.0
ALONE = TopicSettings(replication=1, min_insync=1)  # there is one broker


def unique(word: str = "t") -> str:
    """A name of a topic or a group that nobody used."""
    return f"{word}-{os.getpid()}-{next(_numbers)}"


def connection(bootstrap: str, **more) -> Connection:
    """One that is patient: machines are slow at times."""
    return Connection(bootstrap, **{"request_s": PATIENT_S, **more})


def make(bootstrap: str, topics: dict[str, int], *, reports: str = "") -> None:
    create(connection(bootstrap), plan(topics, ALONE, dead_letters=(), reports=reports))


def remove(bootstrap: str, *topics: str) -> None:
    """Returns when they are gone."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for answer in admin.delete_topics(list(topics)).values():
        answer.result(PATIENT_S)
    until(lambda: not set(topics) & set(admin.list_topics(timeout=PATIENT_S).topics))


def until(holds, seconds: float = 2 * PATIENT_S) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def all_of(log, topic, partition=0, step=7):
    """Every value, as a reader meets them."""
    at, head = log.head(topic, partition)
    values = []
    while at < head:
        entries = log.read(topic, partition, at, step)
        values += [entry.value for entry in entries]
        at = entries[-1].offset + 1 if entries else head
    return values


class Named:
    """A log whose topics have other names, so that each test has its own."""

    def __init__(self, log, prefix: str) -> None:
        self._log, self._prefix = log, prefix

    def append(self, records):
        self._log.append([replace(record, topic=self._prefix + record.topic) for record in records])

    def read(self, topic, partition, offset, limit):
        return self._log.read(self._prefix + topic, partition, offset, limit)

    def head(self, topic, partition):
        return self._log.head(self._prefix + topic, partition)

    def trim(self, topic, partition, before):
        self._log.trim(self._prefix + topic, partition, before)

    def wait(self, seen, limit_s):
        return self._log.wait(seen, limit_s)

    def identity(self, topic):
        return self._log.identity(self._prefix + topic)
