"""How long it takes to count and refine an hour of tracks in memory; of a run folder: `benchmarks/recount.py`.

    python -m benchmarks.tracking.recount [--hours 1] [--lines 4]

9000 objects an hour cross a picture of 1920 x 1080 at 30 frames a second, 200 frames each: 1.7 million boxes. Each
time is the fastest of `--repeat` runs.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from sightline.counts import Line, Zone
from sightline.types import FrameTable, TrackTable
from sightline.vision.counting import count_tracks
from sightline.vision.geometry import crossings
from sightline.vision.refine import RefineSettings, refine

FPS, OBJECTS, LENGTH, WIDTH, HEIGHT = 30, 9000, 200, 1920, 1080


def street(hours: float) -> tuple[FrameTable, TrackTable]:
    """Objects on straight noisy paths, with 5 % of their boxes missing."""
    rng = np.random.default_rng(0)
    total, n = round(hours * 3600 * FPS), round(hours * OBJECTS)
    step = np.arange(LENGTH)
    seq = np.sort(rng.integers(0, total - LENGTH, n))[:, None] + step
    start, speed = rng.uniform([0, 0], [WIDTH, HEIGHT], (n, 1, 2)), rng.normal(0, 4, (n, 1, 2))
    centre = start + speed * step[None, :, None] + rng.normal(0, 1, (n, LENGTH, 2))
    xyxy = np.concatenate([centre - 20, centre + 20], axis=2).reshape(-1, 4)
    rows, zeros = n * LENGTH, np.zeros(n * LENGTH, np.uint8)
    tracks = TrackTable(
        seq.ravel(),
        np.repeat(np.arange(1, n + 1), LENGTH),
        rng.integers(0, 3, rows),
        xyxy,
        rng.uniform(0.3, 1, rows),
        zeros,
    )
    frames = FrameTable(np.arange(total), np.arange(total) * 1_000_000 // FPS, ("ok",) * total, ("",) * total)
    return frames, tracks[rng.random(rows) > 0.05].sorted()


def seconds(work: Callable[[], Any], repeat: int) -> float:
    """The fastest of some runs."""
    best = np.inf
    for _ in range(repeat):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hours", type=float, default=1)
    parser.add_argument("--lines", type=int, default=4)
    parser.add_argument("--repeat", type=int, default=3)
    chosen = parser.parse_args()
    frames, tracks = street(chosen.hours)
    labels = dict.fromkeys(range(1, round(chosen.hours * OBJECTS) + 1), "car")
    heights = np.linspace(0.1, 0.9, chosen.lines)
    lines = [Line(f"line {k}", (0.1, y), (0.9, y)) for k, y in enumerate(heights)]
    zone = Zone("zone", ((0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8)))

    def crossed(some_lines: list[Line], zones: list[Zone]) -> list[Any]:
        return crossings(frames, tracks, some_lines, zones, WIDTH, HEIGHT, labels, "cars")

    work: dict[str, Callable[[], Any]] = {
        "unique objects": lambda: count_tracks(frames, tracks, 10),
        "one line": lambda: crossed(lines[:1], []),
        f"{chosen.lines} lines": lambda: crossed(lines, []),
        "one zone": lambda: crossed([], [zone]),
        "refine": lambda: refine(frames, tracks, RefineSettings()),
    }
    print(f"{len(frames)} frames, {len(tracks)} boxes")
    for name, each in work.items():
        print(f"{name:20s}{seconds(each, chosen.repeat):8.3f} s", flush=True)


if __name__ == "__main__":
    main()
