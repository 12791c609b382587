"""Upgrades: a job that was begun with another model, engine or tracker than the service has now is not gone on with.

Half of it by one model and half by another would be a result that nobody can have again. The job is `failed` with
`upgraded`, and a successor does the same from the beginning: same source, pipeline, name, clock and owner.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from dataclasses import replace

from sightline.errors import Conflict, NotFound
from sightline.jobs.again import made
from sightline.jobs.shared import UPLOAD
from sightline.ports import Job, Jobs, Notes, ObjectStore, Which

__all__ = ["UPGRADED", "latest", "replaced", "succeed", "successor_id"]

UPGRADED = "upgraded"
PAGE = 200


def successor_id(job_id: str) -> str:
    """The job that follows on one that an upgrade has ended, in the shape of a UUID4.

    >>> successor_id("00000000-0000-4000-8000-000000000001")
    '9afdacc9-2452-42a6-b90f-6cdfca87062a'
    """
    digest = hashlib.sha256(f"{UPGRADED}\\0{job_id}".encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))


def replaced(jobs: Jobs) -> Iterator[str]:
    """Every job that an upgrade has ended."""
    which, cursor = Which(states=("failed",)), ""
    while True:
        page = jobs.list(which, limit=PAGE, after=cursor)
        yield from (job.job_id for job in page.jobs if job.code == UPGRADED)
        cursor = page.cursor
        if not cursor:
            return


def latest(jobs: Jobs, job: Job) -> Job:
    """The job that does now what a job was asked to do: itself, or its last successor. One whose successor is still to come
    is on its way.
    """
    while job.state == "failed" and job.code == UPGRADED:
        try:
            job = jobs.get(successor_id(job.job_id))
        except NotFound:
            return replace(job, state="sent", code="", reason="")
    return job


def succeed(job_id: str, jobs: Jobs, objects: ObjectStore, notes: Notes, now_us: int) -> bool:
    """Make the successor of a job that an upgrade has ended; False where there is nothing to make. Repeating is harmless.

    The id is claimed first and the claim goes last, as of any job that is taken in.
    """
    try:
        job = jobs.get(job_id)
    except NotFound:
        return False
    if (job.state, job.code) != ("failed", UPGRADED):
        return False
    child_id = successor_id(job_id)
    claim = _claim(notes, child_id, now_us)
    try:
        return made(job, child_id, jobs, objects, notes, now_us)
    except NotFound:  # it is being removed
        return False
    finally:
        notes.delete(UPLOAD, child_id, claim)


def _claim(notes: Notes, job_id: str, now_us: int) -> int:
    """The revision of the claim; one that a worker left which was killed is taken over: there is one worker."""
    try:
        return notes.put(UPLOAD, job_id, {"keys": [], "began_us": now_us})
    except Conflict:
        return notes.get(UPLOAD, job_id).revision
