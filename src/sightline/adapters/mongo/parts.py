"""Bytes of any size as documents of their own, written before the commit document that names them.

Parts that no commit document names are garbage: of a writer that was fenced, or died before its commit.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Literal

from sightline.adapters.mongo.server import Document, Server

__all__ = ["PART_BYTES", "drop", "get", "put"]

PART_BYTES = 8 * 1024 * 1024  # half of what a document may have
Kind = Literal["state", "records"]
_ASKED = 1000  # names in one request


def put(server: Server, name: str, blob: bytes, kind: Kind, job_id: str) -> Document:
    """Write bytes under a name that nobody else uses; what a document has to name them by.

    Args:
        server: where to.
        name: of the bytes.
        blob: the bytes.
        kind, job_id: states go with their job, records wait until they are sent.
    """
    starts = range(0, max(len(blob), 1), PART_BYTES)
    for number, start in enumerate(starts):
        part = {"_id": f"{name}/{number}", "of": name, "part": number, "kind": kind, "job": job_id}
        server.parts.insert_one({**part, "bytes": blob[start : start + PART_BYTES]})
    return {"of": name, "parts": len(starts), "size": len(blob)}


def get(server: Server, named: Document) -> bytes | None:
    """The bytes; None where they are not all there: they were replaced since they were named."""
    ids = [f"{named['of']}/{number}" for number in range(named["parts"])]
    blobs = [found["bytes"] for one in ids if (found := server.parts.find_one({"_id": one})) is not None]
    whole = b"".join(blobs)
    return whole if len(blobs) == len(ids) and len(whole) == named["size"] else None


def drop(server: Server, names: Collection[str]) -> None:
    """Remove bytes by their names. Repeating is harmless."""
    for some in _slices(sorted(names)):
        server.parts.delete_many({"of": {"$in": some}})


def _slices(names: list[str]) -> Iterator[list[str]]:
    return (names[start : start + _ASKED] for start in range(0, len(names), _ASKED))
