"""HOTA, IDF1 and the error of the unique count on the public suites, as they are and with worse boxes.

    python -m benchmarks.counting.suites [--suites mot17,mot17@5] [--changes as,x0.6,noise] [--only MOT17-02]
        [--set track_high_thresh=0.5] [--json after.json] [--against before.json]

A line for each suite and change. `--against` prints the differences to an earlier run and marks with `!` what is worse
by more than 0.15 HOTA or 0.02 count error, and scores times 0.6 that differ from "as" by more than 1 HOTA or 0.03.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import time
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from benchmarks.counting.changes import CHANGES, changed
from benchmarks.counting.play import objects, overrides
from benchmarks.counting.scores import Figures, Sums, figures, scored
from benchmarks.tracking import suites

__all__ = ["SUITES", "play", "run"]

BASE = ("mot17", "mot20", "dance", "kitti-car", "kitti-pedestrian", "mdmt")
SUITES = ",".join([*BASE, *(f"{name}@5" for name in BASE), *(f"{name}~0.5" for name in BASE)])
WORSE_HOTA, WORSE_COUNT = 0.15, 0.02  # than an earlier run
SCALE_HOTA, SCALE_COUNT = 1.0, 0.03  # of scores times a factor, to "as"

Task = tuple[str, str, str, dict[str, Any]]  # suite, change, sequence, settings


def play(task: Task) -> Sums:
    """Play and judge one sequence."""
    suite, change, name, settings = task
    (sequence,) = (each for each in suites.load(suite) if each.name == name)
    base = suites.base_of(suite)
    settings = {"fuse_score": base != "mot20"} | settings
    played = objects(
        changed(change, sequence.frames), sequence.fps, sequence.felt(), sequence.path(), **settings
    )
    return scored(sequence, played, base in suites.PEOPLE)


def run(tasks: list[Task], processes: int = 2) -> Iterator[tuple[Task, Sums]]:
    """Play the tasks in order; the data is read once, before the processes part."""
    for suite in {task[0] for task in tasks}:
        suites.load(suite)
    if processes < 2:
        yield from ((task, play(task)) for task in tasks)
        return
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        yield from zip(tasks, pool.imap(play, tasks), strict=True)


def _line(figures: Figures) -> str:
    return f"{figures.hota:6.2f} / {figures.idf1:5.2f} / {figures.count_error:.3f}"


def _against(now: Figures, before: Figures | None, plain: Figures | None) -> str:
    """Differences to an earlier run and, for another scale, to the scores as they are."""
    parts = []
    if before:
        hota, count = now.hota - before.hota, now.count_error - before.count_error
        mark = " !" if hota < -WORSE_HOTA or count > WORSE_COUNT else ""
        parts.append(f"{hota:+6.2f} / {now.idf1 - before.idf1:+6.2f} / {count:+.3f}{mark}")
    if plain:
        hota, count = now.hota - plain.hota, now.count_error - plain.count_error
        mark = " !" if hota < -SCALE_HOTA or count > SCALE_COUNT else ""
        parts.append(f"to as {hota:+.2f} / {count:+.3f}{mark}")
    return "   ".join(parts)


def _loaded(path: Path | None) -> dict[tuple[str, str], dict[str, Sums]]:
    if path is None:
        return {}
    return {
        (row["suite"], row["change"]): {name: Sums(**sums) for name, sums in row["sequences"].items()}
        for row in json.loads(path.read_text())["suites"]
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--suites", default=SUITES)
    parser.add_argument("--changes", default=",".join(CHANGES))
    parser.add_argument("--only", default="", help="sequences, by name or begin of name")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--json", type=Path, help="write all sums here")
    parser.add_argument("--against", type=Path, help="an earlier --json")
    parser.add_argument("--processes", type=int, default=2)
    chosen = parser.parse_args()
    start, settings, earlier = time.perf_counter(), overrides(chosen.set), _loaded(chosen.against)
    only = tuple(filter(None, chosen.only.split(",")))
    tasks: list[Task] = [
        (suite, change, sequence.name, settings)
        for suite in chosen.suites.split(",")
        for change in chosen.changes.split(",")
        for sequence in suites.load(suite)
        if not only or sequence.name.startswith(only)
    ]
    rows: list[dict[str, Any]] = []
    plain: dict[str, Figures] = {}
    print(f"{'HOTA / IDF1 / count error':26s}")
    for (suite, change), results in groupby(run(tasks, chosen.processes), lambda each: each[0][:2]):
        found = {task[2]: sums for task, sums in results}
        now = figures(list(found.values()))
        was = earlier.get((suite, change), {})
        same = [was[name] for name in found if name in was]
        before = figures(same) if len(same) == len(found) else None
        plain[suite] = now if change == "as" else plain.get(suite, now)
        scale = plain[suite] if change.startswith("x") and plain[suite] is not now else None
        print(f"{suite:20s}{change:6s}{_line(now)}   {_against(now, before, scale)}".rstrip(), flush=True)
        rows.append(
            {"suite": suite, "change": change, "figures": vars(now)}
            | {"sequences": {name: sums.to_json() for name, sums in found.items()}}
        )
    print(f"{time.perf_counter() - start:.0f} s")
    if chosen.json:
        chosen.json.write_text(json.dumps({"set": chosen.set, "suites": rows}))


if __name__ == "__main__":
    main()
