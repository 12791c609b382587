"""One life of a process, in this process: opens what is on disk, works in random order, puts results in place.

Everything is the product's own, but threads: the steps of all stages are called one at a time, in an order that a
seeded die decides, so that a schedule is the same each time. `Parts` is where planted bugs are put in.
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
from sightline.events import JobEvent, Native
from sightline.jobs.recipe import Recipe, job_of
from sightline.jobs.topology import (
    FRAME_PARTITIONS,
    JOB_TOPIC,
    FoldStage,
    consumers,
    folds_of,
    frames_stream,
    stage_of,
)
from sightline.ports import TERMINAL, Outgoing
from sightline.runs.folders import Folder
from sightline.runtime.chunk_queue import ChunkQueue
from sightline.runtime.detect import DetectRole
from sightline.runtime.feed import Feeder
from sightline.runtime.lanes import Lane
from sightline.runtime.publish import Publisher
from sightline.runtime.retention import trim_released
from sightline.runtime.worker import FoldWorker
from sightline.stages.track import Track
from sightline.testing import Faults, ScriptedDetector
from tests.crash.jobs import Scene, street
from tests.crash.owners import Believer, Hands
from tests.crash.sqlite_files import Fault, SqliteFiles, kill, nothing

KEY = "run key"
PATIENCE = 4  # rounds in which nobody finds anything to do
HANDED = 200  # the same where owners come and go: each is named some time within it
BUSY = 300  # rounds of work that leads nowhere
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
    fold: Callable[..., Any] = FoldWorker
    publisher: Callable[..., Any] = Publisher
    folder: Callable[..., Any] = Folder
    track: Callable[..., Any] = Track
    trim: Callable[..., Any] = trim_released
    store: Callable[[str, Any], Any] = lambda role, store: store
    objects: Callable[[Any], Any] = lambda objects: objects
    disk: Callable[[Any], Any] = lambda disk: disk
    flush: Callable[[SqliteStore], None] = SqliteStore.flush


PARTS = Parts()


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
            rows = self._jobs_ended(path, stores, objects)
            if all(row["state"] == "failed" for row in rows):
                folder.clear()
            else:
                write_whole(built / "run.json", [json.dumps({"run_key": KEY, "jobs": rows}).encode()], disk)
                objects.sweep()
                folder.publish([path.name for path in built.iterdir()], built, keep=False)
        except BaseException:
            kill(self.files, path, lambda: _close(stores), power)
            raise
        # `track` closes first, which flushes too; what is promised must hold with the one flush alone.
        _close(stores)

    def _jobs_ended(self, path: Path, stores: list[SqliteStore], objects: Any) -> list[dict[str, Any]]:
        for _ in range(self.owners):
            stores.append(SqliteStore(path, synchronous="NORMAL", max_bytes=self.max_bytes))
        self._work(stores, objects)
        jobs = [stores[0].get(video.job_id) for video in self.scene.videos]
        self.parts.flush(stores[0])
        return [
            {"job_id": job.job_id, "state": job.state, "code": job.code, "result": dict(job.result)}
            for job in jobs
        ]

    def _faulty(self, role: str, port: Any) -> Any:
        return Faults(port, lambda name, when: self.fault(f"{role}.{name}", when))

    # --- work

    def _work(self, stores: Sequence[SqliteStore], objects: Any) -> None:
        accept = self.parts.store("accept", self._faulty("accept", stores[0]))
        for video in self.scene.videos:
            event = Outgoing(JOB_TOPIC, 0, video.job_id, Native().encode(JobEvent(video.job_id)))
            accept.create(job_of(video.recipe()), [event])
        hands = Hands(self.random, len(stores))
        each = zip(stores, hands.believers, strict=True)
        mine, *others = [self._steps(self.log(store), objects, members) for store, members in each]
        awake = self.random.choice([0.02, 0.4])
        idle, rounds, before = 0, 0, ""
        patience = PATIENCE if len(stores) == 1 else HANDED
        while idle < patience:
            rounds += 1
            if rounds % BUSY == 0:
                before, now = self._where(stores[0]), before
                if before == now:
                    break
            if others:
                hands.tick()
            steps = mine + [step for steps in others for step in steps if self.random.random() < awake]
            done = sum(self._call(step) for step in self.random.sample(steps, len(steps)))
            if all(stores[0].get(video.job_id).state in TERMINAL for video in self.scene.videos):
                return
            idle = 0 if done else idle + 1
        raise Stalled(self._where(stores[0]))

    def _call(self, step: Step) -> int:
        try:
            return step()
        except Fenced:
            return 1
        except Unavailable:
            if not self.retries:
                raise
            return 1

    def _where(self, store: SqliteStore) -> str:
        return "; ".join(
            f"{video.job_id} {store.get(video.job_id).state} {dict(store.progress(video.job_id))}"
            for video in self.scene.videos
        )

    def _steps(self, store: Any, objects: Any, members: Believer) -> list[Step]:
        size = self.random.choice
        topics = self.topics()
        long = max(video.frames for video in self.scene.videos) > 100
        videos = {video.job_id: video for video in self.scene.videos}
        chunk = size([4, 7, 100])

        def port(role: str) -> Any:
            return self.parts.store(role, self._faulty(role, store))

        def ports(role: str) -> dict[str, Any]:
            return dict.fromkeys(("log", "ledger", "jobs"), port(role))

        feed = self.parts.feeder(
            **ports("feed"),
            plan=lambda recipe: videos[recipe.job_id].plan(chunk),
            batch=size([16, 64] if long else [1, 3, 8]),
            members=members,
        )
        queue = ChunkQueue(limit=size([8, 32] if long else [1, 4]))
        role = self.parts.detect(
            topics[frames_stream()],
            range(FRAME_PARTITIONS),
            **ports("detect"),
            queue=queue,
            suspicious=self.killed,
            members=members,
        )
        reader, detector, depth = _readers(videos), ScriptedDetector(street), size([1, 3])
        lanes = [
            self.parts.lane(queue, reader, lambda recipe: detector, depth=depth)
            for _ in range(size([1, 2, 3]))
        ]
        folds = [
            self.parts.fold(
                stage.name,
                topic,
                0,
                lambda recipe, stream, stage=stage: self._stage(recipe, stage, stream),
                **ports(stage.name),
                objects=self._faulty("collect", objects),
                max_records=size([32, 256] if long else [2, 9, 64]),
                max_frames=size([16, 32] if long else [1, 2, 5]),
                members=members,
            )
            for stage, topic in folds_of(topics)
        ]
        publisher = self.parts.publisher(
            port("publish"),
            port("publish"),
            self._faulty("publish", objects),
            lambda recipe, streams: videos[recipe.job_id].render(streams),
        )
        claims = [feed, role, *folds]
        for each in claims:
            self._call(lambda each=each: each.claim() and 0)

        def trim() -> int:
            port_ = port("trim")
            self.parts.trim(port_, port_, consumers(topics))
            return 0

        return [each.step for each in (*claims, *lanes, publisher)] + [trim]

    def topics(self) -> dict[str, str]:
        """Topic by stream, of all jobs."""
        return {
            stream: topic
            for video in self.scene.videos
            for stream, topic in video.recipe().route.topics.items()
        }

    def _stage(self, recipe: Recipe, stage: FoldStage, stream: str) -> Any:
        made = stage_of(recipe, stage, stream)
        return self.parts.track(made.settings) if isinstance(made, Track) else made


def _close(stores: Sequence[SqliteStore]) -> None:
    for store in stores:
        store.close()


def _readers(videos: dict[str, Any]) -> Callable[[Recipe], Any]:
    opened: dict[str, Any] = {}

    def reader(recipe: Recipe) -> Any:
        if recipe.job_id not in opened:
            opened[recipe.job_id] = videos[recipe.job_id].reader()
        return opened[recipe.job_id]

    return reader
