"""A job once more, as another one on the same source. `jobs.shared` says why the order is safe; the id must be claimed."""

from __future__ import annotations

from contextlib import suppress

import msgspec
from msgspec import UNSET, UnsetType

from sightline.errors import NotFound
from sightline.jobs import requests
from sightline.jobs.edits import edited
from sightline.jobs.purge import is_gone
from sightline.jobs.requests import Replay, Request, event_of, index_key
from sightline.jobs.rows import is_there
from sightline.jobs.shared import join, origin_of, part
from sightline.ports import Job, Jobs, Notes, ObjectStore

__all__ = ["joined", "made", "parted"]


def made(
    job: Job,
    child_id: str,
    jobs: Jobs,
    objects: ObjectStore,
    notes: Notes,
    now_us: int,
    replay: Replay | UnsetType = UNSET,
) -> bool:
    """Make the other one of what is stored of a job, without a look into its source; False where it was made before.

    Raises:
        NotFound: the job was removed, or is being removed.
    """
    asked = msgspec.structs.replace(joined(job, child_id, jobs, notes), replay=replay)
    try:
        with suppress(NotFound):  # its source is gone: the other one says so
            was = requests.decode(job.request)
            objects.put_new(asked.source.index_key, objects.read(was.source.index_key))
            asked = msgspec.structs.replace(asked, found=was.found)
        now = edited(notes, job)
        child = Job(
            child_id,
            now.video_id,
            now_us,
            state="sent",  # the event is in the log with the row
            parent_id=job.job_id,
            request=requests.encode(asked),
            owner=job.owner,
            clock_start=now.clock_start,
        )
        return jobs.create(child, [event_of(child)])
    finally:
        parted(asked, child_id, jobs, notes)


def joined(job: Job, child_id: str, jobs: Jobs, notes: Notes) -> Request:
    """What a job has asked for, for another one, which is now among those that work on the source: it stays.

    Of a job that was a replay the other one is none: it begins with the source.

    Raises:
        NotFound: the job was removed, or is being removed; nobody has joined.
    """
    was, origin = requests.decode(job.request), origin_of(job) or ""
    if origin:
        join(notes, origin, child_id)
    source = msgspec.structs.replace(was.source, index_key=index_key(child_id))
    asked = msgspec.structs.replace(was, source=source, found=None, origin=origin, replay=UNSET)
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
