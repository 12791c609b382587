"""Stalls: which stage waits for a record that never came, and what is known of why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sightline.errors import Corrupt
from sightline.ports import Job
from sightline.runtime.routes import JOB_TOPIC
from sightline.runtime.worker import FoldWorker

__all__ = ["stall"]


def stall(store: Any, job: Job, folds: Mapping[tuple[str, str], FoldWorker]) -> Corrupt:
    """The error of a job in which no stage has anything to do though it has not ended.

    Args:
        store: log, ledger and jobs.
        job: the one that stands still.
        folds: workers by stage and stream, in the order in which records pass them.
    """
    where = "publish waits for streams that are complete"
    for (stage, stream), fold in folds.items():
        seq = fold.awaits(job.job_id, stream)
        if seq is not None:
            where = f"{stage} waits for seq {seq} of {stream}, which never came"
            break
    return Corrupt(f"the run stands still: {where}{_letters(store, job)}", code="stalled")


def _letters(store: Any, job: Job) -> str:
    """The first record that nobody could read, if there was one: most likely the missing one."""
    for topic in (JOB_TOPIC, *dict.fromkeys(job.settings["topics"].values())):
        letters = f"{topic}.dlq"
        for entry in store.read(letters, 0, store.head(letters, 0)[0], 1):
            said = dict(entry.headers)
            return f"; {said['x-dlq-stage']} could not read a record of {topic}: {said['x-dlq-message']}"
    return ""
