"""The jobs of an owner, or of all, that somebody listens to: a window on those at work, however many wait.

At a look where some row has changed the window is read anew. What came in is new, what is another row has changed, and
what left it has ended: that is looked up by its id. Jobs that came and ended between two looks are among the newest.
Of jobs behind the window, far back in a queue, only their number is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from sightline.api.backend import Backend
from sightline.api.v1.models import JobItem, StageBody
from sightline.api.v1.one_job import removed
from sightline.api.v1.views import Views
from sightline.errors import NotFound
from sightline.ports import Job, JobState, Which

__all__ = ["MOST", "AllJobs", "Row", "Table"]

MOST = 200
"""Jobs of a window, and of those that left it lately."""
STEP = 50
AT_WORK: tuple[JobState, ...] = ("processing", "predictable")
WAITING: tuple[JobState, ...] = ("new", "sent")


@dataclass(frozen=True, slots=True)
class Row:
    """A job, and how it is shown in a list."""

    job: Job
    item: JobItem


@dataclass(frozen=True, slots=True)
class Table:
    """Jobs at a look.

    Attributes:
        revision: of all rows.
        by_state: how many of the owner's there are.
        rows: by id: those of the window, then those that left it lately. A row that has not changed is the same object.
        window: ids of those at work or waiting, next first.
        newest: ids of the last ones that were made.
        progress: by id, of those that are processed.
    """

    revision: int
    by_state: Mapping[JobState, int]
    rows: Mapping[str, Row] = field(default_factory=dict)
    window: tuple[str, ...] = ()
    newest: tuple[str, ...] = ()
    progress: Mapping[str, dict[str, StageBody]] = field(default_factory=dict)

    def changed(self, before: Table) -> list[JobItem]:
        """Jobs that are not as they were."""
        return [row.item for job_id, row in self.rows.items() if before.rows.get(job_id) is not row]

    def moved(self, before: Table | None) -> dict[str, dict[str, StageBody]]:
        """Progress that is not as it was."""
        old = {} if before is None else before.progress
        return {job_id: stages for job_id, stages in self.progress.items() if old.get(job_id) != stages}


class AllJobs:
    """A `Subject` that is never over.

    Args:
        backend: see there.
        views: for JSON.
        owner: whose jobs; None: everybody's.
    """

    def __init__(self, backend: Backend, views: Views, owner: str | None) -> None:
        self._backend, self._views, self._owner = backend, views, owner

    @property
    def key(self) -> tuple[str, str | None]:
        """See `Subject`."""
        return "jobs of", self._owner

    def first(self) -> Table:
        """See `Subject`."""
        return self._with_progress(self._read(None))

    def now(self, seen: Table, rows: bool) -> Table:
        """See `Subject`."""
        return self._with_progress(self._read(seen) if rows else seen)

    def is_over(self, seen: Table) -> bool:
        """See `Subject`."""
        return False

    def items(self, table: Table) -> list[JobItem]:
        """The jobs of the window as they are called now: nobody is told when one is renamed."""
        return [self._views.item(table.rows[job_id].job) for job_id in table.window]

    def _read(self, before: Table | None) -> Table:
        counts = self._backend.store.counts(self._owner)  # first: what changes meanwhile is looked at again
        window = {job.job_id: job for job in self._window()}
        newest = [*self._newest(before)]
        found = {**window, **{job.job_id: job for job in newest if job.job_id not in window}}
        old: Mapping[str, Row] = {}
        if before is None:
            found = window
        else:
            old = before.rows
            gone = (job_id for job_id in before.window if job_id not in found)
            found |= {job_id: self._last(before.rows[job_id].job) for job_id in gone}
        rows = {job_id: self._row(job, old.get(job_id)) for job_id, job in found.items()}
        for job_id in [job_id for job_id in old if job_id not in rows][: max(0, 2 * MOST - len(rows))]:
            rows[job_id] = old[job_id]
        ids = [job.job_id for job in newest] + ([] if before is None else [*before.newest])
        return Table(counts.revision, counts.by_state, rows, tuple(window), tuple(ids[:STEP]))

    def _window(self) -> list[Job]:
        store = self._backend.store
        found: list[Job] = []
        for states in (AT_WORK, WAITING):
            which = Which(states=states, owner=self._owner, oldest_first=True)
            if len(found) < MOST:
                found += store.list(which, limit=MOST - len(found)).jobs
        return found

    def _newest(self, before: Table | None) -> Iterator[Job]:
        """Jobs that were made since, newest first; at the first look as many as are needed to know them again."""
        known = set() if before is None else {*before.newest}
        most = STEP if before is None else MOST
        cursor = ""
        for _ in range(0, most, STEP):
            page = self._backend.store.list(Which(owner=self._owner), limit=STEP, after=cursor)
            for job in page.jobs:
                if job.job_id in known:
                    return
                yield job
            cursor = page.cursor
            if not cursor:
                return

    def _last(self, job: Job) -> Job:
        """A job that left the window, as it is now."""
        try:
            return self._backend.store.get(job.job_id)
        except NotFound:
            return removed(job)

    def _row(self, job: Job, old: Row | None) -> Row:
        return old if old is not None and old.job == job else Row(job, self._views.item(job))

    def _with_progress(self, table: Table) -> Table:
        jobs = (table.rows[job_id].job for job_id in table.window)
        return replace(
            table,
            progress={job.job_id: self._views.progress(job) for job in jobs if job.state == "processing"},
        )
