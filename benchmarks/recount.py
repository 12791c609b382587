"""What it takes to count a line in a finished run of an hour: from anchors, and from segments as before there were any.

    python -m benchmarks.recount [--hours 1] [--tracks 20000] [--length 110] [--moves 50] [--keep FOLDER]

So many objects an hour drive through a picture of 640 x 360 at 25 frames a second, a row a frame each, in two groups. The
run folder holds what `track` leaves, but for text formats. Then, each in a process of its own that has imported everything:

`cold`    open the run and count; the pages of its files are given back to the system before.
`warm`    count again with the line somewhere else, `--moves` times, with bins of 15 minutes: median, least and most of the
          wall clock, median of the process' own time.
`memory`  how much more than before the process held at most: anonymous memory, and with mapped pages (RSS).

`everybody` is a line that every object crosses, `a lane` one that a few do. Publishing is timed in this process.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from sightline.counts import Line, Zone
from sightline.formats import segments
from sightline.formats.count_bins import bin_counts
from sightline.formats.segments import Kind, Segment
from sightline.formats.timeline import alone
from sightline.jobs.derived import facts_of
from sightline.jobs.files import manifest_of
from sightline.jobs.recipe import Recipe
from sightline.ports import Stat
from sightline.runs.load import load_result
from sightline.runs.opened import open_run
from sightline.runs.place import in_folder
from sightline.runs.recount import count_again
from sightline.stages.collect import SEGMENT, segment_key
from sightline.stages.publish import published_anchors, published_segments, result_of
from sightline.testing import ScriptedReader, scripted_recipe
from sightline.types import FrameTable, JobResult, TrackTable
from sightline.vision.bytetrack import TrackerSettings
from sightline.vision.counting import count_job

FPS, WIDTH, HEIGHT = 25, 640, 360
BIN_US = 15 * 60 * 1_000_000
MIB = 2**20
Shapes = tuple[Line | Zone, ...]
LINES: dict[str, Callable[[float], Shapes]] = {
    "everybody": lambda x: (Line("line", (0.4 + x / 5, 0.0), (0.4 + x / 5, 1.0)),),
    "a lane": lambda x: (Line("line", (0.4 + x / 5, 0.5), (0.4 + x / 5, 0.6)),),
    "four lines": lambda x: tuple(
        Line(f"line {k}", (k / 5 + x / 9, 0.0), (k / 5 + x / 9, 1.0)) for k in range(1, 5)
    ),
    "a zone": lambda x: (Zone("zone", ((0.3, 0.3), (0.5 + x / 5, 0.3), (0.5 + x / 5, 0.7), (0.3, 0.7))),),
}


def street(frames: int, tracks: int, length: int, seed: int) -> TrackTable:
    """Objects that drive from one side of the picture to the other, trembling by a pixel."""
    rng = np.random.default_rng(seed)
    step = np.arange(length)
    seq = np.sort(rng.integers(0, frames - length, tracks))[:, None] + step
    x = np.linspace(-10, WIDTH + 10, length) + rng.normal(0, 1, (tracks, length))
    x = np.where(rng.random((tracks, 1)) < 0.5, x, WIDTH - x)
    y = rng.uniform(40, HEIGHT, (tracks, 1)) + rng.normal(0, 1, (tracks, length))
    half = rng.uniform(8, 30, (tracks, 1))
    boxes = np.stack([x - half, y - 2 * half, x + half, y], axis=2).clip(0, [WIDTH, HEIGHT, WIDTH, HEIGHT])
    rows = tracks * length
    return TrackTable(
        seq.ravel(),
        np.repeat(np.arange(1, tracks + 1), length),
        np.full(rows, seed),
        np.rint(boxes.reshape(-1, 4) * 64) / 64,
        np.rint(rng.uniform(0.3, 1, rows) * 1e4) / 1e4,
        np.zeros(rows, np.uint8),
    ).sorted()


class Folder:
    """A run folder that is being written; sizes and seconds by what was written."""

    def __init__(self, root: Path) -> None:
        self.root, self.stored = root, dict[str, Stat]()

    def write(self, key: str, chunks: Sequence[bytes]) -> int:
        """Write a file; its size."""
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.writelines(chunks)
            file.flush()
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        self.stored[key] = Stat.of(chunks)
        return self.stored[key].size


def streams(
    recipe: Recipe, tables: dict[str, TrackTable], frames: FrameTable
) -> Iterator[tuple[str, list[bytes]]]:
    """The segments that `collect` would have written: detections, tracks, totals of each group."""
    for name, table in tables.items():
        found = replace(table, track_id=np.zeros(len(table), np.int64))
        yield f"detections:{name}", list(_segments("detections", found, frames))
        yield f"tracks:{name}", list(_segments("tracks", table, frames))
        yield f"totals:{name}", list(_segments("totals", None, frames))
    assert {f"totals:{name}" for name in tables} <= set(recipe.streams)


def _segments(kind: Kind, table: TrackTable | None, frames: FrameTable) -> Iterator[bytes]:
    for first in range(0, len(frames), SEGMENT):
        end = min(first + SEGMENT, len(frames))
        words = frames.outcome[first:end], frames.reason[first:end]
        part = FrameTable(frames.frame[first:end], frames.pts_us[first:end], *words)
        if table is None:
            zeros = np.zeros(end - first, np.int64)
            yield segments.encode(Segment(kind, first, part, None, zeros, zeros))
            continue
        low, high = np.searchsorted(table.seq, [first, end])
        yield segments.encode(Segment(kind, first, part, table[int(low) : int(high)]))


def made(root: Path, hours: float, tracks: int, length: int) -> None:
    """Write a run folder, and print what publishing tracks and anchors takes."""
    n = round(hours * 3600 * FPS)
    recipe = scripted_recipe("bench", n, tracker=TrackerSettings(), rate=str(FPS))
    index = ScriptedReader(n).index()
    frames = FrameTable(index.frame, index.pts_us, ("ok",) * n, ("",) * n)
    half = round(hours * tracks / 2)
    tables = {name: street(n, half, length, seed) for seed, name in enumerate(("cars", "people"))}
    folder = Folder(root)
    found = list(streams(recipe, tables, frames))
    for stream, blobs in found:
        for place, blob in enumerate(blobs):
            folder.write(segment_key("", stream, place * SEGMENT), [blob])
    result = result_of(facts_of(recipe), found)
    rows = sum(map(len, tables.values()))
    print(f"{n} frames, {rows} boxes, {2 * half} tracks")
    _published(folder, result, rows)
    (root / "run.json").write_bytes(manifest_of(recipe, index, result, folder.stored, {"sightline": "bench"}))


def _published(folder: Folder, result: JobResult, rows: int) -> None:
    began, size = time.perf_counter(), 0
    for stream, blobs in published_segments(result).items():
        for place, blob in enumerate(blobs):
            size += folder.write(segment_key("", stream, place * SEGMENT), [blob])
    _say("publish tracks", time.perf_counter() - began, size, rows)
    began = time.perf_counter()
    counts = count_job(result)
    print(
        f"{'count, for the summary':24s}{(time.perf_counter() - began) * 1e6 / rows:8.3f} s a million boxes"
    )
    began, size = time.perf_counter(), 0
    for key, chunks in published_anchors(result, counts):
        size += folder.write(key, list(chunks))
    _say("publish anchors", time.perf_counter() - began, size, rows)


def _say(what: str, seconds: float, size: int, rows: int) -> None:
    million = rows / 1e6
    print(
        f"{what:24s}{seconds / million:8.3f} s {size / MIB / million:7.1f} MiB a million boxes, {size / MIB:.0f} MiB"
    )


# --- in a process of its own ---------------------------------------------------------------------------------------


@contextmanager
def watched(peak: dict[str, float]) -> Iterator[None]:
    """How much more memory than now is held at most, MiB, looked at every other millisecond."""
    before, stop = _memory(), threading.Event()

    def watch() -> None:
        while not stop.wait(0.002):
            _raise(peak, before)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        _raise(peak, before)


def _raise(peak: dict[str, float], before: dict[str, float]) -> None:
    for name, held in _memory().items():
        peak[name] = max(peak.get(name, 0.0), held - before[name])


def _memory() -> dict[str, float]:
    lines = Path("/proc/self/status").read_text().splitlines()
    held = {
        name: float(value.split()[0]) / 1024
        for name, value in (line.split(":") for line in lines if "kB" in line)
    }
    return {"anonymous": held["RssAnon"], "RSS": held["VmRSS"]}


Counter = Callable[[Sequence[Line], Sequence[Zone]], int]


def from_anchors(root: Path) -> Counter:
    """A run held open."""
    run = open_run(in_folder(root))
    return lambda lines, zones: len(count_again(run, lines, zones, bin_us=BIN_US).events)


def from_segments(root: Path) -> Counter:
    """As before there were anchors: all segments, whole tables."""
    result, _ = load_result(in_folder(root))

    def count(lines: Sequence[Line], zones: Sequence[Zone]) -> int:
        counts = count_job(result, tuple(lines), tuple(zones))
        list(bin_counts(alone(result, counts), BIN_US))
        return len(counts.events)

    return count


WAYS: dict[str, Callable[[Path], Counter]] = {"anchors": from_anchors, "segments": from_segments}


def measure(way: str, root: Path, moves: int) -> dict[str, Any]:
    """Cold, then memory while one line moves, then warm, one kind of line after the other."""
    memory: dict[str, float] = {}
    with watched(memory):
        began = time.perf_counter()
        count = WAYS[way](root)
        open_s = time.perf_counter() - began
        count(*_split(LINES["everybody"](0)))
        cold_s = time.perf_counter() - began
        _moved(count, LINES["everybody"], 5)
    lines = {name: _moved(count, shapes, moves) for name, shapes in LINES.items()}
    return {"memory": memory, "open_s": open_s, "cold_s": cold_s, "lines": lines}


def _moved(count: Counter, shapes: Callable[[float], Shapes], moves: int) -> dict[str, float]:
    """Milliseconds, and events of all places."""
    wall, cpu, events = [], [], 0
    for move in range(moves):
        drawn = _split(shapes(move % 5 / 5))
        began, worked = time.perf_counter(), time.process_time()
        found = count(*drawn)
        wall.append(1e3 * (time.perf_counter() - began))
        cpu.append(1e3 * (time.process_time() - worked))
        events += found if move < 5 else 0
    return {
        "median": statistics.median(wall),
        "least": min(wall),
        "most": max(wall),
        "cpu": statistics.median(cpu),
        "events": events / 5,
    }


def _split(shapes: Shapes) -> tuple[list[Line], list[Zone]]:
    lines = [shape for shape in shapes if isinstance(shape, Line)]
    return lines, [shape for shape in shapes if isinstance(shape, Zone)]


def compared(root: Path, moves: int) -> None:
    for way in WAYS:
        command = [sys.executable, "-m", "benchmarks.recount", "--measure", way, "--keep", str(root)]
        command += ["--moves", str(moves if way == "anchors" else min(moves, 5))]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        held = ", ".join(f"{name} {value:.0f} MiB" for name, value in found["memory"].items())
        print(
            f"from {way}: cold {found['cold_s']:.3f} s (opened in {found['open_s']:.3f} s); memory at most: {held}"
        )
        for name, took in found["lines"].items():
            print(
                f"  warm, {name:12s}{took['median']:8.1f} ms, least {took['least']:.1f}, most {took['most']:.1f}, "
                f"processor {took['cpu']:.1f} ms; {took['events']:.0f} events",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hours", type=float, default=1)
    parser.add_argument("--tracks", type=int, default=20_000, help="an hour")
    parser.add_argument("--length", type=int, default=110, help="boxes of each track")
    parser.add_argument("--moves", type=int, default=50)
    parser.add_argument("--keep", type=Path, help="folder of the run, made where it has none, and left")
    parser.add_argument("--measure", choices=WAYS, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.measure:
        print(json.dumps(measure(chosen.measure, chosen.keep, chosen.moves)))
        return
    with tempfile.TemporaryDirectory() as temporary:
        root = chosen.keep or Path(temporary)
        if not (root / "run.json").exists():
            made(root, chosen.hours, chosen.tracks, chosen.length)
        compared(root, chosen.moves)


if __name__ == "__main__":
    main()
