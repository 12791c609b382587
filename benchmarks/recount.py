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
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.hour import street, write_run

from sightline.counts import Line, Zone
from sightline.formats.count_bins import bin_counts
from sightline.formats.timeline import alone
from sightline.runs.load import load_result
from sightline.runs.opened import open_run
from sightline.runs.place import in_folder
from sightline.runs.recount import count_again
from sightline.testing import ScriptedReader, scripted_recipe
from sightline.vision.bytetrack import TrackerSettings
from sightline.vision.counting import count_job

FPS = 25
BIN_US = 15 * 60 * 1_000_000
Shapes = tuple[Line | Zone, ...]
LINES: dict[str, Callable[[float], Shapes]] = {
    "everybody": lambda x: (Line("line", (0.4 + x / 5, 0.0), (0.4 + x / 5, 1.0)),),
    "a lane": lambda x: (Line("line", (0.4 + x / 5, 0.5), (0.4 + x / 5, 0.6)),),
    "four lines": lambda x: tuple(
        Line(f"line {k}", (k / 5 + x / 9, 0.0), (k / 5 + x / 9, 1.0)) for k in range(1, 5)
    ),
    "a zone": lambda x: (Zone("zone", ((0.3, 0.3), (0.5 + x / 5, 0.3), (0.5 + x / 5, 0.7), (0.3, 0.7))),),
}


def made(root: Path, hours: float, tracks: int, length: int) -> None:
    """Write a run folder, and print what publishing tracks and anchors takes."""
    n, half = round(hours * 3600 * FPS), round(hours * tracks / 2)
    recipe = scripted_recipe("bench", n, tracker=TrackerSettings(), rate=str(FPS))
    names = enumerate(("cars", "people"))
    write_run(
        root,
        recipe,
        ScriptedReader(n).index(),
        {name: street(n, half, length, place, seed=place) for place, name in names},
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
