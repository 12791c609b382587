"""What people add to a job: lines and zones, and verdicts on what was counted at them. Notes, as the store keeps them.

A job has one note of geometry, with a revision, and a note for each event that somebody has said something of.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import msgspec

from sightline.counts import Line, Zone
from sightline.errors import Conflict, Corrupt, InvalidFile, NotFound
from sightline.formats import geometry_json
from sightline.formats.evidence_json import VERSION, Verdict
from sightline.jobs.rows import read
from sightline.ports import Note, Notes

__all__ = [
    "GEOMETRY",
    "VERDICT",
    "Geometry",
    "forget",
    "geometry_of",
    "put_geometry",
    "say",
    "verdicts_of",
    "withdraw",
]

GEOMETRY, VERDICT = "geometry", "verdict"


@dataclass(frozen=True, slots=True)
class Geometry:
    """Lines and zones of a job, in 0..1 of its picture; revision 0 where nobody has drawn any."""

    lines: tuple[Line, ...] = ()
    zones: tuple[Zone, ...] = ()
    revision: int = 0
    plain: Any = field(default_factory=lambda: {"lines": [], "zones": []})


def geometry_of(notes: Notes, job_id: str) -> Geometry:
    """What was drawn for a job.

    Raises:
        Corrupt: the note is damaged.
    """
    try:
        note = notes.get(GEOMETRY, job_id)
    except NotFound:
        return Geometry()
    text, name = msgspec.json.encode(note.value).decode(), "geometry"
    try:
        lines, zones = geometry_json.read_lines(text, name), geometry_json.read_zones(text, name)
    except InvalidFile as error:
        raise Corrupt(f"the geometry of job {job_id} cannot be read: {error}") from error
    return Geometry(lines, zones, note.revision, note.value)


def put_geometry(
    notes: Notes, job_id: str, lines: tuple[Line, ...], zones: tuple[Zone, ...], revision: int
) -> Geometry:
    """Draw lines and zones, in 0..1, in place of those of a revision.

    Raises:
        Conflict: they have another revision.
    """
    value = msgspec.json.decode(geometry_json.encode(lines, zones))
    return Geometry(lines, zones, notes.put(GEOMETRY, job_id, value, revision), value)


def verdicts_of(notes: Notes, job_id: str) -> dict[str, Verdict]:
    """Every verdict on events of a job, by the id of the event.

    Raises:
        Corrupt: one is damaged.
        Misconfigured: a newer release wrote one.
    """
    return {event_id: _verdict(note) for event_id, note in _each(notes, job_id)}


def say(notes: Notes, job_id: str, event_id: str, verdict: Verdict) -> None:
    """Write a verdict; an older one on the same event is replaced.

    Raises:
        Conflict: somebody else said something at the same moment.
    """
    key = _key(job_id, event_id)
    notes.put(VERDICT, key, msgspec.to_builtins(verdict), _revision(notes, key))


def withdraw(notes: Notes, job_id: str, event_id: str) -> None:
    """Take a verdict back; where there is none nothing happens."""
    key = _key(job_id, event_id)
    notes.delete(VERDICT, key, _revision(notes, key))


def forget(notes: Notes, job_id: str) -> None:
    """Delete all of it, with the job."""
    for kind, key, note in _all(notes, job_id):
        with suppress(Conflict):  # written just now: whoever did finds that there is no job
            notes.delete(kind, key, note.revision)


def _all(notes: Notes, job_id: str) -> Iterator[tuple[str, str, Note]]:
    with suppress(NotFound):
        yield GEOMETRY, job_id, notes.get(GEOMETRY, job_id)
    for event_id, note in _each(notes, job_id):
        yield VERDICT, _key(job_id, event_id), note


def _each(notes: Notes, job_id: str) -> Iterator[tuple[str, Note]]:
    prefix = after = _key(job_id, "")
    while page := notes.list(VERDICT, after):
        for key, note in page:
            if not key.startswith(prefix):
                return
            yield key.removeprefix(prefix), note
        after = page[-1][0]


def _key(job_id: str, event_id: str) -> str:
    return f"{job_id}/{event_id}"


def _revision(notes: Notes, key: str) -> int:
    try:
        return notes.get(VERDICT, key).revision
    except NotFound:
        return 0


def _verdict(note: Note) -> Verdict:
    return read(note.value, Verdict, VERSION, "a verdict")
