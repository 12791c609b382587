"""What a simulation says, as a few numbers."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate
from typing import Any

from benchmarks.scale.cluster import Costs, Done, Layout, Outcome

__all__ = ["Figures", "figures", "nearest", "times"]

MIDDLE = 0.2, 0.8  # of the frames: neither while it fills nor while it empties


@dataclass(frozen=True)
class Figures:
    """Of one run.

    Attributes:
        frames, seconds: in all, until the last result.
        rate: frames a second while the middle six tenths of them were detected.
        utilisation: of all lanes, meanwhile.
        worst: frames of the fullest partition over those of the mean one.
        used: partitions that had any frame.
        outstanding: see `Outcome`.
        kinds: of each kind of job, number, and p50, p95 and maximum of waiting and of completion, seconds.
    """

    frames: int
    seconds: float
    rate: float
    utilisation: float
    worst: float
    used: int
    outstanding: int
    kinds: dict[str, dict[str, Any]]

    def as_json(self) -> dict[str, Any]:
        """As builtins."""
        return asdict(self)


def nearest(values: Sequence[float], share: float) -> float:
    """The value that this share of the values does not exceed.

    >>> nearest([3, 1, 2], 0.5), nearest([3, 1, 2], 0.95)
    (2, 3)
    """
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def times(values: Sequence[float]) -> dict[str, float]:
    """p50, p95 and maximum."""
    return {
        "p50": round(nearest(values, 0.5), 3),
        "p95": round(nearest(values, 0.95), 3),
        "max": round(max(values), 3),
    }


def figures(layout: Layout, costs: Costs, outcome: Outcome) -> Figures:
    """Of a run with at least one job."""
    done = list(accumulate(frames for _, frames in outcome.detected))
    total = done[-1]
    begin, end = (outcome.detected[bisect_left(done, part * total)][0] for part in MIDDLE)
    busy = sum(
        max(min(at, end) - max(at - frames * costs.frame_us, begin), 0) for at, frames in outcome.detected
    )
    utilisation = busy / (max(end - begin, 1) * layout.workers * layout.lanes)
    mean = total / layout.partitions
    kinds: dict[str, list[Done]] = {}
    for job in outcome.jobs:
        kinds.setdefault(job.kind, []).append(job)
    return Figures(
        total,
        max(job.ready for job in outcome.jobs) / 1e6,
        round(utilisation * layout.workers * layout.lanes * 1e6 / costs.frame_us, 1),
        round(utilisation, 4),
        round(max(outcome.frames) / mean, 3),
        sum(frames > 0 for frames in outcome.frames),
        outcome.outstanding,
        {
            kind: {
                "jobs": len(jobs),
                "waiting_s": times([(job.begun - job.came) / 1e6 for job in jobs]),
                "completion_s": times([(job.ready - job.came) / 1e6 for job in jobs]),
            }
            for kind, jobs in sorted(kinds.items())
        },
    )
