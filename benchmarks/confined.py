"""What a confined decoder costs: milliseconds a frame more than in this process, start of a child, its memory.

    python benchmarks/confined.py [VIDEO]

Without an argument the demo clip. Both read the same frames at a model's size, in turn, in the same run; processor time
of both processes counts, and the minimum over rounds. Exits with 1 where a frame costs 0.3 ms more, or pixels differ.
"""

import os
import resource
import sys
import time
import zlib
from pathlib import Path

import numpy as np

import sightline
from sightline.adapters.confined.levels import levels
from sightline.adapters.confined.reader import ConfinedReader
from sightline.adapters.video.file import OWN_FILES
from sightline.adapters.video.reader import VideoReader
from sightline.types import ImageSpec
from sightline.vision.sampling import chunks

DEMO = Path(sightline.__file__).parent / "demo" / "street.mp4"
SPEC = ImageSpec(640, 384, "i420")
ROUNDS = 8
FRAMES = 600
LIMIT_MS = 0.3
TICKS = os.sysconf("SC_CLK_TCK")


def spent(child: int | None) -> float:
    """Seconds of processor time of this process and a child, by the kernel's finest clock."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    seconds = own.ru_utime + own.ru_stime
    if child is not None:
        seconds += int(Path(f"/proc/{child}/schedstat").read_text().split()[0]) / 1e9
    return seconds


def read(reader, index) -> tuple[float, float, int, int]:
    """Processor and wall milliseconds a frame, frames, checksum of all pixels."""
    out = np.empty(SPEC.shape(), np.uint8)
    list(reader.read(chunks(index)[0], [0], [int(index.tick[0])], lambda: out))  # opened, warm
    child = getattr(reader, "child", None)
    before, began, count, checksum = spent(child), time.perf_counter(), 0, 0
    for chunk in chunks(index):
        rows = range(chunk.first, min(chunk.end, FRAMES))
        if not rows:
            break
        for found in reader.read(chunk, rows, index.tick[list(rows)].tolist(), lambda: out):
            count += 1
            checksum = zlib.crc32(found.buffer, checksum)
    wall = time.perf_counter() - began
    return (spent(child) - before) / count * 1e3, wall / count * 1e3, count, checksum


def memory_mb(child: int) -> float:
    """The most that a process had in memory."""
    lines = Path(f"/proc/{child}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def started(path: Path) -> tuple[float, float]:
    """Seconds from nothing to the index, of which the index."""
    reader, began = ConfinedReader(path, SPEC, limits=OWN_FILES), time.perf_counter()
    reader.index()
    until_index = time.perf_counter() - began
    reader.close()
    began = time.perf_counter()
    VideoReader(path, SPEC).index()
    return until_index, time.perf_counter() - began


def main() -> int:
    """Measure, print, judge."""
    path = Path(sys.argv[1]) if sys.argv[1:] else DEMO
    index = VideoReader(path, SPEC).index()
    print(
        f"{path.name}, {SPEC.width}x{SPEC.height} {SPEC.layout}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    )
    print(f"confined by: {levels()}")
    own, confined, memory = [], [], 0.0
    for _ in range(ROUNDS):
        reader = VideoReader(path, SPEC, index=index)
        own.append(read(reader, index))
        reader.close()
        reader = ConfinedReader(path, SPEC, index=index, limits=OWN_FILES)
        confined.append(read(reader, index))
        memory = max(memory, memory_mb(reader.child))
        reader.close()
    (own_ms, own_wall), (child_ms, child_wall) = (
        (min(cpu for cpu, *_ in rounds), min(wall for _, wall, *_ in rounds)) for rounds in (own, confined)
    )
    more, same = child_ms - own_ms, {each[2:] for each in own} == {each[2:] for each in confined}
    print(f"in this process  {own_ms:6.3f} CPU ms a frame, {own_wall:6.3f} ms on the clock")
    print(
        f"confined         {child_ms:6.3f} CPU ms a frame, {child_wall:6.3f} ms on the clock: {child_ms / own_ms:.2f} x"
    )
    print(
        f"more             {more:6.3f} CPU ms a frame (limit {LIMIT_MS}), pixels {'the same' if same else 'DIFFER'}"
    )
    starts = [started(path) for _ in range(ROUNDS)]
    print(
        f"start to index   {min(s for s, _ in starts):6.3f} s, of which index {min(i for _, i in starts):.3f} s"
    )
    print(f"memory of a child {memory:5.0f} MB")
    return 0 if more <= LIMIT_MS and same else 1


if __name__ == "__main__":
    sys.exit(main())
