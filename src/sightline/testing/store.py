"""Event log, ledger, jobs and outbox in memory: what the SQLite file is, without the file; and objects."""

from __future__ import annotations

import hashlib
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sightline.errors import Corrupt, Fenced, NotFound, TooLarge
from sightline.events import MAX_BYTES
from sightline.ports import (
    TERMINAL,
    Commit,
    Entry,
    Job,
    JobState,
    Outgoing,
    Position,
    Queued,
    Saved,
    Stat,
)

_ORDER: tuple[JobState, ...] = ("new", "sent", "processing", "predictable", "ready")


def is_forward(at: JobState, to: JobState) -> bool:
    """Whether a job may move from `at` to `to`.

    >>> is_forward("new", "processing"), is_forward("ready", "failed"), is_forward("sent", "sent")
    (True, False, False)
    """
    if at in TERMINAL:
        return False
    return to in ("failed", "cancelled") or _ORDER.index(to) > _ORDER.index(at)


class _Partition:
    def __init__(self) -> None:
        self.first = 0
        self.entries: list[Entry] = []

    @property
    def next(self) -> int:
        return self.first + len(self.entries)


class MemoryStore:
    """Event log, ledger, jobs and outbox in memory, with one lock as their transaction.

    Args:
        relayed: outputs of commits wait in the outbox for a relay; else they reach the log within the commit.
    """

    def __init__(self, *, relayed: bool = False) -> None:
        self._relayed = relayed
        self._changed = threading.Condition(threading.RLock())
        self._log: defaultdict[tuple[str, int], _Partition] = defaultdict(_Partition)
        self._jobs: dict[str, Job] = {}
        self._complete: defaultdict[str, set[str]] = defaultdict(set)
        self._positions: dict[tuple[str, str, int], Position] = {}
        self._claimed: dict[tuple[str, str, int], int] = {}
        self._saved: dict[tuple[str, str, str], Saved] = {}
        self._queue: dict[int, Outgoing] = {}
        self._queued = 0

    # --- EventLog

    def append(self, records: Sequence[Outgoing]) -> None:
        """See `EventLog`."""
        for record in records:
            if len(record.value) > MAX_BYTES:
                raise TooLarge(f"record of {len(record.value)} bytes on {record.topic}, limit {MAX_BYTES}")
        with self._changed:
            for record in records:
                at = self._log[record.topic, record.partition]
                at.entries.append(Entry(at.next, record.key, record.value, record.headers))
            self._changed.notify_all()

    def read(self, topic: str, partition: int, offset: int, limit: int, wait_s: float) -> list[Entry]:
        """See `EventLog`."""
        with self._changed:
            at = self._log[topic, partition]
            if not at.first <= offset <= at.next:
                raise Corrupt(
                    f"{topic}/{partition}: offset {offset} outside {at.first}..{at.next}", code="log_gap"
                )
            if offset == at.next and wait_s > 0:
                self._changed.wait_for(lambda: offset < at.next, wait_s)
            start = offset - at.first
            return at.entries[start : start + limit]

    def head(self, topic: str, partition: int) -> tuple[int, int]:
        """See `EventLog`."""
        with self._changed:
            at = self._log[topic, partition]
            return at.first, at.next

    def trim(self, topic: str, partition: int, before: int) -> None:
        """See `EventLog`."""
        with self._changed:
            at = self._log[topic, partition]
            gone = min(max(before - at.first, 0), len(at.entries))
            del at.entries[:gone]
            at.first += gone

    # --- Jobs

    def create(self, job: Job, events: Sequence[Outgoing]) -> bool:
        """See `Jobs`."""
        with self._changed:
            if job.job_id in self._jobs:
                return False
            self._jobs[job.job_id] = job
            self._emit(events)
            return True

    def get(self, job_id: str) -> Job:
        """See `Jobs`."""
        with self._changed:
            if job_id not in self._jobs:
                raise NotFound(f"no job {job_id}")
            return self._jobs[job_id]

    def list(self, states: Sequence[JobState] = (), limit: int = 50, after: str = "") -> Sequence[Job]:
        """See `Jobs`."""
        with self._changed:
            ids = [*self._jobs]
            ids = ids[ids.index(after) + 1 :] if after in self._jobs else ids
            found = (self._jobs[job_id] for job_id in ids)
            return [job for job in found if not states or job.state in states][:limit]

    def advance(
        self,
        job_id: str,
        to: JobState,
        *,
        code: str = "",
        reason: str = "",
        result: Mapping[str, Any] | None = None,
    ) -> bool:
        """See `Jobs`."""
        with self._changed:
            job = self.get(job_id)
            if not is_forward(job.state, to):
                return False
            self._jobs[job_id] = replace(
                job, state=to, code=code, reason=reason, result=job.result if result is None else result
            )
            return True

    # --- Ledger

    def claim(self, stage: str, topic: str, partition: int) -> Position:
        """See `Ledger`."""
        with self._changed:
            key = stage, topic, partition
            old = self._positions.get(key, Position(stage, topic, partition, 0, 0, 0))
            stuck = self._claimed.get(key) == old.low_water
            self._claimed[key] = old.low_water
            self._positions[key] = replace(old, epoch=old.epoch + 1, stuck=stuck)
            return self._positions[key]

    def load(self, stage: str, job_id: str, stream: str) -> Saved | None:
        """See `Ledger`."""
        with self._changed:
            return self._saved.get((stage, job_id, stream))

    def commit(self, commit: Commit) -> tuple[Position, bool]:
        """See `Ledger`."""
        at = commit.at
        key = at.stage, at.topic, at.partition
        with self._changed:
            now = self._positions[key]
            if (now.epoch, now.commit_no) != (at.epoch, at.commit_no):
                raise Fenced(f"{at.stage} on {at.topic}/{at.partition}: epoch {now.epoch}, mine {at.epoch}")
            attempts = at.attempts + commit.attempt if commit.low_water == at.low_water else 0
            self._positions[key] = replace(
                at, commit_no=at.commit_no + 1, low_water=commit.low_water, attempts=attempts, stuck=False
            )
            job = self._jobs.get(commit.job_id)
            alive = not commit.job_id or (job is not None and job.state not in TERMINAL)
            if alive and commit.saved is not None:
                self._saved[at.stage, commit.job_id, commit.stream] = commit.saved
                self._emit(commit.outputs)
                if commit.complete:
                    self._finish(commit.job_id, commit.stream)
            return self._positions[key], alive

    def progress(self, job_id: str) -> Mapping[tuple[str, str], int]:
        """See `Ledger`."""
        with self._changed:
            rows = self._saved.items()
            return {(stage, stream): saved.next_seq for (stage, job, stream), saved in rows if job == job_id}

    def positions(self, topic: str) -> Sequence[Position]:
        """See `Ledger`."""
        with self._changed:
            return [self._positions[key] for key in sorted(self._positions) if key[1] == topic]

    def _finish(self, job_id: str, stream: str) -> None:
        done = self._complete[job_id]
        done.add(stream)
        if done.issuperset(self._jobs[job_id].streams):
            self.advance(job_id, "predictable")

    # --- Outbox

    def pending(self, limit: int) -> Sequence[Queued]:
        """See `Outbox`."""
        with self._changed:
            return [Queued(key, record) for key, record in list(self._queue.items())[:limit]]

    def sent(self, queue_ids: Sequence[int]) -> None:
        """See `Outbox`."""
        with self._changed:
            for queue_id in queue_ids:
                self._queue.pop(queue_id, None)

    def _emit(self, records: Sequence[Outgoing]) -> None:
        if not self._relayed:
            self.append(records)
            return
        for record in records:
            self._queue[self._queued] = record
            self._queued += 1


