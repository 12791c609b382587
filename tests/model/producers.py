"""Feed and detect, the stateless stages: they produce, wait for the acknowledgement, then advance.

A crash in between repeats records with the same identity. Mirrors of `sightline.runtime.{feed,detect,lanes}`.
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

EVENTS = 64  # of jobs, read at once
READ = 3  # frames, read at once
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
    queue: dict[str, int] = field(default_factory=dict)

    def low_water(self) -> int:
        """Offset of the oldest job that is not released to its end."""
        active = (job.offset for job in self.active.values())
        return min([*self.queue.values(), *active], default=self.read_to)


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
        for entry in (yield from read(self.world, held.at, held.read_to, EVENTS, held.identity)):
            yield from self.accept(held, entry)
        while held.queue and (len(held.active) < MAX_ACTIVE or not self.world.rules.queue):
            job_id = next(iter(held.queue))
            yield from self.activate(held, held.queue.pop(job_id), job_id)
        for active in list(held.active.values()):
            yield from self.feed(held, active)
        if held.low_water() > held.at.low_water:
            held.at, _ = yield from commit(self.world, Commit(held.at, held.low_water()))

    def accept(self, held: Feeding, entry: Entry) -> Process:
        """A job queues; an event that nobody can read is kept as a dead letter, and its key may name a job all the same."""
        world, job_id = self.world, entry.record.job_id
        if entry.record.body == GARBAGE:
            if not world.rules.unreadable_event:
                raise Rejected("not a job event")
            yield partial(world.append, [Outgoing("jobs.dlq", 0, entry.record)])
        held.read_to = entry.offset + 1
        if job_id in held.active:
            return
        job = yield from row_of(world, job_id)
        if job is not None and job.state not in TERMINAL:
            held.queue.setdefault(job_id, entry.offset)

    def activate(self, held: Feeding, offset: int, job_id: str) -> Process:
        """A job becomes active, at the seq where an earlier feeder stopped."""
        world = self.world
        job = yield from row_of(world, job_id)
        if job is None or job.state in TERMINAL:
            return
        if job.trouble == "source" or (yield partial(world.fetch, f"input/{job_id}")) is None:
            if not world.rules.unreadable_source:
                raise InvalidVideo(job_id, reason="not a video")
            yield from ends(world, job_id, "unreadable" if job.trouble else "source_gone")
            return
        saved = yield partial(world.load, "feed", job_id, "frames:m")
        held.active[job_id] = Active(offset, job, 0 if saved is None else saved.next_seq)

    def feed(self, held: Feeding, active: Active) -> Process:
        """Some frames of one job, or its end; its slot is free once all are released."""
        world, job = self.world, active.job
        released = yield partial(world.released, job.job_id)
        fed = active.next_seq > job.frames
        if fed and (released > job.frames or not world.rules.slot_until_released):
            del held.active[job.job_id]
            return
        room = self.room(held, active, released)
        if fed or room <= 0:
            yield from self.drop_ended(held, active)
            return
        last = min(active.next_seq + min(room, BATCH), job.frames + 1)
        records = [self.record(job, seq) for seq in range(active.next_seq, last)]
        saved = Saved(last, b"" if last > job.frames else b"\x01")
        what = partial(Commit, job_id=job.job_id, stream="frames:m", saved=saved)
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
        claimed_at, begun: where it was claimed, and whether it was said since that something there is begun.
        careful_to: below it each frame is begun alone, behind a row that counts its attempts: one of them may have
            ended the owner before.
    """

    at: Position
    identity: int
    read_to: int
    claimed_at: int
    careful_to: int
    begun: bool = False
    unfinished: dict[int, Record] = field(default_factory=dict)

    def low_water(self, rules: Rules) -> int:
        """Lowest unfinished offset."""
        if rules.lowest_unfinished:
            return min(self.unfinished, default=self.read_to)
        finished = (offset for offset in range(self.read_to) if offset not in self.unfinished)
        return max(self.at.low_water, max(finished, default=-1) + 1)

    def forget(self, job_id: str) -> None:
        """Give up what waits of a job that ended."""
        self.unfinished = {o: record for o, record in self.unfinished.items() if record.job_id != job_id}


