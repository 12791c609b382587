"""Microseconds a frame of following, refining and counting: this checkout against another, in turns on the same frames.

    python -m benchmarks.counting.cost --baseline CHECKOUT [--cache CACHE] [--rounds 5]

A process for each checkout, in turns; processor time, so that others on the machine disturb less. CACHE holds
detections of `benchmarks.counting.videos`; without it the motorway is left out. The other checkout must have
`benchmarks/counting/play.py`.
"""

from __future__ import annotations

import argparse
import os
import pickle
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parents[2]
SUITES = "mot17,mot20,kitti-car"


def _sets(names: list[str], cache: Path | None) -> dict[str, list]:
    """Frames and frame rate of all sequences, by name of the set."""
    from benchmarks.counting.videos import MODELS, scenes
    from benchmarks.tracking import suites

    sets = {name: [(each.frames, each.fps, name != "mot20") for each in suites.load(name)] for name in names}
    if cache:
        motorway = scenes(cache, ["highway-video1.avi"], list(MODELS))
        sets["motorway"] = [(scene.frames, scene.fps, True) for scene in motorway]
    return sets


def _serve(path: Path) -> None:
    """For each name on standard input print the microseconds a frame; runs in the checkout that PYTHONPATH names."""
    from benchmarks.counting.play import objects

    sets = pickle.loads(path.read_bytes())
    for name in map(str.strip, sys.stdin):
        start = time.process_time()
        for frames, fps, fuse in sets[name]:
            objects(frames, fps, fuse_score=fuse)
        print(
            1e6 * (time.process_time() - start) / sum(len(frames) for frames, _, _ in sets[name]), flush=True
        )


class _Player:
    """A process that plays sets of frames with the code of one checkout."""

    def __init__(self, checkout: Path, frames: Path) -> None:
        threads = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        environment = os.environ | threads | {"PYTHONPATH": f"{checkout / 'src'}{os.pathsep}{checkout}"}
        command = [sys.executable, "-P", __file__, "--serve", str(frames)]
        self.checkout = checkout
        self.process = subprocess.Popen(
            command, env=environment, cwd=checkout, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def time(self, name: str) -> float:
        """Microseconds of processor time a frame."""
        print(name, file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"{self.checkout}: the player ended; its error is above")
        return float(answer)

    def close(self) -> None:
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


def _compare(baseline: Path, frames: Path, names: list[str], rounds: int) -> None:
    players = [_Player(baseline, frames), _Player(HERE, frames)]
    print(f"{'us a frame, min / median':26s}{'baseline':>18s}{'here':>18s}{'ratio':>16s}")
    for name in names:
        times = [[], []]
        for turn in range(rounds + 1):
            for side in (0, 1) if turn % 2 else (1, 0):
                spent = players[side].time(name)
                if turn:  # the first is to warm up
                    times[side].append(spent)
        low, middle = ([f(side) for side in times] for f in (min, statistics.median))
        was, now = (f"{low[side]:.0f} / {middle[side]:.0f}" for side in (0, 1))
        ratio = f"{low[1] / low[0]:.2f} / {middle[1] / middle[0]:.2f}"
        print(f"{name:26s}{was:>18s}{now:>18s}{ratio:>16s}", flush=True)
    for player in players:
        player.close()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--baseline", type=Path, help="another checkout")
    parser.add_argument("--suites", default=SUITES)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.serve:
        _serve(chosen.serve)
        return
    if chosen.baseline is None:
        parser.error("--baseline is missing: the checkout to compare with")
    with tempfile.TemporaryDirectory() as folder:
        frames = Path(folder, "frames.pickle")
        sets = _sets(chosen.suites.split(","), chosen.cache)
        frames.write_bytes(pickle.dumps(sets))
        _compare(chosen.baseline.resolve(), frames, list(sets), chosen.rounds)


if __name__ == "__main__":
    main()
