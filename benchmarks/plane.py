"""What the plane of a cluster costs: records through Kafka and a ledger, with detections that cost nothing.

    python -m benchmarks.plane [--frames 3000] [--jobs 1,4,16] [--partitions 1,8] [--ledger postgres] [--end 4]

Jobs whose pictures and detections are scripted, 12 boxes each in two groups, by one process that does every stage: over Kafka and
the ledger, both on this machine, and in memory. CPU is that of this process, all threads, and of the servers; a detection is the
bundled one on the bundled 720p clip, decoded, in memory, in the same run.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from benchmarks.durability import Reader, clip_work, run, street
from tests.hosting import Work
from tests.servers import services

from sightline.adapters.joined import JoinedStore
from sightline.adapters.kafka.connection import Connection
from sightline.adapters.kafka.log import KafkaLog
from sightline.adapters.kafka.members import KafkaMembers
from sightline.adapters.kafka.topics import TopicSettings, create, plan
from sightline.events import Codecs, native
from sightline.jobs.recipe import Recipe, job_of
from sightline.jobs.requests import event_of
from sightline.jobs.topology import Topology, partition_of, topics_of
from sightline.ports import TERMINAL, Job, Outgoing
from sightline.runtime.host import Host, World
from sightline.testing import MemoryObjects, MemoryStore, ScriptedDetector, scripted_recipe
from sightline.vision.bytetrack import TrackerSettings

GROUPS = ("cars", "people")
ALONE = TopicSettings(replication=1, min_insync=1)
TICKS = os.sysconf("SC_CLK_TCK")
CODECS: Codecs = native
Joined = TypeVar("Joined", bound=JoinedStore)


def cpu_of(pids: Sequence[int]) -> float:
    """Seconds of CPU of processes and of their children, those that have ended too."""
    total = 0
    for pid in [*pids, *(child for each in pids for child in children(each))]:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += sum(map(int, fields[11:15] if pid in pids else fields[11:13]))
    return total / TICKS


def children(pid: int) -> list[int]:
    return list(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


class Places:
    """Topics, tables and groups of one measurement."""

    def __init__(self, servers: dict[str, Any], ledger: str, name: str, partitions: int) -> None:
        self._servers, self._ledger, self._name, self._partitions = servers, ledger, name, partitions
        mine = {stream: f"{name}-{topic}" for stream, topic in topics_of(GROUPS, tracked=True).items()}
        self.topics = mine
        self.topology = Topology.of(mine, partitions, jobs=f"{name}-jobs", gather=partitions)
        self.connection = Connection(servers["kafka"]["bootstrap"], client=name)
        wanted = {topic: count for _, topic, count in self.topology.reads()}
        create(self.connection, plan(wanted, ALONE, reports=f"{name}-reports"))

    def recipe(self, job_id: str, frames: int) -> Recipe:
        made = scripted_recipe(job_id, frames, tracker=TrackerSettings(), topics=self.topics)
        route = msgspec.structs.replace(
            made.route,
            frame_partitions=self._partitions,
            partition=partition_of(job_id, self._partitions),
            prefix=f"{job_id}/",
        )
        return msgspec.structs.replace(made, route=route)

    @contextmanager
    def store(self, make: type[Joined] = JoinedStore) -> Iterator[Joined]:  # type: ignore[assignment]
        with closing(
            make(KafkaLog(self.connection, settles=False), self._documents(), self._addressed)
        ) as made:
            yield made

    def members(self) -> KafkaMembers:
        roles = ("feed", "detect", "track", "stats", "collect", "publish", "relay")
        return KafkaMembers(
            self.connection,
            {role: f"{self._name}-{role}" for role in roles},
            reports=f"{self._name}-reports",
        )

    def _documents(self) -> Any:
        url = self._servers[self._ledger]["url"]
        if self._ledger == "mongo":
            from sightline.adapters.mongo.store import MongoStore
            from sightline.adapters.mongo.versions import migrate as lead

            lead(url, self._name, runner_database=f"{self._name}-runner")
            return MongoStore(url, self._name, runner_database=f"{self._name}-runner")
        from sightline.adapters.postgres.store import PostgresStore
        from sightline.adapters.postgres.versions import migrate

        schema = self._name.replace("-", "_")
        migrate(url, schema)
        return PostgresStore(url, schema)

    def _addressed(self, event: Outgoing, job: Job) -> Outgoing:
        return Outgoing(
            self.topology.jobs, partition_of(job.job_id, self._partitions), event.key, event.value
        )


def worked(world: World, recipes: Sequence[Recipe]) -> tuple[float, float]:
    """Seconds and CPU seconds of this process that the jobs take, from the first to the last result."""
    frames = recipes[0].sampled
    work = Work(recipes[0], ScriptedDetector(street), lambda: Reader(frames))
    shared = world.members is not None
    host = Host(work.tools(), 2, alone=False, listen=world.store.wait)
    host.add(world)
    stop, began = threading.Event(), [0.0, 0.0]

    def begin() -> None:
        if shared:
            while len(world.members.owned() if world.members else ()) < owned(world.topology):
                time.sleep(0.05)
        began[:] = time.perf_counter(), time.process_time()
        for recipe in recipes:
            job = job_of(recipe)
            world.store.create(job, [event_of(job)])
        while any(world.store.get(recipe.job_id).state not in TERMINAL for recipe in recipes):
            time.sleep(0.05)
        stop.set()

    watching = threading.Thread(target=begin)
    watching.start()
    host.run(lambda: stop.is_set() or host.error(world) is not None, lambda: False)
    took = time.perf_counter() - began[0], time.process_time() - began[1]
    error = host.error(world)
    host.remove(world)
    watching.join()
    if error is not None:
        raise error
    assert all(world.store.get(recipe.job_id).state == "ready" for recipe in recipes)
    return took


def owned(topology: Topology) -> int:
    """Partitions that a process owns which is alone."""
    return sum(count for _, _, count in topology.reads()) + 2 * topology.gather


def measure(places: Places, pids: Sequence[int], jobs: int, frames: int) -> None:
    recipes = [places.recipe(f"job-{number}", frames) for number in range(jobs)]
    _, alone = worked(
        World(MemoryStore(), MemoryObjects(), Topology.of(places.topics, 1)),
        [
            msgspec.structs.replace(
                each, route=msgspec.structs.replace(each.route, partition=0, frame_partitions=1)
            )
            for each in recipes
        ],
    )
    with places.store() as store:
        members = places.members()
        try:
            world = World(
                store,
                MemoryObjects(),
                places.topology,
                members=members,
                outbox=store.outbox,
                codecs=CODECS,
                waits=lambda error: print(f"  waits: {error.message}"),
            )
            before = cpu_of(pids)
            wall, mine = worked(world, recipes)
            servers = cpu_of(pids) - before
        finally:
            members.close()
    total = jobs * frames
    records = total * (1 + 3 * len(GROUPS))
    per = 1000 / total
    print(
        f"  {jobs:4} jobs of {frames:5} frames: {records / wall:7,.0f} records/s, {total / wall:6,.0f} frames/s; CPU ms a frame: "
        f"in memory {alone * per:.2f}, with the plane {mine * per:.2f} and {servers * per:.2f} in the servers"
    )


def detection(end_s: int) -> float:
    """CPU ms of a frame of the bundled clip, by the bundled detector, in memory."""
    with clip_work(end_s) as (make, frames):
        run(make(MemoryStore(), MemoryObjects()))  # warms up
        began = time.process_time()
        run(make(MemoryStore(), MemoryObjects()))
        return (time.process_time() - began) / frames * 1000


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frames", type=int, default=3000, help="of all jobs together")
    parser.add_argument("--jobs", default="1,4,16")
    parser.add_argument("--partitions", default="1,8")
    parser.add_argument("--ledger", choices=("postgres", "mongo"), default="postgres")
    parser.add_argument("--end", type=int, default=4, help="seconds of the clip")
    asked = parser.parse_args()
    print(f"a frame of the bundled clip, detected, in memory: {detection(asked.end):.1f} CPU ms")
    with tempfile.TemporaryDirectory(prefix="plane-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        names = ("kafka", asked.ledger)
        servers = {each: services.start(each, folder) for each in names}
        pids = [int(servers[each]["pid"]) for each in names]
        try:
            for partitions in map(int, asked.partitions.split(",")):
                print(f"{partitions} partitions")
                for jobs in map(int, asked.jobs.split(",")):
                    places = Places(servers, asked.ledger, f"p{partitions}-j{jobs}", partitions)
                    measure(places, pids, jobs, asked.frames // jobs)
        finally:
            for each in names:
                services.stop(each, folder)


if __name__ == "__main__":
    main()
