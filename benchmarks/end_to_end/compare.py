"""Ours, the tuned peer and the bound in turn: processor milliseconds a frame, medians of some rounds.

    python benchmarks/end_to_end/compare.py PLAN.toml VIDEO... --set models=FOLDER --set peer=PYTHON [--rounds 5]

The plan names the rows: a table a row with `command`, in which `{video}`, `{here}`, `{python}` and what `--set` gives
are replaced. Every command prints one line of
JSON (`ours.py`, `peer.py`, `bound.py`). All of a round run on the same core, one after the other, so a busy machine
slows each of them, and processor time instead of wall time is compared.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tomllib
from collections import defaultdict
from pathlib import Path


def measured(command: list[str], core: int) -> dict[str, float]:
    """Milliseconds a frame that a command took on one core."""
    done = subprocess.run(
        ["taskset", "-c", str(core), *command], capture_output=True, text=True, env=os.environ
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: {done.stderr[-2000:]}")
    found = json.loads(done.stdout.strip().splitlines()[-1])
    if "decode_ms" in found:
        return {
            "cpu": found["decode_ms"] + found["infer_ms"],
            "infer": found["infer_ms"],
            "decode": found["decode_ms"],
        }
    frames = found["frames"]
    return {
        "cpu": 1000 * found["cpu_s"] / frames,
        "wall": 1000 * found["wall_s"] / frames,
        "rss": found["rss_mib"],
    }


def main() -> None:
    """Measure and print a table a video."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("plan", type=Path)
    parser.add_argument("videos", nargs="+")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    known = dict(pair.split("=", 1) for pair in asked.set)
    known |= {"here": str(Path(__file__).parent), "python": sys.executable}
    plan = tomllib.loads(asked.plan.read_text("utf-8"))
    cores = sorted(os.sched_getaffinity(0))
    for video in asked.videos:
        rows: dict[str, dict[str, list[float]]] = {name: defaultdict(list) for name in plan}
        for number in range(asked.rounds):
            for name, row in plan.items():
                words = [word.format(video=video, **known) for word in row["command"]]
                for key, value in measured(words, cores[number % len(cores)]).items():
                    rows[name][key].append(value)
            print(
                f"round {number + 1}: load {os.getloadavg()[0]:.1f}  "
                + "  ".join(f"{name} {row['cpu'][-1]:.1f}" for name, row in rows.items()),
                file=sys.stderr,
                flush=True,
            )
        print(f"\n{Path(video).name}, median of {asked.rounds} rounds (lowest..highest), ms a frame\n")
        print("| row | CPU ms | lowest..highest | wall ms | RSS MiB | of it |\n|---|---|---|---|---|---|")
        for name, row in rows.items():
            middle = {key: statistics.median(values) for key, values in row.items()}
            parts = " + ".join(f"{key} {middle[key]:.2f}" for key in ("infer", "decode") if key in middle)
            wall, rss = (f"{middle[key]:.0f}" if key in middle else "" for key in ("wall", "rss"))
            spread = f"{min(row['cpu']):.2f}..{max(row['cpu']):.2f}"
            print(f"| {name} | {middle['cpu']:.2f} | {spread} | {wall} | {rss} | {parts} |", flush=True)


if __name__ == "__main__":
    main()
