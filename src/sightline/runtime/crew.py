"""A crew: the workers over one store, put together in the one place that does so.

Who works with threads is `sightline.runtime.host`. The workers' errors come out of their steps as they are; `Crew.guarded`
makes them the end of the work on this store alone.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from sightline.errors import Fenced, SightlineError, Unavailable
from sightline.events import Codecs, native
from sightline.jobs.derived import facts_of
from sightline.jobs.recipe import Recipe, asked_of
from sightline.jobs.topology import Topology, consumers, stage_of
from sightline.ports import Detector, FrameReader, Job, Members, ObjectStore, Outbox, Store
from sightline.runtime.chunk_queue import ChunkQueue
from sightline.runtime.detect import DetectRole
from sightline.runtime.feed import Broken, Feeder, Named, Rows, all_whole, as_they_are, no_rows
from sightline.runtime.known import Known
from sightline.runtime.lanes import Lane
from sightline.runtime.meter import Meter
from sightline.runtime.publish import Publisher, Refused, Rendered, Streams
from sightline.runtime.relay import Relay
from sightline.runtime.retention import Retention
from sightline.runtime.stall import Pausing
from sightline.runtime.worker import FoldWorker
from sightline.stages.feed import Plan
from sightline.stages.publish import result_of
from sightline.types import JobResult

__all__ = ["PARTS", "STAGES", "Crew", "Parts", "Step", "Tools", "World"]

Step = Callable[[], int]
PAUSE_S = 0.5
PUBLISH_S = 0.2
STAGES = frozenset({"feed", "detect", "track", "stats", "collect", "publish"})


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
        shown: hears of a job that is about to be ready; see `Publisher`.
        named, broken: records as foreign programs need them, and of which they may say nothing; see `Feeder`.
        asked: the recipe with formats and clock as they are asked for now: they decide no track and may change.
    """

    plan: Callable[[Recipe], Plan]
    reader: Callable[[Recipe], FrameReader]
    detector: Callable[[Recipe], Detector]
    render: Callable[[Recipe, JobResult], Rendered]
    asked: Callable[[Recipe], Recipe] = lambda recipe: recipe
    resolve: Callable[[Job], Recipe | None] = asked_of
    rows: Rows = no_rows
    named: Named = as_they_are
    broken: Broken = all_whole
    shown: Callable[[Recipe], None] = lambda recipe: None


