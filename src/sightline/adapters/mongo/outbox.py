"""Outbox in MongoDB: the records of commits and of new jobs, where they were committed, in the order of their commits.

A record waits in the document that committed it. A relay holds keys: a document of `sightline_holds` for each, which names what its
owner was given of it. Who gets the key looks for its records again, so that nobody else can have sent them meanwhile.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Literal

from pymongo import UpdateOne
from pymongo.errors import DuplicateKeyError

from sightline.adapters.mongo import parts
from sightline.adapters.mongo.commits import counting
from sightline.adapters.mongo.errors import translated
from sightline.adapters.mongo.follow import Follow
from sightline.adapters.mongo.records import UNQUEUED, unpacked
from sightline.adapters.mongo.server import Document, Documents, Server
from sightline.errors import Corrupt
from sightline.ports import Queued

__all__ = ["MongoOutbox"]

_PAGE = 100
Source = Literal["job", "commit"]


class MongoOutbox:
    """`Outbox` in the databases of `server`, whose collections are of the newest version.

    Args:
        server: of the database.
        follow: what others have left is done before records are given.
    """

    def __init__(self, server: Server, follow: Follow) -> None:
        self._server, self._follow = server, follow

    def pending(self, owner: str, limit: int) -> Sequence[Queued]:
        """See `Outbox`."""
        with translated(self._server.name):
            self._follow.all()
            holds = list(self._server.holds.find())
            mine = {hold["_id"]: hold["waiting"] for hold in holds if hold["owner"] == owner}
            others = {hold["_id"] for hold in holds} - set(mine)
            mine |= self._take(owner, self._wanted(others, limit), set(mine))
            return self._given(owner, mine, limit)

    def sent(self, queue_ids: Sequence[str]) -> None:
        """See `Outbox`."""
        numbers: dict[Source, dict[str, list[int]]] = {}
        for queue_id in queue_ids:
            source, number, name = _read_id(queue_id)
            numbers.setdefault(source, {}).setdefault(name, []).append(number)
        with translated(self._server.name):
            for source, some in numbers.items():
                self._mark(source, some)
            if queue_ids:
                given = {"waiting": {"$in": list(queue_ids)}}
                self._server.holds.update_many(given, {"$pullAll": {"waiting": list(queue_ids)}})
                self._server.holds.delete_many({"waiting": {"$size": 0}})

    def give_back(self, owner: str) -> None:
        """See `Outbox`."""
        with translated(self._server.name):
            self._server.holds.delete_many({"owner": owner})

    def _wanted(self, others: Collection[str], limit: int) -> dict[str, list[str]]:
        """The oldest records of keys that nobody else holds, by key."""
        wanted: dict[str, list[str]] = {}
        free = ((key, name) for _, _, key, name in self._waiting({}, {"records": 0}) if key not in others)
        for _, (key, name) in zip(range(limit), free, strict=False):
            wanted.setdefault(key, []).append(name)
        return wanted

    def _take(
        self, owner: str, wanted: Mapping[str, list[str]], mine: Collection[str]
    ) -> dict[str, list[str]]:
        """Hold keys; those that nobody else was faster with."""
        taken = {}
        for key, names in wanted.items():
            if key in mine:
                continue
            try:
                self._server.holds.insert_one({"_id": key, "owner": owner, "waiting": names})
            except DuplicateKeyError:
                continue
            taken[key] = names
        return taken

    def _given(self, owner: str, mine: Mapping[str, list[str]], limit: int) -> list[Queued]:
        """The oldest records of keys that the owner holds, as they are now."""
        given: dict[str, list[str]] = {key: [] for key in mine}
        found: list[Queued] = []
        blobs: dict[str, list[Any]] = {}
        of_mine = {"keys": {"$in": sorted(mine)}}
        for document, number, key, name in self._waiting(of_mine, {}) if mine else ():
            if len(found) == limit:
                break
            if key in mine:
                if document["_id"] not in blobs:
                    blobs = {document["_id"]: self._records(document)}  # of one document at a time
                found.append(Queued(name, blobs[document["_id"]][number]))
                given[key].append(name)
        lost = {key for key, names in given.items() if not self._hold(owner, key, mine[key], names)}
        return [queued for queued in found if queued.record.key not in lost]

    def _hold(self, owner: str, key: str, before: Sequence[str], now: Sequence[str]) -> bool:
        """Note what the owner has of a key: what it was given, and had not sent. False where somebody let go of it."""
        more = self._unsent([name for name in before if name not in now])
        of = {"_id": key, "owner": owner}
        if now or more:
            return self._server.holds.update_one(of, {"$set": {"waiting": [*now, *more]}}).matched_count == 1
        self._server.holds.delete_one(of)
        return False

    def _unsent(self, names: Sequence[str]) -> list[str]:
        unsent = []
        for name in names:
            source, number, document = _read_id(name)
            of = {"_id": document, "left": number, "queued": True}
            if self._documents(source).find_one(of, {"_id": 1}) is not None:
                unsent.append(name)
        return unsent

    def _waiting(self, asked: Document, hidden: Document) -> Iterator[tuple[Document, int, str, str]]:
        """Records that wait, in the order of their commits: document, number in it, key, and the name of the record."""
        last = 0
        while page := self._page({**asked, "order": {"$gt": last}}, hidden):
            last = page[-1][1]["order"]
            commits = counting(self._server, [document for source, document in page if source == "commit"])
            valid = {document["_id"] for document in commits}
            for source, document in page:
                if not document["left"]:  # who sent the rest of it died then
                    self._finish(source, [document["_id"]])
                elif source == "job" or document["_id"] in valid:
                    for number in sorted(document["left"]):
                        yield (
                            document,
                            number,
                            document["keys"][number],
                            f"{source}:{number}:{document['_id']}",
                        )

    def _page(self, asked: Document, hidden: Document) -> list[tuple[Source, Document]]:
        sources: tuple[Source, Source] = ("job", "commit")
        found: list[tuple[Source, Document]] = []
        for source in sources:
            query = {"queued": True, **asked}
            documents = self._documents(source).find(query, hidden or None).sort("order", 1).limit(_PAGE)
            found += [(source, document) for document in documents]
        return sorted(found, key=lambda one: int(one[1]["order"]))[:_PAGE]

    def _records(self, document: Document) -> list[Any]:
        """The records of a document."""
        if "records_in" in document:
            blob = parts.get(self._server, document["records_in"])
        else:
            blob = document.get("records")
        if blob is None:
            raise Corrupt(
                f"{self._server.name}: the records of {document['_id']} are gone though they were not sent",
                code="damaged",
            )
        return unpacked(blob)

    def _mark(self, source: Source, sent: Mapping[str, list[int]]) -> None:
        """Note what was sent, as numbers by document."""
        documents = self._documents(source)
        kept = documents.find({"_id": {"$in": sorted(sent)}, "queued": True}, {"left": 1, "records_in": 1})
        whole: list[Document] = []
        partly: list[Document] = []
        for document in kept:
            (whole if set(document["left"]).issubset(sent[document["_id"]]) else partly).append(document)
        self._let_go(source, whole)
        if partly:
            names = [document["_id"] for document in partly]
            pulls = [UpdateOne({"_id": name}, {"$pullAll": {"left": sent[name]}}) for name in names]
            documents.bulk_write(pulls, ordered=False)
            self._finish(source, names)

    def _finish(self, source: Source, names: Sequence[str]) -> None:
        """Let go of documents of which nothing is left."""
        ended: Document = {"_id": {"$in": list(names)}, "queued": True, "left": {"$size": 0}}
        self._let_go(source, list(self._documents(source).find(ended, {"records_in": 1})))

    def _let_go(self, source: Source, sent: Sequence[Document]) -> None:
        """Drop the records of documents that were sent whole; `left` never grows again."""
        if not sent:
            return
        done: Document = {"$unset": UNQUEUED} | ({"$set": {"status": "sent"}} if source == "job" else {})
        names = [one["_id"] for one in sent]
        self._documents(source).update_many({"_id": {"$in": names}, "queued": True}, done)
        # Last: a document that still says that its records wait must have them.
        parts.drop(self._server, [one["records_in"]["of"] for one in sent if "records_in" in one])

    def _documents(self, source: Source) -> Documents:
        return self._server.jobs if source == "job" else self._server.commits


def _read_id(queue_id: str) -> tuple[Source, int, str]:
    source, number, name = queue_id.split(":", 2)
    return ("job" if source == "job" else "commit"), int(number), name
