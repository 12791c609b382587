"""Jobs, ledger and outbox in one PostgreSQL database: one commit writes state, outputs, rows and position.

The commit is a function of the database (`commit_fold` in `versions`). It begins with the compare-and-set on `epoch, commit_no`; no row
means that another owner moved on. `PostgresStore` is all three ports, for any number of processes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sightline.adapters.postgres.address import PUBLIC, Address
from sightline.adapters.postgres.jobs import PostgresJobs
from sightline.adapters.postgres.news import News
from sightline.adapters.postgres.notes import PostgresNotes
from sightline.adapters.postgres.outbox import columns_of
from sightline.adapters.postgres.server import ANSWER_S, CONNECTIONS, Server
from sightline.adapters.postgres.versions import check_version
from sightline.errors import Corrupt, Fenced
from sightline.ports import Commit, Position, Row, Saved

__all__ = ["PostgresStore"]

_NOBODY = -1  # claimed_at of a position that was released
_POSITION = "stage, topic, part, epoch, commit_no, low_water, attempts, stuck"
_CLAIM = f"""
INSERT INTO positions AS kept (topic, stage, part, epoch, commit_no, low_water, attempts, claimed_at, stuck, identity)
VALUES (%(topic)s, %(stage)s, %(part)s, 1, 0, %(start)s, 0, %(start)s, false, %(identity)s)
ON CONFLICT (topic, stage, part) DO UPDATE SET epoch = kept.epoch + 1, stuck = (kept.claimed_at = kept.low_water),
  claimed_at = kept.low_water,
  identity = CASE WHEN kept.identity = '' THEN EXCLUDED.identity ELSE kept.identity END
WHERE kept.identity IN ('', EXCLUDED.identity) OR EXCLUDED.identity = ''
RETURNING {_POSITION}
"""
_RELEASE = "UPDATE positions SET claimed_at = %s WHERE topic = %s AND stage = %s AND part = %s AND epoch = %s"
_COMMIT = f"SELECT tried, alive FROM commit_fold({', '.join(['%s'] * 26)})"
_LOAD = "SELECT next_seq, state FROM states WHERE job_id = %s AND stage = %s AND stream = %s"
_FRAME_COLUMNS = ("job_id", "seq", "frame_id", "video_id", "timestamp", "path", "frame", "pts_us")


class PostgresStore(PostgresJobs):
    """`Jobs`, `Ledger` and `Outbox` in one database; `notes` are the `Notes` beside them.

    Of `Commit.rows` it keeps those of table `frames`. Outputs always wait in the outbox for a relay.

    Args:
        address: `postgresql://USER:PASSWORD@HOST:PORT/DATABASE`; a password may also be in `PGPASSWORD`.
        schema: that holds the tables; `migrate` makes them.
        connections: at most so many at once, and one more for `wait`.
        answer_s: seconds after which a server that says nothing is `Unavailable`.
        clock: microseconds since 1970, for `Job.times`; without one each time is 0.

    Raises:
        ServiceMisconfigured: the address, the login or the database is wrong, or the tables are of another version.
        Unavailable: the server does not answer.
    """

    def __init__(
        self,
        address: str,
        schema: str = PUBLIC,
        *,
        connections: int = CONNECTIONS,
        answer_s: float = ANSWER_S,
        clock: Callable[[], int] = lambda: 0,
    ) -> None:
        where = Address.of(address, schema)
        server = Server(
            where,
            lambda connection: check_version(connection, where),
            connections=connections,
            answer_s=answer_s,
        )
        super().__init__(server, clock=clock)
        self._news = News(server)
        self.notes = PostgresNotes(server)
        with server.connection():
            pass  # what is wrong with the address is said now

    def wait(self, seen: int, limit_s: float) -> int:
        """A number that rises when a job or the outbox may have changed, in any process; see `EventLog.wait`.

        Raises:
            Unavailable: repeat.
        """
        return self._news.wait(seen, limit_s)

    def close(self) -> None:
        """Close all connections. Repeating is harmless."""
        self._news.close()
        self._server.close()

    # --- Ledger

    def claim(self, stage: str, topic: str, partition: int, start: int = 0, identity: str = "") -> Position:
        """See `Ledger`."""
        with self._server.connection() as connection:
            given = {"topic": topic, "stage": stage, "part": partition, "start": start, "identity": identity}
            row = connection.execute(_CLAIM.encode(), given).fetchone()
        if row is None:
            raise Corrupt(
                f"{stage} on {topic}/{partition}: the topic was removed and made again, this position belongs to the "
                "old one",
                code="other_log",
            )
        return Position(*row)

    def release(self, at: Position) -> None:
        """See `Ledger`."""
        self._server.rows(_RELEASE, (_NOBODY, at.topic, at.stage, at.partition, at.epoch))

    def load(self, stage: str, job_id: str, stream: str) -> Saved | None:
        """See `Ledger`."""
        row = self._server.row(_LOAD, (job_id, stage, stream), binary=True)
        return None if row is None else Saved(row[0], bytes(row[1]))

    def commit(self, commit: Commit) -> tuple[Position, bool]:
        """See `Ledger`."""
        at, saved = commit.at, commit.saved
        position = (
            at.topic,
            at.stage,
            at.partition,
            at.epoch,
            at.commit_no,
            commit.low_water,
            int(commit.attempt),
        )
        state = (None, None) if saved is None else (saved.next_seq, saved.state)
        fold = (commit.job_id, commit.stream, *state, commit.complete, self._clock())
        row = self._server.row(
            _COMMIT, (*position, *fold, *columns_of(commit.outputs), *_frames(commit.rows))
        )
        if row is None:
            raise Fenced(
                f"{at.stage} on {at.topic}/{at.partition}: no longer epoch {at.epoch}, commit {at.commit_no}"
            )
        attempts, alive = row
        moved = Position(
            at.stage, at.topic, at.partition, at.epoch, at.commit_no + 1, commit.low_water, attempts
        )
        return moved, alive

    def progress(self, job_id: str) -> Mapping[tuple[str, str], int]:
        """See `Ledger`."""
        rows = self._server.rows("SELECT stage, stream, next_seq FROM states WHERE job_id = %s", (job_id,))
        return {(stage, stream): next_seq for stage, stream, next_seq in rows}

    def positions(self, topic: str) -> Sequence[Position]:
        """See `Ledger`."""
        query = f"SELECT {_POSITION} FROM positions WHERE topic = %s ORDER BY stage, part"
        return [Position(*row) for row in self._server.rows(query, (topic,))]


def _frames(rows: Sequence[Row]) -> tuple[list[Any], ...]:
    """Rows of table `frames` as the arguments of `commit_fold`, a list for each column."""
    kept = [{**row.key, **row.values} for row in rows if row.table == "frames"]
    return tuple([row[name] for row in kept] for name in _FRAME_COLUMNS)
