"""A schema of its own for each test, on the real server; and a log beside it, which it has not."""

import itertools
import os
from contextlib import contextmanager

import psycopg

from sightline.adapters.postgres.store import PostgresStore
from sightline.adapters.postgres.versions import migrate
from sightline.ports import Outgoing
from sightline.runtime.relay import relay
from sightline.testing import MemoryStore

_numbers = itertools.count(1)


class Whole(PostgresStore):
    """Outputs are read as if they had been relayed at once."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self._log = MemoryStore()

    def read(self, topic: str, partition: int, offset: int, limit: int):
        while relay(self, self._log):
            pass
        return self._log.read(topic, partition, offset, limit)


@contextmanager
def schema(url: str):
    """The name of a new schema with our tables; dropped afterwards."""
    name = f"t{os.getpid()}_{next(_numbers)}"
    migrate(url, name)
    try:
        yield name
    finally:
        run(url, f"DROP SCHEMA {name} CASCADE")


def run(url: str, query: str, given=None):
    """What a statement gives, on a connection that knows nothing of our settings."""
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(query, given)
        return cursor.fetchall() if cursor.description else []


def out(value: bytes, key: str = "j1") -> Outgoing:
    return Outgoing("out", 1, key, value, (("h", "v"),))
