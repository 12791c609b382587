"""The worker process: every stage of every job, and answers to the API process; `python -m sightline.serving.worker FILE`."""

from __future__ import annotations

import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec

from sightline.adapters.confined.confine import Level
from sightline.adapters.confined.kernel import die_with_parent
from sightline.adapters.confined.levels import levels
from sightline.api.reports import report_of
from sightline.app.service_tools import ServiceTools, engine_name, model_name
from sightline.errors import Corrupt, Misconfigured, NotFound, SightlineError, Unavailable
from sightline.formats import source_index
from sightline.jobs.expiry import expire
from sightline.jobs.purge import purge_again, removed
from sightline.jobs.recipe import Recipe
from sightline.jobs.requests import DATASET, SourceRef
from sightline.jobs.upgrades import replaced, succeed
from sightline.ports import TERMINAL, Which
from sightline.runtime.crew import STAGES
from sightline.runtime.host import Host, World
from sightline.runtime.routes import recipe_of
from sightline.serving.backends import Opened, objects_of, open_store, tidy_objects
from sightline.serving.collectors import StageCollector
from sightline.serving.config import ServeConfig, now_us
from sightline.serving.copies import Copies
from sightline.serving.health import Health, moves, still
from sightline.serving.lags import Lag, Lags
from sightline.serving.mirror import Mirror
from sightline.serving.queries import Queries
from sightline.serving.rpc import Server
from sightline.serving.shown import count, filling
from sightline.serving.telling import Telling, log_of, process_id
from sightline.serving.tracing import spans_of
from sightline.sources.frame_store import FrameStore
from sightline.sources.named import Traits
from sightline.sources.roots import Roots
from sightline.sources.stored import Places, look_into, traits_of

__all__ = ["Worker", "main"]

WAITS_S = 30.0  # between two lines about a service that does not answer
LAGS_S = 10.0  # for which a look at shared topics is good: each is a question to the brokers
LOOK_S = 3.0  # between two looks at who is behind
TIDY_S = 10.0
DOOMED_S = 60.0  # between two looks at what was purged
MICROSECOND = timedelta(microseconds=1)
RUNNING = Which(states=("processing",), oldest_first=True)


