"""Scripted jobs on the product's own host: everything that `track` has, but pictures and a model."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sightline.events import Codecs, Sampled, native
from sightline.formats import registry
from sightline.jobs.derived import plan_of
from sightline.jobs.files import files_of
from sightline.jobs.recipe import Recipe
from sightline.jobs.topology import Topology
from sightline.ports import TERMINAL, Job
from sightline.runtime.crew import PARTS
from sightline.runtime.host import Host, Parts, Stalled, Tools, World, accept, released
from sightline.runtime.publish import Rendered
from sightline.sources.whole_frames import pictures
from sightline.stages.feed import Plan
from sightline.testing import MemoryObjects, MemoryStore
from sightline.types import JobResult


def rendered(recipe: Recipe, result: JobResult) -> Rendered:
    """The files of a job's formats, and a list of them."""
    writers = {name: registry.writer(name) for name in recipe.formats}
    return Rendered(
        files_of(recipe, result, writers),
        "manifest.txt",
        lambda stored: "".join(f"{path} {stat.sha256}\n" for path, stat in stored.items()).encode(),
    )


@dataclass(frozen=True)
class Work:
    """A job, and what it is run with.

    Attributes:
        chunk: least frames of a chunk.
        window: outstanding frames at the least.
        killed: the process before did not end by itself.
        members: who owns which partition; None where nobody else works on the store.
        codecs: dialects by topic.
        parts: what makes the workers.
    """

    recipe: Recipe
    detector: Any
    reader: Callable[[], Any]
    store: Any = field(default_factory=MemoryStore)
    objects: Any = field(default_factory=MemoryObjects)
    workers: int = 1
    chunk: int = 32
    window: int = 512
    killed: bool = False
    members: Any = None
    codecs: Codecs = native
    parts: Parts = PARTS

    def tools(self) -> Tools:
        """Of this job alone."""
        index = self.reader().index()
        return Tools(
            lambda recipe: plan_of(recipe, index, self.chunk),
            lambda recipe: self.reader(),
            lambda recipe: self.detector,
            rendered,
            broken=self._broken,
        )

    def _broken(self, recipe: Recipe, plan: Plan, records: Sequence[Sampled]) -> list[str]:
        read = pictures(self.reader(), np.empty((2, 2, 3), np.uint8), plan, records)
        return [reason for _, _, reason in read]


def run_job(
    work: Work,
    cancelled: threading.Event | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Job:
    """Run a job to its end and return its row; `progress` gets frames released and frames in all, now and then.

    Raises:
        KeyboardInterrupt: it was cancelled.
        SightlineError: what ended the work on it.
    """
    route = work.recipe.route
    world = World(
        work.store,
        work.objects,
        Topology.of(route.topics, route.frame_partitions),
        killed=work.killed,
        members=work.members,
        codecs=work.codecs,
    )
    job = accept(work.store, work.recipe)
    if job.state in TERMINAL:
        return job
    published = threading.Event()
    host = Host(
        work.tools(),
        work.workers,
        window=work.window,
        published=lambda world: published.set(),
        alone=work.members is None,
        parts=work.parts,
    )
    host.add(world)

    def done() -> bool:
        if work.members is not None and work.store.get(work.recipe.job_id).state in TERMINAL:
            return True  # by whoever owned it
        return host.error(world) is not None or published.is_set()

    def each() -> None:
        if cancelled is not None and cancelled.is_set():
            raise KeyboardInterrupt
        progress(released(world, work.recipe), work.recipe.sampled)

    try:
        host.run(done, each)
    except Stalled:
        raise host.stall(world, work.recipe) from None
    finally:
        error = host.error(world)
        host.remove(world)
    progress(released(world, work.recipe), work.recipe.sampled)
    if error is not None:
        raise error
    found: Job = work.store.get(work.recipe.job_id)
    return found
