"""Feed and detect, the stateless stages: they produce, wait for the acknowledgement, then advance.

A crash in between repeats records with the same identity. Mirrors of `sightline.runtime.{feed,detect}`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sightline.errors import InvalidVideo, Misconfigured, Rejected, Unavailable
from sightline.ports import TERMINAL, Commit, Position, Saved
from tests.model.owning import Process, claim, commit, ends, own, read, row_of
from tests.model.rules import Rules
from tests.model.values import (
    END,
    FLOOR,
    GARBAGE,
    GROUPS,
    MAX_ACTIVE,
    WINDOW,
    Entry,
    Job,
    Outgoing,
    Record,
)
from tests.model.world import World

BATCH = 3  # records per append
CHUNK = 3  # frames that can be decoded alone; a chunk decides the partition of its frames
FRAME_PARTITIONS = 2
ATTEMPTS = 3
CAREFUL = 6  # frames behind the low water that are begun one by one where the owner before never moved it
UNREADABLE = ("long", 2)  # a frame that does not decode
LETHAL = ("long", 5)  # a frame that kills whoever decodes it


class Dies:
    """What a process yields when its own work kills it."""


# --- feed --------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Active:
    """A job whose frames have not all been released."""

    offset: int
    job: Job
    next_seq: int


@dataclass(slots=True)
class Feeding:
    """The claimed partition of the job topic: jobs that have a slot, and events of those that wait for one."""

    at: Position
    identity: int
    read_to: int
    active: dict[str, Active] = field(default_factory=dict)
    queue: list[Entry] = field(default_factory=list)

    def low_water(self) -> int:
        """Offset of the oldest job that is not released to its end."""
        waiting = [entry.offset for entry in self.queue]
        return min([*waiting, *(job.offset for job in self.active.values())], default=self.read_to)


@dataclass(frozen=True)
class Feed:
    """Accepted jobs in, one record per frame out: produce, wait for the acknowledgement, advance."""

    world: World
    member: int

    def run(self) -> Process:
        """Step for ever."""
        return own(self.world, self.member, self.take, self.step)

    def take(self) -> Process:
        """Claim; jobs that were not released to their end are taken up again."""
        at, identity = yield from claim(self.world, "feed", "jobs", 0)
        return Feeding(at, identity, at.low_water)

    def step(self, held: Feeding) -> Process:
        """Give free slots to the oldest jobs, feed each active one within its window."""
        for entry in (yield from read(self.world, held.at, held.read_to, 6, held.identity)):
            held.queue.append(entry)
            held.read_to = entry.offset + 1
        while held.queue and (len(held.active) < MAX_ACTIVE or not self.world.rules.queue):
            yield from self.accept(held, held.queue[0])
            held.queue.pop(0)
        for active in list(held.active.values()):
            yield from self.feed(held, active)
        if held.low_water() > held.at.low_water:
            held.at, _ = yield from commit(self.world, Commit(held.at, held.low_water()))

    def accept(self, held: Feeding, entry: Entry) -> Process:
        """A job becomes active, at the seq where an earlier feeder stopped."""
        world, job_id = self.world, entry.record.job_id
        if entry.record.body == GARBAGE:
            if not world.rules.unreadable_event:
                raise Rejected("not a job event")
            yield partial(world.append, [Outgoing("jobs.dlq", 0, entry.record)])
            return
        job = yield from row_of(world, job_id)
        if job is None or job.state in TERMINAL or job_id in held.active:
            return
        if job.trouble == "source" or (yield partial(world.fetch, f"input/{job_id}")) is None:
            if not world.rules.unreadable_source:
                raise InvalidVideo(job_id, reason="not a video")
            yield from ends(world, job_id, "unreadable" if job.trouble else "source_gone")
            return
        saved = yield partial(world.load, "feed", job_id, "frames:m")
        held.active[job_id] = Active(entry.offset, job, 0 if saved is None else saved.next_seq)

    def feed(self, held: Feeding, active: Active) -> Process:
        """Some frames of one job, or its end; its slot is free once all are released."""
        world, job = self.world, active.job
        released = yield partial(world.released, job.job_id)
        fed = active.next_seq > job.frames
        if fed and (released >= job.frames or not world.rules.slot_until_released):
            del held.active[job.job_id]
            return
        room = self.room(held, active, released)
        if fed or room <= 0:
            yield from self.drop_ended(held, active)
            return
        last = min(active.next_seq + min(room, BATCH), job.frames + 1)
        records = [self.record(job, seq) for seq in range(active.next_seq, last)]
        what = partial(Commit, job_id=job.job_id, stream="frames:m", saved=Saved(last, b""))
        if world.rules.feed_after_ack:
            yield partial(world.append, records)
        held.at, alive = yield from commit(world, what(held.at, held.low_water()))
        if not world.rules.feed_after_ack:
            yield partial(world.append, records)
        active.next_seq = last
        if not alive:
            del held.active[job.job_id]

    def room(self, held: Feeding, active: Active, released: int) -> int:
        """How many more frames may be on their way: a share of the window, two segments at the least."""
        rules = self.world.rules
        if not rules.window:
            return BATCH
        share = WINDOW // len(held.active) if rules.window_shared else WINDOW
        return released + max(share, FLOOR if rules.window_floor else 1) - active.next_seq

    def drop_ended(self, held: Feeding, active: Active) -> Process:
        """A job that ended while its window was full has nobody left who would make room."""
        job = yield from row_of(self.world, active.job.job_id)
        if (job is None or job.state in TERMINAL) and self.world.rules.ended_gives_up:
            del held.active[active.job.job_id]

    def record(self, job: Job, seq: int) -> Outgoing:
        """A frame on the partition of its chunk; the end on that of the last chunk."""
        chunk = min(seq, job.frames - 1) // CHUNK
        body = END if seq == job.frames else None
        return Outgoing("frames", chunk % FRAME_PARTITIONS, Record(job.job_id, "frames:m", seq, body))


# --- detect ------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Looking:
    """A claimed partition of frames; several are in flight and finish in any order.

    Attributes:
        careful_to: below it each frame is begun alone, behind a row that counts its attempts: one of them may have
            ended the owner before.
    """

    at: Position
    identity: int
    read_to: int
    careful_to: int
    unfinished: dict[int, Record] = field(default_factory=dict)

    def low_water(self, rules: Rules) -> int:
        """Lowest unfinished offset."""
        if rules.lowest_unfinished:
            return min(self.unfinished, default=self.read_to)
        finished = (offset for offset in range(self.read_to) if offset not in self.unfinished)
        return max(self.at.low_water, max(finished, default=-1) + 1)


@dataclass
class Detect:
    """Frames in, detections out. `spared` tells the scheduler that chance must not look like a lethal frame."""

    world: World
    member: int
    partition: int
    spared: bool = False

    def run(self) -> Process:
        """Step for ever."""
        return own(self.world, self.member, self.take, self.step)

    def take(self) -> Process:
        """Claim; careful where an owner before this one began the record at the low water and got no further."""
        self.spared = False
        at, identity = yield from claim(self.world, "detect", "frames", self.partition)
        careful = at.stuck and (at.attempts > 0 or not self.world.rules.begun_then_careful)
        self.check_careful(at, careful)
        return Looking(at, identity, at.low_water, at.low_water + (CAREFUL if careful else 0))

    def check_careful(self, at: Position, careful: bool) -> None:
        """Nobody may be suspected who had nothing to read."""
        world = self.world
        if careful and world.was_read[at.topic, at.partition] <= at.low_water:
            world.broken.append("careful before a record that nobody had ever read")

    def step(self, held: Looking) -> Process:
        """Look at one frame, append what was found, advance to the lowest unfinished offset."""
        for entry in (yield from read(self.world, held.at, held.read_to, 3, held.identity)):
            held.unfinished[entry.offset] = entry.record
            held.read_to = entry.offset + 1
        if not held.unfinished:
            return
        offset = min(held.unfinished)
        if offset < held.careful_to:
            yield from self.look_carefully(held, offset)
            return
        if offset == held.at.low_water and not held.at.attempts:
            yield from self.begin(held)
        offset = self.world.rng.choice(list(held.unfinished))
        found = yield from self.look(held.unfinished[offset])
        yield from self.answer(held, offset, found)

    def begin(self, held: Looking) -> Process:
        """Say that the record at the low water is about to be begun: an owner that gets no further was not idle."""
        held.at, _ = yield from commit(self.world, Commit(held.at, held.at.low_water, attempt=1))

    def look_carefully(self, held: Looking, offset: int) -> Process:
        """A frame that the last owner may have died of: count first, then look; an outage is only waited for."""
        record = held.unfinished[offset]
        self.spared = True
        if held.at.attempts > ATTEMPTS:  # once among others, then alone
            found = yield from self.dead_letter(record)
        else:
            if self.world.rules.attempt_before_record:
                yield from self.call(partial(self.begin, held))
            found = yield from self.look(record)
        yield from self.answer(held, offset, found)
        self.spared = False

    def look(self, record: Record) -> Process:
        """Detections of a frame for each group, None for a job that ended."""
        job = yield from self.call(lambda: row_of(self.world, record.job_id))
        if job is None or job.state in TERMINAL:
            return None
        if job.trouble == "model":
            if not self.world.rules.refused_model:
                raise Misconfigured(f"the model of {job.job_id}")
            yield from self.call(lambda: ends(self.world, job.job_id, "model"))
            return None
        if record.body == END:
            return [self.output(record, group, END) for group in GROUPS]
        if (record.job_id, record.seq) == LETHAL:
            yield Dies()
        if (record.job_id, record.seq) == UNREADABLE:
            return [self.output(record, group, ("failed", 0)) for group in GROUPS]
        low_bits = self.world.rng.randrange(8) / 8 if self.world.noisy else 0
        return [
            self.output(record, group, ("ok", 10 * record.seq + len(group) + low_bits)) for group in GROUPS
        ]

    def dead_letter(self, record: Record) -> Process:
        """Put the frame aside; it has an outcome all the same."""
        yield from self.call(lambda: self.append([Outgoing("frames.dlq", 0, record)]))
        if not self.world.rules.dead_letter_fails:
            return None
        return [self.output(record, group, ("failed", 0)) for group in GROUPS]

    def answer(self, held: Looking, offset: int, found: list[Outgoing] | None) -> Process:
        """Produce, wait for the acknowledgement, then advance."""
        del held.unfinished[offset]
        if found is not None and self.world.rules.detect_after_ack:
            yield from self.call(lambda: self.append(found))
        low_water = held.low_water(self.world.rules)
        if low_water > held.at.low_water:
            yield from self.call(lambda: self.move(held, low_water))
        if found is not None and not self.world.rules.detect_after_ack:
            yield from self.call(lambda: self.append(found))

    def append(self, records: list[Outgoing]) -> Process:
        """Into the log."""
        yield partial(self.world.append, records)

    def move(self, held: Looking, low_water: int) -> Process:
        """Advance."""
        held.at, _ = yield from commit(self.world, Commit(held.at, low_water))

    def call(self, calls: Callable[[], Process]) -> Process:
        """Calls; with a frame under suspicion an outage is waited for, so that it never counts as an attempt."""
        while True:
            try:
                return (yield from calls())
            except Unavailable:
                if not self.spared or not self.world.rules.outage_no_attempt:
                    raise

    def output(self, record: Record, group: str, body: Any) -> Outgoing:
        """Detections gather on one partition."""
        return Outgoing("detections", 0, Record(record.job_id, f"detections:{group}", record.seq, body))
