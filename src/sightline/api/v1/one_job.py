"""A job that somebody listens to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from sightline.api.backend import Backend
from sightline.api.v1.models import StageBody, WarningBody
from sightline.api.v1.views import Views
from sightline.errors import NotFound
from sightline.ports import STATES, TERMINAL, Job

__all__ = ["OneJob", "Seen", "event_id", "removed"]


@dataclass(frozen=True, slots=True)
class Seen:
    """A job at a look.

    Attributes:
        event_id: only rises, see `event_id`.
        job: its row.
        progress: see `Views.progress`.
        warnings: of a job that is ready.
    """

    event_id: int
    job: Job
    progress: dict[str, StageBody] = field(default_factory=dict)
    warnings: tuple[WarningBody, ...] = ()


def event_id(job: Job, released: Iterable[int]) -> int:
    """Where a job stands, as a number that only rises: nothing has to be stored to go on from it.

    Args:
        job: its state only moves forward.
        released: `next_seq` of each of its stages and streams, which only rise too.

    >>> event_id(Job("j", "v", 0, "processing"), [3, 4])
    2000000000007
    """
    return STATES.index(job.state) * 10**12 + sum(released)


class OneJob:
    """A `Subject`, which is over when its job has ended.

    Args:
        backend: see there.
        views: for JSON.
        job_id: of the job.
    """

    def __init__(self, backend: Backend, views: Views, job_id: str) -> None:
        self._backend, self._views, self._job_id = backend, views, job_id

    @property
    def key(self) -> str:
        """See `Subject`."""
        return f"job {self._job_id}"

    def first(self) -> Seen:
        """See `Subject`."""
        return self._of(self._backend.store.get(self._job_id))

    def now(self, seen: Seen, rows: bool) -> Seen:
        """See `Subject`."""
        if not (rows or seen.job.state == "processing"):
            return seen
        try:
            return self._of(self._backend.store.get(self._job_id) if rows else seen.job)
        except NotFound:
            job = removed(seen.job)
            return Seen(event_id(job, [seen.event_id % 10**12]), job, seen.progress)

    def is_over(self, seen: Seen) -> bool:
        """See `Subject`."""
        return seen.job.state in TERMINAL

    def last(self, job: Job) -> int:
        """The id of the last event of a job that has ended."""
        return event_id(job, self._backend.store.progress(job.job_id).values())

    def _of(self, job: Job) -> Seen:
        _, warnings = self._views.summary(job) or (None, [])
        return Seen(self.last(job), job, self._views.progress(job), tuple(warnings))


def removed(job: Job) -> Job:
    """A job is cancelled before it is removed."""
    return replace(job, state="cancelled", reason="removed")
