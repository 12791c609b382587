"""Jobs in memory."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sightline.errors import Misconfigured, NotFound
from sightline.ports import (
    ALL_JOBS,
    TERMINAL,
    Counts,
    Job,
    JobState,
    Outgoing,
    Page,
    Saved,
    Which,
    check_facts,
    is_forward,
)
from sightline.testing.log import MemoryLog

__all__ = ["MemoryJobs"]


class MemoryJobs(MemoryLog):
    """`Jobs` beside log and outbox.

    Args:
        clock: microseconds since 1970, for `Job.times`.
        others: see `MemoryLog`.
    """

    def __init__(self, *, clock: Callable[[], int] = lambda: 0, **others: Any) -> None:
        super().__init__(**others)
        self._clock, self._revision = clock, 0
        self._jobs: dict[str, Job] = {}
        self._numbers: dict[str, int] = {}  # those of removed jobs too
        self._complete: defaultdict[str, set[str]] = defaultdict(set)
        self._saved: dict[tuple[str, str, str], Saved] = {}

    def create(self, job: Job, events: Sequence[Outgoing]) -> bool:
        """See `Jobs`."""
        with self._changed:
            if job.job_id in self._numbers:
                return False
            self._emit(events)
            self._numbers[job.job_id] = len(self._numbers) + 1
            self._put(replace(job, times={job.state: self._clock()}))
            return True

    def get(self, job_id: str) -> Job:
        """See `Jobs`."""
        with self._changed:
            if job_id not in self._jobs:
                raise NotFound(f"no job {job_id}")
            return self._jobs[job_id]

    def list(self, which: Which = ALL_JOBS, *, limit: int = 50, after: str = "") -> Page:
        """See `Jobs`."""
        place = _place(after)
        with self._changed:
            asked = {
                name: getattr(which, name)
                for name in ("owner", "video_id", "parent_id")
                if getattr(which, name) is not None
            }
            found = [
                job
                for job in self._jobs.values()
                if all(getattr(job, name) == value for name, value in asked.items())
                and (not which.states or job.state in which.states)
                and (not place or self._behind(job, place, which))
            ]
            found = found if which.oldest_first else found[::-1]
            more = len(found) > limit
            return Page(tuple(found[:limit]), f"job {self._numbers[found[limit - 1].job_id]}" if more else "")

    def advance(
        self,
        job_id: str,
        to: JobState,
        *,
        code: str = "",
        reason: str = "",
        result: Mapping[str, Any] | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> bool:
        """See `Jobs`."""
        check_facts(facts, to)
        with self._changed:
            job = self.get(job_id)
            if not is_forward(job.state, to):
                return False
            self._put(
                replace(
                    job,
                    state=to,
                    code=code,
                    reason=reason,
                    result=job.result if result is None else result,
                    facts=job.facts if facts is None else facts,
                    times={**job.times, to: self._clock()},
                )
            )
            return True

    def counts(self, owner: str | None = None) -> Counts:
        """See `Jobs`."""
        with self._changed:
            jobs = [job for job in self._jobs.values() if owner in (None, job.owner)]
            return Counts(Counter(job.state for job in jobs), self._revision)

    def remove(self, job_id: str) -> bool:
        """See `Jobs`."""
        with self._changed:
            if job_id not in self._jobs or self._jobs[job_id].state not in TERMINAL:
                return False
            del self._jobs[job_id]
            self._complete.pop(job_id, None)
            self._saved = {key: saved for key, saved in self._saved.items() if key[1] != job_id}
            self._change()
            return True

    def _behind(self, job: Job, place: int, which: Which) -> bool:
        number = self._numbers[job.job_id]
        return number > place if which.oldest_first else number < place

    def _put(self, job: Job) -> None:
        self._jobs[job.job_id] = job
        self._change()

    def _change(self) -> None:
        self._revision += 1
        self._changes += 1
        self._changed.notify_all()


def _place(cursor: str) -> int:
    found = re.fullmatch(r"job ([0-9]+)", cursor)
    if cursor and found is None:
        raise Misconfigured(f"{cursor!r} is no cursor: begin with the first page", code="cursor")
    return int(found[1]) if found else 0
