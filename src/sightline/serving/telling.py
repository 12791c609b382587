"""What a process of a service tells of its store: a line of its log, and counts for `/metrics`."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Collection
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram

from sightline.logs import capture, open_log
from sightline.ports import TERMINAL, Commit, Job
from sightline.serving.config import ServeConfig
from sightline.serving.tracing import Spans

__all__ = ["Telling", "log_of", "process_id"]

DURATIONS_S = (1, 2.5, 5, 10, 30, 60, 150, 300, 600, 1800, 3600, 7200, 14400, 43200)


def process_id() -> str:
    """What no other process of a service is called, the one before with the same number neither."""
    return f"{os.getpid()}-{time.time_ns()}"


def log_of(config: ServeConfig, process: str) -> Any:
    """The log of this process, on stderr: JSON, or text on a terminal. What libraries say goes there too."""
    level = config.serve.log_level
    log = open_log(sys.stderr, level=level, plain=sys.stderr.isatty()).bind(process=process)
    capture(log, level)
    return log


class Telling:
    """See the module; a `Watch`.

    Args:
        log: see `log_of`.
        spans: see there; None: nobody wants them.
        stages: that this process works for.

    Attributes:
        registry: what is counted.
    """

    def __init__(self, log: Any, spans: Spans | None = None, stages: Collection[str] = ()) -> None:
        self._log, self._spans = log, spans
        self.registry = CollectorRegistry()
        self._seconds = Histogram(
            "sightline_job_duration_seconds",
            "From when a job was accepted to when it ended.",
            ["outcome"],
            buckets=DURATIONS_S,
            registry=self.registry,
        )
        self._retries = self._counter("retries", "Records that were begun again.", "stage", "reason")
        self._dead = self._counter("dead_letters", "Records that nobody could use.", "stage", "reason")
        self._fenced = self._counter("fenced", "Commits that came too late: another owner moved on.", "stage")
        self._begin_at_0(stages)

    def _begin_at_0(self, stages: Collection[str]) -> None:
        """To Prometheus a series that begins at 1 has not increased: the first of anything would wake nobody."""
        for outcome in sorted(TERMINAL):
            self._seconds.labels(outcome)
        for stage in sorted(stages):
            self._fenced.labels(stage)
            self._dead.labels(stage, "invalid_record")
        if "detect" in stages:
            self._dead.labels("detect", "crashed")
            self._retries.labels("detect", "crashed")

    def created(self, job: Job) -> None:
        """See `Watch`."""
        self._log.info("job accepted", job_id=job.job_id, video=job.video_id, caller=job.owner)

    def moved(self, job: Job) -> None:
        """See `Watch`."""
        facts: dict[str, Any] = {"job_id": job.job_id, "state": job.state}
        if job.code:
            facts |= {"code": job.code, "reason": job.reason}
        if job.state == "processing":
            facts |= {"frames": job.facts.get("sampled")}
        if job.state in TERMINAL:
            began = job.times.get("new") or job.created_at_us
            seconds = max(0.0, (job.times.get(job.state, began) - began) / 1e6)
            self._seconds.labels(job.state).observe(seconds)
            facts |= {"seconds": round(seconds, 3)}
            if self._spans is not None:
                self._spans.job(job)
        self._log.info("job moved", **facts)

    def committed(self, commit: Commit) -> None:
        """See `Watch`: a line a step, for who asks for `debug`."""
        if commit.saved is not None:
            self._log.debug(
                "step",
                stage=commit.at.stage,
                partition=commit.at.partition,
                job_id=commit.job_id,
                stream=commit.stream,
                to=commit.saved.next_seq,
                n=len(commit.outputs),
            )

    def fenced(self, stage: str) -> None:
        """See `Watch`."""
        self._fenced.labels(stage).inc()
        self._log.warning("fenced", stage=stage)

    def retried(self, stage: str) -> None:
        """See `Watch`."""
        self._retries.labels(stage, "crashed").inc()
        self._log.warning("record begun again", stage=stage)

    def buried(self, stage: str, reason: str) -> None:
        """See `Watch`."""
        self._dead.labels(stage, reason).inc()
        self._log.warning("dead letter", stage=stage, reason=reason)

    def _counter(self, name: str, about: str, *labels: str) -> Counter:
        return Counter(f"sightline_{name}_total", about, labels, registry=self.registry)
