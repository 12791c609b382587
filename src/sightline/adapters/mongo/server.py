"""The collections of both databases, over one long-lived client each. Every call has an end.

What is written is acknowledged by a majority and journaled, what is read was: an answer survives the end of any one server. No
transactions: each write changes one document, and what has to be written together is one.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

import pymongo
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from sightline.adapters.mongo.address import MAIN, RUNNER, Address
from sightline.adapters.mongo.errors import translated

__all__ = ["ANSWER_S", "Document", "Documents", "Server", "insert_new", "nonce"]

ANSWER_S = 45.0  # beyond it a call is given up
Document = dict[str, Any]
Documents = Collection[Document]


class Server:
    """The databases of one installation.

    Attributes:
        name: hosts and main database, for messages.
        jobs: `outbox`, which others read: the job, and its events until they are sent.
        predictions: `runner_predictions`, which others read: a view of jobs that were begun.
        commits, parts, folds, positions: the ledger; see `commits`.
        gone, holds, counters, notes, about: removed ids, keys that relays hold, numbers, notes, the version.

    Args:
        main, runner: where the two databases are.
        answer_s: seconds after which a call without an answer is given up.
    """

    def __init__(self, main: Address, runner: Address, *, answer_s: float = ANSWER_S) -> None:
        self.name = main.name
        with translated(main.name):
            self._clients = [_client(main, answer_s)]
        if runner.uri != main.uri:
            with translated(runner.name):
                self._clients.append(_client(runner, answer_s))
        ours = self._clients[0][main.database]
        self.jobs: Documents = ours["outbox"]
        self.commits: Documents = ours["sightline_commits"]
        self.parts: Documents = ours["sightline_parts"]
        self.folds: Documents = ours["sightline_folds"]
        self.positions: Documents = ours["sightline_positions"]
        self.gone: Documents = ours["sightline_gone"]
        self.holds: Documents = ours["sightline_holds"]
        self.counters: Documents = ours["sightline_counters"]
        self.notes: Documents = ours["sightline_notes"]
        self.about: Documents = ours["sightline"]
        self.predictions: Documents = self._clients[-1][runner.database]["runner_predictions"]

    @classmethod
    def at(
        cls,
        uri: str,
        database: str = MAIN,
        *,
        runner_uri: str | None = None,
        runner_database: str = RUNNER,
        answer_s: float = ANSWER_S,
    ) -> Server:
        """The databases at these addresses; without `runner_uri` both are on one server.

        Raises:
            ServiceMisconfigured: an address cannot be read.
        """
        main = Address.of(uri, database)
        return cls(main, Address.of(runner_uri or uri, runner_database), answer_s=answer_s)

    def next(self, counter: str) -> int:
        """The next number of a counter, which nobody else gets."""
        found = self.counters.find_one_and_update(
            {"_id": counter}, {"$inc": {"n": 1}}, return_document=pymongo.ReturnDocument.AFTER
        )
        if found is None:
            raise RuntimeError(f"counter {counter} is made by migrate")
        return int(found["n"])

    def count(self, counter: str) -> int:
        """The last number that a counter gave."""
        found = self.counters.find_one({"_id": counter})
        return int(found["n"]) if found else 0

    def close(self) -> None:
        """Close all connections. Repeating is harmless."""
        for client in self._clients:
            client.close()


def nonce() -> str:
    """Names one writing: whoever finds it knows whose write it was. Reaches no result."""
    return secrets.token_hex(12)


def insert_new(documents: Documents, document: Mapping[str, Any]) -> bool:
    """Insert a document with a `nonce`; False where another one has its `_id`, or another of its unique values.

    An insert whose answer was lost may be repeated by the client: the nonce tells it from that of somebody else.
    """
    try:
        documents.insert_one(dict(document))
    except DuplicateKeyError:
        kept = documents.find_one({"_id": document["_id"]}, {"nonce": 1})
        return kept is not None and kept.get("nonce") == document["nonce"]
    return True


def _client(address: Address, answer_s: float) -> pymongo.MongoClient[Document]:
    milliseconds = int(answer_s * 1000)
    return pymongo.MongoClient(
        address.uri,
        appname="sightline",
        w="majority",
        journal=True,
        readConcernLevel="majority",
        readPreference="primary",
        retryWrites=True,
        retryReads=True,
        timeoutMS=milliseconds,
        serverSelectionTimeoutMS=min(milliseconds, 10_000),
        connectTimeoutMS=min(milliseconds, 20_000),
        connect=False,
    )
