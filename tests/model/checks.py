"""What must hold when everything has come to rest. A finding is a sentence; no finding, no harm."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sightline.ports import TERMINAL
from tests.model.producers import LETHAL, UNREADABLE
from tests.model.values import END, GROUPS, STREAMS, Job
from tests.model.world import World

Rows = dict[tuple[str, str, int], Any]


def findings(world: World, calm: World | None) -> list[str]:
    """Everything that went wrong; `calm` is an undisturbed world whose results must be the same, if any."""
    found = [sentence for sentence in dict.fromkeys(world.broken) if not expected(world, sentence)]
    first = first_records(world)
    whole = not any(world.made.values())  # else some of the log is gone, and what reads it has stopped
    for job in world.jobs.values():
        found += progress(world, job) if whole else ()
        if job.state == "ready":
            found += outcomes(job)
            found += consistency(job, first) if whole else ()
            found += pointer(world, job)
            if calm is not None and job.result != calm.jobs[job.job_id].result:
                found.append(f"{job.job_id}: another result than without disturbance")
    return [*found, *leftovers(world)]


def expected(world: World, sentence: str) -> bool:
    """Whoever reads a topic that was made again must say so and stop; its jobs then do not end."""
    return any(world.made.values()) and sentence.endswith("stopped loudly: other_log")


def leftovers(world: World) -> Iterator[str]:
    """Of a removed job nothing but its tombstone stays."""
    for job_id in sorted(world.removed - set(world.jobs)):
        stored = [key for key in world.objects if job_id in key.split("/")]
        if stored or any(key[1] == job_id for key in world.saved):
            yield f"{job_id}: something of it stayed when it was removed"


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
    elif job.state == "failed" and job.code not in may_fail_with(world, job):
        yield f"{job.job_id}: failed ({job.code})"
    elif job.state == "ready" and job.trouble:
        yield f"{job.job_id}: ready, though it can have no result"
    elif all(other.state in TERMINAL for other in world.jobs.values()) and world.lagging():
        yield "a position stands still although all jobs have ended"


def may_fail_with(world: World, job: Job) -> set[str]:
    """Codes with which a job may end that has a trouble of its own."""
    codes = {"source": {"unreadable"}, "model": {"model"}}.get(job.trouble, set[str]())
    return codes | ({"corrupt"} if job.job_id in world.rotten else set[str]())


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
