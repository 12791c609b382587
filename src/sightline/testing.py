"""Doubles that pass the same conformance suites as the real backends, and wrappers that bring faults into any port.

`MemoryStore` is log, ledger, jobs and outbox in one, as the SQLite file is. `Faults` raises, delays or ends the
process at the n-th call of a port, `Scrambled` repeats and shuffles records, `Recorded` keeps a list of calls: tests
compose faults, the product has no switch for them.
"""

from __future__ import annotations

import hashlib
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from sightline.errors import Corrupt, Fenced, NotFound, TooLarge
from sightline.events import MAX_BYTES
from sightline.ports import (
    TERMINAL,
    Commit,
    Decoded,
    DetectorInfo,
    Entry,
    Job,
    JobState,
    Outgoing,
    Position,
    Queued,
    Saved,
    Slot,
    Stat,
)
from sightline.types import ByteArray, Chunk, Detections, ImageSpec, SourceIndex

__all__ = [
    "AtCall",
    "Faults",
    "MemoryObjects",
    "MemoryStore",
    "Recorded",
    "Scrambled",
    "ScriptedDetector",
    "ScriptedReader",
]

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


class Faults:
    """Any port, with a fault at chosen calls: `fault(method, when)` runs before and after each call.

    `fault` gets the method's name and `before` or `after`; what it raises is what the caller sees. A fault `after`
    a call is an effect whose answer was lost.
    """

    def __init__(self, port: Any, fault: Callable[[str, str], None]) -> None:
        self._port, self._fault = port, fault

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)
        if not callable(method):
            return method

        def call(*args: Any, **kwargs: Any) -> Any:
            self._fault(name, "before")
            answer = method(*args, **kwargs)
            self._fault(name, "after")
            return answer

        return call


class AtCall:
    """A fault for `Faults`: something happens at the n-th call, and from then on at every call, or only there.

    Args:
        method, when: which calls count; `*` for every method.
        n: from 1.
        act: raises, sleeps, or ends the process with `os._exit(137)`.
        dead: nothing has an effect any more after it, as in a process that is no longer there; `finally` blocks of the
            code under test run into it too.
    """

    def __init__(self, method: str, when: str, n: int, act: Callable[[], None], *, dead: bool = True) -> None:
        self._chosen, self._act, self._dead = (method, when), act, dead
        self._left = n
        self.fired = False

    def __call__(self, name: str, when: str) -> None:
        """Count the call; see `Faults`."""
        method, moment = self._chosen
        if self.fired:
            if self._dead:
                self._act()
        elif method in ("*", name) and when == moment:
            self._left -= 1
            if not self._left:
                self.fired = True
                self._act()


class Recorded:
    """Any port, with a list of the calls made: `(method, arguments)`."""

    def __init__(self, port: Any) -> None:
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self._port = port

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            self.calls.append((name, args))
            return method(*args, **kwargs)

        return call


class Scrambled:
    """A log and ledger that repeats records and shuffles those written together, as brokers and retries do.

    Args:
        store: what is written to.
        seed: decides which and how.
        late: what a record says when it is repeated later; the first one must win.
    """

    def __init__(
        self, store: Any, seed: int, late: Callable[[Outgoing], Outgoing] = lambda record: record
    ) -> None:
        self._store, self._random, self._late = store, Random(seed), late
        self._seen: list[Outgoing] = []
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def append(self, records: Sequence[Outgoing]) -> None:
        """See `EventLog`."""
        self._store.append(self._scrambled(records))
        self._remember(records)

    def commit(self, commit: Commit) -> tuple[Position, bool]:
        """See `Ledger`; the outputs are scrambled."""
        answer: tuple[Position, bool] = self._store.commit(
            replace(commit, outputs=tuple(self._scrambled(commit.outputs)))
        )
        self._remember(commit.outputs)
        return answer

    def _scrambled(self, records: Sequence[Outgoing]) -> list[Outgoing]:
        with self._lock:
            again = self._random.sample(self._seen, min(len(self._seen), self._random.randrange(4)))
            return self._random.sample([*records], len(records)) + [self._late(record) for record in again]

    def _remember(self, records: Sequence[Outgoing]) -> None:
        with self._lock:
            for record in records:
                place = self._random.randrange(32)
                self._seen[place : place + (len(self._seen) >= 32)] = [record]


class ScriptedReader:
    """Frames whose picture is their own number: four bytes, little endian, in the first pixels.

    Args:
        frames: how many there are.
        group: frames per group of pictures.
        failed: rows that do not decode.
    """

    def __init__(self, frames: int, *, group: int = 40, failed: Sequence[int] = ()) -> None:
        self._frames, self._group, self._failed = frames, group, frozenset(failed)
        self.decoded: list[int] = []

    def index(self) -> SourceIndex:
        """See `FrameReader`."""
        rows = np.arange(self._frames)
        return SourceIndex(
            kind="video",
            name="scripted",
            codec="scripted",
            width=640,
            height=360,
            rotation=0,
            stream=0,
            time_base=Fraction(1, 25),
            frame=rows,
            tick=rows,
            pts_us=rows * 40_000,
            key=rows % self._group == 0,
            duration_us=self._frames * 40_000,
        )

    def read(
        self, chunk: Chunk, rows: Sequence[int], ticks: Sequence[int], buffer: Callable[[], ByteArray]
    ) -> Iterator[Decoded]:
        """See `FrameReader`."""
        for row in rows:
            self.decoded.append(row)
            if row in self._failed:
                yield Decoded(row, "failed", "undecodable")
                continue
            picture = buffer()
            picture.reshape(-1)[:4] = np.frombuffer(row.to_bytes(4, "little"), np.uint8)
            yield Decoded(row, "ok", "", picture)

    def close(self) -> None:
        """See `FrameReader`."""


class ScriptedDetector:
    """Finds what `script` says for the number in a `ScriptedReader`'s picture.

    Args:
        script: detections of a frame, in pixels of the picture.
        labels: of the model.
    """

    def __init__(
        self, script: Callable[[int], Detections], labels: Sequence[str] = ("car", "person")
    ) -> None:
        self._script = script
        self._info = DetectorInfo(
            "scripted", "0" * 64, tuple(labels), "scripted", "1", "f32", ImageSpec(64, 32, "rgb", "topleft")
        )

    @property
    def info(self) -> DetectorInfo:
        """See `Detector`."""
        return self._info

    def slot(self) -> Slot:
        """See `Detector`."""
        return _ScriptedSlot(self._script, self._info.image)

    def close(self) -> None:
        """See `Detector`."""


class _ScriptedSlot:
    def __init__(self, script: Callable[[int], Detections], image: ImageSpec) -> None:
        self._script = script
        self._image = np.zeros(image.shape(), np.uint8)
        self._found = Detections.empty()

    @property
    def image(self) -> ByteArray:
        return self._image

    def start(self) -> None:
        self._found = self._script(int.from_bytes(self._image.reshape(-1)[:4].tobytes(), "little"))

    def result(self) -> Detections:
        return self._found
