"""Expiry: jobs that ended long ago go, with everything that was written for them, where an operator says after how long."""

from __future__ import annotations

from collections.abc import Callable

from sightline.errors import Corrupt, Misconfigured, SightlineError
from sightline.jobs.purge import purge
from sightline.ports import TERMINAL, Jobs, Notes, ObjectStore, Which

__all__ = ["expire"]

ENDED = Which(states=tuple(sorted(TERMINAL)), oldest_first=True)
AT_ONCE = 20  # a job of an hour has ten thousand objects: whoever calls has other things to do as well


def expire(
    jobs: Jobs,
    objects: ObjectStore,
    notes: Notes,
    now_us: int,
    after_us: int,
    most: int = AT_ONCE,
    stays: Callable[[str, SightlineError], None] = lambda job_id, error: None,
) -> tuple[str, ...]:
    """Remove the oldest jobs that ended `after_us` microseconds ago or earlier, `most` of them; their ids.

    A job of which something is damaged, or a newer release's, stays, and `stays` hears why; it stops no other. A job whose child is still at work stays until that one has ended, as it may read what its parent has stored.

    Raises:
        Unavailable: a part is left; repeat.
    """
    gone: list[str] = []
    limit_us, after = now_us - after_us, ""
    while True:
        page = jobs.list(ENDED, after=after)
        for job in page.jobs:
            if job.created_at_us > limit_us or len(gone) == most:
                return tuple(gone)
            if job.times.get(job.state, job.created_at_us) <= limit_us and not _is_read(job.job_id, jobs):
                try:
                    purge(job.job_id, jobs, objects, notes, now_us)
                except (Corrupt, Misconfigured) as error:
                    stays(job.job_id, error)
                else:
                    gone.append(job.job_id)
        if not page.cursor:
            return tuple(gone)
        after = page.cursor


def _is_read(job_id: str, jobs: Jobs) -> bool:
    return any(job.state not in TERMINAL for job in jobs.list(Which(parent_id=job_id)).jobs)
