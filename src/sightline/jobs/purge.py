"""Purge: one job away, with every object that Sightline wrote for it.

Keys are computed from the job's row and from what its manifest lists, as a store has no listing. A writer that was under
way when the job ended may put an object later: a note keeps what was purged, and `purge_again` goes over it once more
when nobody can be writing any longer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import msgspec

from sightline.errors import Conflict, Corrupt, Misconfigured, NotFound
from sightline.formats.run_folder import decode_run
from sightline.jobs import audits, copies, requests
from sightline.jobs import recipe as recipes
from sightline.jobs.edits import forget
from sightline.jobs.files import RUN_JSON
from sightline.jobs.rows import is_there, read
from sightline.jobs.shared import UPLOAD, close, leave, origin_of
from sightline.ports import TERMINAL, Job, Jobs, Note, Notes, ObjectStore
from sightline.stages.collect import segment_keys
from sightline.stages.publish import anchors_key

__all__ = [
    "GRACE_US",
    "PURGE",
    "Doomed",
    "Purged",
    "doomed_in",
    "doomed_of",
    "is_gone",
    "purge",
    "purge_again",
    "removed",
    "removed_of",
]

VERSION: Literal[1] = 1
PURGE = "purge"
GRACE_US = 600_000_000


@dataclass(frozen=True, slots=True)
class Purged:
    """How many objects were there and are gone, and how many jobs."""

    objects: int
    jobs: int


class Doomed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every object of a job, in a few bytes: those of an hour have ten thousand keys.

    Attributes:
        at_us: when the job was purged.
        prefix: of its segments.
        streams: number of frames by stream, published ones included.
        keys: all others.
        owner: of the job.
    """

    v: Literal[1] = VERSION
    at_us: int
    prefix: str = ""
    streams: dict[str, int] = {}
    keys: list[str] = []
    owner: str = ""

    def each(self) -> Iterator[str]:
        """Every key."""
        yield from self.keys
        for stream, frames in self.streams.items():
            yield from segment_keys(self.prefix, stream, frames)


def purge(job_id: str, jobs: Jobs, objects: ObjectStore, notes: Notes, now_us: int) -> Purged:
    """Cancel a job that runs, delete its objects and remove it. What is gone already is no error.

    A crash in between leaves a cancelled job, whose purge can be repeated.

    Raises:
        Unavailable: a part is left; repeat.
    """
    try:
        jobs.advance(job_id, "cancelled", reason="removed")
        job = jobs.get(job_id)
    except NotFound:
        return Purged(0, 0)
    if job.state not in TERMINAL:
        raise Conflict(f"job {job_id} is {job.state} though it was cancelled")
    doomed = _remember(notes, job_id, doomed_of(job, objects, now_us))  # first: a key that is forgotten stays
    deleted = _delete_upload(job, jobs, objects, notes)
    deleted += sum(_delete(objects, key) for key in doomed.each())
    forget(notes, job_id)
    audits.forget(notes, job_id)
    copies.forget(notes, job_id)
    return Purged(deleted, int(jobs.remove(job_id)))


def is_gone(job_id: str, jobs: Jobs, notes: Notes) -> bool:
    """Whether a job is not there, or is being removed: then nobody deletes what is written for it from now on."""
    return removed_of(notes, job_id) is not None or not is_there(jobs, job_id)


def removed_of(notes: Notes, job_id: str) -> str | None:
    """Whose job it was that is being purged, or was a few minutes ago; None where there is none."""
    try:
        return doomed_in(notes.get(PURGE, job_id)).owner
    except NotFound:
        return None


def purge_again(notes: Notes, objects: ObjectStore, now_us: int) -> int:
    """Delete once more what was purged ten minutes ago or earlier; how many objects came late."""
    late, after = 0, ""
    while page := notes.list(PURGE, after):
        for job_id, note in page:
            doomed = doomed_in(note)
            if now_us - doomed.at_us >= GRACE_US:
                late += sum(_delete(objects, key) for key in doomed.each())
                notes.delete(PURGE, job_id, note.revision)
        after = page[-1][0]
    return late


