"""Jobs, ledger and outbox in the same SQLite file as the log: one commit writes state, outputs and position.

The commit begins with the compare-and-set on `epoch, commit_no`; a statement that changes no row means that another
owner moved on. `SqliteStore` is all four ports, as a run folder or a service has them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from sightline.adapters.sqlite.file import Database, Synchronous
from sightline.adapters.sqlite.log import LOG_TABLES, SqliteLog, append_to, check_sizes
from sightline.errors import Fenced, NotFound
from sightline.ports import TERMINAL, Commit, Job, JobState, Outgoing, Position, Queued, Saved

__all__ = ["SqliteStore"]

TABLES = """
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
MIGRATIONS = (LOG_TABLES + TABLES,)

_ORDER: tuple[JobState, ...] = ("new", "sent", "processing", "predictable", "ready")
_JOB = "SELECT made, state, code, reason, result FROM jobs"
_CLAIM = """
INSERT INTO positions VALUES (:topic, :stage, :part, 1, 0, 0, 0, 0, 0)
ON CONFLICT DO UPDATE SET epoch = epoch + 1, stuck = (claimed_at = low_water), claimed_at = low_water
RETURNING stage, topic, part, epoch, commit_no, low_water, attempts, stuck
"""
_MOVE = """
UPDATE positions SET commit_no = commit_no + 1, low_water = :low_water, stuck = 0,
  attempts = CASE WHEN low_water = :low_water THEN attempts + :attempt ELSE 0 END
WHERE topic = :topic AND stage = :stage AND part = :part AND epoch = :epoch AND commit_no = :commit_no
RETURNING stage, topic, part, epoch, commit_no, low_water, attempts, stuck
"""
_SAVE = """
INSERT INTO states VALUES (:job_id, :stage, :stream, :next_seq, :state)
ON CONFLICT DO UPDATE SET next_seq = :next_seq, state = :state
"""

_record = msgspec.msgpack.Decoder(tuple[str, int, str, bytes, tuple[tuple[str, str], ...]])


class SqliteStore(SqliteLog):
    """`EventLog`, `Jobs`, `Ledger` and `Outbox` in one file.

    Args:
        path: of the file; made where it is missing.
        synchronous: what a commit survives; see `sqlite`.
        relayed: outputs of commits wait in the outbox for a relay; else they reach the log within the commit.
        max_bytes: size that the file may not pass.

    Raises:
        Misconfigured: SQLite is too old, or the file is of a newer version or of another program.
        Corrupt: the file is damaged.
    """

    def __init__(
        self,
        path: Path,
        *,
        synchronous: Synchronous = "FULL",
        relayed: bool = False,
        max_bytes: int | None = None,
    ) -> None:
        super().__init__(Database(path, MIGRATIONS, synchronous=synchronous, max_bytes=max_bytes))
        self._relayed = relayed

    def flush(self) -> None:
        """Make all that was committed survive a power cut, also under `NORMAL`."""
        self._database.flush()

    def close(self) -> None:
        """Close the file. Repeating is harmless."""
        self._database.close()

    # --- Jobs

    def create(self, job: Job, events: Sequence[Outgoing]) -> bool:
        """See `Jobs`."""
        check_sizes(events)
        row = (job.job_id, _packed(job), job.state, job.code, job.reason, _json(job.result))

        def work(connection: Any) -> bool:
            connection.execute(
                "INSERT INTO jobs (job_id, made, state, code, reason, result) VALUES (?, ?, ?, ?, ?, ?) "
                "ON CONFLICT DO NOTHING",
                row,
            )
            if not connection.changes():
                return False
            self._emit(connection, events)
            return True

        return self._database.write(work)

    def get(self, job_id: str) -> Job:
        """See `Jobs`."""
        with self._database.reader() as connection:
            return _get(connection, job_id)

    def list(self, states: Sequence[JobState] = (), limit: int = 50, after: str = "") -> Sequence[Job]:
        """See `Jobs`."""
        marks = ", ".join("?" * len(states))
        of_states = f"AND state IN ({marks})" if states else ""
        query = (
            f"{_JOB} WHERE number > coalesce((SELECT number FROM jobs WHERE job_id = ?), 0) {of_states} "
            "ORDER BY number LIMIT ?"
        )
        with self._database.reader() as connection:
            return [_job(*row) for row in connection.execute(query, (after, *states, limit))]

    def advance(
        self,
        job_id: str,
        to: JobState,
        *,
        code: str = "",
        reason: str = "",
        result: Mapping[str, Any] | None = None,
    ) -> bool:
        """See `Jobs`."""
        return self._database.write(lambda connection: _advance(connection, job_id, to, code, reason, result))

    # --- Ledger

    def claim(self, stage: str, topic: str, partition: int) -> Position:
        """See `Ledger`."""
        at = {"stage": stage, "topic": topic, "part": partition}
        return self._database.write(lambda connection: _position(connection.execute(_CLAIM, at).get))

    def load(self, stage: str, job_id: str, stream: str) -> Saved | None:
        """See `Ledger`."""
        query = "SELECT next_seq, state FROM states WHERE job_id = ? AND stage = ? AND stream = ?"
        with self._database.reader() as connection:
            row = connection.execute(query, (job_id, stage, stream)).get
            return None if row is None else Saved(*row)

    def commit(self, commit: Commit) -> tuple[Position, bool]:
        """See `Ledger`."""
        check_sizes(commit.outputs)
        return self._database.write(lambda connection: self._commit(connection, commit))

    def progress(self, job_id: str) -> Mapping[tuple[str, str], int]:
        """See `Ledger`."""
        query = "SELECT stage, stream, next_seq FROM states WHERE job_id = ?"
        with self._database.reader() as connection:
            rows = connection.execute(query, (job_id,))
            return {(stage, stream): next_seq for stage, stream, next_seq in rows}

    def positions(self, topic: str) -> Sequence[Position]:
        """See `Ledger`."""
        query = (
            "SELECT stage, topic, part, epoch, commit_no, low_water, attempts, stuck FROM positions "
            "WHERE topic = ? ORDER BY stage, part"
        )
        with self._database.reader() as connection:
            return [_position(row) for row in connection.execute(query, (topic,))]

    def _commit(self, connection: Any, commit: Commit) -> tuple[Position, bool]:
        moved = _move(connection, commit)
        if not commit.job_id:
            return moved, True
        row = connection.execute("SELECT state FROM jobs WHERE job_id = ?", (commit.job_id,)).get
        if row is None or row in TERMINAL:
            return moved, False
        if commit.saved is not None:
            saved = {"next_seq": commit.saved.next_seq, "state": commit.saved.state}
            fold = {"job_id": commit.job_id, "stage": commit.at.stage, "stream": commit.stream}
            connection.execute(_SAVE, {**fold, **saved})
            self._emit(connection, commit.outputs)
            if commit.complete:
                _complete(connection, commit.job_id, commit.stream)
        return moved, True

    # --- Outbox

    def pending(self, limit: int) -> Sequence[Queued]:
        """See `Outbox`."""
        with self._database.reader() as connection:
            rows = connection.execute("SELECT id, record FROM outbox ORDER BY id LIMIT ?", (limit,))
            return [Queued(queue_id, Outgoing(*_record.decode(packed))) for queue_id, packed in rows]

    def sent(self, queue_ids: Sequence[int]) -> None:
        """See `Outbox`."""

        def work(connection: Any) -> None:
            connection.executemany("DELETE FROM outbox WHERE id = ?", [(queue_id,) for queue_id in queue_ids])

        if queue_ids:
            self._database.write(work)

    def _emit(self, connection: Any, records: Sequence[Outgoing]) -> None:
        if not self._relayed:
            append_to(connection, records)
            return
        for record in records:
            fields = (record.topic, record.partition, record.key, record.value, record.headers)
            connection.execute("INSERT INTO outbox (record) VALUES (?)", (msgspec.msgpack.encode(fields),))


