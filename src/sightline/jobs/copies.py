"""The copy of a job's source that every browser plays: an object of the job, and a note that says that it is whole."""

from __future__ import annotations

from typing import Literal

import msgspec

from sightline.errors import NotFound
from sightline.jobs.requests import job_prefix
from sightline.jobs.rows import read
from sightline.ports import Notes, Stat

__all__ = ["COPY", "Copy", "How", "copy_key", "copy_of", "forget", "keep"]

VERSION: Literal[1] = 1
COPY = "copy"
How = Literal["remux", "encode"]


class Copy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A copy that is there: size and hash of its object, and how it was made."""

    v: Literal[1] = VERSION
    bytes: int
    sha256: str
    how: How


def copy_key(job_id: str) -> str:
    """Key of the object."""
    return f"{job_prefix(job_id)}copy.mp4"


def copy_of(notes: Notes, job_id: str) -> Copy | None:
    """The copy of a job; None where there is none, or none that is whole.

    Raises:
        Corrupt: the note is damaged.
        Misconfigured: a newer release wrote it.
    """
    try:
        note = notes.get(COPY, job_id)
    except NotFound:
        return None
    return read(note.value, Copy, VERSION, f"note {COPY}/{job_id}")


def keep(notes: Notes, job_id: str, stat: Stat, how: How) -> None:
    """Say that the object is whole.

    Raises:
        Conflict: somebody has said so already.
    """
    notes.put(COPY, job_id, msgspec.to_builtins(Copy(bytes=stat.size, sha256=stat.sha256, how=how)))


def forget(notes: Notes, job_id: str) -> None:
    """There is no copy of a job any more, nor was there."""
    try:
        note = notes.get(COPY, job_id)
    except NotFound:
        return
    notes.delete(COPY, job_id, note.revision)