@dataclass
class Detect:
    """Frames in, detections out: a role that owns the partition, and a lane that looks at one frame at a time.

    Attributes:
        spared: tells the scheduler that chance must not look like a lethal frame.
        offset: of the frame that it is at.
        begun: offsets that this process has counted an attempt for: an outage that it survives is no attempt.
    """

    world: World
    member: int
    partition: int
    spared: bool = False
    offset: int | None = None
    begun: set[int] = field(default_factory=set)

    def run(self) -> Process:
        """Step for ever."""
        return own(self.world, self.member, self.take, self.step)

    def take(self) -> Process:
        """Claim; careful where an owner before this one began the record at the low water and got no further."""
        self.spared, self.offset = False, None
        at, identity = yield from claim(self.world, "detect", "frames", self.partition)
        careful = at.stuck and (at.attempts > 0 or not self.world.rules.begun_then_careful)
        self.check_careful(at, careful)
        low_water = at.low_water
        return Looking(at, identity, low_water, low_water, low_water + (CAREFUL if careful else 0))

    def check_careful(self, at: Position, careful: bool) -> None:
        """Nobody may be suspected who had nothing to read."""
        world = self.world
        if careful and world.was_read[at.topic, at.partition] <= at.low_water:
            world.broken.append("careful before a record that nobody had ever read")

    def step(self, held: Looking) -> Process:
        """Read, look at one frame, append what was found, advance to the lowest unfinished offset."""
        self.spared, self.offset = False, None
        for entry in (yield from read(self.world, held.at, held.read_to, READ, held.identity)):
            held.unfinished[entry.offset] = entry.record
            held.read_to = entry.offset + 1
        yield from self.advance(held)
        if not held.unfinished:
            return
        self.offset = offset = min(held.unfinished)
        if offset < held.careful_to:
            self.spared = True
            done = yield from self.look_carefully(held, offset)
        else:
            self.offset = offset = self.world.rng.choice(list(held.unfinished))
            yield from self.begin_any(held)
            done = yield from self.try_to(self.look, held, offset)
        if done:
            yield from self.advance(held)

    def begin_any(self, held: Looking) -> Process:
        """Say that something at the low water is about to be begun: an owner that gets no further was not idle."""
        if not held.begun and not held.at.attempts and held.at.low_water == held.claimed_at:
            yield from self.count(held)
        held.begun = True

    def look_carefully(self, held: Looking, offset: int) -> Process:
        """A frame that the last owner may have died of: open, count, then look. An outage gives the attempt back."""
        if not (yield from self.try_to(self.opened, held, offset)):
            return False
        if offset not in held.unfinished:  # its job has ended
            return True
        if not (yield from self.begin(held, offset)):
            return (yield from self.try_to(self.give_up, held, offset))
        done = yield from self.try_to(self.look, held, offset)
        if not done and self.world.rules.outage_no_attempt and held.at.attempts > 0:
            yield from self.commit(held, held.at.low_water, attempt=-1)
            self.begun.discard(offset)
        return done

    def opened(self, held: Looking, offset: int) -> Process:
        """Source and model of a frame are opened before its attempt counts: that takes most of the time on the way up."""
        record = held.unfinished[offset]
        job = yield from self.alive(held, record.job_id)
        if job is not None:
            yield from self.refused(held, offset, job)

    def begin(self, held: Looking, offset: int) -> Process:
        """Count an attempt before it is made; False where there were enough, and the frame is given up."""
        rules, record = self.world.rules, held.unfinished[offset]
        begun_here = held.at.attempts > 0 and offset in self.begun and rules.outage_no_attempt
        if held.at.attempts - begun_here > ATTEMPTS and record.body != END:  # once among others, then alone
            yield partial(self.world.append, [Outgoing("frames.dlq", 0, record)])
            return False
        if not begun_here and rules.attempt_before_record:
            yield from self.count(held)
        return True

    def count(self, held: Looking) -> Process:
        """Count an attempt at the low water, and know of it first: of a commit that fails nobody knows whether it was written."""
        self.begun.add(held.at.low_water)
        yield from self.commit(held, held.at.low_water, attempt=1)

    def try_to(self, what: Callable[[Looking, int], Process], held: Looking, offset: int) -> Process:
        """What a lane does with a frame. Where it meets an outage the frame waits again, and the claim stands."""
        try:
            yield from what(held, offset)
        except Unavailable:
            return False
        return True

    def look(self, held: Looking, offset: int) -> Process:
        """Look at a frame of a job that has not ended."""
        record = held.unfinished[offset]
        job = yield from self.alive(held, record.job_id)
        if job is None or (yield from self.refused(held, offset, job)):
            return
        if (record.job_id, record.seq) == LETHAL:
            yield Dies()
        yield from self.answer(held, offset, self.bodies(record))

    def refused(self, held: Looking, offset: int, job: Any) -> Process:
        """A model that cannot be used ends its job, and no other; True where it did."""
        if held.unfinished[offset].body == END or job.trouble != "model":
            return False
        if not self.world.rules.refused_model:
            raise Misconfigured(f"the model of {job.job_id}")
        yield from ends(self.world, job.job_id, "model")
        del held.unfinished[offset]
        return True

    def bodies(self, record: Record) -> list[Any]:
        """What is found in a frame, for each group."""
        if record.body == END:
            return [END for _ in GROUPS]
        if (record.job_id, record.seq) == UNREADABLE:
            return [("failed", 0) for _ in GROUPS]
        low_bits = self.world.rng.randrange(8) if self.world.noisy else 0
        return [("ok", 8 * (10 * record.seq + len(group)) + low_bits) for group in GROUPS]

    def give_up(self, held: Looking, offset: int) -> Process:
        """A frame that was put aside has an outcome all the same."""
        record = held.unfinished[offset]
        if (yield from self.alive(held, record.job_id)) is None:
            return
        if self.world.rules.dead_letter_fails:
            yield from self.answer(held, offset, [("failed", 0) for _ in GROUPS])
        else:
            del held.unfinished[offset]

    def answer(self, held: Looking, offset: int, bodies: list[Any]) -> Process:
        """Produce and wait for the acknowledgement; then, and not before, the frame is finished."""
        record = held.unfinished[offset]
        if (yield from self.alive(held, record.job_id)) is None:
            return
        found = [self.output(record, group, body) for group, body in zip(GROUPS, bodies, strict=True)]
        if not self.world.rules.detect_after_ack:
            del held.unfinished[offset]
            yield from self.advance(held)
        yield partial(self.world.append, found)
        held.unfinished.pop(offset, None)

    def alive(self, held: Looking, job_id: str) -> Process:
        """A job that has not ended; where it has, all that waits of it is given up."""
        job = yield from row_of(self.world, job_id)
        if job is None or job.state in TERMINAL:
            held.forget(job_id)
            return None
        return job

    def advance(self, held: Looking) -> Process:
        """Commit the position if it moved."""
        low_water = held.low_water(self.world.rules)
        if low_water > held.at.low_water:
            yield from self.commit(held, low_water)

    def commit(self, held: Looking, low_water: int, attempt: int = 0) -> Process:
        """The position alone: it has no state."""
        held.at, _ = yield from commit(self.world, Commit(held.at, low_water, attempt=attempt))

    def output(self, record: Record, group: str, body: Any) -> Outgoing:
        """Detections gather on one partition."""
        return Outgoing("detections", 0, Record(record.job_id, f"detections:{group}", record.seq, body))