def _position(row: tuple[Any, ...]) -> Position:
    stage, topic, part, epoch, commit_no, low_water, attempts, stuck = row
    return Position(stage, topic, part, epoch, commit_no, low_water, attempts, bool(stuck))


def _move(connection: Any, commit: Commit) -> Position:
    """The compare-and-set that everything hangs on."""
    at = commit.at
    mine = {"topic": at.topic, "stage": at.stage, "part": at.partition, "epoch": at.epoch}
    new = {"commit_no": at.commit_no, "low_water": commit.low_water, "attempt": commit.attempt}
    row = connection.execute(_MOVE, {**mine, **new}).get
    if row is None:
        raise Fenced(
            f"{at.stage} on {at.topic}/{at.partition}: no longer epoch {at.epoch}, commit {at.commit_no}"
        )
    return _position(row)


def _complete(connection: Any, job_id: str, stream: str) -> None:
    """Note a complete stream; the last one of the job makes it predictable."""
    connection.execute("INSERT INTO complete VALUES (?, ?) ON CONFLICT DO NOTHING", (job_id, stream))
    done = {row[0] for row in connection.execute("SELECT stream FROM complete WHERE job_id = ?", (job_id,))}
    if done.issuperset(_get(connection, job_id).streams):
        _advance(connection, job_id, "predictable", "", "", None)


def _advance(
    connection: Any, job_id: str, to: JobState, code: str, reason: str, result: Mapping[str, Any] | None
) -> bool:
    job = _get(connection, job_id)
    ends = to in ("failed", "cancelled")
    if job.state in TERMINAL or (not ends and _ORDER.index(to) <= _ORDER.index(job.state)):
        return False
    kept = _json(job.result if result is None else result)
    connection.execute(
        "UPDATE jobs SET state = ?, code = ?, reason = ?, result = ? WHERE job_id = ?",
        (to, code, reason, kept, job_id),
    )
    return True


def _get(connection: Any, job_id: str) -> Job:
    row = connection.execute(f"{_JOB} WHERE job_id = ?", (job_id,)).get
    if row is None:
        raise NotFound(f"no job {job_id}")
    return _job(*row)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _packed(job: Job) -> str:
    """What never changes of a job; the rest has columns of its own."""
    return _json(replace(job, state="new", code="", reason="", result={}))


def _job(made: str, state: JobState, code: str, reason: str, result: str) -> Job:
    job = msgspec.json.decode(made, type=Job)
    return replace(job, state=state, code=code, reason=reason, result=msgspec.json.decode(result))
