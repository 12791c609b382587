"""Notes in the SQLite file. A write makes a new row, whose number is the revision: none is ever used twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from sightline.adapters.sqlite.file import Database
from sightline.errors import Conflict, NotFound
from sightline.ports import Note, note_json

__all__ = ["SqliteNotes"]

_OF = "FROM notes WHERE kind = ? AND id = ?"


class SqliteNotes:
    """`Notes` in `database`, of the newest version."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, kind: str, note_id: str, value: Any, revision: int = 0) -> int:
        """See `Notes`."""
        packed = note_json(kind, note_id, value).decode()

        def work(connection: Any) -> int:
            _compare(connection, kind, note_id, revision)
            connection.execute(f"DELETE {_OF}", (kind, note_id))
            connection.execute(
                "INSERT INTO notes (kind, id, value) VALUES (?, ?, ?)", (kind, note_id, packed)
            )
            return int(connection.last_insert_rowid())

        return self._database.write(work)

    def get(self, kind: str, note_id: str) -> Note:
        """See `Notes`."""
        with self._database.reader() as connection:
            row = connection.execute(f"SELECT value, revision {_OF}", (kind, note_id)).get
        if row is None:
            raise NotFound(f"no note {kind}/{note_id}")
        return _note(*row)

    def list(self, kind: str, after: str = "", limit: int = 100) -> Sequence[tuple[str, Note]]:
        """See `Notes`."""
        query = "SELECT id, value, revision FROM notes WHERE kind = ? AND id > ? ORDER BY id LIMIT ?"
        with self._database.reader() as connection:
            rows = connection.execute(query, (kind, after, limit)).fetchall()
        return [(note_id, _note(value, revision)) for note_id, value, revision in rows]

    def delete(self, kind: str, note_id: str, revision: int) -> None:
        """See `Notes`."""

        def work(connection: Any) -> None:
            if _revision(connection, kind, note_id):
                _compare(connection, kind, note_id, revision)
                connection.execute(f"DELETE {_OF}", (kind, note_id))

        self._database.write(work)


def _revision(connection: Any, kind: str, note_id: str) -> int:
    return int(connection.execute(f"SELECT revision {_OF}", (kind, note_id)).get or 0)


def _compare(connection: Any, kind: str, note_id: str, revision: int) -> None:
    kept = _revision(connection, kind, note_id)
    if kept != revision:
        raise Conflict(f"note {kind}/{note_id} is at revision {kept}, not {revision}: read it again")


def _note(value: str, revision: int) -> Note:
    return Note(msgspec.json.decode(value), revision)
