"""How fast the SQLite file is: appends, stage commits, reads, beside the flushes that the disk can do.

    python benchmarks/log.py [--seconds 1.0] [--rounds 3]

Each figure is the median of the rounds, with the lowest and the highest. Threads measure how many commits share a
transaction: `Database.write` takes along whoever waits.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import apsw

from sightline.adapters.sqlite.file import Synchronous
from sightline.adapters.sqlite.store import SqliteStore
from sightline.ports import Commit, Job, Outgoing, Saved

RECORD = Outgoing("t", 0, "00000000-0000-0000-0000-000000000000", bytes(300))
STATE = os.urandom(20_000)
Step = Callable[[], int]


def per_second(make: Callable[[Path], list[Step]], seconds: float, rounds: int) -> tuple[float, float, float]:
    """Median, lowest and highest of what the steps of all threads did in a second."""
    rates = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(dir=".") as folder:
            steps = make(Path(folder))
            counts = [0] * len(steps)
            stop = time.perf_counter() + seconds

            def loop(i: int, step: Step, counts: list[int] = counts, stop: float = stop) -> None:
                while time.perf_counter() < stop:
                    counts[i] += step()

            threads = [threading.Thread(target=loop, args=(i, step)) for i, step in enumerate(steps)]
            start = time.perf_counter()
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            rates.append(sum(counts) / (time.perf_counter() - start))
    return statistics.median(rates), min(rates), max(rates)


def flushes(folder: Path) -> list[Step]:
    """The disk alone: write 20 kB, flush."""
    handle = os.open(folder / "plain", os.O_CREAT | os.O_WRONLY)

    def step() -> int:
        os.pwrite(handle, STATE, 0)
        os.fdatasync(handle)
        return 1

    return [step]


def appends(synchronous: Synchronous, batch: int) -> Callable[[Path], list[Step]]:
    """Records in batches."""

    def make(folder: Path) -> list[Step]:
        store = SqliteStore(folder / "log.sqlite", synchronous=synchronous)
        records = [RECORD] * batch

        def step() -> int:
            store.append(records)
            return batch

        return [step]

    return make


def commits(synchronous: Synchronous, threads: int) -> Callable[[Path], list[Step]]:
    """Stage commits: 20 kB of state, eight outputs and a position, of stages that run side by side."""

    def make(folder: Path) -> list[Step]:
        store = SqliteStore(folder / "ledger.sqlite", synchronous=synchronous)
        store.create(Job("j", "v", 0, facts={"streams": ["s"]}), [])

        def worker(stage: str) -> Step:
            at = store.claim(stage, "t", 0)

            def step() -> int:
                nonlocal at
                commit = Commit(at, at.low_water + 8, "j", "s", Saved(at.low_water, STATE), (RECORD,) * 8)
                at, _ = store.commit(commit)
                return 1

            return step

        return [worker(f"stage{i}") for i in range(threads)]

    return make


def reads(folder: Path) -> list[Step]:
    """Records read in batches of 256."""
    store = SqliteStore(folder / "log.sqlite", synchronous="NORMAL")
    for _ in range(200):
        store.append([RECORD] * 256)
    offset = 0

    def step() -> int:
        nonlocal offset
        found = store.read("t", 0, offset, 256)
        offset = found[-1].offset + 1 if found[-1].offset + 1 < 200 * 256 else 0
        return len(found)

    return [step]


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}, SQLite {apsw.sqlite_lib_version()}\n")
    print("| what | per second | lowest | highest |")
    print("|---|---:|---:|---:|")
    rows: list[tuple[str, Callable[[Path], list[Step]]]] = [("flush of 20 kB, the disk alone", flushes)]
    modes: tuple[Synchronous, ...] = ("NORMAL", "FULL")
    for mode in modes:
        rows += [(f"records, {batch} an append, {mode}", appends(mode, batch)) for batch in (1, 100, 1000)]
        rows += [(f"stage commits, {threads} threads, {mode}", commits(mode, threads)) for threads in (1, 6)]
    rows.append(("records read, 256 at once", reads))
    for name, make in rows:
        median, low, high = per_second(make, args.seconds, args.rounds)
        print(f"| {name} | {median:,.0f} | {low:,.0f} | {high:,.0f} |", flush=True)


if __name__ == "__main__":
    main()
