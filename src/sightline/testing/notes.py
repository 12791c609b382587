"""Notes in memory."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import msgspec

from sightline.errors import Conflict, NotFound
from sightline.ports import Note, note_json

__all__ = ["MemoryNotes"]


class MemoryNotes:
    """`Notes` without a file."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._written = 0
        self._notes: dict[tuple[str, str], tuple[bytes, int]] = {}

    def put(self, kind: str, note_id: str, value: Any, revision: int = 0) -> int:
        """See `Notes`."""
        packed = note_json(kind, note_id, value)
        with self._lock:
            self._compare(kind, note_id, revision)
            self._written += 1
            self._notes[kind, note_id] = packed, self._written
            return self._written

    def get(self, kind: str, note_id: str) -> Note:
        """See `Notes`."""
        with self._lock:
            if (kind, note_id) not in self._notes:
                raise NotFound(f"no note {kind}/{note_id}")
            packed, revision = self._notes[kind, note_id]
            return Note(msgspec.json.decode(packed), revision)

    def list(self, kind: str, after: str = "", limit: int = 100) -> Sequence[tuple[str, Note]]:
        """See `Notes`."""
        with self._lock:
            ids = sorted(note_id for of, note_id in self._notes if of == kind and note_id > after)
            return [(note_id, self.get(kind, note_id)) for note_id in ids[:limit]]

    def delete(self, kind: str, note_id: str, revision: int) -> None:
        """See `Notes`."""
        with self._lock:
            if (kind, note_id) in self._notes:
                self._compare(kind, note_id, revision)
                del self._notes[kind, note_id]

    def _compare(self, kind: str, note_id: str, revision: int) -> None:
        _, kept = self._notes.get((kind, note_id), (b"", 0))
        if kept != revision:
            raise Conflict(f"note {kind}/{note_id} is at revision {kept}, not {revision}: read it again")
