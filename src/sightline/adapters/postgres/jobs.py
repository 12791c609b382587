"""Jobs in PostgreSQL: one row each, found by index, counted by a trigger.

`made` is what never changes of a job, as JSON; what changes, and what jobs are looked for by, has columns of its own.
`number` rises in the order in which jobs become visible and is never used twice, so that it names a place between jobs for
ever: a cursor. A job that was removed leaves its id in `gone`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sightline.adapters.job_rows import cursor_of, job_of_row, json_of, made_of, place_of
from sightline.adapters.postgres.errors import translated
from sightline.adapters.postgres.outbox import PostgresOutbox, columns_of
from sightline.adapters.postgres.server import Server
from sightline.errors import NotFound
from sightline.ports import (
    ALL_JOBS,
    STATES,
    Counts,
    Job,
    JobState,
    Outgoing,
    Page,
    Which,
    check_facts,
    is_forward,
)

__all__ = ["PostgresJobs", "page_query"]

_COLUMNS = "made, state, code, reason, result, facts, times"
_CREATE = f"SELECT create_job({', '.join(['%s'] * 17)})"
_ADVANCE = f"SELECT advance_job({', '.join(['%s'] * 9)})"
_COUNTS = "SELECT revision, state, n FROM job_revision LEFT JOIN job_counts ON scope = %s AND n > 0"


class PostgresJobs(PostgresOutbox):
    """`Jobs` beside the outbox.

    Args:
        server: of the database.
        clock: microseconds since 1970, for `Job.times`.
    """

    def __init__(self, server: Server, *, clock: Callable[[], int]) -> None:
        super().__init__(server)
        self._clock = clock

    def create(self, job: Job, events: Sequence[Outgoing]) -> bool:
        """See `Jobs`."""
        row = _row(replace(job, times={job.state: self._clock()}))
        return bool(self._server.rows(_CREATE, (*row, *columns_of(events)))[0][0])

    def get(self, job_id: str) -> Job:
        """See `Jobs`."""
        row = self._server.row(f"SELECT {_COLUMNS} FROM jobs WHERE job_id = %s", (job_id,))
        if row is None:
            raise NotFound(f"no job {job_id}")
        with translated(self._server.name):
            return _job(*row)

    def list(self, which: Which = ALL_JOBS, *, limit: int = 50, after: str = "") -> Page:
        """See `Jobs`."""
        query, given = page_query(which, limit + 1, place_of(after, which))
        rows = self._server.rows(query, given)
        with translated(self._server.name):
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
        before = [state for state in STATES if is_forward(state, to)]
        found = None if facts is None else list(facts.get("streams", ()))
        texts = [None if value is None else json_of(value) for value in (result, facts)]
        given = (job_id, before, to, code, reason, *texts, found, self._clock())
        moved = self._server.rows(_ADVANCE, given)[0][0]
        if moved is None:
            raise NotFound(f"no job {job_id}")
        return bool(moved)

    def counts(self, owner: str | None = None) -> Counts:
        """See `Jobs`."""
        rows = self._server.rows(_COUNTS, ("all" if owner is None else f"owner:{owner}",))
        return Counts({state: n for _, state, n in rows if state is not None}, rows[0][0])

    def remove(self, job_id: str) -> bool:
        """See `Jobs`."""
        return bool(self._server.rows("SELECT remove_job(%s)", (job_id,))[0][0])


def page_query(which: Which, limit: int, place: int) -> tuple[str, tuple[Any, ...]]:
    """Statement and values of a page behind `place`; rows begin with the job's number.

    Each state is one walk along an index in the order of the page, cut at the limit: the cost does not grow with the
    number of jobs, and nothing is sorted but what is given.
    """
    above, order = (">", "ASC") if which.oldest_first else ("<", "DESC")
    names = [name for name in ("owner", "video_id", "parent_id") if getattr(which, name) is not None]
    asked = "".join(f" AND {name} = %s" for name in names)
    walk = (
        f"(SELECT job_id, number FROM jobs WHERE state = %s{asked} AND number {above} %s "
        f"ORDER BY number {order} LIMIT %s)"
    )
    values = [getattr(which, name) for name in names]
    states = tuple(dict.fromkeys(which.states)) or STATES
    walks = " UNION ALL ".join([walk] * len(states))
    given = [value for state in states for value in (state, *values, place, limit)]
    query = (
        f"SELECT number, {_COLUMNS} FROM jobs WHERE job_id = ANY (ARRAY("
        f"SELECT job_id FROM ({walks}) AS walked ORDER BY number {order} LIMIT %s)) ORDER BY number {order}"
    )
    return query, (*given, limit)


def _row(job: Job) -> tuple[Any, ...]:
    """Columns of a job in the order of `create_job`; `made` holds what never changes."""
    changing = (job.state, job.code, job.reason, json_of(job.result), json_of(job.facts), list(job.streams))
    found_by = (job.owner, job.video_id, job.parent_id)
    return (job.job_id, made_of(job), *changing, json_of(job.times), *found_by)


def _job(*row: Any) -> Job:
    times: Mapping[JobState, int] = row[-1]
    return job_of_row({known: times[known] for known in STATES if known in times}, *row[:-1])
