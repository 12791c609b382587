"""Time per frame against Roboflow's ByteTrack, both in turns on the same frames of the same run.

    python -m benchmarks.tracking.compare [--suites mot17,dance] [--counts 50,100,300,1000] [--repeat 5]

Each frame counts with its fastest of `--repeat` runs. On a busy machine believe the ratios, not the microseconds.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # before NumPy is first imported

import numpy as np  # noqa: E402
from benchmarks.tracking import adapter, suites  # noqa: E402

OURS = ("ByteTrack", "Quality", "Online")


class Roboflow:
    """ByteTrack of the `trackers` package with the same thresholds."""

    def __init__(self, params: dict[str, Any], fps: float) -> None:
        import supervision
        import trackers

        del fps
        self.make, self.floor = supervision.Detections, params["low"]
        self.tracker = trackers.ByteTrackTracker(
            lost_track_buffer=params["buffer"],
            frame_rate=30.0,
            high_conf_det_threshold=params["high"],
            track_activation_threshold=params["new"],
            minimum_iou_threshold=1.0 - params["match"],
        )

    def prepare(self, boxes, scores, classes, pts_us: int) -> Any:
        keep = scores > self.floor
        return self.make(
            xyxy=boxes[keep].astype(np.float32),
            confidence=scores[keep].astype(np.float32),
            class_id=classes[keep],
        )

    def step(self, prepared: Any) -> Any:
        return self.tracker.update(prepared)


def times(make: Callable[[], Any], frames: Sequence[suites.Frame]) -> np.ndarray:
    """Microseconds of each step."""
    tracker, out = make(), np.empty(len(frames))
    for i, frame in enumerate(frames):
        ready = tracker.prepare(*frame[:4])
        start = time.perf_counter_ns()
        tracker.step(ready)
        out[i] = (time.perf_counter_ns() - start) / 1e3
    return out


def race(
    videos: Sequence[tuple[dict[str, Any], Sequence[suites.Frame]]], repeat: int, skip: int = 0
) -> list[np.ndarray]:
    """Fastest microseconds of every frame, for ours and then Roboflow's; the first `skip` frames are left out."""
    makes = [*(getattr(adapter, name) for name in OURS), Roboflow]
    best = [[] for _ in makes]
    for params, frames in videos:
        runs = [[times(partial(make, params, 30), frames) for make in makes] for _ in range(repeat)]
        for kept, each in zip(best, zip(*runs, strict=True), strict=True):
            kept.append(np.min(each, axis=0)[skip:])
    return [np.concatenate(each) for each in best]


def row(name: str, measured: list[np.ndarray]) -> str:
    """Median and 95th percentile of each; ratio to the last."""
    pairs = [(np.median(each), np.percentile(each, 95)) for each in measured]
    cells = [f"{m:6.0f} /{p:6.0f} = {m / pairs[-1][0]:.2f} /{p / pairs[-1][1]:5.2f}" for m, p in pairs[:-1]]
    return (
        f"{name:16s}"
        + "".join(f"{cell:>30s}" for cell in cells)
        + f"{pairs[-1][0]:12.0f} /{pairs[-1][1]:6.0f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--suites", default="mot17")
    parser.add_argument("--counts", default="50,100,300,1000")
    parser.add_argument("--repeat", type=int, default=5)
    chosen = parser.parse_args()
    warnings.simplefilter("ignore", FutureWarning)
    print(f"{'us median / p95':16s}" + "".join(f"{name:>30s}" for name in OURS) + f"{'Roboflow':>20s}")
    for suite in filter(None, chosen.suites.split(",")):
        videos = [(suites.parameters(suite, s.name), s.frames) for s in suites.load(suite)]
        print(row(suite, race(videos, chosen.repeat)), flush=True)
    for count in map(int, filter(None, chosen.counts.split(","))):
        videos = [(dict(suites.PAPER), suites.generated(count))]
        print(row(f"{count} objects", race(videos, max(1, chosen.repeat // 2), skip=30)), flush=True)


if __name__ == "__main__":
    main()
