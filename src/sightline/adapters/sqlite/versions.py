"""Versions of the SQLite file: what leads from each to the next. A version that was released never changes."""

from __future__ import annotations

from typing import Any

import msgspec

from sightline.adapters.sqlite.file import Migration
from sightline.events import completed

__all__ = ["MIGRATIONS"]

_decode, _encode = msgspec.msgpack.decode, msgspec.msgpack.encode

_FIRST = """
CREATE TABLE head (
  topic TEXT NOT NULL, part INTEGER NOT NULL, next INTEGER NOT NULL,
  PRIMARY KEY (topic, part)
) WITHOUT ROWID;
CREATE TABLE log (
  topic TEXT NOT NULL, part INTEGER NOT NULL, first_off INTEGER NOT NULL, n INTEGER NOT NULL, records BLOB NOT NULL,
  PRIMARY KEY (topic, part, first_off)
) WITHOUT ROWID;
CREATE TABLE jobs (
  number INTEGER PRIMARY KEY, job_id TEXT NOT NULL UNIQUE, made TEXT NOT NULL,
  state TEXT NOT NULL, code TEXT NOT NULL, reason TEXT NOT NULL, result TEXT NOT NULL
);
CREATE TABLE positions (
  topic TEXT NOT NULL, stage TEXT NOT NULL, part INTEGER NOT NULL,
  epoch INTEGER NOT NULL, commit_no INTEGER NOT NULL, low_water INTEGER NOT NULL,
  attempts INTEGER NOT NULL, claimed_at INTEGER NOT NULL, stuck INTEGER NOT NULL,
  PRIMARY KEY (topic, stage, part)
) WITHOUT ROWID;
CREATE TABLE states (
  job_id TEXT NOT NULL, stage TEXT NOT NULL, stream TEXT NOT NULL, next_seq INTEGER NOT NULL, state BLOB NOT NULL,
  PRIMARY KEY (job_id, stage, stream)
);
CREATE TABLE complete (
  job_id TEXT NOT NULL, stream TEXT NOT NULL,
  PRIMARY KEY (job_id, stream)
) WITHOUT ROWID;
CREATE TABLE outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT, record BLOB NOT NULL
);
"""

# Jobs that are found by index and counted by triggers, positions that know their log, notes.
_SECOND = """
ALTER TABLE jobs RENAME TO jobs_before;
CREATE TABLE jobs (
  number INTEGER PRIMARY KEY AUTOINCREMENT, job_id TEXT NOT NULL UNIQUE, made TEXT NOT NULL,
  state TEXT NOT NULL, code TEXT NOT NULL, reason TEXT NOT NULL, result TEXT NOT NULL,
  facts TEXT NOT NULL, times TEXT NOT NULL, owner TEXT NOT NULL, video_id TEXT NOT NULL, parent_id TEXT
);
CREATE INDEX jobs_by_state ON jobs (state, number);
CREATE INDEX jobs_by_owner ON jobs (owner, state, number);
CREATE INDEX jobs_by_video ON jobs (video_id, state, number);
CREATE INDEX jobs_by_parent ON jobs (parent_id, state, number);
CREATE TABLE gone (job_id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE job_counts (
  scope TEXT NOT NULL, state TEXT NOT NULL, n INTEGER NOT NULL,
  PRIMARY KEY (scope, state)
) WITHOUT ROWID;
CREATE TABLE job_revision (revision INTEGER NOT NULL);
INSERT INTO job_revision VALUES (0);
CREATE TRIGGER job_created AFTER INSERT ON jobs BEGIN
  INSERT INTO job_counts VALUES ('all', NEW.state, 1), ('owner:' || NEW.owner, NEW.state, 1)
    ON CONFLICT DO UPDATE SET n = n + 1;
  UPDATE job_revision SET revision = revision + 1;
END;
CREATE TRIGGER job_changed AFTER UPDATE ON jobs BEGIN
  UPDATE job_counts SET n = n - 1 WHERE scope IN ('all', 'owner:' || OLD.owner) AND state = OLD.state;
  INSERT INTO job_counts VALUES ('all', NEW.state, 1), ('owner:' || NEW.owner, NEW.state, 1)
    ON CONFLICT DO UPDATE SET n = n + 1;
  UPDATE job_revision SET revision = revision + 1;
END;
CREATE TRIGGER job_removed AFTER DELETE ON jobs BEGIN
  UPDATE job_counts SET n = n - 1 WHERE scope IN ('all', 'owner:' || OLD.owner) AND state = OLD.state;
  UPDATE job_revision SET revision = revision + 1;
END;
INSERT INTO jobs SELECT number, job_id, made, state, code, reason, result,
  json_object('streams', json(json_extract(made, '$.streams'))), '{}', '',
  json_extract(made, '$.video_id'), json_extract(made, '$.parent_id') FROM jobs_before ORDER BY number;
DROP TABLE jobs_before;
ALTER TABLE positions ADD COLUMN identity TEXT NOT NULL DEFAULT '';
CREATE TABLE identity (id TEXT NOT NULL);
INSERT INTO identity VALUES (lower(hex(randomblob(16))));
CREATE TABLE notes (
  revision INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, id TEXT NOT NULL, value TEXT NOT NULL,
  UNIQUE (kind, id)
);
"""


def _second(connection: Any) -> None:
    connection.execute(_SECOND)
    _complete_records(connection)


def _complete_records(connection: Any) -> None:
    """Give records of the first version the fields that it left out where they were 0."""
    for batch in connection.execute("SELECT topic, part, first_off FROM log").fetchall():
        of_batch = "WHERE topic = ? AND part = ? AND first_off = ?"
        packed = connection.execute(f"SELECT records FROM log {of_batch}", batch).get
        records = [(key, completed(value), headers) for key, value, headers in _decode(packed)]
        connection.execute(f"UPDATE log SET records = ? {of_batch}", (_encode(records), *batch))
    for (number,) in connection.execute("SELECT id FROM outbox").fetchall():
        packed = connection.execute("SELECT record FROM outbox WHERE id = ?", (number,)).get
        topic, part, key, value, headers = _decode(packed)
        whole = _encode((topic, part, key, completed(value), headers))
        connection.execute("UPDATE outbox SET record = ? WHERE id = ?", (whole, number))


MIGRATIONS: tuple[Migration, ...] = (_FIRST, _second)