class Worker:
    """The work on one data folder.

    Args:
        config: of the service.
        stop: set when it is to end.
        log: see `log_of`.
        careful: a frame may have ended the worker before: see `Child.suspicious`.
    """

    def __init__(self, config: ServeConfig, stop: threading.Event, log: Any, careful: bool = False) -> None:
        self._stop = stop
        self._log, self._process = log, process_id()
        self._spans = spans_of(config.serve, "worker")
        self._roles = frozenset(config.roles)
        stages = STAGES & self._roles
        self._telling = Telling(log, self._spans, stages)
        opened = open_store(config, self._telling, self._process, synchronous="NORMAL", works=True)
        self.store, self._notes, self._members = opened.store, opened.notes, opened.members
        self._shared = opened.members is not None
        self.objects = objects_of(config.serve, Path(config.data), "worker")
        self._places = Places(self.objects, Roots(config.roots))
        self._fps, self._answers = config.serve.fps, config.answers
        self._keep = config.serve.keep_jobs
        self._mirror: Mirror | None = None
        stats = config.serve.csv_path
        if "publish" in self._roles and (DATASET in config.roots or stats is not None):
            self._mirror = Mirror(Path(config.data) / "debug_output", stats, self.store, self.objects)
        publishing = (lambda job_id: None) if self._mirror is None else self._mirror.publishing
        self._frame_store: FrameStore | None = None
        if "feed" in self._roles and config.serve.frame_store is not None:
            self._frame_store = FrameStore(config.serve.frame_store.absolute(), self._places, self._notes)
            self._frame_store.tidy(self.store)
        self._tools = ServiceTools(
            self.store,
            self._places,
            config.options,
            config.workers,
            publishing,
            self._frame_store,
            config.serve.partitions if self._shared else None,
            opened.codecs,
            inline_frames=config.serve.inline_frames,
        )
        self._shown = opened.shown
        self._world = self._world_of(opened, careful)
        self._host = self._host_of(config)
        self._lags = Lags(
            self.store,
            self._world.topology,
            time.monotonic,
            LAGS_S if self._shared else 0.0,
            self._roles if self._shared and not config.answers else None,
        )
        looks = config.answers or bool(self._roles & {"feed", "detect"})  # at a model
        self._model = model_name(config.options) if looks else ""
        engine = engine_name(config.options) if looks else ""
        frames = stages - {"publish"}
        collector = StageCollector(self._world.meter, self._lags, engine, self._awaits, frames)
        self._telling.registry.register(collector)
        self._said_waits, self._unheard = 0.0, ""
        self._level: Level | None = None
        tidy_objects(self.objects)
        threading.Thread(target=self._confine, name="sightline-level", daemon=True).start()
        # Some may have no successor yet.
        self._outdated = set(replaced(self.store)) if "feed" in self._roles else set[str]()
        self._tidied = self._purged = self._mirrored = self._looked = 0.0
        self._noted = 0, dict[str, Lag]()
        self._moved = 0, time.monotonic()  # steps that all stages have done, and since when no more
        self._queries = Queries(self.store, self._notes, self._places, _emptied(config.scratch))
        self._copies = Copies(self.store, self._notes, self._places, config.scratch)
        self._closing = [*self._answering(config)]

    def _world_of(self, opened: Opened, careful: bool) -> World:
        return World(
            self.store,
            self.objects,
            opened.topology,
            # Who had a frame before is not known where work is shared: it may have been ended by it.
            killed=careful or self._shared,
            members=opened.members,
            stages=STAGES & self._roles,
            outbox=opened.outbox if "relay" in self._roles else None,
            codecs=opened.codecs,
            waits=self._waits if self._shared else None,
        )

    def _host_of(self, config: ServeConfig) -> Host:
        tools = self._tools.tools()
        if self._shown is not None:
            tools = replace(tools, shown=filling(self._shown, self.objects))
        return Host(
            tools,
            config.workers if "detect" in self._roles else 0,
            alone=False,
            listen=self.store.wait,
            elsewhere=config.serve.partitions if self._shared else 0,
        )

    def _answering(self, config: ServeConfig) -> Iterator[Callable[[], None]]:
        """Begin to answer the API process, and probes; what ends each."""
        calls: dict[str, Callable[..., Any]] = {
            "probe": self.probe,
            "check": self._tools.check,
            "status": self.status,
            "metrics": self.metrics,
        }
        if config.answers:
            questions = {**self._queries.calls(), **self._copies.calls()}
            yield Server(config.worker_socket, calls, questions).close
        if config.health is not None:
            yield Health(
                config.health, config.serve.service_name, self._moves, self._awaits, self._telling.registry
            ).close

    def run(self) -> None:
        """Work until somebody says stop.

        Raises:
            SightlineError: what ended the work; a new process goes on.
        """
        self._host.add(self._world)
        try:
            self._host.run(self._over, self._tick)
        finally:
            error = self._host.error(self._world)
            for close in self._closing:
                close()
            self._copies.close()
            self._host.remove(self._world)
            if self._members is not None:
                self._members.leave()
            self._tools.close()
            if self._frame_store is not None:
                self._frame_store.close()
            self.store.close()
            if self._spans is not None:
                self._spans.close()
        if error is not None:
            raise error

    def _waits(self, error: Unavailable) -> None:
        """A service does not answer: said at first, and now and then while it lasts."""
        if time.monotonic() - self._said_waits > WAITS_S:
            self._said_waits = time.monotonic()
            self._log.warning("waiting", code=error.code, detail=error.message)

    def _moves(self) -> bool:
        """Whether this process does what is its own to do; asks nobody, as whoever probes does not wait."""
        try:
            owned = self._members.owned() if self._members is not None else frozenset()
        except Unavailable:  # what it needs is down: nothing that a new start of this process would mend
            owned = frozenset()
        detects = any(each.role == "detect" for each in owned)
        return moves(
            self._host.round_s(), self._lags.last().get("detect") if detects else None, self._awaits()
        )

    def _awaits(self) -> list[str]:
        """What does not answer now, by the codes of its errors."""
        codes = {*self._host.awaited(self._world), self._unheard}
        return sorted(codes - {""})

    def probe(self, source: dict[str, Any]) -> dict[str, Any]:
        """Look into a source and keep its index.

        Raises:
            NotFound: there is none.
            InvalidVideo: it is not accepted.
        """
        asked = msgspec.convert(source, SourceRef)
        # Before anything is read: what changes meanwhile has changed since.
        traits = traits_of(self._places, asked) if asked.root else Traits(asked.bytes, "")
        index = look_into(self._places, asked, self._fps)
        self.objects.put_new(asked.index_key, [source_index.encode(index)])
        return {
            "bytes": traits.size,
            "times": traits.times,
            "frames": len(index),
            "width": index.width,
            "height": index.height,
            "duration_us": index.duration_us,
            "codec": index.codec,
        }

    def status(self) -> dict[str, Any]:
        """How many jobs have not ended, for how many seconds nothing has moved, where, what confines uploads, the model, and
        which services do not answer.
        """
        waiting, lags = self._noted  # nobody waits here for a service that does not answer
        behind = (stage for stage, lag in lags.items() if lag.records)
        return {
            "waiting": waiting,
            "still_s": still(time.monotonic() - self._moved[1], lags if self._shared else None),
            "stage": next(behind, "publish") if waiting else "",
            "confinement": "unknown" if self._level is None else str(self._level),
            "confined": self._level is None or self._level.holds,
            "model": self._model,
            "awaits": self._awaits(),
        }

    def _note(self) -> int:
        """See how many jobs have not ended, and how far stages are behind; the number."""
        counts = self.store.counts().by_state
        waiting = sum(count for state, count in counts.items() if state not in TERMINAL)
        self._noted = waiting, self._lags.look()
        return waiting

    def metrics(self) -> Any:
        """What was counted since this process began; see `Report`."""
        return msgspec.to_builtins(report_of(self._process, self._telling.registry))

    def _confine(self) -> None:
        """Try out what confines a decoder here; it takes a second, and uploads are looked into meanwhile."""
        try:
            self._level = levels()
        except OSError as error:
            self._level = Level(missing={"process": str(error)})
        self._log.info("confinement", has=str(self._level), missing=self._level.missing)

    def _recipes(self) -> Iterator[Recipe]:
        """Of the jobs that run; whoever works on one whose row is damaged ends it."""
        for job in self.store.list(RUNNING, limit=200).jobs:
            with suppress(Corrupt, Misconfigured):
                yield recipe_of(job)

    def _succeed(self) -> None:
        """Make successors of the jobs that an upgrade has ended."""
        for job_id in sorted(self._outdated | self._tools.outdated):
            try:
                succeed(job_id, self.store, self.objects, self._notes, now_us())
            except Unavailable as error:  # a full disk: later
                self._log.warning("no successor now", job_id=job_id, code=error.code, detail=error.message)
                return
            try:
                running = self.store.get(job_id).state not in TERMINAL
            except NotFound:
                running = False
            if not running:
                self._outdated.discard(job_id)
                self._tools.outdated.discard(job_id)

    def _over(self) -> bool:
        return self._stop.is_set() or self._host.error(self._world) is not None

    def _tick(self) -> bool:
        """Look after things; where a service that others share does not answer, later."""
        try:
            return self._look_after()
        except Unavailable as error:
            if self._world.waits is None:
                raise
            self._unheard = error.code
            self._waits(error)
            return False

    def _look_after(self) -> bool:
        """Note whether anything moves. Now and then: release models that no running job needs, delete what came late of purged jobs and let go of their runs."""
        done = sum(stage.frames for stage in self._world.meter.stages().values())
        if done != self._moved[0]:
            self._moved = done, time.monotonic()
        if time.monotonic() - self._looked > LOOK_S:
            self._looked = time.monotonic()
            waiting, self._unheard = self._note(), ""
            self._succeed()
            if self._shown is not None and "collect" in self._roles:
                count(self._shown, self.store.list(RUNNING, limit=200).jobs)
            if not waiting:  # what comes next has all the time that it needs
                self._moved = done, time.monotonic()
        if time.monotonic() - self._tidied > TIDY_S:
            self._tidied = time.monotonic()
            self._tools.keep_only(self._recipes())
            if self._mirror is not None:
                self._mirror.tidy(removed(self._notes))
            if self._frame_store is not None:
                self._frame_store.tidy(self.store, removed(self._notes))
        if self._answers and time.monotonic() - self._purged > DOOMED_S:
            self._purged = time.monotonic()
            purge_again(self._notes, self.objects, now_us())
            self._expire()
            self._queries.tidy()
            self._copies.tidy()
        if self._mirror is not None and time.monotonic() >= self._mirrored and not self._mirror.step():
            self._mirrored = time.monotonic() + TIDY_S
        return False

    def _expire(self) -> None:
        if self._keep is not None:
            after_us = self._keep // MICROSECOND
            for job_id in expire(
                self.store, self.objects, self._notes, now_us(), after_us, stays=self._stays
            ):
                self._log.info("job expired", job_id=job_id)

    def _stays(self, job_id: str, error: SightlineError) -> None:
        self._log.error("job does not expire", job_id=job_id, code=error.code, message=error.message)


def _emptied(folder: Path) -> Path:
    """A folder without what a worker that was killed left in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(exist_ok=True)
    return folder


def main() -> None:
    """Work for the service whose settings are in the file that was named."""
    config = ServeConfig.read(Path(sys.argv[1]))
    die_with_parent(config.supervisor)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    log = log_of(config, "worker")
    try:
        Worker(config, stop, log, sys.argv[2:] == ["careful"]).run()
    except SightlineError as error:
        log.error("ended", code=error.code, detail=error.message)
        sys.exit(1)


if __name__ == "__main__":
    main()
