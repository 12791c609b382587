"""Ports: what stages and workers need of the world. Synchronous, at most six methods; the docstring is the contract.

Every implementation passes the conformance suite of its port (`tests/conformance`). Adapters translate vendor errors
into `sightline.errors`; nothing else crosses a port.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from sightline.types import ByteArray, Chunk, Detections, ImageSpec, Outcome, SourceIndex

__all__ = [
    "Commit",
    "Decoded",
    "Detector",
    "DetectorInfo",
    "Entry",
    "EventLog",
    "FrameReader",
    "Job",
    "JobState",
    "Jobs",
    "Ledger",
    "ObjectStore",
    "Outbox",
    "Outgoing",
    "Position",
    "Queued",
    "Saved",
    "Slot",
    "Stat",
]

JobState = Literal["new", "sent", "processing", "predictable", "ready", "failed", "cancelled"]
TERMINAL: frozenset[JobState] = frozenset({"ready", "failed", "cancelled"})


# --- log ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A record on its way to the log."""

    topic: str
    partition: int
    key: str
    value: bytes
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """A record as the log holds it; offsets of a partition rise by one."""

    offset: int
    key: str
    value: bytes
    headers: tuple[tuple[str, str], ...] = ()


class EventLog(Protocol):
    """Partitioned, append-only records. Order holds within a partition."""

    def append(self, records: Sequence[Outgoing]) -> None:
        """Append, in order within each partition; durable on return. No records: nothing happens.

        Raises:
            TooLarge: a record is over the log's limit; nothing was appended.
            Unavailable: perhaps some were appended; repeat all of them, readers drop what comes twice.
        """

    def read(self, topic: str, partition: int, offset: int, limit: int, wait_s: float) -> list[Entry]:
        """Up to `limit` entries from `offset` on, in order; waits up to `wait_s` seconds for the first one.

        Raises:
            Corrupt: `offset` is below what is kept or above the head: records are gone, or the log is another one.
            Unavailable: repeat.
        """

    def head(self, topic: str, partition: int) -> tuple[int, int]:
        """Lowest offset still kept, and the offset that the next record gets; (0, 0) where nothing was written."""

    def trim(self, topic: str, partition: int, before: int) -> None:
        """Allow the log to forget entries below `before`. Repeating is harmless; offsets never change."""


# --- jobs, ledger, outbox ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Job:
    """One processing of one video by one pipeline.

    Attributes:
        job_id: UUID text.
        video_id: name for people.
        created_at_us: microseconds since 1970-01-01 UTC; time stamp of frame 0 on the topics.
        run_key: hex digest over source and result settings.
        settings: resolved result settings and facts about the source, JSON values only.
        streams: streams that must be complete before results are published.
        partition: where the job's detections, tracks and totals gather.
        state, code, reason: where it stands; code and reason for `failed` and `cancelled`.
        result: what `publish` points to, once `ready`; JSON values only.
        parent_id: the job that this one runs again.
    """

    job_id: str
    video_id: str
    created_at_us: int
    run_key: str
    settings: Mapping[str, Any]
    streams: tuple[str, ...]
    partition: int = 0
    state: JobState = "new"
    code: str = ""
    reason: str = ""
    result: Mapping[str, Any] = field(default_factory=dict)
    parent_id: str | None = None


class Jobs(Protocol):
    """Job rows. States only move forward: new > sent > processing > predictable > ready; any of these > failed or
    cancelled; nothing leaves a terminal state.
    """

    def create(self, job: Job, events: Sequence[Outgoing]) -> bool:
        """Store the row and its events in one transaction; False, changing nothing, where the job_id exists."""

    def get(self, job_id: str) -> Job:
        """The job.

        Raises:
            NotFound: no such job.
        """

    def list(self, states: Sequence[JobState] = (), limit: int = 50, after: str = "") -> Sequence[Job]:
        """Jobs in the order in which they were created, those of `states` only where given, behind job `after`."""

    def advance(
        self,
        job_id: str,
        to: JobState,
        *,
        code: str = "",
        reason: str = "",
        result: Mapping[str, Any] | None = None,
    ) -> bool:
        """Move a job forward by compare-and-set; True for the caller that moved it, False where the move is not
        forward (the job is there already, further on, or terminal).

        Raises:
            NotFound: no such job.
        """


