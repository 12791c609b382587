"""What people change of a job afterwards: its name, and the clock time of its frame 0.

A note, not a change of the row: rows only move forward, and `Jobs` has as many methods as a port may have. What was
published stays as it is; what is counted or exported later follows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from sightline.errors import Conflict, Corrupt, NotFound
from sightline.ports import Job, Notes

__all__ = ["EDITS", "Edits", "edit", "edited", "forget"]

EDITS = "job"


class Edits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What holds instead of the row's; None: nothing was changed. An empty `clock_start` takes it away."""

    name: str | None = None
    clock_start: str | None = None


@dataclass(frozen=True, slots=True)
class _Read:
    edits: Edits
    revision: int


def edited(notes: Notes, job: Job) -> Job:
    """A job as it is called and timed now.

    Raises:
        Corrupt: the note is damaged.
    """
    edits = _read(notes, job.job_id).edits
    changes: dict[str, Any] = {}
    if edits.name is not None:
        changes["video_id"] = edits.name
    if edits.clock_start is not None:
        changes["clock_start"] = edits.clock_start or None
    return replace(job, **changes) if changes else job


def edit(notes: Notes, job_id: str, edits: Edits, check: Callable[[], None] = lambda: None) -> None:
    """Change what `edits` says; the rest stays.

    Args:
        notes: port.
        job_id: of the job.
        edits: what changes.
        check: raises where the job is not the one that was meant; nothing changes between it and the change.

    Raises:
        Conflict: somebody else changed it at the same time; nothing was written.
    """
    read = _read(notes, job_id)
    check()
    said = {name: value for name, value in msgspec.structs.asdict(edits).items() if value is not None}
    notes.put(EDITS, job_id, msgspec.to_builtins(msgspec.structs.replace(read.edits, **said)), read.revision)


def forget(notes: Notes, job_id: str) -> None:
    """Nothing was ever changed of a job, whoever changes something of it now: it finds that the job is gone."""
    while revision := _read(notes, job_id).revision:
        try:
            notes.delete(EDITS, job_id, revision)
        except Conflict:  # changed just now
            continue


def _read(notes: Notes, job_id: str) -> _Read:
    try:
        note = notes.get(EDITS, job_id)
        return _Read(msgspec.convert(note.value, Edits), note.revision)
    except NotFound:
        return _Read(Edits(), 0)
    except msgspec.ValidationError as error:
        raise Corrupt(f"note {EDITS}/{job_id} cannot be read: {error}") from error
