"""Meter: how long each stage was at work, and what came of it; goes to `timing.json` and to metrics, never to a result."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from sightline.events import Detected, End, Record
from sightline.formats.run_folder import StageTiming

__all__ = ["Durations", "Labels", "Meter"]

# Buckets of the milliseconds a record, a tenth of a decade wide: memory stays the same however long a video is.
PER_DECADE = 10
Labels = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Durations:
    """Seconds that records took a stage: how many records, their sum, and how many took at most each of some bounds."""

    count: int
    sum_s: float
    within: tuple[int, ...]


class Meter:
    """Wraps the steps of stages and adds up what they took, over all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: Counter[str] = Counter()
        self._busy: defaultdict[str, float] = defaultdict(float)
        self._buckets: dict[str, Counter[int]] = {}
        self._counts: dict[str, Counter[Labels]] = {}

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

    def durations(self, bounds_s: Sequence[float]) -> dict[str, Durations]:
        """How long records took each stage so far, as far as buckets of a tenth of a decade tell."""
        with self._lock:
            return {
                stage: Durations(
                    self._records[stage],
                    self._busy[stage],
                    tuple(
                        sum(n for bucket, n in buckets.items() if 10 ** (bucket / PER_DECADE) <= bound * 1000)
                        for bound in bounds_s
                    ),
                )
                for stage, buckets in self._buckets.items()
            }

    def count(self, what: str, labels: Labels, n: int = 1) -> None:
        """So many more of something."""
        if n:
            with self._lock:
                self._counts.setdefault(what, Counter())[labels] += n

    def frames(self, stage: str, records: Iterable[Record]) -> None:
        """These frames went through a stage; an end is none."""
        outcomes = Counter(record.outcome for record in records if not isinstance(record, End))
        for outcome, n in outcomes.items():
            self.count("frames", (stage, outcome), n)

    def detections(self, records: Iterable[Record], labels: Sequence[str]) -> None:
        """What was found in a frame, by the model's labels."""
        for record in records:
            if isinstance(record, Detected):
                for class_id, n in Counter(record.detections.class_id.tolist()).items():
                    known = class_id < len(labels)
                    self.count("detections", (labels[class_id] if known else str(class_id),), n)

    def counts(self) -> Mapping[str, Mapping[Labels, int]]:
        """Everything that was counted so far."""
        with self._lock:
            return {what: dict(counted) for what, counted in self._counts.items()}

    def _quantile(self, stage: str, share: float) -> float:
        buckets = sorted(self._buckets[stage].items())
        reached = accumulate(count for _, count in buckets)
        wanted = share * self._records[stage]
        bucket = next(bucket for (bucket, _), seen in zip(buckets, reached, strict=True) if seen >= wanted)
        return float(f"{10 ** (bucket / PER_DECADE):.3g}")
