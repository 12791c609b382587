"""Feed and detect, the stateless stages: they produce, wait for the acknowledgement, then advance.

A crash in between repeats records with the same identity. Mirrors of `sightline.runtime.{feed,detect}`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sightline.errors import Fenced, Unavailable
from sightline.ports import TERMINAL, Commit, Position, Saved
from tests.model.rules import Rules
from tests.model.worker import Process, read
from tests.model.world import END, GROUPS, WINDOW, Job, Outgoing, Record, World

FLOOR = 4  # frames of one job that may always be on their way
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
    """A job that is not yet fed to its end."""

    offset: int
    job: Job
    next_seq: int


@dataclass(slots=True)
class Feeding:
    """The claimed partition of the job topic."""

    at: Position
    read_to: int
    active: dict[str, Active] = field(default_factory=dict)

    def low_water(self) -> int:
        """Offset of the oldest job that is not fed to its end."""
        return min((job.offset for job in self.active.values()), default=self.read_to)


@dataclass(frozen=True)
class Feed:
    """Accepted jobs in, one record per frame out: produce, wait for the acknowledgement, advance."""

    world: World

    def run(self) -> Process:
        """Claim, then step for ever."""
        while True:
            try:
                at = yield partial(self.world.claim, "feed", "jobs", 0)
                held = Feeding(at, at.low_water)
                while True:
                    yield from self.step(held)
            except (Unavailable, Fenced):
                continue

    def step(self, held: Feeding) -> Process:
        """Take new jobs, feed each active one within its window."""
        for entry in (yield from read(self.world, held.at, held.read_to, 6)):
            yield from self.accept(held, entry.offset, entry.record.job_id)
            held.read_to = entry.offset + 1
        for active in list(held.active.values()):
            yield from self.feed(held, active)
        if held.low_water() > held.at.low_water:
            held.at, _ = yield partial(self.world.commit, Commit(held.at, held.low_water()))

    def accept(self, held: Feeding, offset: int, job_id: str) -> Process:
        """A job becomes active, at the seq where an earlier feeder stopped."""
        job = yield partial(self.world.get, job_id)
        if job.state in TERMINAL or job_id in held.active:
            return
        if (yield partial(self.world.fetch, f"input/{job_id}")) is None:
            yield partial(self.world.advance, job_id, "failed", code="source_gone")
            return
        saved = yield partial(self.world.load, "feed", job_id, "frames:m")
        next_seq = 0 if saved is None else saved.next_seq
        if next_seq <= job.frames:
            held.active[job_id] = Active(offset, job, next_seq)

    def feed(self, held: Feeding, active: Active) -> Process:
        """Some frames of one job, or its end."""
        world, rules, job = self.world, self.world.rules, active.job
        released = yield partial(world.released, job.job_id)
        room = released + max(WINDOW // len(held.active), FLOOR) - active.next_seq if rules.window else BATCH
        if room <= 0:
            yield from self.drop_ended(held, active)
            return
        last = min(active.next_seq + min(room, BATCH), job.frames + 1)
        records = [self.record(job, seq) for seq in range(active.next_seq, last)]
        saved = Saved(last, b"")
        commit = partial(Commit, job_id=job.job_id, stream="frames:m", saved=saved)
        if rules.feed_after_ack:
            yield partial(world.append, records)
            held.at, alive = yield partial(world.commit, commit(held.at, held.low_water()))
        else:
            held.at, alive = yield partial(world.commit, commit(held.at, held.low_water()))
            yield partial(world.append, records)
        active.next_seq = last
        if not alive or last > job.frames:
            del held.active[job.job_id]

    def drop_ended(self, held: Feeding, active: Active) -> Process:
        """A job that ended while its window was full has nobody left who would make room."""
        job = yield partial(self.world.get, active.job.job_id)
        if job.state in TERMINAL and self.world.rules.ended_gives_up:
            del held.active[job.job_id]

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
    partition: int
    spared: bool = False

    def run(self) -> Process:
        """Claim, then step for ever."""
        while True:
            self.spared = False
            try:
                at = yield partial(self.world.claim, "detect", "frames", self.partition)
                held = Looking(at, at.low_water, at.low_water + (CAREFUL if at.stuck else 0))
                while True:
                    yield from self.step(held)
            except (Unavailable, Fenced):
                continue

    def step(self, held: Looking) -> Process:
        """Look at one frame, append what was found, advance to the lowest unfinished offset."""
        for entry in (yield from read(self.world, held.at, held.read_to, 3)):
            held.unfinished[entry.offset] = entry.record
            held.read_to = entry.offset + 1
        if not held.unfinished:
            return
        offset = min(held.unfinished)
        if offset < held.careful_to:
            yield from self.look_carefully(held, offset)
            return
        offset = self.world.rng.choice(list(held.unfinished))
        found = yield from self.look(held.unfinished[offset])
        yield from self.answer(held, offset, found)

    def look_carefully(self, held: Looking, offset: int) -> Process:
        """A frame that the last owner may have died of: count first, then look; an outage is only waited for."""
        record = held.unfinished[offset]
        self.spared = True
        if held.at.attempts >= ATTEMPTS:
            found = yield from self.dead_letter(record)
        else:
            if self.world.rules.attempt_before_record:
                attempt = Commit(held.at, held.at.low_water, attempt=True)
                held.at, _ = yield from self.call(partial(self.world.commit, attempt))
            found = yield from self.look(record)
        yield from self.answer(held, offset, found)
        self.spared = False

    def look(self, record: Record) -> Process:
        """Detections of a frame for each group, None for a job that ended."""
        job = yield from self.call(partial(self.world.get, record.job_id))
        if job.state in TERMINAL:
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
        yield from self.call(partial(self.world.append, [Outgoing("frames.dlq", 0, record)]))
        if not self.world.rules.dead_letter_fails:
            return None
        return [self.output(record, group, ("failed", 0)) for group in GROUPS]

    def answer(self, held: Looking, offset: int, found: list[Outgoing] | None) -> Process:
        """Produce, wait for the acknowledgement, then advance."""
        del held.unfinished[offset]
        if found is not None and self.world.rules.detect_after_ack:
            yield from self.call(partial(self.world.append, found))
        low_water = held.low_water(self.world.rules)
        if low_water > held.at.low_water:
            held.at, _ = yield from self.call(partial(self.world.commit, Commit(held.at, low_water)))
        if found is not None and not self.world.rules.detect_after_ack:
            yield from self.call(partial(self.world.append, found))

    def call(self, call: Any) -> Process:
        """A call; with a frame under suspicion an outage is waited for, so that it never counts as an attempt."""
        while True:
            try:
                return (yield call)
            except Unavailable:
                if not self.spared or not self.world.rules.outage_no_attempt:
                    raise

    def output(self, record: Record, group: str, body: Any) -> Outgoing:
        """Detections gather on one partition."""
        return Outgoing("detections", 0, Record(record.job_id, f"detections:{group}", record.seq, body))