@dataclass(frozen=True, slots=True)
class Position:
    """How far a stage has come in a partition.

    Attributes:
        stage, topic, partition: whose position it is.
        epoch: raised by each claim.
        commit_no: raised by each commit.
        low_water: lowest offset not yet released.
        attempts: sum of `attempt` since `low_water` last moved: how often the record there was begun.
        stuck: the owner before this one, if there was one, claimed at this very `low_water` and never moved it.
    """

    stage: str
    topic: str
    partition: int
    epoch: int
    commit_no: int
    low_water: int
    attempts: int = 0
    stuck: bool = False


@dataclass(frozen=True, slots=True)
class Saved:
    """Committed state of a stage for one stream of a job; `next_seq` is the first seq not yet folded."""

    next_seq: int
    state: bytes


@dataclass(frozen=True, slots=True)
class Commit:
    """State of one stream, outputs and position, written together or not at all.

    Attributes:
        at: the position that the owner last saw.
        low_water: the new one.
        job_id, stream: the fold; empty where only the position moves.
        saved: its new state, None where only the position moves.
        outputs: records that must reach the log, in order.
        attempt: 1: the record at `low_water` is about to be begun, and may end the process; less than 0: so many
            times it has not, an outage came between.
        complete: the stream ends with this commit. The commit that completes the last of the job's `streams` moves
            the job to `predictable`.
    """

    at: Position
    low_water: int
    job_id: str = ""
    stream: str = ""
    saved: Saved | None = None
    outputs: tuple[Outgoing, ...] = ()
    complete: bool = False
    attempt: int = 0


class Ledger(Protocol):
    """Positions and states. The commit is the only write that counts."""

    def claim(self, stage: str, topic: str, partition: int) -> Position:
        """Take a partition: raise its epoch, so that every earlier owner is `Fenced` at its next commit."""

    def load(self, stage: str, job_id: str, stream: str) -> Saved | None:
        """The last committed state, None before the first commit."""

    def commit(self, commit: Commit) -> tuple[Position, bool]:
        """Write state, outputs and position in one transaction; the new position, and whether the job is alive.

        Where the job is gone or terminal only the position moves: state and outputs are dropped. Outputs become
        readable in the log afterwards, in order, at least once.

        Raises:
            Fenced: epoch or commit_no moved on; nothing was written.
            Unavailable: perhaps it was written; drop memory and claim again.
        """

    def progress(self, job_id: str) -> Mapping[tuple[str, str], int]:
        """`next_seq` by (stage, stream) of a job, as committed."""

    def positions(self, topic: str) -> Sequence[Position]:
        """All positions in a topic, sorted by stage and partition: below the lowest low_water nobody reads again."""


@dataclass(frozen=True, slots=True)
class Queued:
    """A committed record that waits to be sent."""

    queue_id: int
    record: Outgoing


class Outbox(Protocol):
    """Committed records on their way to a log that lives elsewhere."""

    def pending(self, limit: int) -> Sequence[Queued]:
        """The oldest records not yet marked as sent, in the order of their commits."""

    def sent(self, queue_ids: Sequence[int]) -> None:
        """Forget records that the log has acknowledged. Repeating is harmless."""


# --- objects -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stat:
    """Size in bytes and sha256 (hex) of an object."""

    size: int
    sha256: str

    @classmethod
    def of(cls, chunks: Iterable[bytes]) -> Stat:
        """Size and sha256 of bytes that come in pieces.

        >>> Stat.of([b"a", b"bc"]) == Stat.of([b"abc"]), Stat.of([]).size
        (True, 0)
        """
        digest, size = hashlib.sha256(), 0
        for chunk in chunks:
            digest.update(chunk)
            size += len(chunk)
        return cls(size, digest.hexdigest())


