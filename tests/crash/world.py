"""One life of a process, in this process: opens what is on disk, works in random order, puts results in place.

The work is that of the product's own host (`runtime.host`), but threads: its steps are called one at a time, in an order
that a seeded die decides, so that a schedule is the same each time. The host is given parts over ports of their role's
own, where faults come in, and with sizes that the die decides. `Parts` is where planted bugs are put in.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from sightline.adapters.files.objects import FolderObjects
from sightline.adapters.sqlite.store import SqliteStore
from sightline.disk import Disk, write_whole
from sightline.errors import Fenced, Unavailable
from sightline.jobs.recipe import known_of
from sightline.jobs.topology import FRAME_PARTITIONS, JOB_TOPIC, Topology
from sightline.ports import TERMINAL, Job, Outgoing
from sightline.runs.folders import Folder
from sightline.runs.uncommitted import drop_uncommitted
from sightline.runtime import crew
from sightline.runtime.chunk_queue import ChunkQueue
from sightline.runtime.detect import DetectRole
from sightline.runtime.feed import Feeder
from sightline.runtime.host import Host, World, accept, released
from sightline.runtime.lanes import Lane
from sightline.runtime.publish import Publisher
from sightline.runtime.retention import Retention
from sightline.runtime.worker import FoldWorker
from sightline.stages.track import Track
from sightline.testing import Faults, MemoryObjects, MemoryStore
from tests.crash.jobs import GARBAGE, Scene
from tests.crash.owners import Believer, Hands
from tests.crash.sqlite_files import Fault, SqliteFiles, kill, nothing

KEY = "run key"
PATIENCE = 4  # rounds in which nobody finds anything to do
HANDED = 200  # the same where owners come and go: each is named some time within it
BUSY = 300  # rounds of work that leads nowhere
SLEEPY = 10  # times as many where an owner that hardly ever wakes may hold what the others wait for
CANCELS, MOVES = 0.04, 0.1  # how likely in a round
Step = Callable[[], int]


class Crash(BaseException):
    """The process ends here."""


class Stalled(Exception):
    """Nobody finds anything to do, or nothing comes of it, and a job has not ended."""


@dataclass(frozen=True)
class Parts:
    """What a process is made of; a planted bug replaces one of them."""

    feeder: Callable[..., Any] = Feeder
    detect: Callable[..., Any] = DetectRole
    lane: Callable[..., Any] = Lane
    queue: Callable[..., Any] = ChunkQueue
    fold: Callable[..., Any] = FoldWorker
    publisher: Callable[..., Any] = Publisher
    folder: Callable[..., Any] = Folder
    track: Callable[..., Any] = Track
    retention: Callable[..., Any] = Retention
    store: Callable[[str, Any], Any] = lambda role, store: store
    objects: Callable[[Any], Any] = lambda objects: objects
    disk: Callable[[Any], Any] = lambda disk: disk
    flush: Callable[[SqliteStore], None] = SqliteStore.flush


PARTS = Parts()


class _Neighbour:
    """Another store on the same host, with jobs of the same names: it comes and goes, as the videos of a command do."""

    def __init__(self, host: Host, world: World, random: Random) -> None:
        self._host, self._world, self._random = host, world, random
        self._there = False

    def tick(self) -> None:
        """Move in, or out when no lane holds a frame of it."""
        if self._random.random() < MOVES:
            self.leave() if self._there else self._come()

    def _come(self) -> None:
        self._host.add(self._world)
        self._there = True

    def leave(self) -> None:
        """Move out, if that can be."""
        if self._there and not self._host.busy(self._world):
            self._host.remove(self._world)
            self._there = False


@dataclass
class Life:
    """A process.

    Attributes:
        scene: its jobs.
        home: what outlives it.
        random: decides the order of steps, and sizes that may not change a byte.
        files: SQLite's file layer.
        parts: what it is made of.
        fault: sees every call of every port, as `role.method`.
        owners: sets of workers side by side; all but the first are those of a process that should be gone.
        neighbour: another store is on the same host, comes and goes.
        retries: an outage is waited out, as a service does; else it ends the process, as in `track`.
        base: the disk.
        log: what lies between the workers and the file, for records that are repeated or shuffled.
        max_bytes: size that the file may not pass.
        killed: the life before this one did not end by itself.
    """

    scene: Scene
    home: Path
    random: Random
    files: SqliteFiles
    parts: Parts = PARTS
    fault: Fault = nothing
    owners: int = 1
    neighbour: bool = False
    retries: bool = False
    base: Disk = field(default_factory=Disk)
    log: Callable[[SqliteStore], Any] = lambda store: store
    max_bytes: int | None = None
    killed: bool = False

    def run(self, power: Random | None = None) -> None:
        """Work until the result is in place; `power` decides what a power cut leaves, where this life ends in one.

        Raises:
            Crash, SightlineError: it ended before; everything on disk is as it was then.
            Stalled: it waits for ever.
        """
        self.files.fault = self.fault
        disk = self.parts.disk(self._faulty("disk", self.base))
        folder = self.parts.folder(self.home / "run", disk)
        folder.path.mkdir(parents=True, exist_ok=True)
        state = folder.state(KEY, overwrite=False)
        if state == "finished":
            folder.drop_partial()
            return
        if state == "new":
            folder.clear()
        folder.begin(KEY)
        built = folder.partial / "files"
        objects = self.parts.objects(FolderObjects(built, disk=disk))
        objects.sweep()
        path = folder.partial / "store.sqlite"
        stores: list[SqliteStore] = []
        try:
            jobs = self._jobs_ended(path, stores, objects, built)
            ready = [job.job_id for job in jobs if job.state == "ready"]
            if ready:
                write_whole(
                    built / "run.json", [json.dumps({"run_key": KEY, "jobs": _rows(jobs)}).encode()], disk
                )
                objects.sweep()
                folder.publish(["run.json", *ready], built, keep=False)
            else:
                folder.clear()
        except BaseException:
            kill(self.files, path, lambda: _close(stores), power)
            raise
        # `track` closes first, which flushes too; what is promised must hold with the one flush alone.
        _close(stores)

    def _jobs_ended(self, path: Path, stores: list[SqliteStore], objects: Any, built: Path) -> list[Job]:
        """All jobs as they ended, but for those that somebody cancels: these may have ended before."""
        for _ in range(self.owners):
            stores.append(SqliteStore(path, synchronous="NORMAL", max_bytes=self.max_bytes))
        self._work(stores, objects, built)
        jobs = [stores[0].get(video.job_id) for video in self.scene.videos if video.wrong != "cancelled"]
        self.parts.flush(stores[0])
        return jobs

    def _faulty(self, role: str, port: Any) -> Any:
        return Faults(port, lambda name, when: self.fault(f"{role}.{name}", when))

    # --- work

    def _work(self, stores: Sequence[SqliteStore], objects: Any, built: Path) -> None:
        begins = self.parts.store("begin", self._faulty("begin", stores[0]))
        topics = self._accepted(begins, objects, built)
        hands = Hands(self.random, len(stores))
        members: list[Believer | None] = [*hands.believers] if len(stores) > 1 else [None]
        worlds = [
            World(
                self.log(store),
                objects,
                Topology.of(topics, FRAME_PARTITIONS),
                killed=self.killed,
                members=member,
            )
            for store, member in zip(stores, members, strict=True)
        ]
        mine, *others = [self._host(world) for world in worlds]
        awake = self.random.choice([0.02, 0.4])
        neighbour = self._neighbour(mine, topics)

        def steps() -> list[Step]:
            hands.tick()
            if neighbour is not None:
                neighbour.tick()
            theirs = [step for host in others for step in host.steps() if self.random.random() < awake]
            return [*mine.steps(), lambda: self._cancels(begins), *theirs]

        self._rounds(stores[0], steps, lambda: self._ended(stores[0]) and not mine.busy(worlds[0]))
        self._took_all(worlds[0])
        mine.remove(worlds[0])

    def _neighbour(self, host: Host, topics: dict[str, str]) -> _Neighbour | None:
        if not self.neighbour:
            return None
        world = World(MemoryStore(), MemoryObjects(), Topology.of(topics, FRAME_PARTITIONS))
        for video in self.scene.videos:
            accept(world.store, video.recipe())
        return _Neighbour(host, world, self.random)

    def _accepted(self, store: Any, objects: Any, built: Path) -> dict[str, str]:
        """Take in all jobs, as `track` takes in one; topic by stream, of all of them."""
        topics: dict[str, str] = {}
        for number, video in enumerate(self.scene.videos):
            drop_uncommitted(store, video.recipe(), objects, built)
            topics |= known_of(accept(store, video.recipe())).route.topics
            if self.scene.garbage and number == 1:
                store.append([Outgoing(JOB_TOPIC, 0, "?", GARBAGE)])
        return topics

    def _host(self, world: World) -> Host:
        """The product's host over a world."""
        size = self.random.choice
        host = Host(
            self.scene.tools(size([4, 7, 100])),
            size([1, 2, 3]),
            depth=size([1, 3]),
            window=512 if self._long() else size([8, 512]),
            parts=self._parts(),
        )
        while True:
            try:
                host.add(world)
            except Unavailable:
                if not self.retries:
                    raise
            else:
                return host

    def _rounds(self, store: SqliteStore, steps: Callable[[], list[Step]], ended: Callable[[], bool]) -> None:
        """Call the steps of each round, in an order of its own, until all jobs have ended."""
        idle, rounds, before = 0, 0, ""
        patience, busy = (PATIENCE, BUSY) if self.owners == 1 else (HANDED, SLEEPY * BUSY)
        while idle < patience:
            rounds += 1
            if rounds % busy == 0:
                before, now = self._where(store), before
                if before == now:
                    break
            those = steps()
            done = sum(self._call(step) for step in self.random.sample(those, len(those)))
            if ended():
                return
            idle = 0 if done else idle + 1
        raise Stalled(self._where(store))

    def _call(self, step: Step) -> int:
        try:
            return step()
        except Fenced:
            return 1
        except Unavailable:
            if not self.retries:
                raise
            return 1

    def _cancels(self, store: Any) -> int:
        """Somebody cancels, sooner or later, and perhaps again."""
        for video in self.scene.videos:
            if video.wrong == "cancelled" and self.random.random() < CANCELS:
                store.advance(video.job_id, "cancelled")
        return 0

    def _ended(self, store: SqliteStore) -> bool:
        return all(store.get(video.job_id).state in TERMINAL for video in self.scene.videos)

    def _took_all(self, world: World) -> None:
        """What progress shows of a job that is ready: every frame."""
        for recipe in (video.recipe() for video in self.scene.videos):
            if world.store.get(recipe.job_id).state == "ready" and released(world, recipe) != recipe.sampled:
                raise AssertionError(
                    f"{recipe.job_id} is ready with {released(world, recipe)} frames released"
                )

    def _where(self, store: SqliteStore) -> str:
        return "; ".join(
            f"{video.job_id} {store.get(video.job_id).state} {dict(store.progress(video.job_id))}"
            for video in self.scene.videos
        )

    # --- what the host is given

    def _parts(self) -> crew.Parts:
        """The product's parts, or planted ones, each over ports of its role and with sizes that the die decides."""
        mine, size, long = self.parts, self.random.choice, self._long()
        least = 2 if all(video.tracked for video in self.scene.videos) and not long else 256

        def seen(role: str, given: dict[str, Any]) -> dict[str, Any]:
            return given | dict.fromkeys(("log", "ledger", "jobs"), self._port(role, given["log"]))

        def feeder(**given: Any) -> Any:
            sizes = {"at_once": size([2, 16]), "floor": size([least, 256])}
            return mine.feeder(**seen("feed", given), batch=size([16, 64] if long else [1, 3, 8]), **sizes)

        def fold(stage: str, topic: str, partition: int, make: Any, **given: Any) -> Any:
            return mine.fold(
                stage,
                topic,
                partition,
                lambda recipe, stream: self._stage(make(recipe, stream)),
                **seen(stage, given) | {"objects": self._faulty("collect", given["objects"])},
                max_records=size([32, 256] if long else [2, 9, 64]),
                max_frames=size([16, 32] if long else [1, 2, 5]),
            )

        def publisher(jobs: Any, ledger: Any, objects: Any, render: Any, **given: Any) -> Any:
            port = self._port("publish", jobs)
            return mine.publisher(port, port, self._faulty("publish", objects), render, **given)

        def retention(log: Any, ledger: Any, consumers: Any) -> Any:
            port = self._port("trim", log)
            return mine.retention(port, port, consumers, every=1, worth=1)

        return crew.Parts(
            queue=lambda **given: mine.queue(limit=size([8, 32] if long else [1, 4]), **given),
            lane=mine.lane,
            feeder=feeder,
            role=lambda *what, **given: mine.detect(*what, **seen("detect", given)),
            fold=fold,
            publisher=publisher,
            retention=retention,
        )

    def _port(self, role: str, store: Any) -> Any:
        return self.parts.store(role, self._faulty(role, store))

    def _stage(self, made: Any) -> Any:
        return self.parts.track(made.settings) if isinstance(made, Track) else made

    def _long(self) -> bool:
        return max(video.frames for video in self.scene.videos) > 100


def _rows(jobs: Sequence[Job]) -> list[dict[str, Any]]:
    return [
        {"job_id": job.job_id, "state": job.state, "code": job.code, "result": dict(job.result)}
        for job in jobs
    ]


def _close(stores: Sequence[SqliteStore]) -> None:
    for store in stores:
        store.close()
