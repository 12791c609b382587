"""The worker of a stateful stage: the mirror of `sightline.runtime.order.Fold` and `sightline.runtime.worker`.

A process is a generator that yields its port calls. The scheduler takes one micro-step to carry a call out and
another to bring the answer back; between any two of them the process may die, and all that it held is gone.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from sightline.errors import Corrupt
from sightline.ports import TERMINAL, Commit, Position, Saved
from tests.model.owning import Process, claim, commit, ends, own, read, row_of
from tests.model.rules import Rules
from tests.model.values import DAMAGED, END, SEGMENT, Entry, Outgoing, Record
from tests.model.world import World

PATIENCE = 60  # micro-steps after which a local timer gives up, where the rules allow one
MAX_RECORDS = 6  # read at once, and folded of one stream before the next one has its turn
MAX_FRAMES = 3  # per commit


# --- stages: pure folds ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Track:
    """Detections in, tracks out. Each row names the state before and after it, so that a tear shows."""

    version: int
    name: str = "track"
    release: int = 1

    def process(self, batch: list[Record], state: int) -> tuple[int, list[Any], list[Any]]:
        """New state, bodies of the outputs, blobs."""
        bodies = []
        for record in batch:
            if record.body == END:
                bodies.append(END)
                continue
            outcome, value = record.body
            after = (state * 31 + value + 7 * self.version) % 1_000_003 if outcome == "ok" else state
            bodies.append((outcome, value, state, after))
            state = after
        return state, bodies, []


@dataclass(frozen=True, slots=True)
class Stats:
    """Tracks in, running totals out."""

    name: str = "stats"
    release: int = 1

    def process(self, batch: list[Record], state: int) -> tuple[int, list[Any], list[Any]]:
        """New state, bodies of the outputs, blobs."""
        bodies = []
        for record in batch:
            state += 0 if record.body == END else record.body[3] % 5
            bodies.append(END if record.body == END else (record.body[0], state))
        return state, bodies, []


@dataclass(frozen=True, slots=True)
class Collect:
    """Records in, column segments at fixed boundaries out."""

    name: str = "collect"
    release: int = SEGMENT

    def process(self, batch: list[Record], state: int) -> tuple[int, list[Any], list[Any]]:
        """New state, bodies of the outputs, blobs."""
        rows = [record for record in batch if record.body != END]
        blobs = []
        for at in range(0, len(rows), SEGMENT):
            part = rows[at : at + SEGMENT]
            key = f"{part[0].job_id}/{part[0].stream}/{part[0].seq}"
            blobs.append((key, tuple((row.seq, row.body) for row in part)))
        return 0, [], blobs


OUTPUT = {"track": "tracks", "stats": "totals"}


# --- order -------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Fold:
    """One stream of one job: `state` and `next_seq` are committed, `waiting` never is."""

    rules: Rules
    stage: Any
    state: int = 0
    next_seq: int = 0
    finished: bool = False
    waiting: dict[int, Entry] = field(default_factory=dict)
    received: int = 0
    moved_at: int = 0

    def add(self, entry: Entry) -> None:
        """Keep the first record of a seq whose turn is still to come, drop any other."""
        self.received += entry.record.body != END
        if self.finished or entry.record.seq < self.next_seq:
            return
        if self.rules.first_wins:
            self.waiting.setdefault(entry.record.seq, entry)
        else:
            self.waiting[entry.record.seq] = entry

    def take_due(self, at_most: int) -> list[Record]:
        """Take records whose turn it is, in `seq` order: whole releases of the stage, but for the last ones."""
        if self._broken_end():
            due = [self.waiting[seq].record for seq in sorted(self.waiting)]
        elif not self.rules.order_by_seq:
            due = [entry.record for entry in self.waiting.values()][:at_most]
        else:
            due = self._in_order(at_most)
        for record in due:
            del self.waiting[record.seq]
        self.next_seq += len(due)
        if due and due[-1].body == END:
            self.finished = True
            self.waiting.clear()
        return due

    def _in_order(self, at_most: int) -> list[Record]:
        n = 0
        while self.next_seq + n in self.waiting:
            n += 1
        if n and self.waiting[self.next_seq + n - 1].record.body != END:
            n -= n % self.stage.release
        n = min(n, max(at_most - at_most % self.stage.release, self.stage.release))
        return [self.waiting[seq].record for seq in range(self.next_seq, self.next_seq + n)]

    def _broken_end(self) -> bool:
        """Whether the fold ends too early, as it may where a rule is off."""
        end = next((entry.record for entry in self.waiting.values() if entry.record.body == END), None)
        if end is None:
            return False
        return not self.rules.eof_waits or (not self.rules.distinct_seqs and self.received >= end.seq)


# --- worker ------------------------------------------------------------------------------------------------------

Key = tuple[str, str]  # job and stream


@dataclass(slots=True)
class Held:
    """A claimed partition: the position as the ledger knows it, and the folds in memory.

    Attributes:
        asked_to: where reading stood when it was last asked which jobs have ended.
        over: streams of which nothing more is wanted.
    """

    at: Position
    identity: int
    read_to: int
    asked_to: int = 0
    folds: dict[Key, Fold] = field(default_factory=dict)
    over: set[Key] = field(default_factory=set)

    def low_water(self, rules: Rules) -> int:
        """Lowest offset not yet released: a new owner reads from here."""
        if not rules.read_again or not rules.waiting_not_stored:
            return self.read_to
        folds = self.folds.values()
        return min((w.offset for fold in folds for w in fold.waiting.values()), default=self.read_to)

    def close(self, key: Key) -> None:
        """Want nothing more of a stream."""
        self.folds.pop(key, None)
        self.over.add(key)


@dataclass(frozen=True)
class FoldWorker:
    """Runs one stage on one topic, whenever `member` owns it."""

    world: World
    member: int
    stage: Any
    topic: str

    def run(self) -> Process:
        """Step for ever."""
        return own(self.world, self.member, self.take, self.step)

    def take(self) -> Process:
        """Claim; reading begins at the low-water mark."""
        at, identity = yield from claim(self.world, self.stage.name, self.topic, 0)
        return Held(at, identity, at.low_water)

    def step(self, held: Held) -> Process:
        """Read one batch and commit what is due, of each stream in turn."""
        rules = self.world.rules
        batch = yield from read(self.world, held.at, held.read_to, MAX_RECORDS, held.identity)
        for entry in batch:
            fold = yield from self.fold(held, entry.record)
            if fold is not None:
                fold.add(entry)
            held.read_to = entry.offset + 1
        moved = set()
        for key in list(held.folds):
            if (yield from self.release(held, key)):
                moved.add(key)
        if rules.ended_gives_up and (not batch or held.read_to - held.asked_to >= MAX_RECORDS):
            yield from self.drop_ended(held, moved)
        if held.low_water(rules) > held.at.low_water:
            held.at, _ = yield from commit(self.world, Commit(held.at, held.low_water(rules)))

    def release(self, held: Held, key: Key) -> Process:
        """Fold and commit what is due of a stream, as far as its turn goes; whether there was anything."""
        taken = 0
        if not self.world.rules.logged_time_only:
            self.give_up_on_missing(held, key, held.folds[key])
        while taken < MAX_RECORDS and (fold := held.folds.get(key)) and (due := fold.take_due(MAX_FRAMES)):
            taken += len(due)
            alive = yield from self.commit(held, key, fold, due)
            if fold.finished or not alive:
                held.close(key)
        return taken > 0

    def commit(self, held: Held, key: Key, fold: Fold, due: list[Record]) -> Process:
        """Blobs, which are safe to repeat, then state, outputs and position in one."""
        world, rules = self.world, self.world.rules
        fold.state, bodies, blobs = fold.stage.process(due, fold.state)
        fold.moved_at = world.clock
        for blob in blobs:
            yield partial(world.put_new, *blob)
        outputs = [self.output(record, body) for record, body in zip(due, bodies, strict=False)]
        saved = Saved(fold.next_seq, self.encode(fold))
        if not rules.outputs_with_state:
            yield partial(world.append, outputs)
            outputs = []
        if not rules.position_with_state:
            held.at, _ = yield from commit(world, Commit(held.at, held.low_water(rules)))
        complete = fold.finished and self.stage.name == "collect"
        what = Commit(held.at, held.low_water(rules), *key, saved, tuple(outputs), complete)
        held.at, alive = yield from commit(world, what)
        return alive

    def output(self, record: Record, body: Any) -> Outgoing:
        """An answer on the stream behind this stage, with the same seq."""
        kind = OUTPUT[self.stage.name]
        stream = f"{kind}:{record.stream.partition(':')[2]}"
        return Outgoing(kind, 0, replace(record, stream=stream, body=body))

    def fold(self, held: Held, record: Record) -> Process:
        """The fold that a record belongs to, loaded at its first record; None where nothing more is wanted of it."""
        key = record.job_id, record.stream
        if key in held.over:
            return None
        if key not in held.folds:
            fold = yield from self.load(*key)
            if fold is None or fold.finished:
                held.close(key)
                return None
            held.folds[key] = fold
        return held.folds[key]

    def load(self, job_id: str, stream: str) -> Process:
        """A fold as it was committed last; None for a job that ended, or ends here: nobody can go on with its state."""
        world = self.world
        job = yield from row_of(world, job_id)
        if job is None or job.state in TERMINAL:
            return None
        saved = yield partial(world.load, self.stage.name, job_id, stream)
        fold = Fold(world.rules, self.stage, moved_at=world.clock)
        if saved is not None and saved.state == DAMAGED:
            if not world.rules.damaged_state:
                raise Corrupt(f"{self.stage.name}: state of {job_id}")
            yield from ends(world, job_id, "corrupt")
            return None
        if saved is not None:
            self.decode(fold, saved)
        return fold

    def encode(self, fold: Fold) -> Any:
        """State to be stored; None once the fold is finished."""
        if fold.finished:
            return None
        return fold.state if self.world.rules.waiting_not_stored else {-1: fold.state, **fold.waiting}

    def decode(self, fold: Fold, saved: Saved) -> None:
        """Take over a stored state."""
        fold.next_seq = fold.received = saved.next_seq
        fold.finished = saved.state is None
        if isinstance(saved.state, dict):
            fold.waiting = dict(saved.state)
            fold.state = fold.waiting.pop(-1)
        else:
            fold.state = saved.state or 0

    def drop_ended(self, held: Held, moved: set[Key]) -> Process:
        """Forget the folds of a job that ended: what waits in them will never have its turn.

        Asked of those that wait, and in turns of one other; what has just moved says by itself that its job is alive.
        """
        held.asked_to = held.read_to
        still = [key for key in held.folds if key not in moved]
        ended = set()
        for job_id in dict.fromkeys(key[0] for key in still if held.folds[key].waiting or key == still[0]):
            job = yield from row_of(self.world, job_id)
            if job is None or job.state in TERMINAL:
                ended.add(job_id)
        for key in still:
            if key[0] in ended:
                held.close(key)
            elif key == still[0]:
                held.folds[key] = held.folds.pop(key)

    def give_up_on_missing(self, held: Held, key: Key, fold: Fold) -> None:
        """The forbidden local timer: a frame that is late is declared as skipped."""
        if fold.waiting and self.world.clock - fold.moved_at > PATIENCE and self.stage.name == "track":
            record = Record(*key, fold.next_seq, ("skipped", 0))
            fold.waiting.setdefault(fold.next_seq, Entry(held.read_to, record))
