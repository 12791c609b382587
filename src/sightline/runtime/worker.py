"""The worker of a stateful stage: it owns reading, order, de-duplication, state and the one commit.

A commit writes state, outputs and position together. Whatever goes wrong, the worker drops what it holds and claims
its partition again: what was not committed is read once more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sightline.errors import NotFound, Rejected
from sightline.events import Codecs, Record, native
from sightline.ports import TERMINAL, Commit, Entry, EventLog, Job, Jobs, Ledger, ObjectStore, Position, Saved
from sightline.runtime.dead_letters import dead_letter
from sightline.runtime.order import Fold
from sightline.runtime.reading import claim, read_owned
from sightline.runtime.routes import outgoing

__all__ = ["FoldWorker"]


@dataclass(slots=True)
class _Held:
    """A claimed partition: the position as the ledger knows it, and the folds in memory."""

    at: Position
    read_to: int
    folds: dict[tuple[str, str], Fold | None] = field(default_factory=dict)

    def low_water(self) -> int:
        """Lowest offset not yet released: a new owner reads from here."""
        folds = (fold for fold in self.folds.values() if fold is not None)
        return min((w.offset for fold in folds for w in fold.waiting.values()), default=self.read_to)


class FoldWorker:
    """Runs one stage on one partition of one topic.

    Args:
        stage: name of the stage.
        topic, partition: what it reads.
        make: the stage of a job's stream; None where the stage has nothing to do with it.
        log, ledger, jobs, objects: ports.
        codecs: dialects by topic.
        max_records: read at once.
        max_frames: per commit. More is faster; a crash repeats more.
    """

    def __init__(
        self,
        stage: str,
        topic: str,
        partition: int,
        make: Callable[[Job, str], Any],
        *,
        log: EventLog,
        ledger: Ledger,
        jobs: Jobs,
        objects: ObjectStore,
        codecs: Codecs = native,
        max_records: int = 256,
        max_frames: int = 32,
    ) -> None:
        self.stage, self.topic, self.partition = stage, topic, partition
        self._make, self._codecs, self._codec = make, codecs, codecs(topic)
        self._log, self._ledger, self._jobs, self._objects = log, ledger, jobs, objects
        self._max_records, self._max_frames = max_records, max_frames
        self._held: _Held | None = None

    def step(self) -> int:
        """Read one batch, commit what became due and return the length of the batch.

        Raises:
            Fenced: another owner moved on. Then, and after any other error, the next step claims again.
        """
        held = self.claim()
        try:
            return self._step(held)
        except BaseException:
            self._held = None
            raise

    def claim(self) -> _Held:
        """Own the partition; reading begins at the low-water mark."""
        if self._held is None:
            at = claim(self._log, self._ledger, self.stage, self.topic, self.partition)
            self._held = _Held(at, at.low_water)
        return self._held

    def awaits(self, job_id: str, stream: str) -> int | None:
        """The lowest seq of a stream that has not come yet; None where nothing more is expected of it."""
        fold = self._fold_of(self.claim(), (job_id, stream))
        return None if fold is None or fold.finished else fold.awaits()

    def _step(self, held: _Held) -> int:
        batch = read_owned(self._log, self._ledger, held.at, held.read_to, self._max_records)
        if not batch:
            self._drop_ended(held)
        for entry in batch:
            record = self._decoded(entry)
            fold = None if record is None else self._fold(held, record)
            if fold is not None and record is not None:
                fold.add(entry.offset, record)
            held.read_to = entry.offset + 1
        for key, fold in held.folds.items():
            while fold is not None and (due := fold.take_due(self._max_frames)):
                if not self._commit(held, key, fold, due):
                    held.folds[key] = fold = None
        if held.low_water() > held.at.low_water:
            held.at, _ = self._ledger.commit(Commit(held.at, held.low_water()))
        return len(batch)

    def _drop_ended(self, held: _Held) -> None:
        """Give up what waits of a job that ended: its missing frames never come, and the low water would stand still."""
        for key, fold in held.folds.items():
            if fold is not None and fold.waiting and not self._alive(key[0]):
                held.folds[key] = None

    def _alive(self, job_id: str) -> bool:
        try:
            return self._jobs.get(job_id).state not in TERMINAL
        except NotFound:
            return False

    def _decoded(self, entry: Entry) -> Record | None:
        """The record; what nobody can read is kept as a dead letter, and is `failed` if it names its frame."""
        try:
            return self._codec.decode(entry.value)
        except Rejected as error:
            letter = dead_letter(self.stage, self.topic, self.partition, entry, "invalid_record", str(error))
            self._log.append([letter])
            return self._codec.salvage(entry.value)

    def _commit(self, held: _Held, key: tuple[str, str], fold: Fold, due: list[Record]) -> bool:
        job_id, stream = key
        out = fold.stage.process(due, fold.state)
        for blob in out.blobs:
            self._objects.put_new(blob.key, (blob.value,))
        fold.state = out.state
        job = self._jobs.get(job_id)
        outputs = tuple(outgoing(job, record, self._codecs) for record in out.records)
        state = b"" if fold.finished else fold.stage.encode(fold.state)
        complete = fold.finished and fold.stage.completes
        saved = Saved(fold.next_seq, state)
        held.at, alive = self._ledger.commit(
            Commit(held.at, held.low_water(), job_id, stream, saved, outputs, complete)
        )
        return alive

    def _fold(self, held: _Held, record: Record) -> Fold | None:
        """The fold that a record belongs to, loaded at its first record; None for a job that ended."""
        return self._fold_of(held, (record.job_id, record.stream))

    def _fold_of(self, held: _Held, key: tuple[str, str]) -> Fold | None:
        if key not in held.folds:
            held.folds[key] = self._load(*key)
        return held.folds[key]

    def _load(self, job_id: str, stream: str) -> Fold | None:
        try:
            job = self._jobs.get(job_id)
        except NotFound:
            return None
        stage = None if job.state in TERMINAL else self._make(job, stream)
        if stage is None:
            return None
        saved = self._ledger.load(self.stage, job_id, stream)
        if saved is None:
            return Fold(stage, stage.initial())
        if not saved.state:
            return Fold(stage, None, saved.next_seq, finished=True)
        return Fold(stage, stage.decode(saved.state), saved.next_seq)
