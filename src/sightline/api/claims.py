"""Uploads under way, each known by a note that is written before its first byte: what a crash leaves can be found.

The note is the lock of an id as well: while it is there, nobody else takes the same upload in.
"""

from __future__ import annotations

from collections.abc import Iterable

from sightline.api.backend import Backend
from sightline.api.problems import Problem
from sightline.errors import Conflict, NotFound
from sightline.jobs.requests import index_key
from sightline.jobs.shared import UPLOAD
from sightline.ports import Jobs, Notes, ObjectStore

__all__ = ["UPLOAD", "Claim", "reap", "running"]


class Claim:
    """The note of one upload; synchronous, for the pool.

    Args:
        backend: see there.
        job_id: what the upload becomes.
        by: whose it is: a process has one claim of an id at a time, see `Intake.claim`.
    """

    def __init__(self, backend: Backend, job_id: str, by: str) -> None:
        self._backend, self.job_id, self._by = backend, job_id, by
        self._keys = [index_key(job_id)]
        self._began_us = backend.now_us()
        self._revision = 0

    def open(self) -> None:
        """Write the note. One that this process could not take away, as the disk was full, is settled first.

        Raises:
            Problem: 409: another request with the same id is under way.
        """
        backend = self._backend
        try:
            self._write()
        except Conflict:
            left = self._left()
            if left is None:
                raise running() from None
            keys, revision = left
            _settle(backend.notes, backend.store, backend.objects, self.job_id, keys, revision)
            self._write()

    def _left(self) -> tuple[list[str], int] | None:
        """Keys and revision of a note that this process has left."""
        try:
            note = self._backend.notes.get(UPLOAD, self.job_id)
        except NotFound:
            return None
        return (note.value["keys"], note.revision) if note.value.get("by") == self._by else None

    def add(self, key: str) -> None:
        """Name an object before its first byte is written; what lies there belongs to nobody: see `open`."""
        if key not in self._keys:
            self._keys.append(key)
            self._write()
        self._backend.objects.delete(key)

    def close(self) -> None:
        """Nothing is under way any longer: keep the objects of a job whose row is there, delete them otherwise."""
        backend = self._backend
        _settle(backend.notes, backend.store, backend.objects, self.job_id, self._keys, self._revision)

    def _write(self) -> None:
        value = {"keys": self._keys, "began_us": self._began_us, "by": self._by}
        self._revision = self._backend.notes.put(UPLOAD, self.job_id, value, self._revision)


def running() -> Problem:
    """Somebody else is at an id."""
    return Problem(409, "in_progress", "A request with this Idempotency-Key is still running.")


def reap(notes: Notes, store: Jobs, objects: ObjectStore) -> int:
    """Delete what uploads left that ended with their process; how many there were. Only while none is under way."""
    reaped, after = 0, ""
    while page := notes.list(UPLOAD, after):
        for job_id, note in page:
            _settle(notes, store, objects, job_id, note.value["keys"], note.revision)
        reaped, after = reaped + len(page), page[-1][0]
    return reaped


def _settle(
    notes: Notes, store: Jobs, objects: ObjectStore, job_id: str, keys: Iterable[str], revision: int
) -> None:
    try:
        store.get(job_id)  # a commit whose answer was lost has happened all the same
    except NotFound:
        for key in keys:
            objects.delete(key)
    notes.delete(UPLOAD, job_id, revision)