def removed(notes: Notes) -> Iterator[str]:
    """Jobs that were purged in the last ten minutes."""
    after = ""
    while page := notes.list(PURGE, after):
        yield from (job_id for job_id, _ in page)
        after = page[-1][0]


def doomed_of(job: Job, objects: ObjectStore, now_us: int) -> Doomed:
    """Every object that Sightline wrote for a job but its upload; an object that somebody else stored and a job only names is
    not its own.
    """
    prefix, streams, keys = _of_recipe(job)
    keys += [*_of_request(job), copies.copy_key(job.job_id)]
    keys += _of_manifest(job, objects, prefix)
    inside = {key for stream, frames in streams.items() for key in segment_keys(prefix, stream, frames)}
    return Doomed(
        at_us=now_us, prefix=prefix, streams=streams, keys=sorted({*keys} - inside), owner=job.owner
    )


def _of_request(job: Job) -> list[str]:
    try:
        request = requests.decode(job.request)
    except (Corrupt, Misconfigured):
        return []
    return [request.source.index_key, requests.detection_key(request.bucket, job.job_id)]


def _delete_upload(job: Job, jobs: Jobs, objects: ObjectStore, notes: Notes) -> int:
    """Delete the upload that a job works on, unless another job does too; how many objects are gone.

    Nobody writes an upload late: it was whole before there was a job.
    """
    try:
        origin = origin_of(job)
    except (Corrupt, Misconfigured):
        return 0

    def exists(job_id: str) -> bool:
        # The claim first: it goes when the row is there.
        return _is_claimed(notes, job_id) or is_there(jobs, job_id)

    if origin is None or not leave(notes, origin, job.job_id, exists):
        return 0
    deleted = _delete(objects, requests.decode(job.request).source.key)
    close(notes, origin, [])
    return deleted


def _is_claimed(notes: Notes, job_id: str) -> bool:
    try:
        notes.get(UPLOAD, job_id)
    except NotFound:
        return False
    return True


def _of_recipe(job: Job) -> tuple[str, dict[str, int], list[str]]:
    prefix = requests.job_prefix(job.job_id)
    try:
        recipe = recipes.decode(job.facts)
    except (Corrupt, Misconfigured):  # nothing was found of it yet, so nothing was written
        return prefix, {}, []
    prefix = recipe.route.prefix or prefix
    groups = recipe.class_ids if recipe.tracked else {}
    streams = dict.fromkeys([*recipe.streams, *(f"published:{name}" for name in groups)], recipe.sampled)
    return prefix, streams, [prefix + recipe.source.index, *(prefix + anchors_key(name) for name in groups)]


def _of_manifest(job: Job, objects: ObjectStore, prefix: str) -> list[str]:
    """The manifest that the row points to, or one that was written just before the job ended, and all that it lists."""
    key = str(job.result.get("key", prefix + RUN_JSON))
    try:
        listed = decode_run(b"".join(objects.read(key))).files
    except (NotFound, Corrupt):
        return [key]
    folder = key.removesuffix(RUN_JSON)
    return [key, *(folder + path for path in listed)]


def _remember(notes: Notes, job_id: str, found: Doomed) -> Doomed:
    """Write down what is to go, with what an earlier purge found: it may have deleted the manifest that listed the rest."""
    while True:
        try:
            note = notes.get(PURGE, job_id)
            before, revision = doomed_in(note), note.revision
        except NotFound:
            before, revision = found, 0
        doomed = msgspec.structs.replace(
            found, streams=before.streams | found.streams, keys=sorted({*before.keys, *found.keys})
        )
        try:
            notes.put(PURGE, job_id, msgspec.to_builtins(doomed), revision)
        except Conflict:  # somebody else removes it at the same time
            continue
        return doomed


def doomed_in(note: Note) -> Doomed:
    """What a note says.

    Raises:
        Corrupt: it is damaged.
        Misconfigured: a newer release wrote it.
    """
    return read(note.value, Doomed, VERSION, f"note {PURGE}")


def _delete(objects: ObjectStore, key: str) -> int:
    """Delete an object; 1 where it was there."""
    try:
        next(objects.read(key, 0, 1), None)
    except NotFound:
        return 0
    objects.delete(key)
    return 1
