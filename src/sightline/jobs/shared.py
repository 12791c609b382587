"""An upload that several jobs work on: a job that runs another again reads the same object, which goes with the last of them.

From the second job on a note names them. Two orders make that safe, whoever is killed and whatever happens at once:

    join:   claim of the new id -> its name into the note -> is the job that is repeated being purged? -> row -> claim away
    purge:  note of the purge -> own name out of the note -> does anybody else work on it? no: delete

Each writes first and looks then, so at least one sees the other. A name without a row and without a claim is of a job that
never came to be.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from sightline.errors import Conflict, Corrupt, NotFound
from sightline.jobs import requests
from sightline.ports import Job, Notes

__all__ = ["SOURCE", "UPLOAD", "close", "join", "leave", "origin_of", "part"]

SOURCE = "source"
UPLOAD = "upload"
"""Kind of the notes that claim the id of a job while its source is taken in."""


class Users(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The jobs of an upload."""

    jobs: list[str]


def origin_of(job: Job) -> str | None:
    """The job whose upload a job works on; None where its source is nobody's upload.

    Raises:
        Corrupt, Misconfigured: the row holds no request that is known here.
    """
    request = requests.decode(job.request)
    mine = requests.input_key(request.bucket, job.job_id)
    own = request.source.key == mine and not request.source.root
    return request.origin or (job.job_id if own else None)


def join(notes: Notes, origin: str, job_id: str) -> None:
    """Another job will work on an upload. See the module for what the caller does before and after."""
    _change(notes, origin, lambda jobs: [*jobs, job_id] if job_id not in jobs else jobs, [origin])


def part(notes: Notes, origin: str, job_id: str) -> None:
    """A job that joined never came to be."""
    if _change(notes, origin, lambda jobs: [name for name in jobs if name != job_id]) == [origin]:
        close(notes, origin, [origin])


def leave(notes: Notes, origin: str, job_id: str, exists: Callable[[str], bool]) -> bool:
    """A job works on an upload no longer; whether nobody does, so that it is the caller's to delete.

    Args:
        notes: port.
        origin: whose upload.
        job_id: who leaves. Repeating gives the same answer.
        exists: whether a job is there or under way.
    """
    left = _change(
        notes, origin, lambda jobs: [name for name in jobs if name != job_id and exists(name)], [job_id]
    )
    return not left


def close(notes: Notes, origin: str, jobs: list[str]) -> None:
    """The note is needed no longer, if nothing but these jobs is in it."""
    try:
        note = notes.get(SOURCE, origin)
        if _users(note.value, origin) == jobs:
            notes.delete(SOURCE, origin, note.revision)
    except (NotFound, Conflict):  # somebody joined meanwhile: then it is needed
        return


def _change(
    notes: Notes, origin: str, change: Callable[[list[str]], list[str]], default: list[str] | None = None
) -> list[str]:
    """The jobs of an upload after a change; nothing is written where they are as they were, or there is no note to leave."""
    while True:
        try:
            note = notes.get(SOURCE, origin)
            revision, jobs = note.revision, _users(note.value, origin)
        except NotFound:
            revision, jobs = 0, default or []
        changed = change(jobs)
        if changed == jobs or (revision == 0 and not changed):
            return changed
        try:
            notes.put(SOURCE, origin, {"jobs": changed}, revision)
        except Conflict:  # somebody joined or left meanwhile
            continue
        return changed


def _users(value: object, origin: str) -> list[str]:
    try:
        return msgspec.convert(value, Users).jobs
    except msgspec.ValidationError as error:
        raise Corrupt(f"note {SOURCE}/{origin} cannot be read: {error}") from error
