"""Simulates a cluster: who is how busy, how long jobs take, and what a short one waits among long ones.

    python -m benchmarks.scale.simulate [--workers 1000] [--lanes 2] [--partitions 1024] [--folders 128] [--publishers 32]
        [--frame-ms 26] [--fold-ms 1.5] [--commit-ms 5] [--publish-ms 250] [--group 50] [--seed 0] [--before] [--json FILE]
        (--backlog JOBS --frames N | --cameras N | --load SHARE [--seconds 60] | --growth)

`--backlog`  so many jobs at once. `--cameras` cameras that each deliver five minutes every five minutes, twice. `--load` jobs by
chance that need this share of all lanes: nine of ten have 250 frames, one has 7,500. `--growth` the jobs of `benchmarks.growth`, by
1, 2 and 4 workers. `--before` has the chunks of all jobs begin at the lowest partition, as they once did.

What it is and what it leaves out: `benchmarks/scale/cluster.py`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.scale.arrivals import Arrival, at_once, cameras, poisson
from benchmarks.scale.cluster import Costs, Layout, simulate
from benchmarks.scale.figures import Figures, figures

LENGTHS = ("short", 250, 0.9), ("long", 7500, 0.1)
MEAN = sum(frames * weight for _, frames, weight in LENGTHS)
CAMERA_FRAMES, CAMERA_S = 7500, 300.0


def load(layout: Layout, costs: Costs, share: float, seconds: float, seed: int) -> list[Arrival]:
    """Jobs by chance that need this share of all lanes."""
    capacity = layout.workers * layout.lanes * 1e6 / costs.frame_us
    return poisson(share * capacity / MEAN, seconds, LENGTHS, seed=seed)


def run(layout: Layout, costs: Costs, arrivals: Sequence[Arrival]) -> Figures:
    """The figures of a run."""
    return figures(layout, costs, simulate(layout, costs, arrivals))


def table(rows: dict[str, Figures]) -> str:
    """Figures of several runs, as Markdown."""
    lines = [
        "| | frames/s | lanes busy | fullest partition / mean | partitions used | on their way, of a partition | jobs | waiting, s: p50, p95, max | completion, s: p50, p95, max |",
        "|---|---:|---:|---:|---:|---:|---|---|---|",
    ]
    for name, found in rows.items():
        for kind, each in found.kinds.items():
            waits, takes = (
                ", ".join(f"{v:.1f}" for v in each[w].values()) for w in ("waiting_s", "completion_s")
            )
            lines.append(
                f"| {name} | {found.rate:,.0f} | {100 * found.utilisation:.1f} % | {found.worst:.2f} | {found.used} | "
                f"{found.outstanding} | {each['jobs']} {kind} | {waits} | {takes} |"
            )
    return "\n".join(lines)


def growth(costs: Costs) -> dict[str, Figures]:
    """The jobs of `benchmarks.growth`: 8 of 400 frames, 20 ms a detection, 8 partitions, every worker does every stage."""
    alone = replace(costs, frame_us=20_000)
    layouts = {n: Layout(n, 8, lanes=1, folders=n, publishers=n, group=40) for n in (1, 2, 4)}
    jobs = [replace(each, job_id=f"job-{n}") for n, each in enumerate(at_once(8, 400))]
    return {f"{n} workers": run(layout, alone, jobs) for n, layout in layouts.items()}


def main() -> None:
    """Print a table, and write JSON where asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, usual in (
        ("workers", 1000),
        ("lanes", 2),
        ("partitions", 1024),
        ("folders", 128),
        ("publishers", 32),
    ):
        parser.add_argument(f"--{name}", type=int, default=usual)
    for name, ms in (("frame", 26.0), ("fold", 1.5), ("commit", 5.0), ("publish", 250.0)):
        parser.add_argument(f"--{name}-ms", type=float, default=ms)
    parser.add_argument("--group", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--before", action="store_true")
    parser.add_argument("--frames", type=int, default=7500)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--json", type=Path)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--backlog", type=int)
    what.add_argument("--cameras", type=int)
    what.add_argument("--load", type=float)
    what.add_argument("--growth", action="store_true")
    asked = parser.parse_args()
    times = (asked.frame_ms, asked.fold_ms, asked.commit_ms, asked.publish_ms)
    costs = Costs(*(round(1000 * ms) for ms in times))
    size = (asked.workers, asked.partitions, asked.lanes, asked.folders, asked.publishers, asked.group)
    layout = Layout(*size, spread=not asked.before)
    if asked.growth:
        rows = growth(costs)
    else:
        if asked.backlog is not None:
            jobs = at_once(asked.backlog, asked.frames, seed=asked.seed)
        elif asked.cameras is not None:
            jobs = cameras(asked.cameras, 2, CAMERA_FRAMES, CAMERA_S, seed=asked.seed)
        else:
            jobs = load(layout, costs, asked.load, asked.seconds, asked.seed)
        rows = {f"{asked.workers} workers": run(layout, costs, jobs)}
    print(table(rows))
    if asked.json is not None:
        asked.json.write_text(
            json.dumps({name: found.as_json() for name, found in rows.items()}, indent=1) + "\n"
        )


if __name__ == "__main__":
    main()
