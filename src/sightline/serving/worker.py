"""The worker process: every stage of every job, and answers to the API process; `python -m sightline.serving.worker FILE`."""

from __future__ import annotations

import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from sightline.adapters.confined.kernel import die_with_parent
from sightline.adapters.files.objects import FolderObjects
from sightline.adapters.sqlite.store import SqliteStore
from sightline.app.service_tools import ServiceTools, service_topics
from sightline.errors import Corrupt, Misconfigured, SightlineError
from sightline.formats import source_index
from sightline.jobs.purge import purge_again, removed
from sightline.jobs.recipe import Recipe
from sightline.jobs.requests import DATASET, SourceRef
from sightline.jobs.topology import FRAME_PARTITIONS
from sightline.ports import TERMINAL, Which
from sightline.runtime.host import Host, World
from sightline.runtime.routes import recipe_of
from sightline.serving.config import ServeConfig, now_us
from sightline.serving.mirror import Mirror
from sightline.serving.queries import Queries
from sightline.serving.rpc import Server
from sightline.sources.named import Traits
from sightline.sources.roots import Roots
from sightline.sources.stored import Places, look_into, traits_of

__all__ = ["Worker", "main"]

TIDY_S = 10.0
DOOMED_S = 60.0  # between two looks at what was purged
RUNNING = Which(states=("processing",), oldest_first=True)


class Worker:
    """The work on one data folder.

    Args:
        config: of the service.
        stop: set when it is to end.
        careful: a frame may have ended the worker before: see `Child.suspicious`.
    """

    def __init__(self, config: ServeConfig, stop: threading.Event, careful: bool = False) -> None:
        self._stop = stop
        self.store = SqliteStore(config.store, synchronous="NORMAL", clock=now_us)
        self.objects = FolderObjects(config.objects)
        self._places = Places(self.objects, Roots(config.roots))
        self._fps = config.serve.fps
        self._mirror: Mirror | None = None
        stats = config.serve.csv_path
        if DATASET in config.roots or stats is not None:
            self._mirror = Mirror(Path(config.data) / "debug_output", stats, self.store, self.objects)
        publishing = (lambda job_id: None) if self._mirror is None else self._mirror.publishing
        self._tools = ServiceTools(self.store, self._places, config.options, config.workers, publishing)
        self._world = World(self.store, self.objects, service_topics(), FRAME_PARTITIONS, killed=careful)
        self._host = Host(self._tools.tools(), config.workers, alone=False, listen=self.store.wait)
        self._tidied = self._purged = self._mirrored = 0.0
        self._moved = 0, time.monotonic()  # steps that all stages have done, and since when no more
        self._queries = Queries(self.store, self.store.notes, self._places, _emptied(config.scratch))
        self._server = Server(
            config.worker_socket, {"probe": self.probe, "status": self.status}, self._queries.calls()
        )

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
            self._server.close()
            self._host.remove(self._world)
            self._tools.close()
            self.store.close()
        if error is not None:
            raise error

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
        """How many jobs have not ended, and for how many seconds nothing has moved."""
        counts = self.store.counts().by_state
        waiting = sum(count for state, count in counts.items() if state not in TERMINAL)
        return {"waiting": waiting, "still_s": time.monotonic() - self._moved[1]}

    def _recipes(self) -> Iterator[Recipe]:
        """Of the jobs that run; whoever works on one whose row is damaged ends it."""
        for job in self.store.list(RUNNING, limit=200).jobs:
            with suppress(Corrupt, Misconfigured):
                yield recipe_of(job)

    def _over(self) -> bool:
        return self._stop.is_set() or self._host.error(self._world) is not None

    def _tick(self) -> bool:
        """Note whether anything moves. Now and then: release models that no running job needs, delete what came late of purged jobs and let go of their runs."""
        done = sum(stage.frames for stage in self._world.meter.stages().values())
        if done != self._moved[0]:
            self._moved = done, time.monotonic()
        if time.monotonic() - self._tidied > TIDY_S:
            self._tidied = time.monotonic()
            self._tools.keep_only(self._recipes())
            if self._mirror is not None:
                self._mirror.tidy(removed(self.store.notes))
        if time.monotonic() - self._purged > DOOMED_S:
            self._purged = time.monotonic()
            purge_again(self.store.notes, self.objects, now_us())
            self._queries.tidy()
        if self._mirror is not None and time.monotonic() >= self._mirrored and not self._mirror.step():
            self._mirrored = time.monotonic() + TIDY_S
        return False


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
    try:
        Worker(config, stop, sys.argv[2:] == ["careful"]).run()
    except SightlineError as error:
        sys.exit(f"worker: {error.message} ({error.code})")


if __name__ == "__main__":
    main()
