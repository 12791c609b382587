"""A cluster as a discrete-event simulation: the product's rules, and times that were measured.

The product's own are: which partition a job and a chunk go to (`jobs.topology`), what a feeder lets go (`runtime.window`), how
a source is cut into chunks (`vision.sampling`), how far a worker reads ahead (`ROOM`), and its queue, the real `ChunkQueue`.
Of time there are four kinds: a frame of a lane, a frame and a commit of the stateful stages, a result. Feeders, brokers and relays
take none, nobody dies, and a partition stays with its worker: what is simulated is queueing, not the plane.

A task of the queue stands for up to a slice of frames, so a slice is never put together from two appends of the feeder.
"""

from __future__ import annotations

import heapq
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import count

from benchmarks.scale.arrivals import Arrival

from sightline.events import Sampled
from sightline.jobs.topology import frames_partition, frames_stream, partition_of
from sightline.ports import Entry
from sightline.runtime.chunk_queue import SLICE, ChunkQueue, Task
from sightline.runtime.detect import ROOM
from sightline.runtime.window import BATCH, FEED_AT_ONCE, next_job, room_of, share_of
from sightline.testing import ScriptedReader
from sightline.vision.sampling import chunks

__all__ = ["Costs", "Done", "Layout", "Outcome", "Slice", "simulate"]

COMMIT = 32  # frames of a commit of a stateful stage at the most: `FoldWorker`
TURN = 256  # frames of a stream before another one has its turn: `FoldWorker`
STREAM = frames_stream()


@dataclass(frozen=True, slots=True)
class Costs:
    """Microseconds.

    Attributes:
        frame_us: of a lane for a frame: decoding, detection, and its part of the plane.
        fold_us: of the stateful stages for a frame, in the process that has its partition.
        commit_us: of a commit, of at most 32 frames.
        publish_us: of a result.
    """

    frame_us: int
    fold_us: int = 0
    commit_us: int = 0
    publish_us: int = 0


@dataclass(frozen=True, slots=True)
class Layout:
    """Who there is.

    Attributes:
        workers: processes that detect, with `lanes` each.
        partitions: of each topic.
        folders: processes that track, count and collect; `publishers`: that publish.
        group: frames of a group of pictures.
        spread: chunks of a job begin at its own partition, as the product has it. Off: at the lowest, as it was before.
    """

    workers: int
    partitions: int
    lanes: int = 1
    folders: int = 1
    publishers: int = 1
    group: int = 50
    spread: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Slice(Task):
    """A task that stands for some frames of one chunk."""

    frames: int = 0


@dataclass(frozen=True, slots=True)
class Done:
    """A job that is ready; times in microseconds."""

    job_id: str
    kind: str
    frames: int
    came: int
    begun: int
    ready: int


@dataclass(slots=True)
class Outcome:
    """What came out.

    Attributes:
        jobs: in the order in which they became ready.
        busy: microseconds of each lane, by worker and number.
        frames: detected, by partition.
        outstanding: the most frames that a partition of jobs ever had on their way.
        detected: moment at which a slice was detected, and its frames.
        slices: lane, begin, end, job, first seq, frames; kept where asked for.
    """

    jobs: list[Done] = field(default_factory=list)
    busy: dict[tuple[int, int], int] = field(default_factory=dict)
    frames: list[int] = field(default_factory=list)
    outstanding: int = 0
    detected: list[tuple[int, int]] = field(default_factory=list)
    slices: list[tuple[tuple[int, int], int, int, str, int, int]] = field(default_factory=list)


@lru_cache(maxsize=1024)
def _pieces(frames: int, group: int) -> tuple[tuple[int, int, int], ...]:
    """Chunk, first row and end of each chunk of a source."""
    index = ScriptedReader(frames, group=group).index()
    return tuple((chunk.number, chunk.first, chunk.end) for chunk in chunks(index))


