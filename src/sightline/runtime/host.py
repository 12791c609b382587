"""The host: the workers of one process, for any number of stores and jobs.

A world is a store with the workers over it: `track` opens one for each video, whose folder it lies in; a service has one
for all of its jobs. Lanes are shared: whatever frame of whatever job waits next, the next free lane takes it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from functools import partial

from sightline.errors import Corrupt, Fenced, SightlineError, Unavailable
from sightline.jobs.recipe import Recipe, job_of
from sightline.jobs.requests import event_of
from sightline.jobs.topology import released_by
from sightline.ports import Job, Store
from sightline.runtime.crew import PARTS, PAUSE_S, Crew, Parts, Step, Tools, World
from sightline.runtime.lanes import Lane
from sightline.runtime.stall import stall
from sightline.runtime.supervise import Listen, supervise

__all__ = ["Host", "Parts", "Stalled", "Tools", "World", "accept", "released"]

# All work comes from threads of this process, which ring the bell; asking every 50 ms cost 1 ms of each frame.
IDLE_S = 1.0
SHARED_IDLE_S = 0.05
TICK_S = 0.1


class Stalled(Exception):
    """Nobody has work, nobody is at work, and a job has not ended: it never will by itself."""


class Host:
    """Runs worlds until somebody says that all is done.

    Args:
        tools: what workers are made with.
        lanes: threads that decode and detect.
        depth: pictures in flight of each.
        window: outstanding frames of a world at the least.
        turns: jobs that take turns, see `ChunkQueue`.
        published: hears of a world in which something was published, or failed to be.
        alone: no other process works on its stores; then nobody having work means that nobody ever will.
        listen: `EventLog.wait` of the one store to which another process writes; None: it is asked all the time.
        parts: what makes lanes and workers.
        elsewhere: threads of other processes that detect: a feeder has work ready for them as well.
    """

    def __init__(
        self,
        tools: Tools,
        lanes: int,
        *,
        depth: int = 3,
        window: int = 512,
        turns: int | None = None,
        published: Callable[[World], None] = lambda world: None,
        alone: bool = True,
        listen: Listen | None = None,
        parts: Parts = PARTS,
        elsewhere: int = 0,
    ) -> None:
        self._elsewhere = elsewhere
        self._listen = listen
        self._alone, self._parts = alone, parts
        self._tools, self._window, self._published = tools, window, published
        self._queue = parts.queue(turns=turns)
        self._lanes = [
            parts.lane(self._queue, tools.reader, tools.detector, depth=depth) for _ in range(lanes)
        ]
        self._lock, self._round = threading.Lock(), time.monotonic()
        self._crews: dict[int, Crew] = {}

    def add(self, world: World) -> None:
        """Begin to work on the jobs of a world."""
        lanes = max(len(self._lanes), self._elsewhere)
        crew = Crew(world, self._tools, self._queue, lanes, self._window, self._parts)
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

    def awaited(self, world: World) -> list[str]:
        """Codes of the services that did not answer when they were asked last; none while nobody works on the world."""
        crew = self._crews.get(id(world))
        return [] if crew is None else sorted({*crew.awaited.copy().values()})

    def stall(self, world: World, recipe: Recipe) -> Corrupt:
        """Why a job of a world does not go on though nobody has work."""
        crew = self._crews[id(world)]
        return stall(world.store, recipe, crew.folds, crew.readers())

    def busy(self, world: World) -> bool:
        """Whether a lane still holds frames of it."""
        crew = self._crews.get(id(world))
        return crew is not None and crew.busy()

    def steps(self) -> list[Step]:
        """What `run` calls in threads, one by one: each raises what its worker raises, and no world ends by it."""
        crews = self._crews.values()
        work = [step for crew in crews for step in (*crew.steps, crew.publish)]
        return [*work, *(lane.step for lane in self._lanes)]

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
                idle_s=IDLE_S if self._alone or self._listen is not None else SHARED_IDLE_S,
                tick=tick,
                stalled=Stalled if self._alone else None,
                listen=self._listen,
            )
        finally:
            for lane in self._lanes:
                lane.close()

    def round_s(self) -> float:
        """Seconds since all workers had their turn last: whoever hangs in one keeps all from theirs."""
        return time.monotonic() - self._round

    def _work(self) -> int:
        done = sum(crew.work() for crew in self._crews.values())
        self._round = time.monotonic()
        return done

    def _publish(self) -> int:
        return sum(self._published_by(crew) for crew in self._crews.values())

    def _published_by(self, crew: Crew) -> int:
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
            if isinstance(error, Unavailable):
                done = crew.pause(error, lane)
                time.sleep(0 if done else PAUSE_S)
                return done
            crew.fail(error)
            return 1
        crew = self._crew_of(lane)
        if crew is not None:
            crew.answered(lane)
        if done and crew is not None:
            crew.world.meter.add("detect", done, time.perf_counter() - began)
        return done

    def _crew_of(self, lane: Lane) -> Crew | None:
        """Whose frames a lane was at last."""
        return next((crew for crew in self._crews.values() if lane.role in crew.roles), None)


def accept(store: Store, recipe: Recipe) -> Job:
    """Store a job whose recipe is known, or find it; its row."""
    job = job_of(recipe)
    store.create(job, [event_of(job)])
    return store.get(recipe.job_id)


def released(world: World, recipe: Recipe) -> int:
    """Frames of a job that every stage behind detection took over, those of earlier starts too."""
    done: Mapping[tuple[str, str], int] = world.store.progress(recipe.job_id)
    lowest = min(done.get(pair, 0) for pair in released_by(recipe))
    return min(lowest, recipe.sampled)
