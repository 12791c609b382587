"""Jobs: what was asked, what was found, where it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from sightline.ports.log import Outgoing

__all__ = [
    "ALL_JOBS",
    "STATES",
    "TERMINAL",
    "Counts",
    "Job",
    "JobState",
    "Jobs",
    "Page",
    "Which",
    "is_forward",
]

JobState = Literal["new", "sent", "processing", "predictable", "ready", "failed", "cancelled"]
STATES: tuple[JobState, ...] = ("new", "sent", "processing", "predictable", "ready", "failed", "cancelled")
TERMINAL: frozenset[JobState] = frozenset({"ready", "failed", "cancelled"})
_WAY: tuple[JobState, ...] = STATES[:5]


def is_forward(at: JobState, to: JobState) -> bool:
    """Whether a job may move from `at` to `to`.

    >>> is_forward("new", "processing"), is_forward("ready", "failed"), is_forward("sent", "sent")
    (True, False, False)
    """
    if at in TERMINAL:
        return False
    return to in ("failed", "cancelled") or _WAY.index(to) > _WAY.index(at)


def check_facts(facts: Mapping[str, Any] | None, to: JobState) -> None:
    """Refuse facts with another move than the one that may bring them, for stores.

    Raises:
        ValueError: a mistake of the caller.
    """
    if facts is not None and to != "processing":
        raise ValueError(f"facts are written with the move to processing, not to {to}")


@dataclass(frozen=True, slots=True)
class Job:
    """One processing of one video by one pipeline.

    Attributes:
        job_id: UUID text.
        video_id: name for people.
        created_at_us: microseconds since 1970-01-01 UTC; time stamp of frame 0 on the topics.
        state, code, reason: where it stands; code and reason for `failed` and `cancelled`.
        result: what `publish` points to, once `ready`; JSON values only.
        parent_id: the job that this one runs again.
        request: what was asked: pipeline and overrides, source reference, media type; JSON values only.
        facts: what `feed` found and resolved, written once, with the move to `processing`; JSON values only. `streams`
            in it are those that must be complete before results are published.
        owner: who may see it; empty for nobody in particular.
        clock_start: time of frame 0 on the clock, ISO 8601; None where nobody said.
        times: microseconds since 1970-01-01 UTC at which each state was reached, `new` included, by the store's
            clock. The store writes them; states of jobs from before there were times are missing.
    """

    job_id: str
    video_id: str
    created_at_us: int
    state: JobState = "new"
    code: str = ""
    reason: str = ""
    result: Mapping[str, Any] = field(default_factory=dict)
    parent_id: str | None = None
    request: Mapping[str, Any] = field(default_factory=dict, kw_only=True)
    facts: Mapping[str, Any] = field(default_factory=dict, kw_only=True)
    owner: str = field(default="", kw_only=True)
    clock_start: str | None = field(default=None, kw_only=True)
    times: Mapping[JobState, int] = field(default_factory=dict, kw_only=True)

    @property
    def streams(self) -> tuple[str, ...]:
        """Streams that must be complete before results are published; none before `feed` has found them."""
        return tuple(self.facts.get("streams", ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Which:
    """Which jobs are meant; what is left out is any.

    Attributes:
        states: one of these.
        owner, video_id, parent_id: exactly this one.
        oldest_first: in the order in which they were created, for workers; else newest first.
    """

    states: tuple[JobState, ...] = ()
    owner: str | None = None
    video_id: str | None = None
    parent_id: str | None = None
    oldest_first: bool = False


ALL_JOBS = Which()


@dataclass(frozen=True, slots=True)
class Page:
    """Some jobs, and the place behind them: empty where nothing follows."""

    jobs: tuple[Job, ...]
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many jobs there are, states without one left out; `revision` rises with every change of any job."""

    by_state: Mapping[JobState, int]
    revision: int


class Jobs(Protocol):
    """Job rows. States only move forward: new > sent > processing > predictable > ready; any of these > failed or
    cancelled; nothing leaves a terminal state.
    """

    def create(self, job: Job, events: Sequence[Outgoing]) -> bool:
        """Store the row and its events in one transaction; False, changing nothing, where the job_id exists or did."""

    def get(self, job_id: str) -> Job:
        """The job.

        Raises:
            NotFound: no such job, or it was removed.
        """

    def list(self, which: Which = Which(), *, limit: int = 50, after: str = "") -> Page:
        """A page of at most `limit` jobs; `after` is the cursor of the page before.

        A cursor is opaque and names a place, not a row: jobs that are removed, move on or are created meanwhile make
        no other job appear twice or go missing.

        Raises:
            Misconfigured: `after` is no cursor (code `cursor`).
        """

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
        """Move a job forward by compare-and-set; True for the caller that moved it, False where the move is not
        forward (the job is there already, further on, or terminal). Whoever gets False has written nothing.

        Raises:
            NotFound: no such job.
            ValueError: facts with another state than `processing`.
        """

    def counts(self, owner: str | None = None) -> Counts:
        """Jobs by state, of one owner where given. Cheap, however many there are: pages ask it for changes."""

    def remove(self, job_id: str) -> bool:
        """Remove a terminal job, its states and completions; False where there is none, or it has not ended.

        Its id is never given again. Its objects are the caller's business: read their keys first.
        """