class ObjectStore(Protocol):
    """Immutable blobs, in and out as streams: memory does not grow with size. Keys are `a/b/c`, no `..`, no leading
    slash.
    """

    def put_new(self, key: str, chunks: Iterable[bytes]) -> Stat:
        """Store once, durable on return; size and sha256 of what was stored. The same bytes again are a no-op.

        Raises:
            Corrupt: the key holds other bytes. They stay as they are.
            Unavailable: nothing was stored; repeat with new chunks.
        """

    def read(self, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Bytes from `start`, `length` at most, in chunks of 1 MiB at most; past the end: no chunk.

        Raises:
            NotFound: at the first chunk, if the key is missing.
        """

    def open_local(self, key: str) -> AbstractContextManager[Path]:
        """The whole blob as a seekable file for a decoder; a cached copy if the store is remote.

        Raises:
            NotFound: if the key is missing.
        """

    def delete(self, key: str) -> None:
        """Remove. A missing key is not an error, on any backend."""


# --- frames ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Decoded:
    """One frame that was asked for.

    Attributes:
        row: of the index.
        outcome: `ok`, or `failed`.
        reason: why it failed; for an `ok` frame empty, or a remark that belongs into the result, e.g. `size_change`.
        buffer: filled only where the outcome is `ok`.
    """

    row: int
    outcome: Outcome
    reason: str = ""
    buffer: ByteArray | None = None


class FrameReader(Protocol):
    """Frames of one source, scaled for a detector. Used by one thread at a time; keeps its file open in between."""

    def index(self) -> SourceIndex:
        """Find every frame without decoding. The same bytes give the same index.

        Raises:
            NotFound: no such file or folder.
            InvalidVideo: empty, no video stream, not a container, no frame.
        """

    def read(
        self, chunk: Chunk, rows: Sequence[int], ticks: Sequence[int], buffer: Callable[[], ByteArray]
    ) -> Iterator[Decoded]:
        """The frames `rows` (rising, inside `chunk`; `ticks` are their pts) in that order, each exactly once.

        `buffer()` is called once for each frame that decodes, just before it is written: uint8 of
        `ImageSpec.shape()`. What does not decode comes as `failed` with a reason and asks for no buffer. Reading
        a chunk alone gives the same pixels as reading from the start. The caller may stop early.

        Raises:
            NotFound, Unavailable: the source is gone or cannot be reached; no frame is lost, read again.
        """

    def close(self) -> None:
        """Release the file. Repeating is harmless."""


@dataclass(frozen=True, slots=True)
class DetectorInfo:
    """What decides a detector's output; part of the run key.

    Attributes:
        name, sha256: of the model.
        labels: by class id.
        engine, version: e.g. `openvino`, `2026.4.1`.
        precision: resolved: `f32`, `bf16`, `int8`.
        image: the picture it wants.
    """

    name: str
    sha256: str
    labels: tuple[str, ...]
    engine: str
    version: str
    precision: str
    image: ImageSpec


class Slot(Protocol):
    """One request in flight: fill `image`, `start`, later `result`. Used by one thread at a time."""

    @property
    def image(self) -> ByteArray:
        """Buffer of `ImageSpec.shape()`; not to be written between `start` and `result`."""

    def start(self) -> None:
        """Begin inference and return.

        Raises:
            EngineError: the runtime refused.
        """

    def result(self) -> Detections:
        """Wait; boxes in pixels of `image`, above the thresholds, by falling confidence.

        Raises:
            EngineError: the runtime failed; the slot may be used again.
        """


class Detector(Protocol):
    """A loaded model, shared by threads."""

    @property
    def info(self) -> DetectorInfo:
        """What decides the output."""

    def slot(self) -> Slot:
        """A new request, for the calling thread. Results do not depend on how many there are."""

    def close(self) -> None:
        """Release the model. Repeating is harmless."""
