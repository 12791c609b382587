"""What survives a crash: log, ledger, jobs, outbox, objects. Every method is one atomic micro-step of its caller.

The names are those of `sightline.ports`; values are Python tuples where the product has bytes. `history` is the log as
it was ever written: the checks read it, the processes cannot.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from sightline.errors import Corrupt, Fenced, NotFound
from sightline.ports import TERMINAL, Commit, JobState, Position, Saved
from tests.model.rules import Rules

GROUPS = ("cars", "people")
STREAMS = tuple(f"{kind}:{group}" for kind in ("tracks", "totals") for group in GROUPS)
ORDER: tuple[JobState, ...] = ("new", "sent", "processing", "predictable", "ready")
END = "end"


@dataclass(frozen=True, slots=True)
class Record:
    """One record; `(job_id, stream, seq)` is its identity, `body` is END or what it says about the frame."""

    job_id: str
    stream: str
    seq: int
    body: Any = None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A record on its way to the log."""

    topic: str
    partition: int
    record: Record


@dataclass(frozen=True, slots=True)
class Entry:
    """A record as the log holds it."""

    offset: int
    record: Record


@dataclass(frozen=True, slots=True)
class Job:
    """A job row; `result` is the pointer: key and bytes of the published object."""

    job_id: str
    frames: int
    state: JobState = "new"
    code: str = ""
    result: Any = None


@dataclass(frozen=True, slots=True)
class Chaos:
    """How unkind the world is. Probabilities: kill, lost per micro-step; zombie per kill; the others per call.

    Attributes:
        kill: the process dies; half of its successors find a `zombie` still alive.
        lost: the call raises `Unavailable`, having had its effect or not.
        duplicate, shuffle: the broker writes a record again later, or a batch in another order.
        cut: a put stores half an object and does not say so.
    """

    kill: float = 0.02
    zombie: float = 0.5
    lost: float = 0.01
    duplicate: float = 0.1
    shuffle: float = 0.2
    cut: float = 0.2


CALM = Chaos(0, 0, 0, 0, 0, 0)


class World:
    """One SQLite file or a whole cluster: `relayed` says whether outputs pass through the outbox."""

    def __init__(self, rules: Rules, chaos: Chaos, rng: Random, *, relayed: bool) -> None:
        self.rules, self.chaos, self.rng, self.relayed = rules, chaos, rng, relayed
        self.clock = self.changes = 0
        self.tracker_version = 1
        self.noisy = False
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

    def read(self, topic: str, partition: int, offset: int, limit: int) -> list[Entry]:
        """Entries from `offset` on; loud where they are gone."""
        at = self.history[topic, partition]
        if not self.kept_from[topic, partition] <= offset <= len(at):
            raise Corrupt(f"{topic}/{partition}: offset {offset} is gone")
        return [Entry(offset + i, record) for i, record in enumerate(at[offset : offset + limit])]

    def trim(self, topic: str, partition: int, before: int) -> None:
        """Forget entries below `before`."""
        self.kept_from[topic, partition] = max(self.kept_from[topic, partition], before)

    def _check_window(self, out: Outgoing) -> None:
        if out.topic == "frames" and out.record.body != END:
            released = self.released(out.record.job_id)
            if out.record.seq >= released + WINDOW and self.jobs[out.record.job_id].state not in TERMINAL:
                self.broken.append("more frames on their way than the window allows")

    # --- jobs

    def create(self, job: Job, events: list[Outgoing]) -> bool:
        """Row and events in one transaction."""
        if job.job_id in self.jobs:
            return False
        self.jobs[job.job_id] = job
        self.emit(events)
        return True

    def get(self, job_id: str) -> Job:
        """The job row."""
        if job_id not in self.jobs:
            raise NotFound(job_id)
        return self.jobs[job_id]

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

    # --- ledger

    def claim(self, stage: str, topic: str, partition: int) -> Position:
        """Raise the epoch: every earlier owner is fenced at its next commit."""
        key = stage, topic, partition
        old = self.rows.get(key, Position(stage, topic, partition, 0, 0, 0))
        stuck = self.claimed.get(key) == old.low_water
        self.claimed[key] = old.low_water
        self.rows[key] = replace(old, epoch=old.epoch + 1, stuck=stuck)
        return self.rows[key]

    def load(self, stage: str, job_id: str, stream: str) -> Saved | None:
        """Last committed state."""
        return self.saved.get((stage, job_id, stream))

    def commit(self, commit: Commit) -> tuple[Position, bool]:
        """State, outputs and position, all or nothing; whether the job is alive."""
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
        job = self.jobs.get(commit.job_id)
        alive = job is not None and job.state not in TERMINAL
        if commit.saved is not None and (alive or not self.rules.alive_in_commit):
            self._write(commit, alive)
        return after, alive or not commit.job_id

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
            if self.complete[commit.job_id].issuperset(STREAMS):
                self.advance(commit.job_id, "predictable")

    def progress(self, job_id: str) -> dict[tuple[str, str], int]:
        """`next_seq` by stage and stream."""
        return {(stage, s): saved.next_seq for (stage, job, s), saved in self.saved.items() if job == job_id}

    def released(self, job_id: str) -> int:
        """Frames that the trackers of all groups have released."""
        progress = self.progress(job_id)
        return min(progress.get(("track", f"detections:{group}"), 0) for group in GROUPS)

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


WINDOW = 8
