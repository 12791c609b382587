"""Small JSON by kind and id: geometry, verdicts, tokens, uploads under way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from sightline.errors import TooLarge

__all__ = ["MAX_NOTE_BYTES", "Note", "Notes", "note_json"]

MAX_NOTE_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Note:
    """A JSON value, and the revision of the write that made it."""

    value: Any
    revision: int


class Notes(Protocol):
    """Notes, written by compare-and-set. Revisions rise, and a note that is deleted and made again repeats none."""

    def put(self, kind: str, note_id: str, value: Any, revision: int = 0) -> int:
        """Write a note; its new revision. `revision` is the one that was read, 0 where there must be none yet.

        Raises:
            Conflict: the note has another revision, or none; nothing was written.
            TooLarge: over 256 KiB of JSON.
            ValueError: no JSON value: what would be read is not what was written.
        """

    def get(self, kind: str, note_id: str) -> Note:
        """The note.

        Raises:
            NotFound: no such note.
        """

    def list(self, kind: str, after: str = "", limit: int = 100) -> Sequence[tuple[str, Note]]:
        """Notes of a kind with their ids, by id, those whose id is above `after`."""

    def delete(self, kind: str, note_id: str, revision: int) -> None:
        """Delete the note that was read. One that is gone already is not an error.

        Raises:
            Conflict: the note has another revision; it stays.
        """


def note_json(kind: str, note_id: str, value: Any) -> bytes:
    """The JSON of a note, for stores.

    Raises:
        TooLarge: over `MAX_NOTE_BYTES`.
        ValueError: JSON cannot hold it, or gives back something else: NaN, a tuple, keys that are no text.
    """
    try:
        packed = msgspec.json.encode(value)
        same = msgspec.json.decode(packed) == value
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"note {kind}/{note_id} is no JSON value: {error}") from error
    if not same:
        raise ValueError(f"note {kind}/{note_id} is no JSON value: it would come back changed")
    if len(packed) > MAX_NOTE_BYTES:
        raise TooLarge(f"note {kind}/{note_id} of {len(packed)} bytes, limit {MAX_NOTE_BYTES}")
    return packed
