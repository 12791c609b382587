"""Small JSON by kind and id: geometry, verdicts, tokens, uploads under way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

__all__ = ["MAX_NOTE_BYTES", "Note", "Notes"]

MAX_NOTE_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Note:
    """A JSON value, and the revision of the write that made it."""

    value: Any
    revision: int


class Notes(Protocol):
    """Notes, written by compare-and-set. Revisions rise, and a note that is deleted and made again repeats none."""

    def put(self, kind: str, id: str, value: Any, revision: int = 0) -> int:
        """Write a note; its new revision. `revision` is the one that was read, 0 where there must be none yet.

        Raises:
            Conflict: the note has another revision, or none; nothing was written.
            TooLarge: over 256 KiB of JSON.
            ValueError: no JSON value: what would be read is not what was written.
        """

    def get(self, kind: str, id: str) -> Note:
        """The note.

        Raises:
            NotFound: no such note.
        """

    def list(self, kind: str, after: str = "", limit: int = 100) -> Sequence[tuple[str, Note]]:
        """Notes of a kind with their ids, by id, those whose id is above `after`."""

    def delete(self, kind: str, id: str, revision: int) -> None:
        """Delete the note that was read. One that is gone already is not an error.

        Raises:
            Conflict: the note has another revision; it stays.
        """
