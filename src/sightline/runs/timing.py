"""Timing: how long a run took, over all its starts; goes to `timing.json`, to the report, and never to a result."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sightline.formats import run_folder
from sightline.runs.writers import machine
from sightline.runtime.meter import Meter

__all__ = ["STARTED", "RunClock", "looked_before_s"]

STARTED, LOOKED = "started", "looked_s"


class RunClock:
    """Wall and processor time of one start.

    Args:
        before_s: seconds that earlier, interrupted starts spent on frames.
    """

    def __init__(self, before_s: float) -> None:
        self._began, self._wall, self._cpu = datetime.now(UTC), time.perf_counter(), time.process_time()
        self._looked_s, self._draw_s = before_s, 0.0
        self._looking = True

    def progress(self, done: int, total: int) -> None:
        """Take note of the moment at which inference was done."""
        if self._looking and done == total:
            self._looking = False
            self._looked_s += time.perf_counter() - self._wall

    @contextmanager
    def drawing(self) -> Iterator[None]:
        """Measure how long the annotated video takes."""
        began = time.perf_counter()
        yield
        self._draw_s += time.perf_counter() - began

    def stop(self, frames: int, starts: int, meter: Meter, **more: Any) -> run_folder.TimingFile:
        """The file of a run that is done; `more` are its other fields."""
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return run_folder.TimingFile(
            started_at=_utc(self._began),
            finished_at=_utc(datetime.now(UTC)),
            wall_s=round(time.perf_counter() - self._wall, 3),
            cpu_s=round(time.process_time() - self._cpu, 3),
            looked_s=round(self._looked_s, 3),
            draw_s=round(self._draw_s, 3),
            fps=round(frames / self._looked_s, 2) if self._looked_s else 0.0,
            starts=starts,
            peak_rss_bytes=memory * (1 if sys.platform == "darwin" else 1024),
            stages=meter.stages(),
            machine=machine(),
            **more,
        )


def looked_before_s(log: Path, store: Path) -> float:
    """Seconds that earlier starts spent on frames: the last one from its line in the log to its last commit.

    A process that is killed says nothing at its end, but the database shows when it wrote last; what starts before it took
    stands in its line.

    Args:
        log: `log.ndjson` of the unfinished run.
        store: its database, not opened yet in this start.
    """
    try:
        lines = [json.loads(line) for line in log.read_bytes().splitlines() if line.endswith(b"}")]
        last = [line for line in lines if line["event"] == STARTED][-1]
        began = datetime.fromisoformat(last["time"]).timestamp()
        wrote = max(
            path.stat().st_mtime for path in (store, store.with_name(f"{store.name}-wal")) if path.exists()
        )
        return float(last[LOOKED]) + max(0.0, wrote - began)
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return 0.0  # the first start, or what it left is damaged: then this start's speed is all there is


def _utc(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
