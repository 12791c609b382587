"""The ledger as documents: one for each claim and each commit of a partition, numbered without a gap.

The `_id` of document `n` is `stage/topic/partition/n`, in 20 digits; `n` is epoch plus commit number. Its insert is the
compare-and-set: who finds it taken is fenced. The newest one is the position. One of a fold also names the state, which was written
before it, holds the records that wait (`queued`), and says whether the stream ends (`open`, until what follows from it is done).

Old documents are removed, and a writer that slept long enough could insert one in their place. So `floor` of the partition rises
before they are removed: documents below it do not count, whoever wrote them, and a writer looks at it after its insert. What was the
last state of a fold below the floor is named in `folds`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from pymongo.errors import DuplicateKeyError

from sightline.adapters.mongo import parts
from sightline.adapters.mongo.server import Document, Server
from sightline.ports import Position

__all__ = [
    "KEEP",
    "counting",
    "counts",
    "id_of",
    "last_of_fold",
    "last_of_job",
    "newest",
    "place_of",
    "position_of",
    "tidy",
]

KEEP = 64  # a partition is tidied once in so many commits
_SOME = 1000  # documents in one go: tidying leaves far fewer
_NO_RECORDS = {"records": 0}
_FOLD = ("job", "stage", "stream", "order", "next_seq", "state")


def place_of(stage: str, topic: str, partition: int) -> str:
    """A partition of a stage, as text.

    >>> place_of("track", "detections cars", 3)
    'track/detections%20cars/3'
    """
    return f"{quote(stage, safe='')}/{quote(topic, safe='')}/{partition}"


def id_of(place: str, n: int) -> str:
    """The `_id` of document `n` of a partition."""
    return f"{place}/{n:020d}"


def position_of(document: Document) -> Position:
    """The position that a document leaves."""
    at = (document["stage"], document["topic"], document["part"])
    numbers = (document["epoch"], document["commit_no"], document["low_water"], document["attempts"])
    return Position(*at, *numbers, document["stuck"])


def newest(server: Server, place: str) -> Document | None:
    """The newest document of a partition: its position."""
    within = {"_id": {"$gte": id_of(place, 0), "$lte": id_of(place, 10**20 - 1)}}
    return server.commits.find_one(within, _NO_RECORDS, sort=[("_id", -1)])


def counts(server: Server, document: Document) -> bool:
    """Whether a document counts: it lies above the floor. To be asked after the document was read."""
    return bool(counting(server, [document]))


def counting(server: Server, documents: Sequence[Document]) -> list[Document]:
    """Those documents that count. To be asked after they were read."""
    if not documents:
        return []
    places = sorted({document["place"] for document in documents})
    kept = server.positions.find({"_id": {"$in": places}}, {"floor": 1})
    floors = {position["_id"]: position["floor"] for position in kept}
    return [document for document in documents if document["n"] >= floors.get(document["place"], 0)]


def last_of_fold(server: Server, stage: str, job_id: str, stream: str) -> Document | None:
    """What was committed last of a fold: `next_seq` and the name of its `state`."""
    fold = {"job": job_id, "stage": stage, "stream": stream}
    written = list(server.commits.find(fold, _NO_RECORDS).sort("order", -1).limit(_SOME))
    above = next(iter(counting(server, written)), None)
    below = server.folds.find_one({"_id": _fold_id(fold)})  # asked last: it is written before documents go
    found = [document for document in (above, below) if document is not None]
    return max(found, key=lambda document: int(document["order"]), default=None)


def last_of_job(server: Server, job_id: str) -> Mapping[tuple[str, str], Document]:
    """What was committed last of each fold of a job, by stage and stream."""
    written = list(server.commits.find({"job": job_id}, _NO_RECORDS))
    valid = counting(server, written)
    below = list(server.folds.find({"job": job_id}))
    by_order = sorted([*valid, *below], key=lambda document: int(document["order"]))
    return {(document["stage"], document["stream"]): document for document in by_order}


def tidy(server: Server, place: str) -> None:
    """Remove the oldest documents of a partition: up to the newest, or one whose records wait, or from which more follows.

    May be cut off anywhere, and done by several at once.
    """
    last, kept = newest(server, place), server.positions.find_one({"_id": place}, {"floor": 1})
    if last is None or kept is None:
        return
    old, floor = [], 0
    written = server.commits.find({"place": place, "n": {"$lt": last["n"]}}, _NO_RECORDS).sort("n", 1)
    for document in written.limit(_SOME):
        if document["n"] >= kept["floor"] and (document.get("queued") or document.get("open")):
            break
        old.append(document)
        floor = document["n"] + 1
    if not old:
        return
    lasting = {_fold_id(one): one for one in old if "state" in one and one["n"] >= kept["floor"]}
    for document in lasting.values():
        _keep(server, document)
        if server.jobs.find_one({"_id": document["job"]}, {"_id": 1}) is None:
            server.folds.delete_many({"job": document["job"]})  # removed: who did it may have looked before
    server.positions.update_one({"_id": place}, {"$max": {"floor": floor}})
    parts.drop(server, set(_superseded(server, old)))
    server.commits.delete_many({"place": place, "n": {"$lt": floor}})


def _keep(server: Server, document: Document) -> None:
    """Name the state of a document in `folds`, unless a later one is named there; the state named before it goes."""
    fold = {name: document[name] for name in _FOLD}
    of = {"_id": _fold_id(document)}
    before = server.folds.find_one(of)
    try:
        done = server.folds.update_one({**of, "order": {"$lt": fold["order"]}}, {"$set": fold}, upsert=True)
    except DuplicateKeyError:  # a later one is named, or this one already
        return
    if done.matched_count and before is not None:
        parts.drop(server, {before["state"]["of"]})


def _superseded(server: Server, old: Sequence[Document]) -> Iterator[str]:
    """Names of the states of documents that `folds` does not name."""
    states = [document for document in old if "state" in document]
    folds = sorted({_fold_id(document) for document in states})
    named = {fold["state"]["of"] for fold in server.folds.find({"_id": {"$in": folds}})} if folds else set()
    return (document["state"]["of"] for document in states if document["state"]["of"] not in named)


def _fold_id(fold: Mapping[str, Any]) -> str:
    return "/".join(quote(fold[name], safe="") for name in ("stage", "job", "stream"))
