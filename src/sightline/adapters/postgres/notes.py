"""Notes in PostgreSQL. Revisions come from one sequence: none is ever used twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from sightline.adapters.postgres.errors import translated
from sightline.adapters.postgres.server import Server
from sightline.errors import Conflict, NotFound
from sightline.ports import Note, note_json

__all__ = ["PostgresNotes"]

_OF = "WHERE kind = %s AND id = %s"
_INSERT = """
INSERT INTO notes (kind, id, revision, value) VALUES (%s, %s, nextval('note_revision'), %s)
ON CONFLICT DO NOTHING RETURNING revision
"""
_UPDATE = f"""
UPDATE notes SET revision = nextval('note_revision'), value = %s {_OF} AND revision = %s RETURNING revision
"""


class PostgresNotes:
    """`Notes` in the database of `server`, whose tables are of the newest version."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def put(self, kind: str, note_id: str, value: Any, revision: int = 0) -> int:
        """See `Notes`."""
        packed = note_json(kind, note_id, value).decode()
        if revision:
            row = self._server.row(_UPDATE, (packed, kind, note_id, revision))
        else:
            row = self._server.row(_INSERT, (kind, note_id, packed))
        if row is None:
            raise _conflict(kind, note_id, revision)
        return int(row[0])

    def get(self, kind: str, note_id: str) -> Note:
        """See `Notes`."""
        row = self._server.row(f"SELECT value, revision FROM notes {_OF}", (kind, note_id))
        if row is None:
            raise NotFound(f"no note {kind}/{note_id}")
        with translated(self._server.name):
            return _note(*row)

    def list(self, kind: str, after: str = "", limit: int = 100) -> Sequence[tuple[str, Note]]:
        """See `Notes`."""
        query = "SELECT id, value, revision FROM notes WHERE kind = %s AND id > %s ORDER BY id LIMIT %s"
        rows = self._server.rows(query, (kind, after, limit))
        with translated(self._server.name):
            return [(note_id, _note(value, revision)) for note_id, value, revision in rows]

    def delete(self, kind: str, note_id: str, revision: int) -> None:
        """See `Notes`."""
        gone = self._server.row(
            f"DELETE FROM notes {_OF} AND revision = %s RETURNING id", (kind, note_id, revision)
        )
        if gone is None and self._server.row(f"SELECT id FROM notes {_OF}", (kind, note_id)) is not None:
            raise _conflict(kind, note_id, revision)


def _conflict(kind: str, note_id: str, revision: int) -> Conflict:
    return Conflict(f"note {kind}/{note_id} is not at revision {revision}: read it again")


def _note(value: str, revision: int) -> Note:
    return Note(msgspec.json.decode(value), revision)
