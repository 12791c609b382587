"""Jobs, ledger and outbox in the same SQLite file as the log: one commit writes state, outputs and position.

The commit begins with the compare-and-set on `epoch, commit_no`; a statement that changes no row means that another
owner moved on. `SqliteStore` is all four ports, as a run folder or a service has them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sightline.adapters.sqlite.file import Database, Synchronous
from sightline.adapters.sqlite.jobs import SqliteJobs, advance_in, job_of
from sightline.adapters.sqlite.notes import SqliteNotes
from sightline.adapters.sqlite.versions import MIGRATIONS
from sightline.errors import Corrupt, Fenced
from sightline.ports import TERMINAL, Commit, Position, Saved, check_sizes

__all__ = ["SqliteStore"]

_NOBODY = -1  # claimed_at of a position that was released
_CLAIM = """
INSERT INTO positions (topic, stage, part, epoch, commit_no, low_water, attempts, claimed_at, stuck, identity)
VALUES (:topic, :stage, :part, 1, 0, :start, 0, :start, 0, :identity)
ON CONFLICT DO UPDATE SET epoch = epoch + 1, stuck = (claimed_at = low_water), claimed_at = low_water,
  identity = CASE WHEN identity = '' THEN :identity ELSE identity END
RETURNING stage, topic, part, epoch, commit_no, low_water, attempts, stuck
"""
_IDENTITY = "SELECT identity FROM positions WHERE topic = :topic AND stage = :stage AND part = :part"
_RELEASE = """
UPDATE positions SET claimed_at = :nobody WHERE topic = :topic AND stage = :stage AND part = :part AND epoch = :epoch
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


class SqliteStore(SqliteJobs):
    """`EventLog`, `Jobs`, `Ledger` and `Outbox` in one file; `notes` are the `Notes` beside them.

    Args:
        path: of the file; made where it is missing.
        synchronous: what a commit survives; see `sqlite`.
        relayed: outputs of commits wait in the outbox for a relay; else they reach the log within the commit.
        max_bytes: size that the file may not pass.
        clock: microseconds since 1970, for `Job.times`; without one each time is 0.

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
        clock: Callable[[], int] = lambda: 0,
    ) -> None:
        database = Database(path, MIGRATIONS, synchronous=synchronous, max_bytes=max_bytes)
        super().__init__(database, relayed=relayed, clock=clock)
        self.notes = SqliteNotes(database)

    def flush(self) -> None:
        """Make all that was committed survive a power cut, also under `NORMAL`."""
        self._database.flush()

    def close(self) -> None:
        """Close the file. Repeating is harmless."""
        self._database.close()

    # --- Ledger

    def claim(self, stage: str, topic: str, partition: int, start: int = 0, identity: str = "") -> Position:
        """See `Ledger`."""
        at = {"stage": stage, "topic": topic, "part": partition}

        def work(connection: Any) -> Position:
            kept = connection.execute(_IDENTITY, at).get
            if kept and identity and kept != identity:
                raise Corrupt(
                    f"{stage} on {topic}/{partition}: the topic was removed and made again, this position belongs to "
                    "the old one",
                    code="other_log",
                )
            return _position(connection.execute(_CLAIM, {**at, "start": start, "identity": identity}).get)

        return self._database.write(work)

    def release(self, at: Position) -> None:
        """See `Ledger`."""
        mine = {
            "topic": at.topic,
            "stage": at.stage,
            "part": at.partition,
            "epoch": at.epoch,
            "nobody": _NOBODY,
        }
        self._database.write(lambda connection: connection.execute(_RELEASE, mine) and None)

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
                _complete(connection, commit.job_id, commit.stream, self._clock())
        return moved, True


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


def _complete(connection: Any, job_id: str, stream: str, now: int) -> None:
    """Note a complete stream; the last one of the job makes it predictable."""
    connection.execute("INSERT INTO complete VALUES (?, ?) ON CONFLICT DO NOTHING", (job_id, stream))
    done = {row[0] for row in connection.execute("SELECT stream FROM complete WHERE job_id = ?", (job_id,))}
    wanted = job_of(connection, job_id).streams
    if wanted and done.issuperset(wanted):
        advance_in(connection, job_id, "predictable", now, code="", reason="")
