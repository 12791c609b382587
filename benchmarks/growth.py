"""How a cluster grows with its workers: processes that each do every stage, with a detector that only waits.

    python -m benchmarks.growth [--workers 1,2,4] [--jobs 8] [--frames 400] [--ms 20] [--ledger postgres]

Over Kafka and the ledger, both on this machine. Waiting stands for a detector that is not on these cores, so that the plane is what
is measured; where all cores are busy with the plane itself, that is said by its share of them.
"""

from __future__ import annotations

import argparse
import multiprocessing as mp
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.durability import Reader, street
from benchmarks.plane import Places, cpu_of, owned
from tests.hosting import Work
from tests.servers import services

from sightline.adapters.files.objects import FolderObjects
from sightline.adapters.joined import JoinedStore
from sightline.jobs.recipe import job_of
from sightline.jobs.requests import event_of
from sightline.ports import TERMINAL, Commit, Position
from sightline.runtime.host import Host, World
from sightline.testing import ScriptedDetector
from sightline.types import Detections

SPAWN = mp.get_context("spawn")


class Counting(JoinedStore):
    """Counts what it commits."""

    commits = 0

    def commit(self, commit: Commit) -> tuple[Position, bool]:
        """See `Ledger`."""
        self.commits += 1
        return super().commit(commit)


def work(
    places: Places,
    objects: str,
    frames: int,
    seconds: float,
    workers: int,
    owns: Any,
    commits: Any,
    stop: Any,
) -> None:
    """A process: every stage, one thread that detects."""

    def detect(number: int) -> Detections:
        time.sleep(seconds)
        return street(number)

    with places.store(Counting) as store:
        members = places.members()
        world = World(
            store, FolderObjects(Path(objects)), places.topology, members=members, outbox=store.outbox
        )
        tools = Work(places.recipe("any", frames), ScriptedDetector(detect), lambda: Reader(frames)).tools()
        host = Host(tools, 1, alone=False, listen=store.wait, elsewhere=workers - 1)
        host.add(world)

        def ended() -> bool:
            owns.value, commits.value = len(members.owned()), store.commits
            return bool(stop.is_set()) or host.error(world) is not None

        try:
            host.run(ended, lambda: False)
            error = host.error(world)
            host.remove(world)
        finally:
            members.close()
        if error is not None:
            raise error


def measure(places: Places, pids: list[int], folder: Path, asked: argparse.Namespace, workers: int) -> float:
    """Frames per second."""
    stop = SPAWN.Event()
    owns, commits = ([SPAWN.Value("q", 0) for _ in range(workers)] for _ in range(2))
    crew = [
        SPAWN.Process(
            target=work,
            args=(places, str(folder), asked.frames, asked.ms / 1000, workers, owns[i], commits[i], stop),
        )
        for i in range(workers)
    ]
    with places.store() as store:
        for each in crew:
            each.start()
        while sum(each.value for each in owns) != owned(places.topology) or not all(
            each.value for each in owns
        ):
            assert all(each.is_alive() for each in crew)
            time.sleep(0.1)
        mine = [each.pid or 0 for each in crew]
        began, before, server = time.perf_counter(), cpu_of(mine), cpu_of(pids)
        jobs = [job_of(places.recipe(f"job-{number}", asked.frames)) for number in range(asked.jobs)]
        for job in jobs:
            store.create(job, [event_of(job)])
        while any(store.get(job.job_id).state not in TERMINAL for job in jobs):
            assert all(each.is_alive() for each in crew)
            time.sleep(0.05)
        took = time.perf_counter() - began
        busy = (cpu_of(mine) - before + cpu_of(pids) - server) / (took * (os.cpu_count() or 1))
        assert all(store.get(job.job_id).state == "ready" for job in jobs)
        time.sleep(0.2)
        made = sum(each.value for each in commits)
    stop.set()
    for each in crew:
        each.join()
        assert each.exitcode == 0
    rate = asked.jobs * asked.frames / took
    print(
        f"  {workers:2} workers: {rate:6.1f} frames/s, {100 * rate * asked.ms / 1000 / workers:3.0f} % of what the waiting allows; "
        f"{made / took:5.1f} commits/s of the ledger; cores {100 * busy:3.0f} % busy",
        flush=True,
    )
    return rate


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--workers", default="1,2,4")
    parser.add_argument("--jobs", type=int, default=8)
    parser.add_argument("--frames", type=int, default=400, help="of each job")
    parser.add_argument("--ms", type=float, default=20, help="that a detection takes")
    parser.add_argument("--ledger", choices=("postgres", "mongo"), default="postgres")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="growth-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        names = ("kafka", asked.ledger)
        servers = {each: services.start(each, folder) for each in names}
        pids = [int(servers[each]["pid"]) for each in names]
        try:
            print(f"{asked.jobs} jobs of {asked.frames} frames, {asked.ms:g} ms a detection, {asked.ledger}")
            rates = {}
            for workers in map(int, asked.workers.split(",")):
                places = Places(servers, asked.ledger, f"w{workers}", 8)
                rates[workers] = measure(places, pids, folder / f"objects-{workers}", asked, workers)
            least = min(rates)
            print(
                "; ".join(f"{n} workers {rate / rates[least]:.2f} times {least}" for n, rate in rates.items())
            )
        finally:
            for each in names:
                services.stop(each, folder)


if __name__ == "__main__":
    main()