@dataclass(slots=True, eq=False)
class _Job:
    """A job, and how far each stage has come with it."""

    arrival: Arrival
    partition: int
    chunks: tuple[tuple[int, int, int], ...]
    begun: int = 0
    fed: int = 0
    chunk: int = 0
    detected: int = 0
    released: int = 0
    longest: int = 0
    ahead: dict[int, int] = field(default_factory=dict)

    @property
    def frames(self) -> int:
        """That it samples."""
        return self.arrival.frames

    def next_cut(self, room: int) -> tuple[int, int, int, int, int]:
        """First seq and number of frames that one slice may hold, and its chunk."""
        number, first, end = self.chunks[self.chunk]
        upto = min(end, first + ((self.fed - first) // SLICE + 1) * SLICE)
        at, taken = self.fed, min(upto - self.fed, room)
        self.fed += taken
        self.chunk += self.fed == end
        return at, taken, number, first, end

    def found(self, seq: int, frames: int) -> int:
        """Frames that follow all before them, now that these are detected."""
        self.ahead[seq] = frames
        before = self.detected
        while (more := self.ahead.pop(self.detected, 0)) > 0:
            self.detected += more
        return self.detected - before


class _Server:
    """Does one thing after the other."""

    def __init__(self) -> None:
        self._free = 0

    def ends(self, now: int, takes: int) -> int:
        """When it has done what comes now."""
        self._free = max(self._free, now) + takes
        return self._free


@dataclass(slots=True, eq=False)
class _Folder:
    """A process that folds: jobs of which something is due, a turn each, as `FoldWorker` does."""

    due: OrderedDict[_Job, int] = field(default_factory=OrderedDict)
    busy: bool = False

    def add(self, job: _Job, frames: int) -> None:
        """Frames of a job are due."""
        self.due[job] = self.due.get(job, 0) + frames

    def take(self) -> tuple[_Job, int] | None:
        """What is next."""
        if not self.due:
            return None
        job, due = self.due.popitem(last=False)
        if due > TURN:
            self.due[job] = due - TURN
        return job, min(due, TURN)


@dataclass(slots=True, eq=False)
class _Frames:
    """A partition of frames, and the worker that has it."""

    worker: _Worker
    log: deque[Slice] = field(default_factory=deque)
    unfinished: int = 0
    detected: int = 0


@dataclass(slots=True, eq=False)
class _Worker:
    """A process that detects: its queue, and the lanes that wait."""

    number: int
    idle: list[int]
    queue: ChunkQueue = field(default_factory=lambda: ChunkQueue(limit=1))


class _Feeder:
    """Feeds the jobs of one partition, by the rules of `runtime.feed`."""

    def __init__(self, lanes: int) -> None:
        self._lanes = lanes
        self.active: dict[str, _Job] = {}
        self.queue: dict[str, _Job] = {}
        self._admitted = self.outstanding = 0

    def admit(self, now: int) -> None:
        """Begin with jobs, as many as there is room for."""
        while self.queue and len(self.active) < FEED_AT_ONCE:
            self._admitted += 1
            job = self.queue.pop(next_job(self.queue, self._admitted))
            job.begun = now
            self.active[job.arrival.job_id] = job

    def step(self, send: Callable[[_Job, tuple[int, int, int, int, int]], None]) -> None:
        """Let go what may go, jobs in turn."""
        longest = max((job.longest for job in self.active.values()), default=0)
        room, moved = room_of(longest, self._lanes), True
        while moved:
            moved = False
            for job in self.active.values():
                mine = job.fed - job.released
                share = share_of(room, len(self.active), self.outstanding - mine)
                left = min(share - mine, job.frames - job.fed, BATCH)
                while left > 0:
                    cut = job.next_cut(left)
                    left, moved = left - cut[1], True
                    self.outstanding += cut[1]
                    send(job, cut)


class _Cluster:
    """All of them, and what happens next."""

    def __init__(self, layout: Layout, costs: Costs, keep: bool) -> None:
        self._layout, self._costs, self._keep = layout, costs, keep
        self.outcome = Outcome()
        self._events: list[tuple[int, int, Callable[[int], None]]] = []
        self._order = count()
        self._workers = [_Worker(n, list(range(layout.lanes))) for n in range(layout.workers)]
        self._frames = [_Frames(self._workers[n % layout.workers]) for n in range(layout.partitions)]
        known = max(
            layout.lanes, layout.partitions
        )  # a worker of a cluster has its feeder count on so many lanes
        self._feeders = [_Feeder(known) for _ in range(layout.partitions)]
        self._folders = [_Folder() for _ in range(layout.folders)]
        self._publishers = [_Server() for _ in range(layout.publishers)]
        self._jobs = dict[str, _Job]()

    def at(self, when: int, what: Callable[[int], None]) -> None:
        """Let something happen; of one moment, in the order in which it was said."""
        heapq.heappush(self._events, (when, next(self._order), what))

    def run(self) -> Outcome:
        """Until nothing happens any more."""
        while self._events:
            now, _, what = heapq.heappop(self._events)
            what(now)
        self.outcome.frames = [each.detected for each in self._frames]
        return self.outcome

    def comes(self, arrival: Arrival) -> None:
        """A job is there."""

        def come(now: int) -> None:
            place = partition_of(arrival.job_id, self._layout.partitions)
            pieces = _pieces(arrival.frames, self._layout.group)
            job = _Job(arrival, place, pieces, longest=max(end - first for _, first, end in pieces))
            self._feeders[place].queue[arrival.job_id] = job
            self._feed(place, now)

        self.at(arrival.at_us, come)

    def _feed(self, place: int, now: int) -> None:
        feeder, woken = self._feeders[place], dict[int, _Frames]()
        feeder.admit(now)

        def send(job: _Job, cut: tuple[int, int, int, int, int]) -> None:
            seq, frames, chunk, first, end = cut
            to = frames_partition(chunk, job.partition * self._layout.spread, self._layout.partitions)
            record = Sampled(
                job.arrival.job_id, STREAM, seq, seq, 0, row=seq, chunk=chunk, first=first, end=end
            )
            role = self._frames[to].worker
            self._frames[to].log.append(
                Slice(role, 0, to, Entry(seq, "", b""), record, frames=frames)  # type: ignore[arg-type]
            )
            self._jobs[job.arrival.job_id] = job
            woken[to] = self._frames[to]

        feeder.step(send)
        self.outcome.outstanding = max(self.outcome.outstanding, feeder.outstanding)
        for partition in woken.values():
            self._read(partition)
        for worker in {id(each.worker): each.worker for each in woken.values()}.values():
            self._begin(worker, now)

    def _read(self, partition: _Frames) -> None:
        while partition.log and partition.unfinished < ROOM:
            task = partition.log.popleft()
            partition.unfinished += task.frames
            partition.worker.queue.put(task)

    def _begin(self, worker: _Worker, now: int) -> None:
        """Give each lane that waits what is there for it."""
        for lane in list(worker.idle):
            run = worker.queue.take(lane)
            if run is None:
                continue
            worker.idle.remove(lane)
            (task,) = run.tasks
            self._work(worker, lane, task, now)

    def _work(self, worker: _Worker, lane: int, task: Task, now: int) -> None:
        assert isinstance(task, Slice)
        takes = task.frames * self._costs.frame_us

        def end(now: int) -> None:
            self._detected(task, now)
            worker.queue.finished([task])
            worker.idle.append(lane)
            self._read(self._frames[task.partition])
            self._begin(worker, now)

        key = worker.number, lane
        self.outcome.busy[key] = self.outcome.busy.get(key, 0) + takes
        if self._keep:
            self.outcome.slices.append((key, now, now + takes, task.job_id, task.record.seq, task.frames))
        self.at(now + takes, end)

    def _detected(self, task: Slice, now: int) -> None:
        partition, job = self._frames[task.partition], self._jobs[task.job_id]
        partition.unfinished -= task.frames
        partition.detected += task.frames
        self.outcome.detected.append((now, task.frames))
        due = job.found(task.record.seq, task.frames)
        if due:
            folder = self._folders[job.partition % len(self._folders)]
            folder.add(job, due)
            if not folder.busy:
                self._fold(folder, now)

    def _fold(self, folder: _Folder, now: int) -> None:
        taken = folder.take()
        folder.busy = taken is not None
        if taken is None:
            return
        job, due = taken

        def end(now: int) -> None:
            self._released(job, due, now)
            self._fold(folder, now)

        takes = due * self._costs.fold_us + -(-due // COMMIT) * self._costs.commit_us
        self.at(now + takes, end)

    def _released(self, job: _Job, frames: int, now: int) -> None:
        feeder = self._feeders[job.partition]
        job.released += frames
        feeder.outstanding -= frames
        if job.released == job.frames:
            del feeder.active[job.arrival.job_id], self._jobs[job.arrival.job_id]
            publisher = self._publishers[job.partition % len(self._publishers)]
            self.at(publisher.ends(now, self._costs.publish_us), lambda now: self._ready(job, now))
        self._feed(job.partition, now)

    def _ready(self, job: _Job, now: int) -> None:
        of = job.arrival
        self.outcome.jobs.append(Done(of.job_id, of.kind, of.frames, of.at_us, job.begun, now))


def simulate(layout: Layout, costs: Costs, arrivals: Sequence[Arrival], *, keep: bool = False) -> Outcome:
    """Run jobs through a cluster until all are ready.

    Args:
        layout: who works.
        costs: what it takes.
        arrivals: the jobs, each of one frame at the least.
        keep: every slice is kept in the outcome.
    """
    cluster = _Cluster(layout, costs, keep)
    for arrival in arrivals:
        cluster.comes(arrival)
    return cluster.run()
