"""The jobs that run, for codecs that must ask for one: records of foreign programs say little of theirs."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from sightline.errors import Corrupt, Misconfigured, NotFound, ServiceMisconfigured
from sightline.events import JobContext
from sightline.jobs.recipe import Recipe
from sightline.ports import TERMINAL, Jobs
from sightline.runtime.routes import context_of, recipe_of
from sightline.stages.feed import Plan

__all__ = ["Known"]

KEPT = 16  # jobs; each has two numbers a frame


class Known:
    """`Contexts` of the jobs in a store; each is asked for once.

    Args:
        jobs: the store.
        plan: which frames of a job are sampled; None where nobody asks for seq and time of a frame.
    """

    def __init__(self, jobs: Jobs, plan: Callable[[Recipe], Plan] | None = None) -> None:
        self._jobs, self._plan = jobs, plan
        self._contexts: OrderedDict[str, JobContext] = OrderedDict()

    def __call__(self, job_id: str) -> JobContext | None:
        """What its records repeat of it; None where it does not run, or its row or its index is damaged.

        Raises:
            Unavailable, ServiceMisconfigured: that is not known now.
        """
        if job_id not in self._contexts:
            found = self._found(job_id)
            if found is None:
                return None
            self._contexts[job_id] = found
            if len(self._contexts) > KEPT:
                self._contexts.popitem(last=False)
        return self._contexts[job_id]

    def _found(self, job_id: str) -> JobContext | None:
        try:
            job = self._jobs.get(job_id)
            if job.state in TERMINAL or not job.facts:
                return None  # before feed has begun with it nobody knows its frames
            recipe = recipe_of(job)
            return context_of(recipe, None if self._plan is None else self._plan(recipe).timeline())
        except ServiceMisconfigured:
            raise
        except (NotFound, Corrupt, Misconfigured):  # whoever works on it ends it
            return None
