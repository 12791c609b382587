"""The detect worker: it decodes frames, has them looked at, and writes what was found.

Several pictures are in flight: while one is looked at, the next is decoded. It produces, waits for the
acknowledgement, then advances to the lowest unfinished offset; a crash in between repeats records with the same
identity.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from sightline.errors import Fenced, Misconfigured, NotFound, Rejected, Retryable
from sightline.events import Codecs, Detected, End, Record, Sampled, native
from sightline.ports import (
    TERMINAL,
    Commit,
    Decoded,
    Detector,
    Entry,
    EventLog,
    FrameReader,
    Job,
    Jobs,
    Ledger,
    Members,
    Outgoing,
    Position,
    Slot,
)
from sightline.runtime.dead_letters import ATTEMPTS, bury, dead_letter
from sightline.runtime.failures import JobEnded, of_job
from sightline.runtime.owning import Ownership
from sightline.runtime.reading import claim, read_owned
from sightline.runtime.routes import outgoing
from sightline.stages.detect import Detect
from sightline.types import ByteArray, Chunk, Detections

__all__ = ["DetectWorker"]


@dataclass(slots=True)
class _Held:
    at: Position
    read_to: int
    careful_to: int
    claimed_at: int
    begun: bool = False
    paused: str = ""
    unfinished: set[int] = field(default_factory=set)

    def low_water(self) -> int:
        return min(self.unfinished, default=self.read_to)


@dataclass(frozen=True, slots=True)
class _Task:
    """A record of a partition, to be looked at."""

    partition: int
    entry: Entry
    record: Sampled | End

    @property
    def offset(self) -> int:
        return self.entry.offset


@dataclass(frozen=True, slots=True)
class _Flight:
    task: _Task
    slot: Slot | None
    reason: str = ""


def _chunk(task: _Task) -> tuple[int, int, int] | None:
    """Chunk of a frame; a job that was resumed with another chunk size has chunks of the same number."""
    record = task.record
    return (record.chunk, record.first, record.end) if isinstance(record, Sampled) else None


class DetectWorker:
    """Looks at the frames of some partitions of one topic.

    Args:
        topic, partitions: what it reads.
        log, ledger, jobs: ports.
        reader: the open source of a job, for this worker alone.
        detector: shared model.
        stage: how the pictures of a job become records.
        depth: pictures in flight.
        max_frames: per commit and per run of one job, so that jobs take turns.
        suspicious: an owner that got no further was perhaps ended by a frame. Off where it is known to have ended by
            itself, as `track` does when the disk is full: however often that happens, no frame is given up for it.
        members: who owns the partitions; None where nobody else works on them.
        codecs: dialects by topic.
    """

    def __init__(
        self,
        topic: str,
        partitions: Sequence[int],
        *,
        log: EventLog,
        ledger: Ledger,
        jobs: Jobs,
        reader: Callable[[Job], FrameReader],
        detector: Detector,
        stage: Callable[[Job], Detect],
        depth: int = 3,
        max_frames: int = 32,
        suspicious: bool = True,
        members: Members | None = None,
        codecs: Codecs = native,
    ) -> None:
        self._topic, self._owner = topic, Ownership("detect", topic, partitions, members)
        self._log, self._ledger, self._jobs = log, ledger, jobs
        self._reader, self._stage = reader, stage
        self._codecs, self._codec = codecs, codecs(topic)
        self._max_frames, self._suspicious = max_frames, suspicious
        self._known: dict[str, Job | None] = {}
        self._begun: set[tuple[int, int]] = set()
        self._free = [detector.slot() for _ in range(depth)]
        self._queue: deque[_Task] = deque()
        self._drop()

    def claim(self) -> None:
        """Own the partitions that may be owned; reading begins at each one's low-water mark."""
        named = self._owner.named()
        if self._held.keys() - named:
            self._leave(self._held.keys() - named)
        for partition in sorted(named - self._held.keys()):
            at = claim(self._log, self._ledger, "detect", self._topic, partition)
            careful_to = at.low_water
            # An owner that got no further but had begun nothing was idle, however often it was killed.
            if at.stuck and at.attempts and self._suspicious:
                careful_to += 4 * self._max_frames
            elif at.attempts and not self._suspicious:
                at, _ = self._ledger.commit(Commit(at, at.low_water, attempt=-at.attempts))
            self._held[partition] = _Held(at, at.low_water, careful_to, at.low_water)

    def release(self) -> None:
        """Give all partitions up, as at a stop; pictures in flight are dropped, to be looked at again."""
        left = [held.at for held in self._held.values()]
        self._abandon()
        for at in left:
            self._ledger.release(at)

    @property
    def paused(self) -> str:
        """Why some partition is read no further though there is something to read; empty where all are."""
        return next((held.paused for held in self._held.values() if held.paused), "")

    def step(self) -> int:
        """Look at one run of frames; answers written, 0 only if there was nothing to read, to look at or to write.

        Raises:
            Fenced: another owner moved on; that partition is waited for. Then, and after any other error, the next step
                claims again what may be claimed.
        """
        try:
            self.claim()
            self._known.clear()
            done = self._fill()
            careful = self._careful()
            if careful is not None:
                return self._look_carefully(careful) or 1
            run = self._next_run()
            if run:
                self._begin({task.partition for task in run})
                self._look(run)
            else:
                self._land(0)
            return self._flush() or int(bool(done or run))
        except BaseException:
            self._abandon()
            raise

    def _leave(self, partitions: Collection[int]) -> None:
        """Finish what is in flight, then let partitions go that are owned no longer."""
        self._land(0)
        self._flush()
        self._queue = deque(task for task in self._queue if task.partition not in partitions)
        for partition in list(partitions):
            self._ledger.release(self._held.pop(partition).at)

    @contextmanager
    def _owned(self, partition: int) -> Iterator[None]:
        """Remember which partition another owner took."""
        try:
            yield
        except Fenced:
            self._owner.fenced(partition)
            raise

    def _commit(self, partition: int, low_water: int, attempt: int = 0) -> None:
        held = self._held[partition]
        with self._owned(partition):
            held.at, _ = self._ledger.commit(Commit(held.at, low_water, attempt=attempt))

    def _drop(self) -> None:
        self._held: dict[int, _Held] = {}
        self._queue.clear()
        self._flights: deque[_Flight] = deque()
        self._answers: list[tuple[_Task, Job, list[Record]]] = []
        self._taken: Slot | None = None

    def _abandon(self) -> None:
        flights = list(self._flights)
        if self._taken is not None:
            self._free.append(self._taken)
        self._drop()
        for flight in flights:
            if flight.slot is not None:
                self._settle(flight.slot)

    def _settle(self, slot: Slot) -> None:
        """Wait for a picture that nobody asks for any more: its buffer must not be written while in flight.

        If it fails too, the error that made the worker give up is the one to be heard.
        """
        with suppress(Exception):
            slot.result()
        self._free.append(slot)

    def _fill(self) -> int:
        return sum(
            self._read(partition, held)
            for partition, held in self._held.items()
            if len(held.unfinished) < 4 * self._max_frames
        )

    def _read(self, partition: int, held: _Held) -> int:
        with self._owned(partition):
            entries = read_owned(self._log, self._ledger, held.at, held.read_to, 2 * self._max_frames)
        held.paused = ""
        for read, entry in enumerate(entries):
            try:
                record = self._decoded(partition, entry)
            except Misconfigured as error:  # only a newer program can read it: nobody may pass it over
                held.paused = str(error)
                return read
            held.read_to = entry.offset + 1
            if isinstance(record, Sampled | End):
                held.unfinished.add(entry.offset)
                self._queue.append(_Task(partition, entry, record))
        return len(entries)

    def _decoded(self, partition: int, entry: Entry) -> Record | None:
        """The record; what nobody can read is kept as a dead letter, and is `failed` if it names its frame."""
        try:
            return self._codec.decode(entry.value)
        except Rejected as error:
            self._bury(partition, entry, "invalid_record", str(error), error=error)
            return self._codec.salvage(entry.value)

    def _bury(
        self,
        partition: int,
        entry: Entry,
        reason: str,
        message: str,
        *,
        error: BaseException | None = None,
        attempts: int = 1,
    ) -> None:
        at = ("detect", self._topic, partition, entry)
        bury(self._log, dead_letter(*at, reason, message, error=error, attempts=attempts))

    def _begin(self, partitions: Iterable[int]) -> None:
        """Say that something at the low water is about to be begun: an owner that gets no further was not idle."""
        for partition in partitions:
            held = self._held[partition]
            if not held.begun and not held.at.attempts and held.at.low_water == held.claimed_at:
                self._commit(partition, held.at.low_water, attempt=1)
            held.begun = True

    def _careful(self) -> _Task | None:
        """The record that may have ended the owner before: each is begun alone until that place is passed."""
        for task in self._queue:
            held = self._held[task.partition]
            if task.offset < held.careful_to and task.offset == held.low_water():
                return task
        return None

    def _look_carefully(self, task: _Task) -> int:
        held = self._held[task.partition]
        self._land(0)
        self._flush()
        self._queue.remove(task)
        begun_here = (task.partition, task.offset) in self._begun
        attempts = held.at.attempts - begun_here
        if attempts > ATTEMPTS and isinstance(task.record, Sampled):  # once among others, then alone
            message = f"{attempts} attempts ended the process"
            self._bury(task.partition, task.entry, "crashed", message, attempts=attempts)
            self._flights.append(_Flight(task, None, "crashed"))
            self._land(0)
            return self._flush()
        if not begun_here:  # An outage that this process survives is no attempt.
            self._commit(task.partition, held.at.low_water, attempt=1)
            self._begun.add((task.partition, task.offset))
        try:
            self._look([task])
            self._land(0)
            return self._flush()
        except Retryable:
            self._hand_back(held, task)
            raise

    def _hand_back(self, held: _Held, task: _Task) -> None:
        """An outage that ends the process, as a full disk ends `track`, is no attempt either."""
        if held.at.attempts > 0:
            self._commit(task.partition, held.at.low_water, attempt=-1)
            self._begun.discard((task.partition, task.offset))

    def _next_run(self) -> list[_Task]:
        """Frames of one chunk, in order: of the lowest seq of the job whose turn it is."""
        if not self._queue:
            return []
        first = self._queue[0].record.job_id
        mine = sorted((t for t in self._queue if t.record.job_id == first), key=lambda task: task.record.seq)
        run = [mine[0]]
        for task in mine[1 : self._max_frames]:
            if _chunk(task) is None or _chunk(task) != _chunk(run[0]):
                break
            if task.record.seq != run[-1].record.seq:
                run.append(task)
        taken = {(t.partition, t.offset) for t in run}
        repeated = {
            (t.partition, t.offset) for t in mine if any(t.record.seq == r.record.seq for r in run)
        } - taken
        rest = [t for t in self._queue if (t.partition, t.offset) not in taken | repeated]
        for partition, offset in repeated:
            self._held[partition].unfinished.discard(offset)
        others = [t for t in rest if t.record.job_id != first]
        self._queue = deque(others + [t for t in rest if t.record.job_id == first])
        return run

    def _look(self, run: list[_Task]) -> None:
        job = self._alive(run[0].record.job_id)
        if job is None:
            self._finish(run)
            return
        try:
            with of_job(self._jobs, job.job_id):
                self._look_at(job, run)
        except JobEnded:
            self._give_up(job.job_id, run)

    def _finish(self, tasks: Iterable[_Task]) -> None:
        for task in tasks:
            self._held[task.partition].unfinished.discard(task.offset)

    def _give_up(self, job_id: str, run: Iterable[_Task]) -> None:
        """Nothing more of a job that has just ended: neither what is in flight nor what waits for its turn."""
        self._known[job_id] = None
        flights, self._flights = self._flights, deque()
        for flight in flights:
            if flight.task.record.job_id != job_id:
                self._flights.append(flight)
            elif flight.slot is not None:
                self._settle(flight.slot)
        tasks = [*run, *(flight.task for flight in flights), *self._queue]
        self._finish(task for task in tasks if task.record.job_id == job_id)
        self._queue = deque(task for task in self._queue if task.record.job_id != job_id)

    def _look_at(self, job: Job, run: list[_Task]) -> None:
        if isinstance(run[0].record, End):
            self._land(0)
            self._answers.append((run[0], job, list(self._stage(job).ended(run[0].record))))
            return
        tasks: dict[int, _Task] = {}
        for task in run:
            frame = task.record
            if isinstance(frame, Sampled) and frame.outcome == "ok":
                tasks[frame.row] = task
            elif isinstance(frame, Sampled):  # what is known to have failed may not even know its row
                self._flights.append(_Flight(task, None, frame.reason or frame.outcome))
        for decoded in self._decode(job, [task.record for task in tasks.values()]):  # type: ignore[misc]
            task = tasks[decoded.row]
            if decoded.outcome == "ok" and self._taken is not None:
                slot, self._taken = self._taken, None
                self._flights.append(_Flight(task, slot, decoded.reason))
                with self._naming(task):
                    slot.start()
            else:
                self._flights.append(_Flight(task, None, decoded.reason or decoded.outcome))

    def _decode(self, job: Job, frames: list[Sampled]) -> Iterator[Decoded]:
        if frames:
            at = frames[0]
            chunk = Chunk(at.chunk, at.first, at.end, at.first_tick, at.end_tick)
            rows, ticks = [frame.row for frame in frames], [frame.tick for frame in frames]
            yield from self._reader(job).read(chunk, rows, ticks, self._buffer)

    def _buffer(self) -> ByteArray:
        """The picture of a free slot; the oldest flight lands where there is none."""
        if self._taken is None:
            while not self._free:
                self._land_one()
            self._taken = self._free.pop()
        return self._taken.image

    def _land(self, keep: int) -> None:
        while len(self._flights) > keep:
            self._land_one()

    def _land_one(self) -> None:
        flight = self._flights.popleft()
        record = flight.task.record
        assert isinstance(record, Sampled)
        job = self._alive(record.job_id)
        try:
            if job is None:
                self._finish([flight.task])
                return
            with of_job(self._jobs, job.job_id):
                found = None
                if flight.slot is not None:
                    with self._naming(flight.task):
                        found = flight.slot.result()
                records = self._records(job, record, found, flight.reason)
        except JobEnded:
            self._give_up(record.job_id, [flight.task])
            return
        finally:
            if flight.slot is not None:
                self._free.append(flight.slot)
        self._answers.append((flight.task, job, records))

    @contextmanager
    def _naming(self, task: _Task) -> Iterator[None]:
        """Say at which frame a detector went wrong: it sees pictures and knows no numbers."""
        job, record = self._known.get(task.record.job_id), task.record
        frame = record.frame if isinstance(record, Sampled) else record.seq
        place = f"frame {frame}" if job is None else f"frame {frame} of {job.video_id}"
        try:
            yield
        except Misconfigured as error:
            raise Misconfigured(f"{place}: {error.message}", code=error.code) from error
        except Exception as error:
            error.add_note(f"sightline: the detector was looking at {place}")
            raise

    def _records(self, job: Job, record: Sampled, found: Detections | None, reason: str) -> list[Record]:
        stage = self._stage(job)
        answers: list[Detected] = (
            stage.lost(record, reason) if found is None else stage.found(record, found, reason)
        )
        return list(answers)

    def _alive(self, job_id: str) -> Job | None:
        """The job, asked for once a step; None where it has ended."""
        if job_id not in self._known:
            try:
                job = self._jobs.get(job_id)
                self._known[job_id] = None if job.state in TERMINAL else job
            except NotFound:
                self._known[job_id] = None
        return self._known[job_id]

    def _flush(self) -> int:
        answers, self._answers = self._answers, []
        if answers:
            self._log.append([self._addressed(job, r) for _, job, records in answers for r in records])
        for task, _, _ in answers:
            self._held[task.partition].unfinished.discard(task.offset)
        for partition, held in self._held.items():
            if held.low_water() > held.at.low_water:
                self._commit(partition, held.low_water())
        return len(answers)

    def _addressed(self, job: Job, record: Record) -> Outgoing:
        return outgoing(job, record, self._codecs)
