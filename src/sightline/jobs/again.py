"""A job once more, as another one on the same source. `jobs.shared` says why the order is safe; the id must be claimed."""

from __future__ import annotations

import msgspec

from sightline.errors import NotFound
from sightline.jobs import requests
from sightline.jobs.purge import is_gone
from sightline.jobs.requests import Request, index_key
from sightline.jobs.rows import is_there
from sightline.jobs.shared import join, origin_of, part
from sightline.ports import Job, Jobs, Notes

__all__ = ["joined", "parted"]


def joined(job: Job, child_id: str, jobs: Jobs, notes: Notes) -> Request:
    """What a job has asked for, for another one, which is now among those that work on the source: it stays.

    Raises:
        NotFound: the job was removed, or is being removed; nobody has joined.
    """
    was, origin = requests.decode(job.request), origin_of(job) or ""
    if origin:
        join(notes, origin, child_id)
    source = msgspec.structs.replace(was.source, index_key=index_key(child_id))
    asked = msgspec.structs.replace(was, source=source, found=None, origin=origin)
    try:
        if is_gone(job.job_id, jobs, notes):
            raise NotFound(f"no job {job.job_id}")
    except BaseException:
        parted(asked, child_id, jobs, notes)
        raise
    return asked


def parted(asked: Request, child_id: str, jobs: Jobs, notes: Notes) -> None:
    """The other job was not made, unless it was: a commit whose answer was lost has happened all the same."""
    if asked.origin and not is_there(jobs, child_id):
        part(notes, asked.origin, child_id)
