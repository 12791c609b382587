"""What durability costs: CPU of log, ledger and segments, sizes over a long job, memory, time to recover.

    python -m benchmarks.durability [--rounds 5] [--frames 36000] [--clip-end 10] [--only cpu,track,long,recover]
        [--objects 12]

`cpu`      a job whose pictures and detections cost nothing, in memory and over SQLite and files, in turn.
`track`    the bundled 720p clip with the bundled detector, the same two ways.
`long`     one job of so many frames, ten hours at one a second: what lies on the disk and in memory meanwhile.
`recover`  such a job is killed by SIGKILL: how long until its successor commits.

CPU is that of the process, all threads; medians, lowest and highest of the rounds.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

import apsw
import numpy as np
from tests.hosting import Work, run_job

from sightline.adapters.files.objects import FolderObjects
from sightline.adapters.sqlite.store import SqliteStore
from sightline.app.single import Begun, Single
from sightline.runtime.host import Tools
from sightline.testing import (
    MemoryObjects,
    MemoryStore,
    ScriptedDetector,
    ScriptedReader,
    scripted_recipe,
)
from sightline.types import Detections
from sightline.vision.bytetrack import TrackerSettings

MIB = 2**20


def street(number: int, objects: int = 12) -> Detections:
    """Objects that drive and walk through the picture, one after the other."""
    i = np.arange(objects)
    across = (number * (2 + i % 3) + 97 * i) % 1200
    left, top = across.astype(float), 40.0 * i + 20
    boxes = np.column_stack([left, top, left + 70, top + 36])
    return Detections(boxes, 0.9 - 0.01 * i, i % 2)


class Reader(ScriptedReader):
    """A scripted reader that does not remember what it read."""

    def read(self, *args: Any) -> Iterator[Any]:
        """See `FrameReader`."""
        for decoded in super().read(*args):
            self.decoded.clear()
            yield decoded


def scripted(frames: int, store: Any, objects: Any, seen: int = 12) -> Work:
    """A job whose pictures and detections cost next to nothing; its formats are those of the pipeline."""
    recipe = scripted_recipe("j", frames, tracker=TrackerSettings())
    detector = ScriptedDetector(lambda number: street(number, seen))
    return Work(recipe, detector, lambda: Reader(frames), store, objects, workers=2)


def run(work: Work) -> None:
    job = run_job(work)
    assert job.state == "ready", job


class Timed:
    """A port that counts its calls and the CPU that they take in the thread that calls."""

    def __init__(self, port: Any) -> None:
        self._port = port
        self._lock = threading.Lock()
        self.calls: Counter[str] = Counter()
        self.cpu_s = 0.0

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            began = time.thread_time()
            try:
                return method(*args, **kwargs)
            finally:
                used = time.thread_time() - began
                with self._lock:
                    self.cpu_s += used
                    self.calls[name] += 1

        return call


@contextmanager
def on_disk() -> Iterator[tuple[Timed, Timed, Path]]:
    """A store and objects as `track` has them, below the working folder."""
    with tempfile.TemporaryDirectory(dir=".") as name:
        folder = Path(name)
        store = SqliteStore(folder / "store.sqlite", synchronous="NORMAL")
        try:
            yield Timed(store), Timed(FolderObjects(folder / "files")), folder
        finally:
            store.close()


def spread(values: list[float], digits: int = 3) -> str:
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


@dataclass
class Compared:
    """CPU ms a frame in memory and on disk, in turn; of the latter the part inside the ports; the last store."""

    memory: list[float]
    disk: list[float]
    inside: list[float]
    store: Timed
    wall_s: float


def in_turn(make: Callable[[Any, Any], Work], frames: int, rounds: int) -> Compared:
    seen = Compared([], [], [], Timed(None), 0.0)
    for number in range(rounds + 1):  # the first round warms up
        began = time.process_time()
        run(make(MemoryStore(), MemoryObjects()))
        memory = time.process_time() - began
        with on_disk() as (store, objects, _):
            began, clock = time.process_time(), time.perf_counter()
            run(make(store, objects))
            store.flush()
            disk = time.process_time() - began
            seen.store, seen.wall_s = store, time.perf_counter() - clock
        if number:
            seen.memory.append(memory / frames * 1000)
            seen.disk.append(disk / frames * 1000)
            seen.inside.append((store.cpu_s + objects.cpu_s) / frames * 1000)
    return seen


def compare(name: str, make: Callable[[Any, Any], Work], frames: int, rounds: int) -> None:
    seen = in_turn(make, frames, rounds)
    more = [on - off for on, off in zip(seen.disk, seen.memory, strict=True)]
    share = [100 * part / whole for part, whole in zip(seen.inside, seen.disk, strict=True)]
    writes = sum(seen.store.calls[name] for name in ("commit", "append"))
    print(f"{name}, {frames} frames, {rounds} rounds; CPU ms a frame")
    print(f"  in memory                      {spread(seen.memory)}")
    print(f"  SQLite and files               {spread(seen.disk)}")
    print(f"  more                           {spread(more)}")
    print(f"  inside log, ledger and files   {spread(seen.inside)}, {spread(share, 1)} % of the whole")
    print(
        f"  {seen.store.calls['commit'] / frames:.2f} commits, {seen.store.calls['append'] / frames:.2f} appends, "
        f"{seen.store.calls['read'] / frames:.2f} reads a frame; {writes / seen.wall_s:,.0f} transactions/s, "
        f"{frames / seen.wall_s:,.0f} frames/s"
    )


def cpu(rounds: int) -> None:
    name = "cpu: scripted detections, 12 boxes each"
    compare(name, lambda s, o: scripted(3000, s, o), 3000, rounds)


def track(rounds: int, end_s: int) -> None:
    with clip_work(end_s) as (make, frames):
        compare("track: the bundled 720p clip, bundled detector", make, frames, rounds)


def _nobody(single: Single) -> Begun:
    raise AssertionError("no video is drawn here")


@contextmanager
def clip_work(end_s: int) -> Iterator[tuple[Callable[[Any, Any], Work], int]]:
    """How `track` would run the bundled clip, but for the store."""
    from sightline import pipeline
    from sightline.app.tools import tools_of
    from sightline.settings import TrackOptions
    from sightline.sources.detectors import Detectors, resolve_pipeline
    from sightline.sources.identify import Span, identify
    from sightline.sources.named import expand
    from sightline.sources.opening import Ready
    from sightline.sources.probe import probe
    from sightline.telemetry import NULL

    options = TrackOptions(model="sightline-tiny", precision="f32")
    resolved, model = resolve_pipeline(pipeline.load(options.pipeline), options, "track")
    detectors = Detectors(model, resolved, options, 2)
    with resources.as_file(resources.files("sightline") / "demo" / "street.mp4") as path:
        (source,), _ = expand([path])
        probed = probe(source, None)
        detector = detectors.at(probed.index.width, probed.index.height)
        recipe = identify(probed, resolved, detector.info, Span(end_us=end_s * 1_000_000))
        single = Single(Ready(probed, recipe, detectors), options, Path(), 2, "track")
        tools = tools_of(lambda recipe: single, _nobody, NULL)

        class ClipWork(Work):
            def tools(self) -> Tools:
                return tools

        def make(store: Any, objects: Any) -> Work:
            return ClipWork(recipe, detector, lambda: tools.reader(recipe), store, objects, workers=2)

        try:
            yield make, recipe.sampled
        finally:
            detectors.close()


@dataclass
class Sizes:
    """Bytes on disk and in memory at a moment."""

    wal: int
    database: int
    files: int
    memory: int


def sizes(folder: Path) -> Sizes:
    def size(path: Path) -> int:
        try:
            return path.stat().st_size
        except FileNotFoundError:
            return 0

    pages = int(Path("/proc/self/statm").read_text().split()[1])
    files = sum(size(path) for path in (folder / "files").rglob("*") if path.is_file())
    return Sizes(
        size(folder / "store.sqlite-wal"),
        size(folder / "store.sqlite"),
        files,
        pages * os.sysconf("SC_PAGE_SIZE"),
    )


def _peak() -> int:
    """The most memory that this process ever held, bytes; publishing included."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def long(frames: int, boxes: int) -> None:
    seen: list[tuple[int, Sizes]] = []
    with on_disk() as (store, objects, folder):
        work = scripted(frames, store, objects, boxes)

        def progress(done: int, total: int) -> None:
            if not seen or done - seen[-1][0] >= total // 100:
                seen.append((done, sizes(folder)))

        began, clock = time.process_time(), time.perf_counter()
        run_job(work, progress=progress)
        wall, used = time.perf_counter() - clock, time.process_time() - began
        end = sizes(folder)
    print(
        f"long: {frames} frames of {boxes} boxes, {frames / 3600:.1f} hours at 1 fps, in {wall:.0f} s, {used / frames * 1000:.2f} CPU ms a frame"
    )
    print("  at frame     WAL MiB  database MiB  files MiB  memory MiB")
    for i in sorted({len(seen) * tenth // 10 for tenth in (1, 3, 5, 7, 9)} | {len(seen) - 1}):
        done, at = seen[i]
        print(
            f"  {done:9}  {at.wal / MIB:10.1f}  {at.database / MIB:12.1f}  {at.files / MIB:9.1f}  {at.memory / MIB:10.0f}"
        )
    print(
        f"  largest WAL {max(at.wal for _, at in seen) / MIB:.1f} MiB, database {max(at.database for _, at in seen) / MIB:.1f} MiB; "
        f"published {end.files / MIB:.1f} MiB; memory at most {_peak() / MIB:.0f} MiB"
    )


def child(folder: Path, frames: int) -> None:
    store = SqliteStore(folder / "store.sqlite", synchronous="NORMAL")
    run(scripted(frames, store, FolderObjects(folder / "files")))


def recover(frames: int, rounds: int) -> None:
    opened, committed, wal = [], [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(dir=".") as name:
            folder = Path(name)
            command = [
                sys.executable,
                "-m",
                "benchmarks.durability",
                "--child",
                name,
                "--frames",
                str(frames),
            ]
            with subprocess.Popen(command) as process:
                while process.poll() is None and sizes(folder).wal < 12 * MIB:
                    time.sleep(0.01)
                time.sleep(0.2)
                process.send_signal(signal.SIGKILL)
            wal.append(sizes(folder).wal / MIB)
            began = time.perf_counter()
            store = SqliteStore(folder / "store.sqlite", synchronous="NORMAL")
            before = sum(store.progress("j").values())
            opened.append(time.perf_counter() - began)
            stop = threading.Event()

            def progress(
                done: int,
                total: int,
                store: Any = store,
                before: int = before,
                began: float = began,
                stop: Any = stop,
            ) -> None:
                if sum(store.progress("j").values()) > before and not stop.is_set():
                    committed.append(time.perf_counter() - began)
                    stop.set()

            work = replace(scripted(frames, store, FolderObjects(folder / "files")), killed=True)
            try:
                run_job(work, stop, progress)
            except KeyboardInterrupt:
                store.close()
    print(f"recover: killed with a WAL of {spread(wal, 1)} MiB; seconds")
    print(f"  file open and read      {spread(opened)}")
    print(f"  first progress seen     {spread(committed)} (looked for every 0.1 s)")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--frames", type=int, default=36_000)
    parser.add_argument("--clip-end", type=int, default=10)
    parser.add_argument("--only", default="cpu,track,long,recover")
    parser.add_argument("--objects", type=int, default=12)
    parser.add_argument("--child", type=Path)
    args = parser.parse_args()
    if args.child is not None:
        child(args.child, args.frames)
        return
    usage = shutil.disk_usage(".")
    print(
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}, "
        f"SQLite {apsw.sqlite_lib_version()}, {usage.free // 2**30} GiB free\n"
    )
    wanted = args.only.split(",")
    parts: dict[str, Callable[[], None]] = {
        "cpu": lambda: cpu(args.rounds),
        "track": lambda: track(args.rounds, args.clip_end),
        "recover": lambda: recover(args.frames, args.rounds),
        "long": lambda: long(args.frames, args.objects),
    }
    for name, part in parts.items():
        if name in wanted:
            part()
            print(flush=True)


if __name__ == "__main__":
    main()
