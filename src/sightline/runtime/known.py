"""The jobs that run, for codecs that must ask for one: records of foreign programs say little of theirs."""

from __future__ import annotations

from collections import OrderedDict

from sightline.errors import Corrupt, Misconfigured, NotFound
from sightline.events import JobContext
from sightline.ports import Jobs
from sightline.runtime.routes import context_of, recipe_of

__all__ = ["Known"]

KEPT = 64  # jobs


class Known:
    """`Contexts` of the jobs in a store."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._contexts: OrderedDict[str, JobContext] = OrderedDict()

    def __call__(self, job_id: str) -> JobContext | None:
        """What its records repeat of it; None where nobody has begun with it, or its row is damaged."""
        if job_id not in self._contexts:
            try:
                job = self._jobs.get(job_id)
                if not job.facts:
                    return None
                self._contexts[job_id] = context_of(recipe_of(job))
            except (NotFound, Corrupt, Misconfigured):  # whoever works on it ends it
                return None
            if len(self._contexts) > KEPT:
                self._contexts.popitem(last=False)
        return self._contexts[job_id]
