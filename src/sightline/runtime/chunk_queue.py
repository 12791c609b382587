"""The queue between the roles that read frames and the lanes that decode them: frames by job and chunk.

A chunk is decoded by one lane at a time, for it begins at a key frame and every other lane would begin there again. Jobs
take turns, a slice of a chunk each, so that a long video does not hold up a short one; a lane takes turns between two of
them until a chunk is done or has had eight slices. Where a frame may have ended the
process before, it is handed out alone.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from sightline.events import End, Sampled
from sightline.ports import Entry

if TYPE_CHECKING:
    from sightline.runtime.detect import DetectRole

__all__ = ["AT_ONCE", "SLICE", "STAY", "ChunkQueue", "Run", "Task"]

SLICE = 32
AT_ONCE = 2  # jobs between which a lane takes turns: it keeps as many sources open
STAY = 8  # slices of a chunk before a lane looks around: whoever comes back later decodes from the key frame again
IDLE = 32  # jobs of which nothing waits and it is still known which lane is at which chunk
_Chunk = tuple[int, int, int]
_Job: TypeAlias = "tuple[DetectRole, str]"


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """A record of a partition, to be answered.

    Attributes:
        role: who read it and advances over it.
        claim: number of the claim under which it was read: an answer to an earlier one moves nothing.
        partition, entry, record: where it lay, and what it says.
        careful: it is to be begun alone, behind a row that counts its attempts.
    """

    role: DetectRole
    claim: int
    partition: int
    entry: Entry
    record: Sampled | End
    careful: bool = False

    @property
    def job_id(self) -> str:
        """Of the record."""
        return self.record.job_id

    @property
    def job(self) -> _Job:
        """Jobs of two stores may have the same id: copies of a video do."""
        return self.role, self.job_id

    @property
    def chunk(self) -> _Chunk | None:
        """Chunk of a frame; a job that was resumed with another chunk size has chunks of the same number."""
        record = self.record
        return (record.chunk, record.first, record.end) if isinstance(record, Sampled) else None


@dataclass(frozen=True, slots=True)
class Run:
    """Frames of one chunk of one job in the order of their seq, or the end of a job."""

    tasks: tuple[Task, ...]

    @property
    def careful(self) -> bool:
        """It is one record that may have ended the owner before."""
        return self.tasks[0].careful


@dataclass(slots=True)
class _Waiting:
    """What waits of one job: tasks by chunk and seq; who is at work on which chunk, and how many slices it has had of it;
    whether a frame, and whether its end was handed out.
    """

    chunks: dict[_Chunk | None, dict[int, Task]] = field(default_factory=dict)
    held: dict[_Chunk | None, object] = field(default_factory=dict)
    slices: dict[object, int] = field(default_factory=dict)
    begun: bool = False
    over: bool = False

    def in_midst(self, lane: object) -> bool:
        """Whether a lane would lose its place in a chunk if it turned to other jobs now."""
        return bool(self.slices.get(lane, 0) % STAY) and any(
            owner is lane and chunk in self.chunks for chunk, owner in self.held.items()
        )

    def took(self, lane: object, chunk: _Chunk | None) -> None:
        """A lane has a slice of a chunk."""
        again = self.held.get(chunk) is lane
        self.held = {other: owner for other, owner in self.held.items() if owner is not lane}
        self.held[chunk] = lane
        self.slices[lane] = self.slices[lane] + 1 if again else 1


class ChunkQueue:
    """Shared by all roles and lanes of a process.

    Args:
        limit: frames of a run at the most.
        turns: while frames of so many begun jobs wait, a lane begins with another one only where these have nothing for it:
            jobs in reserve cost nobody a turn. None: whatever waits takes turns.
    """

    def __init__(self, limit: int = SLICE, turns: int | None = None) -> None:
        self._lock, self._limit, self._turns = threading.Lock(), limit, turns
        self._jobs: OrderedDict[_Job, _Waiting] = OrderedDict()
        self._careful: list[Task] = []
        self._taken: Counter[DetectRole] = Counter()
        self._alone = False

    def put(self, task: Task) -> bool:
        """Add a task; False where one of the same frame waits already, and this one is a repetition."""
        with self._lock:
            return self._put(task)

    def _put(self, task: Task) -> bool:
        if task.careful:
            self._careful.append(task)
            return True
        if task.job not in self._jobs:
            self._forget_idle()
        waiting = self._jobs.setdefault(task.job, _Waiting())
        frames = waiting.chunks.setdefault(task.chunk, {})
        return frames.setdefault(task.record.seq, task) is task

    def _forget_idle(self) -> None:
        """Of jobs that ended before their last frame nobody says so here: what is known of them may go, the oldest first."""
        idle = [job for job, waiting in self._jobs.items() if not waiting.chunks]
        for job in idle[:-IDLE]:
            del self._jobs[job]

    def take(self, lane: object) -> Run | None:
        """What a lane should do next; None where there is nothing for it."""
        with self._lock:
            run = self._next_careful() if self._careful or self._alone else self._next(lane)
            if run is not None:
                self._taken[run.tasks[0].role] += len(run.tasks)
            return run

    def busy(self, role: DetectRole) -> bool:
        """Whether a lane holds frames of a role."""
        with self._lock:
            return self._taken[role] > 0

    def _next_careful(self) -> Run | None:
        if self._taken or not self._careful:
            return None
        task = min(self._careful, key=lambda task: (task.partition, task.entry.offset))
        self._careful.remove(task)
        self._alone = True
        return Run((task,))

    def _next(self, lane: object) -> Run | None:
        for job, waiting in self._in_turn(lane):
            chunk = _choose(waiting, lane)
            if chunk is _NONE:
                continue
            tasks = _cut(waiting, chunk, self._limit)
            waiting.took(lane, chunk)
            waiting.begun = True
            waiting.over = waiting.over or not isinstance(tasks[-1].record, Sampled)
            self._jobs.move_to_end(job)
            if waiting.over and not waiting.chunks:
                del self._jobs[job]
            return Run(tasks)
        return None

    def _in_turn(self, lane: object) -> list[tuple[_Job, _Waiting]]:
        """Jobs, the one first whose turn was the longest ago; those in reserve last.

        A lane that is in the midst of as many chunks as it has sources open turns to no other job.
        """
        jobs = list(self._jobs.items())
        midst = [each for each in jobs if each[1].in_midst(lane)]
        if len(midst) >= AT_ONCE:
            return midst
        begun = sum(waiting.begun and bool(waiting.chunks) for _, waiting in jobs)
        if self._turns is not None and begun >= self._turns:
            jobs.sort(key=lambda each: not each[1].begun)
        return jobs

    def finished(self, tasks: Iterable[Task]) -> None:
        """Tasks that were taken are done."""
        with self._lock:
            for task in tasks:
                self._returned(task)

    def give_back(self, tasks: Iterable[Task]) -> None:
        """Tasks that were taken could not be done: they wait again."""
        with self._lock:
            for task in tasks:
                self._returned(task)
                self._put(task)

    def _returned(self, task: Task) -> None:
        self._taken[task.role] -= 1
        if not self._taken[task.role]:
            del self._taken[task.role]
        self._alone = self._alone and bool(self._taken)

    def drop(self, role: DetectRole, partition: int) -> None:
        """Forget what waits of a partition that has another owner now."""
        with self._lock:
            self._careful = [task for task in self._careful if not _of(task, role, partition)]
            for job, waiting in list(self._jobs.items()):
                for chunk, frames in list(waiting.chunks.items()):
                    kept = {seq: task for seq, task in frames.items() if not _of(task, role, partition)}
                    waiting.chunks[chunk] = kept
                    if not kept:
                        del waiting.chunks[chunk]
                if job[0] is role and not waiting.chunks:
                    del self._jobs[job]

    def forget(self, role: DetectRole, job_id: str) -> list[Task]:
        """Forget a job that ended; what waited of it."""
        job = role, job_id
        with self._lock:
            waiting = self._jobs.pop(job, _Waiting())
            careful = [task for task in self._careful if task.job == job]
            self._careful = [task for task in self._careful if task.job != job]
            return careful + [task for frames in waiting.chunks.values() for task in frames.values()]


def _of(task: Task, role: DetectRole, partition: int) -> bool:
    return task.role is role and task.partition == partition


_NONE: _Chunk = (-1, -1, -1)


def _choose(waiting: _Waiting, lane: object) -> _Chunk | None:
    """The chunk of a job that a lane goes on with, else that of the lowest seq that no other lane is at; or `_NONE`."""
    free = [
        (min(frames), chunk)
        for chunk, frames in waiting.chunks.items()
        if waiting.held.get(chunk, lane) is lane
    ]
    mine = [chunk for _, chunk in free if chunk in waiting.held]
    if mine:
        return mine[0]
    return min(free, key=lambda each: each[0])[1] if free else _NONE


def _cut(waiting: _Waiting, chunk: _Chunk | None, limit: int) -> tuple[Task, ...]:
    frames = waiting.chunks[chunk]
    seqs = sorted(frames)[:limit]
    tasks = tuple(frames.pop(seq) for seq in seqs)
    if not frames:
        del waiting.chunks[chunk]
    return tasks
