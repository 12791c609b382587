"""What must hold when everything has come to rest. A finding is a sentence; no finding, no harm."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sightline.ports import TERMINAL
from tests.model.producers import LETHAL, UNREADABLE
from tests.model.world import END, GROUPS, STREAMS, Job, World

Rows = dict[tuple[str, str, int], Any]


def findings(world: World, calm: World | None) -> list[str]:
    """Everything that went wrong; `calm` is an undisturbed world whose results must be the same, if any."""
    found = list(dict.fromkeys(world.broken))
    first = first_records(world)
    for job in world.jobs.values():
        found += progress(world, job)
        if job.state == "ready":
            found += outcomes(job)
            found += consistency(job, first)
            found += pointer(world, job)
            if calm is not None and job.result != calm.jobs[job.job_id].result:
                found.append(f"{job.job_id}: another result than without disturbance")
    return found


def first_records(world: World) -> Rows:
    """The first record of each identity in log order: the outcome for everyone for ever."""
    first: Rows = {}
    for log in world.history.values():
        for record in log:
            first.setdefault((record.job_id, record.stream, record.seq), record.body)
    return first


def progress(world: World, job: Job) -> Iterator[str]:
    """Every job ends, and nothing of it stays behind."""
    if job.state not in TERMINAL:
        yield f"{job.job_id}: stalled in state {job.state}"
    elif job.state == "failed":
        yield f"{job.job_id}: failed ({job.code})"
    elif all(other.state in TERMINAL for other in world.jobs.values()) and world.lagging():
        yield "a position stands still although all jobs have ended"


def outcomes(job: Job) -> Iterator[str]:
    """Every frame has its outcome: `failed` for those that cannot be looked at, `ok` for all others."""
    for seq, bodies in job.result[1]:
        wanted = "failed" if (job.job_id, seq) in (UNREADABLE, LETHAL) else "ok"
        if any(body is None or body == END or body[0] != wanted for body in bodies):
            yield f"{job.job_id}: frame lost, invented or with another outcome"
            return


def consistency(job: Job, first: Rows) -> Iterator[str]:
    """Each published row is the first record in log order, and no two rows tell of different states."""
    for seq, bodies in job.result[1]:
        if any(body != first.get((job.job_id, s, seq)) for s, body in zip(STREAMS, bodies, strict=True)):
            yield f"{job.job_id}: a published row is not the first record"
            return
    for group in GROUPS:
        state = total = 0
        for seq in range(job.frames):
            seen = first.get((job.job_id, f"detections:{group}", seq))
            row = first.get((job.job_id, f"tracks:{group}", seq))
            count = first.get((job.job_id, f"totals:{group}", seq))
            if row is None or row == END or row[:3] != (*(seen or ()), state):
                yield f"{job.job_id}: state and visible tracks are torn apart"
                return
            state, total = row[3], total + row[3] % 5
            if count != (row[0], total):
                yield f"{job.job_id}: totals do not follow from the tracks"
                return


def pointer(world: World, job: Job) -> Iterator[str]:
    """Readers trust the pointer."""
    key, result = job.result
    if world.objects.get(key) != result:
        yield f"{job.job_id}: the pointer names an object that is missing or damaged"
