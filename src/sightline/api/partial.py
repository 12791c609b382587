"""Uploads that come in several requests, of which any may be cut, also by the end of this process.

A note says what is there: so many parts, so many bytes. A part is an object of its own, durable before the note counts it.
The only object that a note does not count is the part behind the last one, so everything can be found by notes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import msgspec

from sightline.api.backend import Backend
from sightline.errors import NotFound
from sightline.jobs.rows import read
from sightline.ports import Notes, ObjectStore, Stat

__all__ = ["KEPT_US", "PARTIAL", "Kept", "Partial", "Partials", "kept_of", "partial_of", "sweep"]

VERSION: Literal[1] = 1
PARTIAL = "partial"
KEPT_US = 24 * 3600 * 1_000_000


class Partial(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The note of an upload.

    Attributes:
        length: of the whole file in bytes.
        offset: how many of them are there.
        parts: in so many objects.
        owner: whose upload it is.
        metadata: as the client gave it.
        at_us: when bytes came last.
    """

    v: Literal[1] = VERSION
    length: int
    offset: int = 0
    parts: int = 0
    owner: str = ""
    metadata: str = ""
    at_us: int


@dataclass(frozen=True, slots=True)
class Kept:
    """An upload as it was read: its id, its note, and the note's revision."""

    upload_id: str
    note: Partial
    revision: int

    @property
    def complete(self) -> bool:
        """Whether every byte is there."""
        return self.note.offset == self.note.length

    def part_key(self, part: int | None = None) -> str:
        """Key of a part; of the one behind the last where none is named."""
        return f"sightline/uploads/{self.upload_id}/{self.note.parts if part is None else part}"


class Partials:
    """Uploads under way. Synchronous, for the pool.

    Args:
        backend: see there.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def create(self, upload_id: str, length: int, owner: str, metadata: str) -> Kept:
        """A new one, without a byte."""
        note = Partial(length=length, owner=owner, metadata=metadata, at_us=self._backend.now_us())
        return Kept(upload_id, note, self._put(upload_id, note, 0))

    def get(self, upload_id: str) -> Kept:
        """What is there.

        Raises:
            NotFound: no such upload, or none any longer.
        """
        note = self._backend.notes.get(PARTIAL, upload_id)
        kept = Kept(upload_id, partial_of(note.value, upload_id), note.revision)
        if _expired(kept, self._backend.now_us()):
            raise NotFound(f"no upload {upload_id}")
        return kept

    def begin_part(self, kept: Kept) -> str:
        """Key of the next part; what a request that was cut left there is away."""
        self._backend.objects.delete(kept.part_key())
        return kept.part_key()

    def count(self, kept: Kept, stat: Stat) -> Kept:
        """The next part is there.

        Raises:
            Conflict: somebody else counted one meanwhile.
        """
        note = msgspec.structs.replace(
            kept.note,
            offset=kept.note.offset + stat.size,
            parts=kept.note.parts + 1,
            at_us=self._backend.now_us(),
        )
        return replace(kept, note=note, revision=self._put(kept.upload_id, note, kept.revision))

    def join(self, kept: Kept, key: str) -> Stat:
        """Store the whole file under a key."""
        return self._backend.objects.put_new(key, self.read(kept))

    def read(self, kept: Kept) -> Iterator[bytes]:
        """The bytes that are there."""
        for part in range(kept.note.parts):
            yield from self._backend.objects.read(kept.part_key(part))

    def head(self, kept: Kept, size: int) -> bytes:
        """The first bytes."""
        found = b""
        for chunk in self.read(kept):
            found += chunk
            if len(found) >= size:
                break
        return found[:size]

    def forget(self, kept: Kept) -> None:
        """Delete everything; the note last, as it names the rest. Nobody else may be adding to it."""
        _forget(self._backend.notes, self._backend.objects, kept)

    def _put(self, upload_id: str, note: Partial, revision: int) -> int:
        return self._backend.notes.put(PARTIAL, upload_id, msgspec.to_builtins(note), revision)


def sweep(
    notes: Notes, objects: ObjectStore, now_us: int, busy: frozenset[str] | set[str] = frozenset()
) -> int:
    """Delete uploads to which no byte has come for a day, and to which nobody adds now; how many."""
    swept, after = 0, ""
    while page := notes.list(PARTIAL, after):
        for upload_id, note in page:
            kept = Kept(upload_id, partial_of(note.value, upload_id), note.revision)
            if upload_id not in busy and _expired(kept, now_us):
                _forget(notes, objects, kept)
                swept += 1
        after = page[-1][0]
    return swept


def kept_of(notes: Notes, owner: str, without: str = "") -> int:
    """Bytes that are there of the uploads of an owner, all but one."""
    kept, after = 0, ""
    while page := notes.list(PARTIAL, after):
        for upload_id, note in page:
            upload = partial_of(note.value, upload_id)
            if upload.owner == owner and upload_id != without:
                kept += upload.offset
        after = page[-1][0]
    return kept


def _forget(notes: Notes, objects: ObjectStore, kept: Kept) -> None:
    for part in range(kept.note.parts + 1):
        objects.delete(kept.part_key(part))
    notes.delete(PARTIAL, kept.upload_id, kept.revision)


def _expired(kept: Kept, now_us: int) -> bool:
    """Nobody begins to add to it from now on."""
    return now_us - kept.note.at_us > KEPT_US


def partial_of(value: object, upload_id: str) -> Partial:
    """What a note says.

    Raises:
        Corrupt: it is damaged.
        Misconfigured: a newer release wrote it.
    """
    return read(value, Partial, VERSION, f"note {PARTIAL}/{upload_id}")
