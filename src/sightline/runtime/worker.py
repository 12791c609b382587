"""The worker of a stateful stage: it owns reading, order, de-duplication, state and the one commit.

A commit writes state, outputs and position together. Whatever goes wrong, the worker drops what it holds and claims
its partition again, if it is still the owner: what was not committed is read once more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from sightline.errors import Fenced, Misconfigured, NotFound, Rejected
from sightline.events import Codecs, Contexts, Detected, Record, Tracked, native, nobody
from sightline.jobs.recipe import Recipe
from sightline.ports import (
    TERMINAL,
    Commit,
    Entry,
    EventLog,
    Job,
    Jobs,
    Ledger,
    Members,
    ObjectStore,
    Outgoing,
    Position,
    Saved,
)
from sightline.runtime.dead_letters import bury, dead_letter
from sightline.runtime.failures import JobEnded, of_job
from sightline.runtime.meter import Meter
from sightline.runtime.order import Fold
from sightline.runtime.owning import Ownership
from sightline.runtime.reading import claim, read_owned
from sightline.runtime.routes import outgoing, recipe_of
from sightline.stages.stage import Stage

__all__ = ["FoldWorker"]

_Key = tuple[str, str]


OVER = 1_024  # streams that ended lately: what still comes of them is dropped without asking


@dataclass(slots=True)
class _Held:
    """A claimed partition: the position as the ledger knows it, and the folds in memory.

    Attributes:
        at, read_to: the position, and the offset that is read next.
        folds: streams that are folded.
        over: streams of which nothing more is wanted: finished, of a job that ended, or not this stage's.
        asked_to: where reading stood when it was last asked which jobs have ended.
        paused: why reading does not go on, if it does not.
    """

    at: Position
    read_to: int
    asked_to: int = 0
    folds: dict[_Key, Fold] = field(default_factory=dict)
    over: dict[_Key, None] = field(default_factory=dict)
    paused: str = ""

    def low_water(self) -> int:
        """Lowest offset not yet released: a new owner reads from here."""
        waiting = (w.offset for fold in self.folds.values() for w in fold.waiting.values())
        return min(waiting, default=self.read_to)

    def close(self, key: _Key) -> None:
        """Want nothing more of a stream; memory does not grow with the number of jobs."""
        self.folds.pop(key, None)
        self.over[key] = None
        if len(self.over) > OVER:
            del self.over[next(iter(self.over))]


class FoldWorker:
    """Runs one stage on one partition of one topic.

    Args:
        stage: name of the stage.
        topic, partition: what it reads.
        make: what folds a stream of a job; None where the stage has nothing to do with it.
        log, ledger, jobs, objects: ports.
        members: who owns the partition; None where nobody else works on it.
        codecs: dialects by topic.
        about: what is known of a job, for records of foreign programs.
        max_records: read at once, and folded of one stream before the next one has its turn.
        max_frames: per commit. More is faster; a crash repeats more.
        meter: counts frames.
    """

    def __init__(
        self,
        stage: str,
        topic: str,
        partition: int,
        make: Callable[[Recipe, str], Stage[Any] | None],
        *,
        log: EventLog,
        ledger: Ledger,
        jobs: Jobs,
        objects: ObjectStore,
        members: Members | None = None,
        codecs: Codecs = native,
        about: Contexts = nobody,
        max_records: int = 256,
        max_frames: int = 32,
        meter: Meter | None = None,
    ) -> None:
        self._meter = meter or Meter()
        self.stage, self.topic, self.partition = stage, topic, partition
        self._make, self._codecs, self._codec, self._about = make, codecs, codecs(topic), about
        self._log, self._ledger, self._jobs, self._objects = log, ledger, jobs, objects
        self._max_records, self._max_frames = max_records, max_frames
        self._owner = Ownership(stage, topic, [partition], members)
        self._held: _Held | None = None

    def step(self) -> int:
        """Read one batch and commit what is due, of each stream in turn.

        Returns the length of the batch, or of how many streams something was due; 0 where another one is the owner.

        Raises:
            Fenced: another owner moved on; the partition is waited for. After any other error the next step claims again.
        """
        held = self.claim()
        if held is None:
            return 0
        try:
            return self._step(held)
        except Fenced:
            self._held = None
            self._owner.fenced(self.partition)
            raise
        except BaseException:
            self._held = None
            raise

    def claim(self) -> _Held | None:
        """Own the partition, if it may be owned; reading begins at the low-water mark."""
        if not self._owner.named():
            self.release()
            return None
        if self._held is None:
            at = claim(self._log, self._ledger, self.stage, self.topic, self.partition)
            self._held = _Held(at, at.low_water)
        return self._held

    def release(self) -> None:
        """Give the partition up, as at a stop: whoever claims it next has nothing to be careful about."""
        held, self._held = self._held, None
        if held is not None:
            self._ledger.release(held.at)

    def awaits(self, job_id: str, stream: str) -> int | None:
        """The lowest seq of a stream that has not come yet; None where nothing more is expected of it."""
        held = self.claim()
        fold = None if held is None else self._fold(held, (job_id, stream))
        return None if fold is None else fold.awaits()

    @property
    def paused(self) -> str:
        """Why this worker reads no further though there is something to read; empty where it does."""
        return "" if self._held is None else self._held.paused

    def _step(self, held: _Held) -> int:
        read = self._read(held)
        moved = {key for key in list(held.folds) if self._release(held, key)}
        if not read or held.read_to - held.asked_to >= self._max_records:
            self._drop_ended(held, moved)
        if held.low_water() > held.at.low_water:
            held.at, _ = self._ledger.commit(Commit(held.at, held.low_water()))
        return read or len(moved)

    def _read(self, held: _Held) -> int:
        batch = read_owned(self._log, self._ledger, held.at, held.read_to, self._max_records)
        held.paused = ""
        for read, entry in enumerate(batch):
            try:
                record = self._decoded(entry)
            except Misconfigured as error:  # only a newer program can read it: nobody may pass it over
                held.paused = str(error)
                return read
            foreign = isinstance(record, Detected | Tracked) and record.foreign
            if foreign and record is not None:
                entry, record = self._fitting(entry, record)
                if self._carried(entry, record):
                    record = None
            fold = None if record is None else self._fold(held, (record.job_id, record.stream))
            if fold is not None and record is not None:
                if foreign:
                    fold.ends(entry.offset, record)
                    if (about := self._about(record.job_id)) is not None:
                        fold.fails(entry.offset, record, about)
                self._meter.count("duplicates", (self.stage,), not fold.add(entry.offset, record))
            held.read_to = entry.offset + 1
        return len(batch)

    def _release(self, held: _Held, key: _Key) -> bool:
        """Fold and commit what is due of a stream; whether there was anything.

        Thousands of frames become due at once when the slowest chunk of a long job is there: short ones do not wait for all.
        """
        taken = 0
        while (
            taken < self._max_records
            and (fold := held.folds.get(key))
            and (due := fold.take_due(self._max_frames))
        ):
            taken += len(due)
            try:
                alive = self._commit(held, key, fold, due)
            except JobEnded:
                alive = False
            if fold.finished or not alive:
                held.close(key)
        return taken > 0

    def _drop_ended(self, held: _Held, moved: set[_Key]) -> None:
        """Forget streams of jobs that ended: what they wait for never comes, and the low water would stand still.

        In every idle round, and in a busy one now and then; what has just moved says by itself that its job is alive.
        """
        held.asked_to = held.read_to
        still = [key for key in held.folds if key not in moved]
        asked = [key[0] for key in still if held.folds[key].waiting or key == still[0]]
        alive = {job_id: self._alive(job_id) is not None for job_id in dict.fromkeys(asked)}
        for key in still:
            if not alive.get(key[0], True):
                held.close(key)
            elif key in still[:1]:
                held.folds[key] = held.folds.pop(key)  # the next round asks for the next one

    def _alive(self, job_id: str) -> Job | None:
        """A job that has not ended."""
        try:
            job = self._jobs.get(job_id)
        except NotFound:
            return None
        return None if job.state in TERMINAL else job

    def _decoded(self, entry: Entry) -> Record | None:
        """The record; what nobody can read is kept as a dead letter, and is `failed` if it names its frame."""
        try:
            return self._codec.decode(entry.value, self._about, entry.key)
        except Rejected as error:
            at = (self.stage, self.topic, self.partition, entry)
            bury(self._log, dead_letter(*at, error.code, str(error), error=error))
            return self._codec.salvage(entry.value, self._about, entry.key)

    def _fitting(self, entry: Entry, record: Record) -> tuple[Entry, Record]:
        """A foreign record over the limit of its topic cannot be carried: its frame has failed, wherever it lies."""
        about = self._about(record.job_id)
        if (
            about is None
            or len(entry.value) <= self._codec.max_bytes
            or not isinstance(record, Detected | Tracked)
        ):
            return entry, record
        at = (record.job_id, record.stream, record.seq, record.frame, record.pts_us)
        failed = type(record)(*at, "failed", "too_large", foreign=True)
        return replace(entry, value=self._codec.encode(failed, about)), failed

    def _carried(self, entry: Entry, record: Record) -> bool:
        """Carry a record to where its job gathers: a foreign program does not know where that is. Whether it was elsewhere.

        Every stage that reads the topic does so, and a crash repeats it: the first one counts.
        """
        about = self._about(record.job_id)
        if about is None or about.partition == self.partition:
            return False
        self._log.append([Outgoing(self.topic, about.partition, record.job_id, entry.value, entry.headers)])
        return True

    def _commit(self, held: _Held, key: _Key, fold: Fold, due: list[Record]) -> bool:
        with of_job(self._jobs, key[0]):
            out = fold.stage.process(due, fold.state)
            for blob in out.blobs:
                self._objects.put_new(blob.key, (blob.value,))
            state = b"" if fold.finished else fold.stage.encode(out.state)
        fold.state = out.state
        self._meter.frames(self.stage, due)
        outputs = tuple(outgoing(fold.recipe, record, self._codecs) for record in out.records)
        complete = fold.finished and fold.stage.completes
        saved = Saved(fold.next_seq, state)
        held.at, alive = self._ledger.commit(
            Commit(held.at, held.low_water(), *key, saved, outputs, complete)
        )
        return alive

    def _fold(self, held: _Held, key: _Key) -> Fold | None:
        """The fold of a stream, loaded at its first record; None where nothing more is wanted of it."""
        if key in held.over:
            return None
        if key not in held.folds:
            job = self._alive(key[0])
            if job is not None and not job.facts:
                return None  # feed has not begun with it: whoever wrote this knows nothing of it
            fold = None if job is None else self._load(job, key[1])
            if fold is None or fold.finished:
                held.close(key)
                return None
            held.folds[key] = fold
        return held.folds[key]

    def _load(self, job: Job, stream: str) -> Fold | None:
        saved = self._ledger.load(self.stage, job.job_id, stream)
        try:
            with of_job(self._jobs, job.job_id):
                return self._loaded(job, stream, saved)
        except JobEnded:
            return None

    def _loaded(self, job: Job, stream: str, saved: Saved | None) -> Fold | None:
        recipe = recipe_of(job)
        stage = self._make(recipe, stream)
        if stage is None:
            return None
        if saved is None:
            return Fold(recipe, stage, stage.initial())
        if not saved.state:
            return Fold(recipe, stage, None, saved.next_seq, finished=True)
        return Fold(recipe, stage, stage.decode(saved.state), saved.next_seq)
