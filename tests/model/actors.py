"""The other processes: upload, cancel, relay, retention, publish, and the broker's own work.

As in `worker`, a process is a generator that yields its port calls; what it holds in variables dies with it.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Any

from sightline.errors import NotFound, Unavailable
from tests.model.owning import Process
from tests.model.producers import Dies
from tests.model.values import GARBAGE, SEGMENT, STREAMS, Job, Outgoing, Record
from tests.model.world import World

AT_ONCE = 4  # records that the relay sends
CONSUMERS = {"jobs": 1, "frames": 1, "detections": 2, "tracks": 2, "totals": 1}


# --- upload and cancel: clients of the service -------------------------------------------------------------------


def upload(world: World, job: Job) -> Process:
    """Object first, then row and event in one transaction; a client repeats until it has an answer."""
    event = Outgoing("jobs", 0, Record(job.job_id, "jobs", 0))
    source = f"input/{job.job_id}"
    while True:
        try:
            if (yield partial(world.is_removed, job.job_id)):
                return
            if world.rules.source_first:
                yield partial(world.put_new, source, "video")
            if world.rules.event_with_row:
                yield partial(world.create, job, [event])
            elif (yield partial(world.create, job, [])):
                yield partial(world.emit, [event])
            if not world.rules.source_first:
                yield from bytes_on_their_way(world)
            yield partial(world.put_new, source, "video")
            return
        except Unavailable:
            continue


def bytes_on_their_way(world: World) -> Process:
    """An object is large; whatever should have waited for it now has the time to go wrong."""
    for _ in range(10):
        yield world.nothing


def cancel(world: World, job_id: str) -> Process:
    """A user who changes her mind."""
    while True:
        try:
            yield partial(world.advance, job_id, "cancelled")
            return
        except (Unavailable, NotFound):
            continue


def remove(world: World, job_id: str) -> Process:
    """A user who wants to see a job no more, as soon as it has ended."""
    while True:
        try:
            if (yield partial(world.remove, job_id)):
                return
        except Unavailable:
            continue


def reaper(world: World) -> Process:
    """What a removed job leaves: at once, and once more after a grace, since a late write may have followed."""
    while True:
        try:
            for job_id, grace_is_over in (yield world.unpurged):
                yield partial(world.delete, job_id)
                yield partial(world.purge, job_id, grace_is_over or not world.rules.purge_again)
        except Unavailable:
            continue


def stranger(world: World) -> Process:
    """An older system that shares the topic of the job events."""
    with suppress(Unavailable):  # it does not care
        yield partial(world.append, [Outgoing("jobs", 0, Record("nobody", "jobs", 0, GARBAGE))])


# --- relay, retention, broker ------------------------------------------------------------------------------------


def relay(world: World) -> Process:
    """Committed records to the log; forgotten after its acknowledgement. The mirror of `sightline.runtime.relay`."""
    while True:
        try:
            waiting = yield partial(world.pending, AT_ONCE)
            if not waiting:
                continue
            send = partial(world.append, [out for _, out in waiting])
            mark = partial(world.sent, [queue_id for queue_id, _ in waiting])
            first, second = (send, mark) if world.rules.sent_after_ack else (mark, send)
            yield first
            yield second
        except Unavailable:
            continue


def retention(world: World) -> Process:
    """Forget what every consumer of a topic has released."""
    while True:
        with suppress(Unavailable):
            yield from trim_released(world)


def trim_released(world: World) -> Process:
    """Once; the mirror of `sightline.runtime.retention`."""
    for topic, consumers in CONSUMERS.items():
        positions = yield partial(world.positions, topic)
        for partition in sorted({at.partition for at in positions}):
            marks = [at.low_water for at in positions if at.partition == partition]
            if len(marks) >= consumers:
                mark = min(marks) if world.rules.trim_by_slowest else max(marks)
                yield partial(world.trim, topic, partition, mark)


def broker(world: World) -> Process:
    """Copies of records arrive late."""
    while True:
        try:
            yield world.append_late
        except Unavailable:
            continue


# --- publish -----------------------------------------------------------------------------------------------------


def publish(world: World, job_ids: tuple[str, ...]) -> Process:
    """Render complete jobs: put, read back, flip the pointer. Everything may be repeated, by two at a time."""
    while True:
        for job_id in job_ids:
            try:
                job = yield partial(world.get, job_id)
                if job.state == "predictable":
                    yield from publish_job(world, job)
            except (NotFound, Unavailable):
                continue


def publish_job(world: World, job: Job) -> Process:
    """One job, from its committed segments."""
    result = yield from render(world, job)
    key = f"result/{job.job_id}"
    point = partial(world.advance, job.job_id, "ready", result=(key, result))
    if not world.rules.pointer_last:
        yield point
        yield from mishap(world)
    yield from put_verified(world, key, result)
    if world.rules.pointer_last:
        yield from mishap(world)
        yield point


def mishap(world: World) -> Process:
    """Storms are mostly over when something is published: one publisher dies between its two writes all the same."""
    if world.mishaps:
        world.mishaps -= 1
        yield Dies()


def put_verified(world: World, key: str, result: Any) -> Process:
    """Put an object, until what is read back is what was put."""
    yield partial(world.put_remote, key, result)
    while world.rules.verified_object and (yield partial(world.fetch, key)) != result:
        yield partial(world.put_remote, key, result)


def render(world: World, job: Job) -> Process:
    """Join the streams by seq: (seq, bodies) rows, a pure function of the segments."""
    columns: dict[str, dict[int, Any]] = {}
    for stream in STREAMS:
        columns[stream] = {}
        for first in range(0, job.frames, SEGMENT):
            columns[stream].update((yield partial(world.fetch, f"{job.job_id}/{stream}/{first}")) or ())
    return tuple((seq, tuple(columns[s].get(seq) for s in STREAMS)) for seq in range(job.frames))
