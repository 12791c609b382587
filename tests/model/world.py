"""What survives a crash: log, ledger, jobs, outbox, objects. Every method is one atomic micro-step of its caller.

The names are those of `sightline.ports`; values are Python tuples where the product has bytes. `history` is the log as
it was ever written: the checks read it, the processes cannot.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from random import Random
from typing import Any

from sightline.errors import Corrupt, Fenced, NotFound
from sightline.ports import TERMINAL, Commit, JobState, Position, Saved
from tests.model.members import Members
from tests.model.rules import Rules
from tests.model.values import (
    DAMAGED,
    END,
    GRACE,
    GROUPS,
    ON_THEIR_WAY,
    ORDER,
    STREAMS,
    WINDOW,
    Chaos,
    Entry,
    Job,
    Outgoing,
    Record,
    Tombstone,
)


class World:
    """One SQLite file or a whole cluster.

    Args:
        rules, chaos, rng: what holds, how unkind it is, the die.
        relayed: outputs pass through the outbox.
        asks_first: whether a job is alive is asked before a commit, not within it, as where a commit is one insert.
    """

    def __init__(
        self, rules: Rules, chaos: Chaos, rng: Random, *, relayed: bool, asks_first: bool = False
    ) -> None:
        self.rules, self.chaos, self.rng, self.relayed = rules, chaos, rng, relayed
        self.asks_first = asks_first
        self.members = Members()
        self.clock = self.changes = self.remade_at = 0
        self.tracker_version = 1
        self.noisy = False
        self.mishaps = 0  # publishers that die between their two writes
        self.broken: list[str] = []  # what must never happen, noted when it happened
        self.history: defaultdict[tuple[str, int], list[Record]] = defaultdict(list)
        self.kept_from: defaultdict[tuple[str, int], int] = defaultdict(int)
        self.late: list[Outgoing] = []
        self.jobs: dict[str, Job] = {}
        self.complete: defaultdict[str, set[str]] = defaultdict(set)
        self.rows: dict[tuple[str, str, int], Position] = {}
        self.claimed: dict[tuple[str, str, int], int] = {}
        self.saved: dict[tuple[str, str, str], Saved] = {}
        self.outbox: dict[int, Outgoing] = {}
        self.queued = 0
        self.objects: dict[str, Any] = {}
        self.fed: defaultdict[str, int] = defaultdict(int)
        self.was_read: defaultdict[tuple[str, int], int] = defaultdict(int)
        self.made: defaultdict[str, int] = defaultdict(int)  # how often a topic was made again
        self.known_as: dict[tuple[str, str, int], int] = {}
        self.tombstones: dict[str, Tombstone] = {}
        self.removed: set[str] = set()  # as the checks know it
        self.left: set[tuple[str, int]] = set()  # partitions whose owner left of its own will
        self.rotten: set[str] = set()  # jobs of which a state was damaged

    # --- log

    def append(self, records: list[Outgoing]) -> None:
        """Write records; a broker may double them and mix up a batch."""
        records = list(records)
        if len(records) > 1 and self.rng.random() < self.chaos.shuffle:
            self.rng.shuffle(records)
        for out in records:
            self.history[out.topic, out.partition].append(out.record)
            if self.rng.random() < self.chaos.duplicate:
                self.late.append(out)
            self._check_window(out)
        self.changes += len(records)

    def append_late(self) -> None:
        """The broker's own work: copies arrive late."""
        if self.late:
            out = self.late.pop(self.rng.randrange(len(self.late)))
            self.history[out.topic, out.partition].append(out.record)
            self.changes += 1

    def read(self, topic: str, partition: int, offset: int, limit: int, identity: int) -> list[Entry]:
        """Entries from `offset` on; loud where they are gone, or where the topic is another one."""
        at = self.history[topic, partition]
        if self.rules.topic_identity and identity != self.made[topic]:
            raise Corrupt(f"{topic} was made again", code="other_log")
        if not self.kept_from[topic, partition] <= offset <= len(at):
            raise Corrupt(f"{topic}/{partition}: offset {offset} is gone", code="log_gap")
        entries = [Entry(offset + i, record) for i, record in enumerate(at[offset : offset + limit])]
        self.was_read[topic, partition] = max(self.was_read[topic, partition], offset + len(entries))
        return entries

    def identity(self, topic: str) -> int:
        """Which topic of that name it is."""
        return self.made[topic]

    def make_again(self, topic: str) -> None:
        """An operator removes a topic and makes it again."""
        self.made[topic] += 1
        self.remade_at = self.clock
        for logged in [at for at in self.history if at[0] == topic]:
            self.history[logged], self.kept_from[logged] = [], 0

    def trim(self, topic: str, partition: int, before: int) -> None:
        """Forget entries below `before`; a mark of a topic that was made again since may lie above its head."""
        kept, head = self.kept_from[topic, partition], len(self.history[topic, partition])
        self.kept_from[topic, partition] = max(kept, min(before, head))

    def _check_window(self, out: Outgoing) -> None:
        job_id, seq = out.record.job_id, out.record.seq
        if out.topic != "frames" or out.record.body == END or not self.is_alive(job_id):
            return
        self.fed[job_id] = max(self.fed[job_id], seq + 1)
        if seq >= self.released(job_id) + WINDOW:
            self.broken.append("more frames of a job on their way than the window allows")
        alive = [job_id for job_id in self.fed if self.is_alive(job_id)]
        if sum(max(0, self.fed[job_id] - self.released(job_id)) for job_id in alive) > ON_THEIR_WAY:
            self.broken.append("more frames of all jobs on their way than memory is bounded for")

    # --- jobs

    def create(self, job: Job, events: list[Outgoing]) -> bool:
        """Row and events in one transaction; False where there is, or was, such a job."""
        if job.job_id in self.jobs or job.job_id in self.tombstones:
            return False
        if job.job_id in self.removed:
            self.broken.append("a removed job came back")
        self.jobs[job.job_id] = job
        self.emit(events)
        return True

    def get(self, job_id: str) -> Job:
        """The job row."""
        if job_id not in self.jobs:
            raise NotFound(job_id)
        return self.jobs[job_id]

    def is_alive(self, job_id: str) -> bool:
        """Whether the job exists and has not ended."""
        return job_id in self.jobs and self.jobs[job_id].state not in TERMINAL

    def advance(self, job_id: str, to: JobState, *, code: str = "", result: Any = None) -> bool:
        """Forward only, by compare-and-set; nothing leaves a terminal state."""
        job = self.get(job_id)
        if job.state in TERMINAL:
            if self.rules.final_states or job.state == to:
                return False
            self.broken.append(f"job left the terminal state {job.state}")
        elif to not in TERMINAL and ORDER.index(to) <= ORDER.index(job.state):
            return False
        self.jobs[job_id] = replace(job, state=to, code=code, result=result)
        self.changes += 1
        return True

    def remove(self, job_id: str) -> bool:
        """A job that ended becomes a tombstone; its states go in the same transaction."""
        if self.is_alive(job_id) or job_id not in self.jobs:
            return False
        del self.jobs[job_id]
        self.removed.add(job_id)
        if self.rules.tombstone:
            self.tombstones[job_id] = Tombstone(self.clock)
        self.purge(job_id)
        return True

    def is_removed(self, job_id: str) -> bool:
        """Whether a tombstone of that name stands."""
        return job_id in self.tombstones

    def unpurged(self) -> list[tuple[str, bool]]:
        """Removed jobs that must be purged once more, and whether the grace is over."""
        waiting = [(job_id, tomb) for job_id, tomb in self.tombstones.items() if not tomb.purged]
        return [(job_id, self.clock - tomb.removed_at > GRACE) for job_id, tomb in waiting]

    def purge(self, job_id: str, last: bool = False) -> None:
        """States and completions of a removed job; `last`: what came late too, and never again."""
        for key in [key for key in self.saved if key[1] == job_id]:
            del self.saved[key]
        self.complete.pop(job_id, None)
        self.changes += 1
        if last:
            self.tombstones[job_id].purged = True

    # --- ledger

    def claim(self, stage: str, topic: str, partition: int, identity: int) -> Position:
        """Raise the epoch: every earlier owner is fenced at its next commit. Loud where the topic is another one."""
        key = stage, topic, partition
        if self.known_as.setdefault(key, identity) != identity and self.rules.topic_identity:
            raise Corrupt(f"{topic} was made again", code="other_log")
        old = self.rows.get(key, Position(stage, topic, partition, 0, 0, 0))
        stuck = self.claimed.get(key) == old.low_water
        if stuck and old.attempts and (topic, partition) in self.left:
            self.broken.append("suspected though it left of its own will")
        self.left.discard((topic, partition))
        self.claimed[key] = old.low_water
        self.rows[key] = replace(old, epoch=old.epoch + 1, stuck=stuck)
        return self.rows[key]

    def release(self, at: Position) -> None:
        """The owner leaves: the next claim is not `stuck`. One that is fenced has nothing to give up."""
        key = at.stage, at.topic, at.partition
        if self.rows[key].epoch == at.epoch:
            self.claimed.pop(key, None)

    def load(self, stage: str, job_id: str, stream: str) -> Saved | None:
        """Last committed state."""
        return self.saved.get((stage, job_id, stream))

    def commit(self, commit: Commit, seen: bool | None = None) -> tuple[Position, bool]:
        """State, outputs and position, all or nothing; whether the job is alive, or was when it was `seen`."""
        at = commit.at
        now = self.rows[at.stage, at.topic, at.partition]
        if self._moved_on(now, at):
            raise Fenced(f"{at.stage} on {at.topic}/{at.partition}")
        attempts = at.attempts + commit.attempt if commit.low_water == at.low_water else 0
        after = replace(
            at, commit_no=at.commit_no + 1, low_water=commit.low_water, attempts=attempts, stuck=False
        )
        self.rows[at.stage, at.topic, at.partition] = after
        self.changes += 1
        self._check_identity(at, after)
        alive = self.is_alive(commit.job_id) if seen is None else seen
        if commit.saved is not None and (alive or not self.rules.alive_in_commit):
            self._write(commit, alive)
        return after, alive or not commit.job_id

    def _check_identity(self, at: Position, after: Position) -> None:
        """What was read before a topic was made again may still be committed, even by one that slept meanwhile."""
        other = self.known_as[at.stage, at.topic, at.partition] != self.made[at.topic]
        if other and after.low_water > at.low_water and self.clock - self.remade_at > GRACE:
            self.broken.append("a reader went on in a topic that was made again")

    def _moved_on(self, now: Position, at: Position) -> bool:
        if not self.rules.fence:
            return False
        if not self.rules.commit_no:
            return now.low_water != at.low_water
        return (now.epoch, now.commit_no) != (at.epoch, at.commit_no)

    def _write(self, commit: Commit, alive: bool) -> None:
        assert commit.saved is not None
        if not alive:
            self.broken.append("state or outputs of an ended job were written")
        if isinstance(commit.saved.state, dict):
            self.broken.append("state holds frames that wait: it grows with the window")
        self.saved[commit.at.stage, commit.job_id, commit.stream] = commit.saved
        self.emit(list(commit.outputs))
        if commit.complete:
            self.complete[commit.job_id].add(commit.stream)
            if self.complete[commit.job_id].issuperset(STREAMS) and commit.job_id in self.jobs:
                self.advance(commit.job_id, "predictable")

    def progress(self, job_id: str) -> dict[tuple[str, str], int]:
        """`next_seq` by stage and stream."""
        return {(stage, s): saved.next_seq for (stage, job, s), saved in self.saved.items() if job == job_id}

    def released(self, job_id: str) -> int:
        """Frames that every stage behind detect has released."""
        states = [(stage, job_id, f"detections:{g}") for stage in ("track", "collect") for g in GROUPS]
        return min(self.saved[key].next_seq if key in self.saved else 0 for key in states)

    def is_mine(self, at: Position) -> bool:
        """Whether nobody claimed the partition since; a query over `positions`."""
        return self.rows[at.stage, at.topic, at.partition].epoch == at.epoch

    def positions(self, topic: str) -> list[Position]:
        """All positions in a topic."""
        return [at for at in self.rows.values() if at.topic == topic]

    def lagging(self) -> list[Position]:
        """Positions that are not at the head of their log."""
        return [at for at in self.rows.values() if at.low_water < len(self.history[at.topic, at.partition])]

    # --- outbox

    def emit(self, records: list[Outgoing]) -> None:
        """Outputs of a transaction: into the log of the same file, or into the outbox."""
        if not self.relayed:
            self.append(records)
            return
        for out in records:
            self.outbox[self.queued] = out
            self.queued += 1

    def pending(self, limit: int) -> list[tuple[int, Outgoing]]:
        """The oldest records not yet marked as sent."""
        return list(self.outbox.items())[:limit]

    def sent(self, queue_ids: list[int]) -> None:
        """Forget what the log acknowledged."""
        for queue_id in queue_ids:
            self.outbox.pop(queue_id, None)
        self.changes += len(queue_ids)

    # --- objects

    def put_new(self, key: str, value: Any) -> None:
        """Store once; other bytes under a key are loud."""
        if self.objects.setdefault(key, value) != value:
            self.broken.append("other bytes under a key that was written before")
            raise Corrupt(key)
        self.changes += 1

    def put_remote(self, key: str, value: tuple[Any, ...]) -> None:
        """Store over a poor connection: sometimes half arrives, and nobody says so."""
        if self.objects.get(key) != value:
            half = self.rng.random() < self.chaos.cut
            self.objects[key] = value[: len(value) // 2] if half else value
            self.changes += 1

    def fetch(self, key: str) -> Any:
        """What a key holds; None where there is nothing."""
        return self.objects.get(key)

    def delete(self, job_id: str) -> None:
        """The objects of a job: all their keys follow from its row."""
        for key in [key for key in self.objects if job_id in key.split("/")]:
            del self.objects[key]
        self.changes += 1

    # --- time

    def nothing(self) -> list[Any]:
        """Wait."""
        return []

    def rot(self) -> tuple[str, str, str] | None:
        """A disk damages the state of a job that is under way; which one, if there is any."""
        kept = [key for key, saved in self.saved.items() if self.is_alive(key[1]) and saved.state is not None]
        kept = [key for key in kept if key[0] != "feed"]
        if kept:
            key = self.rng.choice(kept)
            self.saved[key] = replace(self.saved[key], state=DAMAGED)  # type: ignore[arg-type]
            self.rotten.add(key[1])
            return key
        return None
