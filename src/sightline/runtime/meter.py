"""Meter: how long each stage was at work; goes to `timing.json` and never to a result."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from itertools import accumulate

from sightline.formats.run_folder import StageTiming

__all__ = ["Meter"]

# Buckets of the milliseconds a record, a tenth of a decade wide: memory stays the same however long a video is.
PER_DECADE = 10


class Meter:
    """Wraps the steps of stages and adds up what they took, over all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: Counter[str] = Counter()
        self._busy: defaultdict[str, float] = defaultdict(float)
        self._buckets: dict[str, Counter[int]] = {}

    def watched(self, stage: str, step: Callable[[], int]) -> Callable[[], int]:
        """The step, measured whenever it did something."""

        def run() -> int:
            began = time.perf_counter()
            done = step()
            if done:
                self.add(stage, done, time.perf_counter() - began)
            return done

        return run

    def stages(self) -> dict[str, StageTiming]:
        """What each stage did so far, in alphabetical order."""
        with self._lock:
            return {
                stage: StageTiming(
                    self._records[stage],
                    round(self._busy[stage], 3),
                    self._quantile(stage, 0.5),
                    self._quantile(stage, 0.95),
                )
                for stage in sorted(self._records)
            }

    def add(self, stage: str, done: int, seconds: float) -> None:
        """So many records took a stage so many seconds."""
        bucket = round(PER_DECADE * math.log10(max(seconds * 1000 / done, 1e-6)))
        with self._lock:
            self._records[stage] += done
            self._busy[stage] += seconds
            self._buckets.setdefault(stage, Counter())[bucket] += done

    def _quantile(self, stage: str, share: float) -> float:
        buckets = sorted(self._buckets[stage].items())
        reached = accumulate(count for _, count in buckets)
        wanted = share * self._records[stage]
        bucket = next(bucket for (bucket, _), seen in zip(buckets, reached, strict=True) if seen >= wanted)
        return float(f"{10 ** (bucket / PER_DECADE):.3g}")
