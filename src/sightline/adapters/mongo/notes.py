"""Notes in MongoDB. Revisions come from one counter: none is ever used twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import msgspec
from pymongo.errors import DuplicateKeyError

from sightline.adapters.mongo.errors import translated
from sightline.adapters.mongo.server import Document, Server
from sightline.errors import Conflict, NotFound
from sightline.ports import Note, note_json

__all__ = ["MongoNotes"]


class MongoNotes:
    """`Notes` in the database of `server`, whose collections are of the newest version."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def put(self, kind: str, note_id: str, value: Any, revision: int = 0) -> int:
        """See `Notes`."""
        packed = note_json(kind, note_id, value).decode()
        with translated(self._server.name):
            new = self._server.next("notes")
            if revision:
                step = {"$set": {"revision": new, "value": packed}}
                of = {"_id": _id(kind, note_id), "revision": revision}
                written = self._server.notes.update_one(of, step).matched_count == 1
            else:
                written = self._insert(kind, note_id, new, packed)
        if not written:
            raise _conflict(kind, note_id, revision)
        return new

    def get(self, kind: str, note_id: str) -> Note:
        """See `Notes`."""
        with translated(self._server.name):
            found = self._server.notes.find_one({"_id": _id(kind, note_id)})
            if found is None:
                raise NotFound(f"no note {kind}/{note_id}")
            return _note(found)

    def list(self, kind: str, after: str = "", limit: int = 100) -> Sequence[tuple[str, Note]]:
        """See `Notes`."""
        of = {"kind": kind, "name": {"$gt": after}}
        with translated(self._server.name):
            found = self._server.notes.find(of).sort("name", 1).limit(limit)
            return [(document["name"], _note(document)) for document in found] if limit else []

    def delete(self, kind: str, note_id: str, revision: int) -> None:
        """See `Notes`."""
        of = {"_id": _id(kind, note_id)}
        with translated(self._server.name):
            gone = self._server.notes.delete_one({**of, "revision": revision}).deleted_count
            stays = not gone and self._server.notes.find_one(of, {"_id": 1}) is not None
        if stays:
            raise _conflict(kind, note_id, revision)

    def _insert(self, kind: str, note_id: str, revision: int, packed: str) -> bool:
        """Whether it is there now by this write: the revision tells it from that of somebody else."""
        document = {"_id": _id(kind, note_id), "kind": kind, "name": note_id}
        try:
            self._server.notes.insert_one({**document, "revision": revision, "value": packed})
        except DuplicateKeyError:
            kept = self._server.notes.find_one({"_id": document["_id"]}, {"revision": 1})
            return kept is not None and kept["revision"] == revision
        return True


def _id(kind: str, note_id: str) -> str:
    return f"{quote(kind, safe='')}/{note_id}"


def _conflict(kind: str, note_id: str, revision: int) -> Conflict:
    return Conflict(f"note {kind}/{note_id} is not at revision {revision}: read it again")


def _note(document: Document) -> Note:
    return Note(msgspec.json.decode(document["value"]), document["revision"])
