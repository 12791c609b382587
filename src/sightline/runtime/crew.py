"""A crew: the workers over one store, put together in the one place that does so.

Who works with threads is `sightline.runtime.host`. The workers' errors come out of their steps as they are; `Crew.guarded`
makes them the end of the work on this store alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from sightline.errors import Fenced, SightlineError
from sightline.jobs.derived import facts_of
from sightline.jobs.recipe import Recipe, asked_of
from sightline.jobs.topology import JOB_TOPIC, consumers, folds_of, frames_stream, stage_of
from sightline.ports import Detector, FrameReader, Job, Members, ObjectStore, Store
from sightline.runtime.chunk_queue import ChunkQueue
from sightline.runtime.detect import DetectRole
from sightline.runtime.feed import Feeder, Rows, no_rows
from sightline.runtime.lanes import Lane
from sightline.runtime.meter import Meter
from sightline.runtime.publish import Publisher, Refused, Rendered, Streams
from sightline.runtime.retention import Retention
from sightline.runtime.stall import Pausing
from sightline.runtime.worker import FoldWorker
from sightline.stages.feed import Plan
from sightline.stages.publish import result_of
from sightline.types import JobResult

__all__ = ["PARTS", "Crew", "Parts", "Step", "Tools", "World"]

Step = Callable[[], int]


@dataclass(frozen=True)
class Tools:
    """What workers are made with; each asks a job's recipe and nothing else.

    Attributes:
        plan: which frames of the source are sampled.
        reader: opens the source, for one lane.
        detector: the shared model.
        render: the files of a result.
        resolve: what is to be done for a job that is new; None: that is not known yet, ask again.
        rows: of tables, for frames that are about to be named; see `Feeder`.
        asked: the recipe with formats and clock as they are asked for now: they decide no track and may change.
    """

    plan: Callable[[Recipe], Plan]
    reader: Callable[[Recipe], FrameReader]
    detector: Callable[[Recipe], Detector]
    render: Callable[[Recipe, JobResult], Rendered]
    asked: Callable[[Recipe], Recipe] = lambda recipe: recipe
    resolve: Callable[[Job], Recipe | None] = asked_of
    rows: Rows = no_rows


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

    store: Store
    objects: ObjectStore
    topics: Mapping[str, str]
    frame_partitions: int
    killed: bool = False
    members: Members | None = None
    meter: Meter = field(default_factory=Meter)


@dataclass(frozen=True)
class Parts:
    """What makes the parts of a host and its crews: classes, or whoever makes one over other ports, with other sizes.

    A crew puts them together in one way, whatever they are; each maker is called as its class is here.
    """

    queue: Callable[..., ChunkQueue] = ChunkQueue
    lane: Callable[..., Lane] = Lane
    feeder: Callable[..., Feeder] = Feeder
    role: Callable[..., DetectRole] = DetectRole
    fold: Callable[..., FoldWorker] = FoldWorker
    publisher: Callable[..., Publisher] = Publisher
    retention: Callable[..., Retention] = Retention


PARTS = Parts()


class Crew:
    """The workers of a world.

    Args:
        world: the store.
        tools: what workers are made with.
        queue: shared with lanes and other crews.
        lanes, window: see `Feeder`.
        parts: what makes the workers.

    Attributes:
        steps: what is to be called again and again, in any order, by one thread at a time.
        publish: the same, for another thread.
        error: what ended the work on this world.
    """

    def __init__(
        self, world: World, tools: Tools, queue: ChunkQueue, lanes: int, window: int, parts: Parts = PARTS
    ) -> None:
        self.world, self.queue = world, queue
        self.error: SightlineError | None = None
        # Held while one is at it; whoever holds `publishing` may ask for `working`, and not the other way round.
        self.publishing, self.working = threading.Lock(), threading.RLock()
        self._left = False
        store = world.store
        ports = {"log": store, "ledger": store, "jobs": store, "members": world.members, "meter": world.meter}
        _join(world)
        self.feeder = parts.feeder(
            **ports, plan=tools.plan, resolve=tools.resolve, rows=tools.rows, lanes=lanes, window=window
        )
        self.role = parts.role(
            world.topics[frames_stream()],
            range(world.frame_partitions),
            **ports,
            queue=queue,
            suspicious=world.killed,
        )
        self.folds = {
            (stage.name, topic): parts.fold(
                stage.name,
                topic,
                0,
                lambda recipe, stream, stage=stage: stage_of(recipe, stage, stream),
                **ports,
                objects=world.objects,
            )
            for stage, topic in folds_of(world.topics)
        }
        self.publisher = parts.publisher(
            store, store, world.objects, lambda recipe, streams: _rendered(tools, recipe, streams)
        )
        watched = world.meter.watched
        self.steps: Sequence[Step] = (
            watched("feed", self.feeder.step),
            self.role.step,
            *(watched(fold.stage, fold.step) for fold in self.folds.values()),
            parts.retention(store, store, consumers(world.topics)).step,
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


def _rendered(tools: Tools, recipe: Recipe, streams: Streams) -> Rendered | Refused:
    recipe = tools.asked(recipe)
    result = result_of(facts_of(recipe), streams)
    if "ok" not in result.frames.outcome:
        reasons = sorted(set(result.frames.reason))
        return Refused(
            "no_frame", f"no frame could be decoded ({', '.join(reasons)}): copy or download it again"
        )
    return tools.render(recipe, result)
