"""The runs behind the plots of docs/scale.md: growth with workers, short jobs under load, short jobs among long ones.

    python -m benchmarks.scale.plots [--only growth,load,fairness]

Writes benchmarks/scale/runs.json, docs/images/scale-*.svg and the table in docs/scale.md; the same bytes each time. Five minutes on a quiet core.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from benchmarks.scale.arrivals import at_once
from benchmarks.scale.cluster import Costs, Layout, simulate
from benchmarks.scale.figures import nearest
from benchmarks.scale.page import put
from benchmarks.scale.simulate import load, run
from benchmarks.scale.svg import Axis, plot

RUNS = Path(__file__).with_name("runs.json")
IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
COSTS = Costs(frame_us=26_000, fold_us=1_500, commit_us=5_000, publish_us=250_000)
WORKERS = (1, 16, 64, 256, 1000)
PARTITIONS = (64, 256, 1024)
LOADS = (0.5, 0.7, 0.8, 0.9)
LONG = (0, 64, 256)


def layout_of(workers: int, partitions: int, spread: bool = True) -> Layout:
    """Two lanes each, and a process that folds for every eight that detect."""
    return Layout(workers, partitions, 2, max(workers // 8, 1), max(workers // 32, 1), spread=spread)


def growth() -> dict[str, Any]:
    """Frames a second and busy lanes by workers, for each number of partitions, and as it was before."""
    found: dict[str, Any] = {}
    for partitions, spread in (*((each, True) for each in PARTITIONS), (1024, False)):
        name = f"{partitions} partitions" if spread else f"{partitions}, chunks from 0"
        for workers in WORKERS:
            jobs = at_once(max(workers // 4, 8), 3000)
            got = run(layout_of(workers, partitions, spread), COSTS, jobs)
            found.setdefault(name, []).append([workers, got.rate, got.utilisation])
            print(
                f"{name}: {workers} workers, {got.rate:,.0f} frames/s, {100 * got.utilisation:.1f} % busy",
                flush=True,
            )
    return found


def under_load() -> dict[str, Any]:
    """Completion of short and long jobs at 1,000 workers, seconds, by the share of the lanes that all jobs need."""
    found: dict[str, Any] = {}
    for share in LOADS:
        layout = layout_of(1000, 1024)
        got = run(layout, COSTS, load(layout, COSTS, share, 15, 1))
        for kind in ("short", "long"):
            each = got.kinds[kind]
            for part in ("p50", "p95"):
                found.setdefault(f"{kind}, {part}", []).append([share, each["completion_s"][part]])
        print(f"load {share}: {got.kinds}", flush=True)
    return found


def fairness() -> dict[str, Any]:
    """What a short job takes, over what it takes alone, while long ones run, at 1,000 workers."""
    layout, found, alone = layout_of(1000, 1024), dict[str, Any](), 0.0
    for long in LONG:
        short = [each for n in range(40) for each in at_once(1, 250, kind="short", seed=n, at_s=2 + n / 4)]
        outcome = simulate(layout, COSTS, [*at_once(long, 7500, kind="long"), *short])
        took = [job.ready - job.came for job in outcome.jobs if job.kind == "short"]
        alone = alone or nearest(took, 0.5)
        for part, share in (("p50", 0.5), ("p95", 0.95), ("max", 1.0)):
            found.setdefault(part, []).append([long, round(nearest(took, share) / alone, 3)])
        print(f"{long} long jobs: {[each[-1] for each in found.values()]}", flush=True)
    return found


def draw(runs: dict[str, Any]) -> dict[str, str]:
    """The plots, by name."""
    workers = Axis("detect workers, two lanes each", (1, 4, 16, 64, 256, 1000), log=True)
    grown = runs["growth"]
    rates = Axis("frames detected a second", (10, 100, 1_000, 10_000, 100_000), log=True)
    slow = runs["fairness"]
    top = max(value for points in slow.values() for _, value in points)
    return {
        "throughput": plot(
            "Throughput", workers, rates, {n: [p[:2] for p in points] for n, points in grown.items()}
        ),
        "utilisation": plot(
            "Lanes that are busy",
            workers,
            Axis("% of the time", (0, 20, 40, 60, 80, 100)),
            {n: [(p[0], 100 * p[2]) for p in points] for n, points in grown.items()},
        ),
        "load": plot(
            "Completion of jobs, 1,000 workers, 1,024 partitions",
            Axis("share of all lanes that the jobs need, %", (30, 40, 50, 60, 70, 80, 90, 100)),
            Axis("seconds from coming to ready", (1, 10, 100, 1000), log=True),
            {n: [(100 * share, seconds) for share, seconds in points] for n, points in runs["load"].items()},
        ),
        "fairness": plot(
            "Slowdown of a short job, 1,000 workers, 1,024 partitions",
            Axis("jobs of 7,500 frames that run", (0, 64, 128, 192, 256)),
            Axis("its time over its time alone", range(0, int(top) + 6, 5)),
            slow,
        ),
    }


def table(runs: dict[str, Any]) -> str:
    """The runs as Markdown."""
    grown, loads, slow = runs["growth"], runs["load"], runs["fairness"]
    lines = ["| workers | " + " | ".join(grown) + " |", "|---:|" + "---:|" * len(grown)]
    for row in zip(*grown.values(), strict=True):
        cells = (f"{rate:,.0f} frames/s, {100 * busy:.0f} % busy" for _, rate, busy in row)
        lines.append(f"| {row[0][0]:,} | " + " | ".join(cells) + " |")
    lines += [
        "",
        "| 1,000 workers, lanes that the jobs need | " + " | ".join(loads) + " |",
        "|---:|" + "---:|" * len(loads),
    ]
    for row in zip(*loads.values(), strict=True):
        lines.append(
            f"| {100 * row[0][0]:.0f} % | " + " | ".join(f"{seconds:.1f} s" for _, seconds in row) + " |"
        )
    lines += [
        "",
        "| 1,000 workers, long jobs that run | " + " | ".join(slow) + " |",
        "|---:|" + "---:|" * len(slow),
    ]
    for row in zip(*slow.values(), strict=True):
        lines.append(f"| {row[0][0]} | " + " | ".join(f"{times:.2f}" for _, times in row) + " |")
    return "\n".join(lines)


def main() -> None:
    """Simulate, and draw."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--only", default="growth,load,fairness", help="what to run again; empty: draw what ran"
    )
    asked = parser.parse_args()
    parts = {"growth": growth, "load": under_load, "fairness": fairness}
    runs = json.loads(RUNS.read_text()) if RUNS.exists() else {}
    for name in filter(None, asked.only.split(",")):
        runs[name] = parts[name]()
        RUNS.write_text(json.dumps(runs, indent=1) + "\n")
    for name, text in draw(runs).items():
        (IMAGES / f"scale-{name}.svg").write_text(text)
    put("benchmarks.scale.plots", table(runs))


if __name__ == "__main__":
    main()
