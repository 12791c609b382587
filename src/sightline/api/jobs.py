"""A job by the id that somebody wrote."""

from __future__ import annotations

from sightline.api.access import Caller
from sightline.api.backend import Backend
from sightline.api.pool import Pool
from sightline.api.problems import Problem
from sightline.api.wanted import is_id
from sightline.errors import NotFound
from sightline.jobs import audits, edits
from sightline.jobs.purge import is_gone
from sightline.ports import Job

__all__ = ["Found"]


class Found:
    """Looks jobs up.

    Args:
        backend: see there.
        pool: for calls of ports.
    """

    def __init__(self, backend: Backend, pool: Pool) -> None:
        self._backend, self._pool = backend, pool

    async def look(self, caller: Caller, job_id: str) -> Job | None:
        """The job; None where there is none, the id has another shape, or the job is another's."""
        if not is_id(job_id):
            return None
        try:
            job = await self._pool.call(self._backend.store.get, job_id)
        except NotFound:
            return None
        return job if caller.sees(job) else None

    async def job(self, caller: Caller, job_id: str) -> Job:
        """The job.

        Raises:
            Problem: 404, always the same.
        """
        job = await self.look(caller, job_id)
        if job is None:
            raise _unknown()
        return job

    async def kept(self, job_id: str) -> None:
        """See that a job is still there after something was written for it, or take that back.

        Raises:
            Problem: 404: it was removed meanwhile.
        """
        await self._pool.call(self._keep, job_id)

    def _keep(self, job_id: str) -> None:
        notes = self._backend.notes
        if is_gone(job_id, self._backend.store, notes):
            edits.forget(notes, job_id)
            audits.forget(notes, job_id)
            raise _unknown()


def _unknown() -> Problem:
    return Problem(404, "not_found", "There is no job of this id.")