@dataclass(frozen=True)
class World:
    """A store, and where the records of its jobs travel.

    Attributes:
        store: log, ledger and jobs.
        objects: where segments and results go.
        topology: its topics.
        killed: the process that worked here before did not end by itself; perhaps a frame ended it.
        members: who owns which partition; None where this process works on the store alone.
        meter: adds up what stages take.
        stages: what this process does of the work.
        outbox: committed records that wait to be sent, if this process is to send them.
        codecs: dialects by topic.
        waits: hears why work on it pauses, where it is shared with others: a service does not answer, and is asked again
            soon. None: that ends the work.
    """

    store: Store
    objects: ObjectStore
    topology: Topology
    killed: bool = False
    members: Members | None = None
    meter: Meter = field(default_factory=Meter)
    stages: frozenset[str] = STAGES
    outbox: Outbox | None = None
    codecs: Codecs = native
    waits: Callable[[Unavailable], None] | None = None


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
    relay: Callable[..., Relay] = Relay


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
        awaited: what a service that does not answer is known by, for whom it does not.
    """

    def __init__(
        self, world: World, tools: Tools, queue: ChunkQueue, lanes: int, window: int, parts: Parts = PARTS
    ) -> None:
        self.world, self.queue, self._parts = world, queue, parts
        self.error: SightlineError | None = None
        self.awaited: dict[object, str] = {}
        # Held while one is at it; whoever holds `publishing` may ask for `working`, and not the other way round.
        self.publishing, self.working = threading.Lock(), threading.RLock()
        self._left, self._paused_to = False, 0.0
        store = world.store
        self._ports = {
            "log": store,
            "ledger": store,
            "jobs": store,
            "members": world.members,
            "meter": world.meter,
            "codecs": world.codecs,
        }
        _join(world)
        self.feeders, self.roles = self._feeders(tools, lanes, window), self._detect_roles()
        self._known = Known(store, tools.plan)
        self.folds = self._folds()
        self.publishers, relays = self._publishers(tools), self._relays()
        self.steps: Sequence[Step] = (
            *(world.meter.watched("feed", feeder.step) for feeder in self.feeders),
            *(role.step for role in self.roles),
            *(world.meter.watched(fold.stage, fold.step) for fold in self.folds.values()),
            *(world.meter.watched("relay", each.step) for each in relays),
            self._retention(),
        )
        publishes = [world.meter.watched("publish", each.step) for each in self.publishers]
        self._published_at = -PUBLISH_S
        self.publish: Step = lambda: self._due() and sum(step() for step in publishes)
        workers: list[Feeder | DetectRole | FoldWorker] = [
            *self.feeders,
            *self.roles,
            *self.folds.values(),
        ]
        self._releases = [*(each.release for each in workers), *(each.release for each in relays)]
        if world.waits is None:  # what is wrong is said at the start; else the first step claims
            for worker in workers:
                worker.claim()

    def _due(self) -> bool:
        """Whether to look for jobs to publish: where the ledger is a service it is not asked at every bell."""
        if self.world.waits is None:
            return True
        due = time.monotonic() - self._published_at >= PUBLISH_S
        if due:
            self._published_at = time.monotonic()
        return due

    def _feeders(self, tools: Tools, lanes: int, window: int) -> list[Feeder]:
        """One for each partition of job events."""
        topology = self.world.topology
        return [
            self._parts.feeder(
                **self._ports,
                objects=self.world.objects,
                plan=tools.plan,
                resolve=tools.resolve,
                rows=tools.rows,
                named=tools.named,
                broken=tools.broken,
                lanes=lanes,
                window=window,
                topic=topology.jobs,
                partition=partition,
            )
            for partition in self._of("feed", topology.gather)
        ]

    def _detect_roles(self) -> list[DetectRole]:
        """One for each topic of frames."""
        return [
            self._parts.role(
                topic,
                range(partitions),
                **self._ports,
                queue=self.queue,
                suspicious=self.world.killed,
            )
            for topic, partitions in self.world.topology.frames.items()
            if self._of("detect", 1)
        ]

    def _folds(self) -> dict[tuple[str, str, int], FoldWorker]:
        """By stage, topic and partition."""
        return {
            (stage.name, topic, partition): self._parts.fold(
                stage.name,
                topic,
                partition,
                lambda recipe, stream, stage=stage: stage_of(recipe, stage, stream),
                **self._ports,
                objects=self.world.objects,
                about=self._known,
            )
            for stage, topic in self.world.topology.folds
            for partition in self._of(stage.name, self.world.topology.gather)
        }

    def _publishers(self, tools: Tools) -> list[Publisher]:
        world = self.world
        return [
            self._parts.publisher(
                world.store,
                world.store,
                world.objects,
                lambda recipe, streams: _rendered(tools, recipe, streams),
                shown=tools.shown,
                topic=world.topology.jobs,
                partitions=world.topology.gather,
                members=world.members,
            )
            for _ in self._of("publish", 1)
        ]

    def _relays(self) -> list[Relay]:
        world = self.world
        if world.outbox is None:
            return []
        return [
            self._parts.relay(
                world.outbox,
                world.store,
                world.store,
                topic=world.topology.jobs,
                partitions=world.topology.gather,
                members=world.members,
            )
        ]

    def _retention(self) -> Step:
        """Where other processes share the log, it forgets by itself."""
        world = self.world
        if world.waits is not None:
            return lambda: 0
        return self._parts.retention(world.store, world.store, consumers(world.topology)).step

    def _of(self, stage: str, count: int) -> range:
        """As many as there are of a stage, if this process does it."""
        return range(count if stage in self.world.stages else 0)

    def work(self) -> int:
        """Each step once."""
        with self.working:
            return sum(self.guarded(step) for step in self.steps)

    def guarded(self, step: Step) -> int:
        """A step; what is wrong with this world ends the work on it alone."""
        if self.error is not None or self._left or time.monotonic() < self._paused_to:
            return 0
        try:
            done = step()
        except Fenced:
            return 0  # as `supervise` takes it; what other worlds did in this round still counts
        except Unavailable as error:
            return self.pause(error, step)
        except SightlineError as error:
            self.fail(error)
            return 1
        self.answered(step)
        return done

    def answered(self, who: object) -> None:
        """All that a step or a lane needs was there."""
        self.awaited.pop(who, None)

    def pause(self, error: Unavailable, who: object) -> int:
        """A service that a step or a lane needs does not answer: whoever shares it with others waits, who is alone ends."""
        if self.world.waits is None:
            self.fail(error)
            return 1
        self._paused_to = time.monotonic() + PAUSE_S
        self.awaited[who] = error.code
        self.world.waits(error)
        return 0

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
        for release in self._releases:
            with suppress(SightlineError):
                release()

    def readers(self) -> dict[str, Pausing]:
        """What comes before the folds, by stage and topic."""
        feeders = {f"feed {feeder.topic}": feeder for feeder in self.feeders}
        return {**feeders, **{f"detect {role.topic}": role for role in self.roles}}

    def busy(self) -> bool:
        """Whether a lane still holds frames of this world."""
        return any(self.queue.busy(role) for role in self.roles)


def _join(world: World) -> None:
    """Take part in every role of a world."""
    if world.members is None:
        return
    topology, roles = world.topology, dict[str, dict[str, int]]()
    for stage, topic, partitions in topology.reads():
        if stage in world.stages:
            roles.setdefault(stage, {})[topic] = partitions
    for role, wanted in (("publish", "publish" in world.stages), ("relay", world.outbox is not None)):
        if wanted:
            roles[role] = {topology.jobs: topology.gather}
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
