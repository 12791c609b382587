"""Jobs in the SQLite file: one row each, found by index, counted by triggers.

`made` is what never changes of a job, as JSON; what changes, and what jobs are looked for by, has columns of its own.
`number` rises with each job and is never used twice, so that it names a place between jobs for ever: a cursor. A job
that was removed leaves its id in `gone`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from sightline.adapters.job_rows import cursor_of, job_of_row, json_of, made_of, place_of
from sightline.adapters.sqlite.file import Database
from sightline.adapters.sqlite.outbox import SqliteOutbox
from sightline.errors import NotFound
from sightline.ports import (
    ALL_JOBS,
    STATES,
    TERMINAL,
    Counts,
    Job,
    JobState,
    Outgoing,
    Page,
    Which,
    check_facts,
    check_sizes,
    is_forward,
)

__all__ = ["SqliteJobs", "advance_in", "job_of"]

_JOB = "SELECT made, state, code, reason, result, facts, times FROM jobs"
_CREATE = """
INSERT INTO jobs (job_id, made, state, code, reason, result, facts, times, owner, video_id, parent_id)
SELECT :job_id, :made, :state, :code, :reason, :result, :facts, :times, :owner, :video_id, :parent_id
WHERE NOT EXISTS (SELECT 1 FROM gone WHERE job_id = :job_id)
ON CONFLICT (job_id) DO NOTHING
"""
_ADVANCE = """
UPDATE jobs SET state = :state, code = :code, reason = :reason, result = :result, facts = :facts, times = :times
WHERE job_id = :job_id
"""
_COUNTS = """
SELECT revision, state, n FROM job_revision LEFT JOIN job_counts ON scope = ? AND n > 0
"""


class SqliteJobs(SqliteOutbox):
    """`Jobs` beside log and outbox.

    Args:
        database: the file.
        relayed: see `SqliteOutbox`.
        clock: microseconds since 1970, for `Job.times`.
    """

    def __init__(self, database: Database, *, relayed: bool, clock: Callable[[], int]) -> None:
        super().__init__(database, relayed=relayed)
        self._clock = clock

    def create(self, job: Job, events: Sequence[Outgoing]) -> bool:
        """See `Jobs`."""
        check_sizes(events)
        row = _row(replace(job, times={job.state: self._clock()}))

        def work(connection: Any) -> bool:
            connection.execute(_CREATE, row)
            if not connection.changes():
                return False
            self._emit(connection, events)
            return True

        return self._database.write(work)

    def get(self, job_id: str) -> Job:
        """See `Jobs`."""
        with self._database.reader() as connection:
            return job_of(connection, job_id)

    def list(self, which: Which = ALL_JOBS, *, limit: int = 50, after: str = "") -> Page:
        """See `Jobs`."""
        query, given = page_query(which, limit + 1, place_of(after, which))
        with self._database.reader() as connection:
            rows = connection.execute(query, given).fetchall()
            jobs = tuple(_job(*row) for _, *row in rows[:limit])
        return Page(jobs, cursor_of(rows[limit - 1][0]) if len(rows) > limit else "")

    def advance(
        self,
        job_id: str,
        to: JobState,
        *,
        code: str = "",
        reason: str = "",
        result: Mapping[str, Any] | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> bool:
        """See `Jobs`."""
        check_facts(facts, to)
        changes: dict[str, Any] = {"code": code, "reason": reason}
        changes |= {} if result is None else {"result": result}
        changes |= {} if facts is None else {"facts": facts}
        now = self._clock()
        return self._database.write(lambda connection: advance_in(connection, job_id, to, now, **changes))

    def counts(self, owner: str | None = None) -> Counts:
        """See `Jobs`."""
        with self._database.reader() as connection:
            rows = connection.execute(_COUNTS, ("all" if owner is None else f"owner:{owner}",)).fetchall()
        return Counts({state: n for _, state, n in rows if state is not None}, rows[0][0])

    def remove(self, job_id: str) -> bool:
        """See `Jobs`."""

        def work(connection: Any) -> bool:
            state = connection.execute("SELECT state FROM jobs WHERE job_id = ?", (job_id,)).get
            if state not in TERMINAL:
                return False
            for table in ("jobs", "states", "complete"):
                connection.execute(f"DELETE FROM {table} WHERE job_id = ?", (job_id,))
            connection.execute("INSERT INTO gone VALUES (?)", (job_id,))
            return True

        return self._database.write(work)


def page_query(which: Which, limit: int, place: int) -> tuple[str, tuple[Any, ...]]:
    """Statement and values of a page behind `place`; rows begin with the job's number.

    Each state is one walk along an index in the order of the page, cut at the limit: the cost does not grow with the
    number of jobs, and nothing is sorted but what is given.
    """
    index, column = "jobs_by_state", None
    for name in ("owner", "video_id", "parent_id"):  # the last one asked for has the fewest jobs
        if getattr(which, name) is not None:
            index, column = f"jobs_by_{name.removesuffix('_id')}", name
    above, order = (">", "ASC") if which.oldest_first else ("<", "DESC")
    names = [name for name in ("owner", "video_id", "parent_id") if getattr(which, name) is not None]
    asked = "".join(f" AND {name} = ?" for name in sorted(names, key=lambda name: name != column))
    walk = (
        f"SELECT * FROM (SELECT number FROM jobs INDEXED BY {index} "
        f"WHERE state = ?{asked} AND number {above} ? ORDER BY number {order} LIMIT ?)"
    )
    values = [getattr(which, name) for name in sorted(names, key=lambda name: name != column)]
    states = tuple(dict.fromkeys(which.states)) or STATES
    numbers = " UNION ALL ".join([walk] * len(states))
    given = [value for state in states for value in (state, *values, place, limit)]
    query = (
        f"{_JOB.replace('SELECT', 'SELECT number,')} WHERE number IN "
        f"(SELECT number FROM ({numbers}) ORDER BY number {order} LIMIT ?) ORDER BY number {order}"
    )
    return query, (*given, limit)


def job_of(connection: Any, job_id: str) -> Job:
    """A job, read within the caller's transaction.

    Raises:
        NotFound: no such job.
    """
    row = connection.execute(f"{_JOB} WHERE job_id = ?", (job_id,)).get
    if row is None:
        raise NotFound(f"no job {job_id}")
    return _job(*row)


def advance_in(connection: Any, job_id: str, to: JobState, now: int, **changes: Any) -> bool:
    """Move a job forward within the caller's transaction; see `Jobs.advance`."""
    job = job_of(connection, job_id)
    if not is_forward(job.state, to):
        return False
    moved = replace(job, state=to, times={**job.times, to: now}, **changes)
    connection.execute(_ADVANCE, _row(moved))
    return True


def _row(job: Job) -> dict[str, Any]:
    """Columns of a job; `made` holds what never changes."""
    return {
        "job_id": job.job_id,
        "made": made_of(job),
        "state": job.state,
        "code": job.code,
        "reason": job.reason,
        "result": json_of(job.result),
        "facts": json_of(job.facts),
        "times": json_of(job.times),
        "owner": job.owner,
        "video_id": job.video_id,
        "parent_id": job.parent_id,
    }


def _job(*row: Any) -> Job:
    return job_of_row(msgspec.json.decode(row[-1]), *row[:-1])
