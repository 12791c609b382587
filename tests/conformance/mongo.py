"""Two databases of its own for each test, on the real server; and a log beside them, which they have not.

With MONGODB_URI set, the server is the one there: its databases `t...` are made and dropped.
"""

import itertools
import os
from contextlib import contextmanager
from dataclasses import dataclass

import pymongo
import pytest

from sightline.adapters.mongo.store import MongoStore
from sightline.adapters.mongo.versions import migrate
from sightline.ports import Outgoing
from sightline.runtime.relay import relay
from sightline.testing import MemoryStore

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Place:
    """Databases of a test."""

    uri: str
    database: str
    runner: str

    def options(self) -> dict[str, str]:
        return {"database": self.database, "runner_database": self.runner}

    def open(self, kind=MongoStore, **options):
        return kind(self.uri, **self.options(), **options)

    def migrate(self) -> tuple[int, int]:
        return migrate(self.uri, **self.options())

    @contextmanager
    def raw(self):
        """The main database by a client that knows nothing of ours."""
        with pymongo.MongoClient(self.uri) as client:
            yield client[self.database]


class Whole(MongoStore):
    """Outputs are read as if they had been relayed at once."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self._log = MemoryStore()

    def read(self, topic: str, partition: int, offset: int, limit: int):
        while relay(self, self._log):
            pass
        return self._log.read(topic, partition, offset, limit)


class Relayed(Whole):
    """Outputs wait."""

    def read(self, topic, partition, offset, limit):
        return self._log.read(topic, partition, offset, limit)


def uri_of(server) -> str:
    return os.environ.get("MONGODB_URI") or server("mongo")["url"]


@contextmanager
def databases(uri: str):
    """Two new databases, not yet migrated; dropped afterwards."""
    name = f"t{os.getpid()}_{next(_numbers)}"
    place = Place(uri, f"{name}_main", f"{name}_runner")
    try:
        yield place
    finally:
        with pymongo.MongoClient(uri) as client:
            client.drop_database(place.database)
            client.drop_database(place.runner)


def only_ours() -> None:
    """Skip where the server is not ours to kill."""
    if os.environ.get("MONGODB_URI"):
        pytest.skip("kills the server: not the one at MONGODB_URI")


def out(value: bytes, key: str = "j1") -> Outgoing:
    return Outgoing("out", 1, key, value, (("h", "v"),))
