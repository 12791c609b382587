"""The detect role: it reads the frames of its partitions into a queue, and advances over those that lanes have answered.

An answer is produced, acknowledged by the log, and only then is its frame finished; the position is the lowest offset
that is not. A crash in between repeats records with the same identity. It owns partitions and does no work on frames;
`sightline.runtime.lanes` do, as many as the machine has room for, whatever the number of partitions.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace

from sightline.errors import Fenced, Misconfigured, NotFound, Rejected
from sightline.events import Codecs, End, Record, Sampled, native
from sightline.jobs.recipe import Recipe
from sightline.ports import TERMINAL, Commit, Entry, EventLog, Jobs, Ledger, Members, Position
from sightline.runtime.chunk_queue import ChunkQueue, Task
from sightline.runtime.dead_letters import ATTEMPTS, bury, dead_letter
from sightline.runtime.failures import JobEnded, of_job
from sightline.runtime.known import Known
from sightline.runtime.meter import Meter
from sightline.runtime.owning import Ownership
from sightline.runtime.reading import claim, read_owned
from sightline.runtime.routes import outgoing, recipe_of

__all__ = ["DetectRole"]

STAGE = "detect"
CAREFUL = 128  # offsets behind the low water that are begun one by one
ROOM = 1024  # unfinished records of a partition at the most; the feeder's window is what bounds a job
BATCH = 64  # records read at once
_Answers = Sequence[tuple[Task, Recipe, Sequence[Record]]]


@dataclass(slots=True)
class _Held:
    at: Position
    claim: int
    claimed_at: int
    careful_to: int
    read_to: int
    begun: bool = False
    paused: str = ""
    unfinished: set[int] = field(default_factory=set)

    def low_water(self) -> int:
        return min(self.unfinished, default=self.read_to)


class DetectRole:
    """Owns some partitions of one topic of frames.

    Args:
        topic, partitions: what it reads.
        log, ledger, jobs: ports.
        queue: where lanes take frames from.
        suspicious: an owner that got no further was perhaps ended by a frame. Off where it is known to have ended by
            itself, as `track` does when the disk is full: however often that happens, no frame is given up for it.
        members: who owns the partitions; None where nobody else works on them.
        codecs: dialects by topic.
        meter: counts frames and what was found in them.
    """

    def __init__(
        self,
        topic: str,
        partitions: Sequence[int],
        *,
        log: EventLog,
        ledger: Ledger,
        jobs: Jobs,
        queue: ChunkQueue,
        suspicious: bool = True,
        members: Members | None = None,
        codecs: Codecs = native,
        meter: Meter | None = None,
    ) -> None:
        self._meter = meter or Meter()
        self.topic, self._owner = topic, Ownership(STAGE, topic, partitions, members)
        self._log, self._ledger, self._jobs = log, ledger, jobs
        self._queue, self._suspicious = queue, suspicious
        self._codecs, self._codec = codecs, codecs(topic)
        self._known = Known(jobs)
        self._lock = threading.RLock()
        self._held: dict[int, _Held] = {}
        self._claims = 0
        self._begun: set[tuple[int, int]] = set()
        self._left = False

    # --- the role's own thread

    def claim(self) -> None:
        """Own the partitions that may be owned; reading begins at each one's low-water mark."""
        named = self._owner.named()
        with self._lock:
            for partition in sorted(self._held.keys() - named):
                self._queue.drop(self, partition)
                self._ledger.release(self._held.pop(partition).at)
            for partition in sorted(named - self._held.keys()):
                self._held[partition] = self._claimed(partition)

    def _claimed(self, partition: int) -> _Held:
        at = claim(self._log, self._ledger, STAGE, self.topic, partition)
        careful_to = at.low_water
        # An owner that got no further but had begun nothing was idle, however often it was killed.
        if at.stuck and at.attempts and self._suspicious:
            careful_to += CAREFUL
        elif at.attempts and not self._suspicious:
            at, _ = self._ledger.commit(Commit(at, at.low_water, attempt=-at.attempts))
        self._claims += 1
        return _Held(at, self._claims, at.low_water, careful_to, at.low_water)

    def step(self) -> int:
        """Read what is there, advance over what was answered; how much of both.

        Raises:
            Fenced: another owner moved on; that partition is waited for. Then, and after any other error, the next step
                claims again what may be claimed.
        """
        with self._owning():
            self.claim()
            read = sum(self._fill(partition, held) for partition, held in list(self._held.items()))
            return read + self.advance()

    def release(self) -> None:
        """Give all partitions up, as at a stop; what lanes still hold is not answered."""
        with self._lock:
            self._left = True
            left = [held.at for held in self._held.values()]
        self._abandon()
        for at in left:
            self._ledger.release(at)

    @property
    def paused(self) -> str:
        """Why some partition is read no further though there is something to read; empty where all are."""
        return next((held.paused for held in list(self._held.values()) if held.paused), "")

    @contextmanager
    def _owning(self) -> Iterator[None]:
        """Whatever goes wrong, in whichever thread: nothing is held any more, and read again after the next claim."""
        try:
            yield
        except BaseException:
            self._abandon()
            raise

    def _fill(self, partition: int, held: _Held) -> int:
        if len(held.unfinished) >= ROOM:
            return 0
        with self._fenced(partition):
            entries = read_owned(self._log, self._ledger, held.at, held.read_to, BATCH)
        held.paused = ""
        for read, entry in enumerate(entries):
            try:
                record = self._decoded(partition, entry)
            except Misconfigured as error:  # only a newer program can read it: nobody may pass it over
                held.paused = str(error)
                return read
            if isinstance(record, Sampled) and record.frame_data:
                entry, record = self._without_pixels(entry, record)
            with self._lock:
                if self._held.get(partition) is not held:
                    break  # a lane has lost it meanwhile
                held.read_to = entry.offset + 1
                if isinstance(record, Sampled | End):
                    careful = entry.offset < held.careful_to
                    task = Task(self, held.claim, partition, entry, record, careful)
                    if self._queue.put(task):
                        held.unfinished.add(entry.offset)
        return len(entries)

    def _without_pixels(self, entry: Entry, record: Sampled) -> tuple[Entry, Sampled]:
        """A picture is for programs of others, and waits nowhere here: a lane decodes the source, or results would differ."""
        record = replace(record, frame_data=b"")
        about = self._known(record.job_id)
        return entry if about is None else replace(entry, value=self._codec.encode(record, about)), record

    def _decoded(self, partition: int, entry: Entry) -> Record | None:
        """The record; what nobody can read is kept as a dead letter, and is `failed` if it names its frame."""
        try:
            return self._codec.decode(entry.value, self._known)
        except Rejected as error:
            letter = dead_letter(
                STAGE, self.topic, partition, entry, "invalid_record", str(error), error=error
            )
            bury(self._log, letter)
            return self._codec.salvage(entry.value, self._known)

    def _abandon(self) -> None:
        with self._lock:
            held, self._held = self._held, {}
        for partition in held:
            self._queue.drop(self, partition)

    # --- what lanes call

    def recipe(self, job_id: str) -> Recipe | None:
        """Recipe of a job, None where it has ended or never begun: then whatever waits of it is given up."""
        with self._lock:  # whoever gave up may be about to close the store
            if self._left:
                return None
            try:
                job = self._jobs.get(job_id)
            except NotFound:
                job = None
            # Before feed has begun with a job nobody who knows of it writes its frames.
            if job is None or job.state in TERMINAL or not job.facts:
                self._release(self._queue.forget(self, job_id))
                return None
            try:
                with self.of_job(job_id):
                    return recipe_of(job)
            except JobEnded:
                return self.recipe(job_id)

    def of_job(self, job_id: str) -> AbstractContextManager[None]:
        """Work that concerns one job only: where it goes wrong the job has failed, and `JobEnded` is raised."""
        return of_job(self._jobs, job_id)

    def answer(self, answers: _Answers) -> None:
        """Produce and wait for the acknowledgement; then, and not before, the frames may be finished."""
        self._log.append(
            [outgoing(recipe, record, self._codecs) for _, recipe, records in answers for record in records]
        )
        for _, recipe, records in answers:
            self._meter.frames(STAGE, records[:1])  # a record for each group, and one outcome
            self._meter.detections(records, recipe.model.labels)

    def finish(self, tasks: Sequence[Task]) -> None:
        """Frames that were taken need nothing more."""
        self._release(tasks)
        self._queue.finished(tasks)

    def give_back(self, tasks: Sequence[Task]) -> None:
        """Frames that were taken could not be answered: they wait again, but for those of an earlier claim.

        These are read once more. Kept beside that, they would pass for their own repetition.
        """
        with self._lock:
            mine = [task for task in tasks if self._is_held(task)]
            self._queue.give_back(mine)
            self._queue.finished([task for task in tasks if not self._is_held(task)])

    def _is_held(self, task: Task) -> bool:
        held = self._held.get(task.partition)
        return held is not None and held.claim == task.claim

    def _release(self, tasks: Sequence[Task]) -> None:
        with self._lock:
            for task in tasks:
                if self._is_held(task):
                    self._held[task.partition].unfinished.discard(task.entry.offset)

    def advance(self) -> int:
        """Commit the positions that moved; how many."""
        moved = 0
        with self._lock, self._owning():
            for partition, held in self._held.items():
                if held.low_water() > held.at.low_water:
                    self._commit(partition, held, held.low_water())
                    moved += 1
        return moved

    def _commit(self, partition: int, held: _Held, low_water: int, attempt: int = 0) -> None:
        with self._fenced(partition):
            held.at, _ = self._ledger.commit(Commit(held.at, low_water, attempt=attempt))

    @contextmanager
    def _fenced(self, partition: int) -> Iterator[None]:
        """Remember which partition another owner took."""
        try:
            yield
        except Fenced:
            self._owner.fenced(partition)
            raise

    # --- a frame that may have ended the owner before

    def begin_any(self, tasks: Sequence[Task]) -> None:
        """Say that something at the low water is about to be begun: an owner that gets no further was not idle."""
        with self._lock, self._owning():
            for partition in sorted({task.partition for task in tasks if self._is_held(task)}):
                held = self._held[partition]
                if not held.begun and not held.at.attempts and held.at.low_water == held.claimed_at:
                    self._count(partition, held, held.at.low_water)
                held.begun = True

    def begin(self, task: Task) -> bool:
        """Count an attempt before it is made; False where there were enough, and the frame is given up.

        Raises:
            Fenced: another owner moved on.
        """
        with self._lock, self._owning():
            if not self._is_held(task):
                return True
            held = self._held[task.partition]
            self.advance()
            begun_here = held.at.attempts > 0 and (task.partition, task.entry.offset) in self._begun
            attempts = held.at.attempts - begun_here
            if attempts > ATTEMPTS and isinstance(task.record, Sampled):  # once among others, then alone
                at = (STAGE, self.topic, task.partition, task.entry)
                said = f"{attempts} attempts ended the process"
                bury(self._log, dead_letter(*at, "crashed", said, attempts=attempts))
                return False
            if not begun_here:
                self._count(task.partition, held, task.entry.offset)
        return True

    def _count(self, partition: int, held: _Held, offset: int) -> None:
        """Count an attempt at a record; this process counts none there again, for an outage that it survives is none.

        It knows of this one before it is written: of a commit that fails nobody knows whether it was.
        """
        self._begun.add((partition, offset))
        self._commit(partition, held, held.at.low_water, attempt=1)

    def hand_back(self, task: Task) -> None:
        """An outage that ends the process, as a full disk ends `track`, is no attempt either."""
        with self._lock, self._owning():
            held = self._held.get(task.partition)
            if held is not None and self._is_held(task) and held.at.attempts > 0:
                self._commit(task.partition, held, held.at.low_water, attempt=-1)
                self._begun.discard((task.partition, task.entry.offset))
