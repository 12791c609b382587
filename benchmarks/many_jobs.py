"""What a store of thousands of jobs costs: questions, waiting for another process, and an idle process.

    python benchmarks/many_jobs.py [--jobs 10000] [--seconds 3]

Fails where a question takes longer than 2 ms, or an idle process more than 2 % of a core.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from sightline.adapters.sqlite.store import SqliteStore
from sightline.ports import Job, Outgoing, Which
from sightline.runtime.supervise import supervise
from sightline.runtime.worker import FoldWorker
from sightline.testing import MemoryObjects

LIMIT_MS, IDLE_SHARE = 2.0, 0.02
STREAMS = tuple(
    f"{kind}:{group}" for group in ("cars", "people") for kind in ("detections", "tracks", "totals")
)
FACTS = {"frames": 300, "run_key": "0" * 64, "model": "yolox-nano", "streams": list(STREAMS), "rate": 25.0}
WAITING = Which(states=("predictable",), oldest_first=True)
WRITE = """
import sys, time
from pathlib import Path
from sightline.adapters.sqlite.store import SqliteStore
from sightline.ports import Outgoing
store = SqliteStore(Path(sys.argv[1]), synchronous="NORMAL")
for _ in range(int(sys.argv[2])):
    time.sleep(0.11)
    store.append([Outgoing("t", 0, "j", repr(time.time()).encode())])
"""


def filled(path: Path, jobs: int) -> SqliteStore:
    """Jobs that have ended, of ten owners, and four that run."""
    store = SqliteStore(path, synchronous="NORMAL")
    for number in range(jobs + 4):
        made = Job(f"j{number}", f"v{number}", number, owner=f"o{number % 10}")
        store.create(made, [])
        store.advance(made.job_id, "processing", facts=FACTS)
        if number < jobs:
            store.advance(made.job_id, "failed" if number % 20 == 0 else "ready", result={"run": "a" * 64})
    return store


def median_ms(ask: Callable[[], object], rounds: int = 50) -> float:
    """Of several times, in milliseconds."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        ask()
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1e3


def questions(store: SqliteStore) -> dict[str, Callable[[], object]]:
    """What page, API and workers ask all the time."""
    cursor = store.list().cursor
    return {
        "list, 50 newest": store.list,
        "list, second page": lambda: store.list(after=cursor),
        "list, predictable": lambda: store.list(WAITING),
        "list, failed of an owner": lambda: store.list(Which(states=("failed",), owner="o0")),
        "list, of a video": lambda: store.list(Which(video_id="v77")),
        "counts": store.counts,
        "counts of an owner": lambda: store.counts("o3"),
        "get": lambda: store.get("j77"),
    }


def idle_share(store: SqliteStore, workers: int, seconds: float, *, listens: bool) -> float:
    """CPU of a process whose workers have nothing to do, as a share of one core."""
    objects = MemoryObjects()
    folds = [
        FoldWorker(
            "collect",
            f"t{n}",
            0,
            lambda job, stream: None,
            log=store,
            ledger=store,
            jobs=store,
            objects=objects,
        )
        for n in range(workers)
    ]
    for fold in folds:
        fold.step()
    groups = [[fold.step for fold in folds[n::4]] for n in range(4)]
    over = threading.Event()
    threading.Timer(seconds, over.set).start()
    began, used = time.perf_counter(), time.process_time()
    if listens:
        supervise(groups, over.is_set, idle_s=1.0, listen=store.wait)
    else:
        supervise(groups, over.is_set, idle_s=0.05)
    return (time.process_time() - used) / (time.perf_counter() - began)


def delays_ms(store: SqliteStore, path: Path, records: int = 20) -> list[float]:
    """How long after another process wrote a record this one has read it."""
    found: list[float] = []
    at, seen = store.head("t", 0)[1], store.wait(0, 0.0)
    with subprocess.Popen([sys.executable, "-c", WRITE, path, str(records)]):
        while len(found) < records:
            seen = store.wait(seen, 10.0)
            for entry in store.read("t", 0, at, 10):
                found.append((time.time() - float(entry.value)) * 1e3)
                at = entry.offset + 1
    return found


def main() -> int:
    """Print a table; 1 where a limit is passed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=3.0)
    args = parser.parse_args()
    passed = True
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.sqlite"
        few, store = filled(Path(folder) / "few.sqlite", 100), filled(path, args.jobs)
        print(f"| question | 100 jobs, ms | {args.jobs:,} jobs, ms |\n|---|---:|---:|")
        for (name, ask_few), ask in zip(questions(few).items(), questions(store).values(), strict=True):
            taken = median_ms(ask)
            passed &= taken < LIMIT_MS
            print(f"| {name} | {median_ms(ask_few):.2f} | {taken:.2f} |")
        print("\n| idle process | CPU, % of a core |\n|---|---:|")
        for workers in (12, 40):
            share = idle_share(store, workers, args.seconds, listens=True)
            passed &= share < IDLE_SHARE
            asking = idle_share(store, workers, args.seconds, listens=False)
            print(f"| {workers} workers, listening | {share * 100:.2f} |")
            print(f"| {workers} workers, asking every 50 ms | {asking * 100:.2f} |")
        store.append([Outgoing("t", 0, "j", repr(time.time()).encode())])
        delays = sorted(delays_ms(store, path))
        print(
            f"\nfrom another process to here: {statistics.median(delays):.0f} ms, at most {delays[-1]:.0f} ms"
        )
        few.close()
        store.close()
    print("within the limits" if passed else "over a limit")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
