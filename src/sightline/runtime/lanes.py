"""A lane: it takes runs of frames from the queue, decodes them and has objects detected in them.

Two short loops: decode, submit; land, answer. Several pictures are in flight: while one is at the engine, the next is
decoded. A slot is free before the next frame is asked for, so nothing happens inside the reader but reading. Records are made
of a whole run at once: one by one, each would find that a picture's inference has left nothing in the caches.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from sightline.errors import Misconfigured, Retryable
from sightline.events import End, Record, Sampled
from sightline.jobs.derived import detect_of
from sightline.jobs.recipe import Recipe
from sightline.ports import Decoded, Detector, FrameReader, Slot
from sightline.runtime.chunk_queue import AT_ONCE, ChunkQueue, Run, Task
from sightline.runtime.detect import DetectRole
from sightline.runtime.failures import JobEnded
from sightline.stages.detect import Detect, Seen
from sightline.types import ByteArray, Chunk, Detections

__all__ = ["Lane"]

DETECTORS = 4  # whose slots are kept
JOBS = 64  # whose recipes are kept
READERS = AT_ONCE  # open at once; a job whose turn comes again finds its place
_Key = tuple[DetectRole, str]  # a job of a store


@dataclass(frozen=True, slots=True)
class _Job:
    recipe: Recipe
    stage: Detect


class _Slots:
    """The slots of one detector, for one lane."""

    def __init__(self, detector: Detector, depth: int) -> None:
        self.detector = detector
        self.free = [detector.slot() for _ in range(depth)]
        self.next: Slot | None = None


@dataclass(frozen=True, slots=True)
class _Flight:
    """A picture at the engine."""

    task: Task
    job: _Job
    slots: _Slots
    slot: Slot
    remark: str
    seen: Seen | None


class _Views:
    """What the frames of a job looked like that were decoded in this run, and the last ones before it."""

    def __init__(self) -> None:
        self._seen: dict[int, ByteArray | None] = {}

    def begin(self, frames: Sequence[Sampled]) -> set[tuple[int, int]]:
        """Begin a run; row and tick of frames that are to be decoded only because the one behind them is."""
        before = {frame.before for frame in frames if frame.before is not None}
        needed = {row for row, _ in before}
        self._seen = {row: pixels for row, pixels in self._seen.items() if row in needed}
        known = self._seen.keys() | {frame.row for frame in frames}
        return {place for place in before if place[0] not in known}

    def add(self, row: int, pixels: ByteArray | None) -> None:
        """Keep the look of a frame; None: it failed."""
        self._seen[row] = pixels

    def of(self, frame: Sampled, pixels: ByteArray) -> Seen:
        """What is known of a frame and of the one before it."""
        return Seen(pixels, None if frame.before is None else self._seen.get(frame.before[0]))


class Lane:
    """Decodes and detects; used by one thread.

    Args:
        queue: shared by all lanes.
        reader: opens the source of a job, for this lane alone.
        detector: the shared model of a job.
        depth: pictures in flight.
    """

    def __init__(
        self,
        queue: ChunkQueue,
        reader: Callable[[Recipe], FrameReader],
        detector: Callable[[Recipe], Detector],
        *,
        depth: int = 3,
    ) -> None:
        self._queue, self._open, self._detector, self._depth = queue, reader, detector, depth
        self._readers: OrderedDict[_Key, FrameReader] = OrderedDict()
        self._views: dict[_Key, _Views] = {}
        self._slots: OrderedDict[int, _Slots] = OrderedDict()
        self._flights: deque[_Flight] = deque()
        self._found: list[tuple[_Flight, Detections]] = []  # that landed, and are no records yet
        self._answers: list[tuple[Task, _Job, Sequence[Record]]] = []
        self._jobs: OrderedDict[_Key, _Job] = OrderedDict()
        self._taken: dict[Task, None] = {}  # and not finished
        self.role: DetectRole | None = None  # whose frames it was at last

    def step(self) -> int:
        """Do one run, or land what is in flight; frames taken or answered, 0 only if there was neither.

        Raises:
            SightlineError: what went wrong; the frames wait in the queue again.
        """
        run = self._queue.take(self)
        try:
            if run is None:
                self._land_all()
                return self._send() or self._close_ended()
            self._taken |= dict.fromkeys(run.tasks)
            self.role = run.tasks[0].role
            if run.careful:
                self._alone(run.tasks[0])
            else:
                self.role.begin_any(run.tasks)
                self._detect(run)
            self._send()
            return len(run.tasks)
        except BaseException:
            self._abandon()
            raise

    def close(self) -> None:
        """Release every source, and what it holds of detectors; what is in flight has come back by then."""
        self._abandon()
        for key in list(self._readers):
            self._close_reader(key)
        self._slots.clear()

    # --- runs

    def _detect(self, run: Run) -> None:
        role, job_id = run.tasks[0].role, run.tasks[0].job_id
        job = self._job(role, job_id)
        if job is None:
            self._finish(role, run.tasks)
            return
        try:
            with role.of_job(job_id):
                self._detect_in(role, job, run)
        except JobEnded:
            self._give_up(role, job_id)

    def _detect_in(self, role: DetectRole, job: _Job, run: Run) -> None:
        tasks: dict[int, Task] = {}
        for task in run.tasks:
            record = task.record
            if isinstance(record, End):
                self._answers.append((task, job, list(job.stage.ended(record))))
            elif record.outcome != "ok":  # what is known to have failed may not even know its row
                self._lost(task, job, record.reason or record.outcome)
            else:
                tasks[record.row] = task
        if tasks:
            self._decode(role, job, tasks)

    def _give_up(self, role: DetectRole, job_id: str) -> None:
        """Nothing more of a job that has just ended: what is in flight of it, and what was not begun yet."""
        key = role, job_id
        flights = [flight for flight in self._flights if flight.task.job == key]
        self._flights = deque(flight for flight in self._flights if flight.task.job != key)
        for flight in flights:
            _settle(flight)
        answered = {task for task, _, _ in self._answers}
        self._finish(role, [task for task in self._taken if task.job == key and task not in answered])

    def _decode(self, role: DetectRole, job: _Job, tasks: dict[int, Task]) -> None:
        """Decode, submit."""
        slots = self._slots_of(job.recipe)
        frames = [task.record for task in tasks.values() if isinstance(task.record, Sampled)]
        at = frames[0]
        chunk = Chunk(at.chunk, at.first, at.end, at.first_tick, at.end_tick)
        reader = self._reader(role, job.recipe)
        views = self._views.setdefault((role, job.recipe.job_id), _Views())
        places = sorted({(frame.row, frame.tick) for frame in frames} | views.begin(frames))
        rows, ticks = [row for row, _ in places], [tick for _, tick in places]
        decoded = reader.read(chunk, rows, ticks, lambda: _picture(slots))
        while True:
            self._make_room(slots)
            ended = next(iter(tasks.values())) not in self._taken  # what landed may have ended the job
            frame = None if ended else next(decoded, None)
            if frame is None:
                return
            pixels = self._look(job, slots, frame)
            views.add(frame.row, pixels)
            if frame.row in tasks:
                task = tasks[frame.row]
                assert isinstance(task.record, Sampled)
                seen = None if pixels is None else views.of(task.record, pixels)
                self._submit(job, slots, task, frame, seen)

    def _make_room(self, slots: _Slots) -> None:
        if slots.next is None:
            while not slots.free:
                self._land_one()
            slots.next = slots.free.pop()

    def _look(self, job: _Job, slots: _Slots, frame: Decoded) -> ByteArray | None:
        """The look of a frame that was just decoded; None where it failed, or nobody asks for it."""
        view = job.stage.view
        if view is None or frame.outcome != "ok" or slots.next is None:
            return None
        return view.pixels(slots.next.image)

    def _submit(self, job: _Job, slots: _Slots, task: Task, frame: Decoded, seen: Seen | None) -> None:
        if frame.outcome != "ok" or slots.next is None:
            self._lost(task, job, frame.reason or frame.outcome)
            return
        slot, slots.next = slots.next, None
        self._flights.append(_Flight(task, job, slots, slot, frame.reason, seen))
        with _naming(task, job):
            slot.start()

    def _land_all(self) -> None:
        while self._flights:
            self._land_one()

    def _land_one(self) -> None:
        """Land, answer."""
        flight = self._flights[0]
        before, self.role = self.role, flight.task.role
        record = flight.task.record
        assert isinstance(record, Sampled)
        try:
            with flight.task.role.of_job(record.job_id), _naming(flight.task, flight.job):
                found = flight.slot.result()
        except JobEnded:
            self._landed(flight)
            self._give_up(flight.task.role, record.job_id)
            self.role = before
            return
        except BaseException:
            self._landed(flight)
            raise
        self._landed(flight)
        self._found.append((flight, found))
        self.role = before

    def _landed(self, flight: _Flight) -> None:
        self._flights.popleft()
        flight.slots.free.append(flight.slot)

    def _lost(self, task: Task, job: _Job, reason: str) -> None:
        assert isinstance(task.record, Sampled)
        self._answers.append((task, job, job.stage.lost(task.record, reason)))

    def _record(self) -> None:
        """Make records of what was found."""
        for flight, found in self._found:
            task, job = flight.task, flight.job
            if task not in self._taken:  # what was given up
                continue
            record = task.record
            assert isinstance(record, Sampled)
            self.role = task.role
            try:
                with task.role.of_job(record.job_id), _naming(task, job):
                    records = job.stage.found(record, found, flight.remark, flight.seen)
            except JobEnded:
                self._give_up(task.role, record.job_id)
            else:
                self._answers.append((task, job, records))
        self._found.clear()

    def _send(self) -> int:
        """Hand the answers to their roles; those of a job that ended meanwhile are given up."""
        self._record()
        answers = len(self._answers)
        by_role: dict[DetectRole, list[tuple[Task, _Job, Sequence[Record]]]] = {}
        for answer in self._answers:
            by_role.setdefault(answer[0].role, []).append(answer)
        for role, mine in by_role.items():
            self.role = role
            alive = {job_id: self._job(role, job_id) for job_id in {task.job_id for task, _, _ in mine}}
            said = [(task, job.recipe, records) for task, job, records in mine if alive[task.job_id]]
            role.answer(said)
            self._finish(role, [task for task, _, _ in mine])
        self._answers.clear()
        return answers

    def _finish(self, role: DetectRole, tasks: Sequence[Task]) -> None:
        mine = [task for task in tasks if task in self._taken]  # what was given up may still land
        role.finish(mine)
        for task in mine:
            del self._taken[task]

    # --- a frame that may have ended the owner before

    def _alone(self, task: Task) -> None:
        """Open what it needs, count an attempt, then make it; an outage is none."""
        self._land_all()
        if not self._opened(task):
            pass  # its job has ended, and all that waits of it with it
        elif not task.role.begin(task):
            job = self._job(task.role, task.job_id)
            if job is None:
                self._finish(task.role, [task])
            else:
                self._lost(task, job, "crashed")
            self._send()
        else:
            try:
                self._detect(Run((task,)))
                self._land_all()
                self._send()
            except Retryable:
                task.role.hand_back(task)
                raise
        task.role.advance()

    def _opened(self, task: Task) -> bool:
        """Open source and model, which takes most of the time on the way up: who is killed there did not die of the frame.

        False where its job has ended, or ends by what was opened.
        """
        role, job_id = task.role, task.job_id
        job = self._job(role, job_id)
        if job is None:
            self._finish(role, [task])
            return False
        if isinstance(task.record, Sampled) and task.record.outcome == "ok":
            try:
                with role.of_job(job_id):
                    self._slots_of(job.recipe)
                    self._reader(role, job.recipe)
            except JobEnded:
                self._give_up(role, job_id)
                return False
        return True

    # --- what is kept between runs

    def _job(self, role: DetectRole, job_id: str) -> _Job | None:
        """A job that is alive; asked each time, for it may have been cancelled."""
        key, recipe = (role, job_id), role.recipe(job_id)
        if recipe is None:
            self._jobs.pop(key, None)
            self._close_reader(key)
            return None
        known = self._jobs.get(key)
        if known is None or known.recipe != recipe:
            known = self._jobs[key] = _Job(recipe, detect_of(recipe, role.topic))
            if len(self._jobs) > JOBS:
                self._jobs.popitem(last=False)
        return known

    def _reader(self, role: DetectRole, recipe: Recipe) -> FrameReader:
        key = role, recipe.job_id
        if key not in self._readers:
            self._readers[key] = self._open(recipe)
        self._readers.move_to_end(key)
        while len(self._readers) > READERS:
            self._close_reader(next(iter(self._readers)))
        return self._readers[key]

    def _close_ended(self) -> int:
        """Nothing is to be done: time to let go of sources that nobody needs any more."""
        for role, job_id in list(self._readers):
            self.role = role
            self._job(role, job_id)
        return 0

    def _close_reader(self, key: _Key) -> None:
        self._views.pop(key, None)
        if key in self._readers:
            self._readers.pop(key).close()

    def _slots_of(self, recipe: Recipe) -> _Slots:
        """Slots of the job's detector, and of few others: jobs take turns."""
        detector = self._detector(recipe)
        if id(detector) not in self._slots:
            self._slots[id(detector)] = _Slots(detector, self._depth)
        self._slots.move_to_end(id(detector))
        while len(self._slots) > DETECTORS:
            self._slots.popitem(last=False)
        return self._slots[id(detector)]

    def _abandon(self) -> None:
        """Give back all that was taken and not answered; a buffer must not be written while in flight."""
        flights, self._flights, self._found, self._answers = list(self._flights), deque(), [], []
        for flight in flights:
            _settle(flight)
        for role in {task.role for task in self._taken}:
            role.give_back([task for task in self._taken if task.role is role])
        self._taken.clear()


def _settle(flight: _Flight) -> None:
    """Wait for a picture that nobody asks for any more: its buffer must not be written while in flight.

    If it fails too, the error that made the lane give up is the one to be heard.
    """
    with suppress(Exception):
        flight.slot.result()
    flight.slots.free.append(flight.slot)


def _picture(slots: _Slots) -> ByteArray:
    """Where the next frame is decoded to."""
    assert slots.next is not None
    return slots.next.image


@contextmanager
def _naming(task: Task, job: _Job) -> Iterator[None]:
    """Say at which frame a detector went wrong: it sees pictures and knows no numbers."""
    record = task.record
    frame = record.frame if isinstance(record, Sampled) else record.seq
    place = f"frame {frame} of {job.recipe.video_id}"
    try:
        yield
    except Misconfigured as error:
        raise Misconfigured(f"{place}: {error.message}", code=error.code) from error
    except Exception as error:
        error.add_note(f"sightline: the detector was looking at {place}")
        raise