class MemoryObjects:
    """Objects in memory."""

    def __init__(self) -> None:
        self._blobs: dict[str, bytes] = {}

    def put_new(self, key: str, chunks: Iterable[bytes]) -> Stat:
        """See `ObjectStore`."""
        blob = b"".join(chunks)
        if self._blobs.setdefault(key, blob) != blob:
            raise Corrupt(f"object {key} holds other bytes")
        return Stat(len(blob), hashlib.sha256(blob).hexdigest())

    def read(self, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """See `ObjectStore`."""
        if key not in self._blobs:
            raise NotFound(f"no object {key}")
        blob = self._blobs[key]
        end = len(blob) if length is None else min(len(blob), start + length)
        for at in range(start, end, 2**20):
            yield blob[at : min(at + 2**20, end)]

    @contextmanager
    def open_local(self, key: str) -> Iterator[Path]:
        """See `ObjectStore`."""
        with TemporaryDirectory() as folder:
            path = Path(folder, "object")
            path.write_bytes(b"".join(self.read(key)))
            yield path

    def delete(self, key: str) -> None:
        """See `ObjectStore`."""
        self._blobs.pop(key, None)

    def contents(self) -> dict[str, bytes]:
        """Every object by its key, as it is now."""
        return dict(self._blobs)
