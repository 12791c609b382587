"""`sightline track` on a video: processor milliseconds a frame, as one line of JSON.

    python benchmarks/end_to_end/ours.py VIDEO MODEL WIDTHxHEIGHT --precision f32 [--workers 1] [--store memory] [--camera-motion off]

Measured from the moment the model is compiled and everything imported until the run folder is in its place: decoding,
inference, tracking, counting, records, ledger, segments and every result file. `--store memory` puts the in-memory
double in the place of the SQLite file, to see what durability costs.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

from sightline.app import single as runs
from sightline.app import track as tracks
from sightline.settings import TrackOptions
from sightline.testing import MemoryStore
from sightline.vision import solver


class Forgetful(MemoryStore):
    """The in-memory store, opened and closed like a file."""

    def __init__(self, path: Path, **_: Any) -> None:
        super().__init__()

    def flush(self) -> None:
        """Nothing to do."""

    def close(self) -> None:
        """Nothing to do."""


def main() -> None:
    """Track and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("video")
    parser.add_argument("model")
    parser.add_argument("size", type=lambda text: tuple(int(side) for side in text.split("x")))
    parser.add_argument("--precision", default="f32")
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--store", choices=["sqlite", "memory"], default="sqlite")
    parser.add_argument("--camera-motion", choices=["auto", "off"], default="auto")
    asked = parser.parse_args()
    solver.load()  # the peer has loaded it by then, too
    if asked.store == "memory":
        runs.SqliteStore = Forgetful  # type: ignore[assignment, misc]
    spent: dict[str, float] = {}
    run_all = tracks.run_all

    def measured(*args: Any, **kwargs: Any) -> Any:
        cpu, wall = time.process_time(), time.perf_counter()
        reports = run_all(*args, **kwargs)
        spent.update(cpu_s=time.process_time() - cpu, wall_s=time.perf_counter() - wall)
        return reports

    tracks.run_all = measured
    with tempfile.TemporaryDirectory() as folder:
        options = TrackOptions(
            model=asked.model,
            imgsz=asked.size,
            precision=asked.precision,
            engine=asked.engine,
            workers=asked.workers,
            camera_motion=asked.camera_motion,
            out=Path(folder) / "run",
        )
        report = tracks.track([asked.video], options)[0]
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"frames": report.frames, **spent, "rss_mib": rss, "counts": report.groups}))


if __name__ == "__main__":
    main()
