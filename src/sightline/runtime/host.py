"""The host: the workers of one process, for any number of stores and jobs.

A world is a store with the workers over it: `track` opens one for each video, whose folder it lies in; a service has one
for all of its jobs. Lanes are shared: whatever frame of whatever job waits next, the next free lane takes it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sightline.errors import Corrupt, Fenced, SightlineError
from sightline.events import JobEvent, Native
from sightline.jobs.derived import facts_of
from sightline.jobs.recipe import Recipe, job_of
from sightline.jobs.topology import (
    JOB_TOPIC,
    consumers,
    folds_of,
    frames_stream,
    released_by,
    stage_of,
)
from sightline.ports import Detector, FrameReader, Job, Members, ObjectStore, Outgoing
from sightline.runtime.chunk_queue import ChunkQueue
from sightline.runtime.detect import DetectRole
from sightline.runtime.feed import Feeder
from sightline.runtime.lanes import Lane
from sightline.runtime.meter import Meter
from sightline.runtime.publish import Publisher, Refused, Rendered, Streams
from sightline.runtime.retention import Retention
from sightline.runtime.stall import Pausing, stall
from sightline.runtime.supervise import supervise
from sightline.runtime.worker import FoldWorker
from sightline.stages.feed import Plan
from sightline.stages.publish import result_of
from sightline.types import JobResult

__all__ = ["Host", "Stalled", "Tools", "World", "accept", "released"]

# All work comes from threads of this process, which ring the bell; asking every 50 ms cost 1 ms of each frame.
IDLE_S = 1.0
SHARED_IDLE_S = 0.05
TICK_S = 0.1
Step = Callable[[], int]


class Stalled(Exception):
    """Nobody has work, nobody is at work, and a job has not ended: it never will by itself."""


@dataclass(frozen=True)
class Tools:
    """What workers are made with; each asks a job's recipe and nothing else.

    Attributes:
        plan: which frames of the source are sampled.
        reader: opens the source, for one lane.
        detector: the shared model.
        render: the files of a result.
        asked: the recipe with formats and clock as they are asked for now: they decide no track and may change.
    """

    plan: Callable[[Recipe], Plan]
    reader: Callable[[Recipe], FrameReader]
    detector: Callable[[Recipe], Detector]
    render: Callable[[Recipe, JobResult], Rendered]
    asked: Callable[[Recipe], Recipe] = lambda recipe: recipe


@dataclass(frozen=True)
class World:
    """A store, and where the records of its jobs travel.

    Attributes:
        store: log, ledger, jobs and outbox.
        objects: where segments and results go.
        topics: topic by stream, of all its jobs.
        frame_partitions: partitions of frames.
        killed: the process that worked here before did not end by itself; perhaps a frame ended it.
        members: who owns which partition; None where this process works on the store alone.
        meter: adds up what stages take.
    """

    store: Any
    objects: ObjectStore
    topics: Mapping[str, str]
    frame_partitions: int
    killed: bool = False
    members: Members | None = None
    meter: Meter = field(default_factory=Meter)


class _Crew:
    """The workers of a world."""

    def __init__(self, world: World, tools: Tools, queue: ChunkQueue, lanes: int, window: int) -> None:
        self.world, self.queue = world, queue
        self.error: SightlineError | None = None
        # Held while one is at it; whoever holds `publishing` may ask for `working`, and not the other way round.
        self.publishing, self.working = threading.Lock(), threading.RLock()
        self._left = False
        store, objects = world.store, world.objects
        ports = {"log": store, "ledger": store, "jobs": store, "members": world.members}
        _join(world)
        self.feeder = Feeder(**ports, plan=tools.plan, lanes=lanes, window=window)
        self.role = DetectRole(
            world.topics[frames_stream()],
            range(world.frame_partitions),
            **ports,
            queue=queue,
            suspicious=world.killed,
        )
        self.folds = {
            (stage.name, topic): FoldWorker(
                stage.name,
                topic,
                0,
                lambda recipe, stream, stage=stage: stage_of(recipe, stage, stream),  # type: ignore[misc]
                **ports,
                objects=objects,
            )
            for stage, topic in folds_of(world.topics)
        }
        self.publisher = Publisher(
            store,
            store,
            objects,
            lambda recipe, streams: _rendered(tools, recipe, streams),
        )
        watched = world.meter.watched
        self.steps: Sequence[Step] = (
            watched("feed", self.feeder.step),
            self.role.step,
            *(watched(fold.stage, fold.step) for fold in self.folds.values()),
            Retention(store, store, consumers(world.topics)).step,
        )
        self.publish: Step = watched("publish", self.publisher.step)
        self.feeder.claim()
        self.role.claim()
        for fold in self.folds.values():
            fold.claim()

    def work(self) -> int:
        """Each step once."""
        with self.working:
            return sum(self.guarded(step) for step in self.steps)

    def guarded(self, step: Step) -> int:
        """A step; what is wrong with this world ends the work on it alone."""
        if self.error is not None or self._left:
            return 0
        try:
            return step()
        except Fenced:
            return 0  # as `supervise` takes it; what other worlds did in this round still counts
        except SightlineError as error:
            self.fail(error)
            return 1

    def fail(self, error: SightlineError) -> None:
        """The work on this world ends with an error, with the first one where several threads meet one."""
        with self.working:
            self.error = self.error or error
            if not self._left:
                self._release()

    def leave(self) -> None:
        """Leave when nobody is at work: afterwards the store may be closed."""
        with self.publishing, self.working:
            self._left = True
            self._release()

    def _release(self) -> None:
        """Leave cleanly, whatever ended the work; where the store cannot be written the next start is careful, no more."""
        releases = (self.feeder.release, self.role.release, *(fold.release for fold in self.folds.values()))
        for release in releases:
            with suppress(SightlineError):
                release()

    def readers(self) -> dict[str, Pausing]:
        """What comes before the folds, by stage and topic."""
        return {f"feed {JOB_TOPIC}": self.feeder, f"detect {self.world.topics[frames_stream()]}": self.role}

    def busy(self) -> bool:
        """Whether a lane still holds frames of this world."""
        return self.queue.busy(self.role)


def _join(world: World) -> None:
    """Take part in every role of a world."""
    if world.members is None:
        return
    roles: dict[str, dict[str, int]] = {
        "feed": {JOB_TOPIC: 1},
        "detect": {world.topics[frames_stream()]: world.frame_partitions},
    }
    for stage, topic in folds_of(world.topics):
        roles.setdefault(stage.name, {})[topic] = 1
    for role, topics in roles.items():
        world.members.join(role, topics)


class Host:
    """Runs worlds until somebody says that all is done.

    Args:
        tools: what workers are made with.
        lanes: threads that decode and detect.
        depth: pictures in flight of each.
        window: outstanding frames of a world at the least.
        published: hears of a world in which something was published, or failed to be.
        alone: no other process works on its stores; then nobody having work means that nobody ever will.
    """

    def __init__(
        self,
        tools: Tools,
        lanes: int,
        *,
        depth: int = 3,
        window: int = 512,
        published: Callable[[World], None] = lambda world: None,
        alone: bool = True,
    ) -> None:
        self._alone = alone
        self._tools, self._window, self._published = tools, window, published
        self._queue = ChunkQueue()
        self._lanes = [Lane(self._queue, tools.reader, tools.detector, depth=depth) for _ in range(lanes)]
        self._lock = threading.Lock()
        self._crews: dict[int, _Crew] = {}

    def add(self, world: World) -> None:
        """Begin to work on the jobs of a world."""
        crew = _Crew(world, self._tools, self._queue, len(self._lanes), self._window)
        with self._lock:
            self._crews = {**self._crews, id(world): crew}

    def remove(self, world: World) -> None:
        """Stop; whoever is at a frame of it ends that first."""
        crew = self._crews[id(world)]
        crew.leave()
        with self._lock:
            self._crews = {key: each for key, each in self._crews.items() if each is not crew}

    def error(self, world: World) -> SightlineError | None:
        """What ended the work on a world."""
        return self._crews[id(world)].error

    def stall(self, world: World, recipe: Recipe) -> Corrupt:
        """Why a job of a world does not go on though nobody has work."""
        crew = self._crews[id(world)]
        return stall(world.store, recipe, crew.folds, crew.readers())

    def busy(self, world: World) -> bool:
        """Whether a lane still holds frames of it."""
        crew = self._crews.get(id(world))
        return crew is not None and crew.busy()

    def run(self, done: Callable[[], bool], tick: Callable[[], object]) -> None:
        """Work until `done()`; call `tick` meanwhile in this thread, which says whether it brought work.

        Raises:
            Stalled: nobody can ever bring any work.
            BaseException: what `tick` raised, or what no world is to blame for.
        """
        lanes = [[partial(self._detect, lane)] for lane in self._lanes]
        try:
            supervise(
                [[self._work], [self._publish], *lanes],
                done,
                every_s=TICK_S,
                idle_s=IDLE_S if self._alone else SHARED_IDLE_S,
                tick=tick,
                stalled=Stalled if self._alone else None,
            )
        finally:
            for lane in self._lanes:
                lane.close()

    def _work(self) -> int:
        return sum(crew.work() for crew in self._crews.values())

    def _publish(self) -> int:
        return sum(self._published_by(crew) for crew in self._crews.values())

    def _published_by(self, crew: _Crew) -> int:
        with crew.publishing:
            done = crew.guarded(crew.publish)
            if done:
                self._published(crew.world)
            return done

    def _detect(self, lane: Lane) -> int:
        began = time.perf_counter()
        try:
            done = lane.step()
        except Fenced:
            raise
        except SightlineError as error:
            crew = self._crew_of(lane)
            if crew is None:
                raise
            crew.fail(error)
            return 1
        crew = self._crew_of(lane)
        if done and crew is not None:
            crew.world.meter.add("detect", done, time.perf_counter() - began)
        return done

    def _crew_of(self, lane: Lane) -> _Crew | None:
        """Whose frames a lane was at last."""
        return next((crew for crew in self._crews.values() if crew.role is lane.role), None)


def accept(store: Any, recipe: Recipe) -> Job:
    """Store a job whose recipe is known, or find it; its row."""
    event = Outgoing(JOB_TOPIC, 0, recipe.job_id, Native().encode(JobEvent(recipe.job_id)))
    store.create(job_of(recipe), [event])
    found: Job = store.get(recipe.job_id)
    return found


def released(world: World, recipe: Recipe) -> int:
    """Frames of a job that every stage behind detection took over, those of earlier starts too."""
    done: Mapping[tuple[str, str], int] = world.store.progress(recipe.job_id)
    lowest = min(done.get(pair, 0) for pair in released_by(recipe))
    return min(lowest, recipe.sampled)


def _rendered(tools: Tools, recipe: Recipe, streams: Streams) -> Rendered | Refused:
    recipe = tools.asked(recipe)
    result = result_of(facts_of(recipe), streams)
    if "ok" not in result.frames.outcome:
        reasons = sorted(set(result.frames.reason))
        return Refused(
            "no_frame", f"no frame could be decoded ({', '.join(reasons)}): copy or download it again"
        )
    return tools.render(recipe, result)
