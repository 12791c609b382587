"""What a run tells while it works: frozen events and a hook with one method.

Layers below report facts; who listens decides what to show. Events never reach a result: a run with `NULL` gives the
same bytes as one with a progress bar.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

__all__ = ["NULL", "Event", "Finished", "Hook", "Planned", "Progress", "Started", "Warned"]


@dataclass(frozen=True, slots=True)
class Planned:
    """What a command is about to do, before the first job begins, and again when more is known.

    Attributes:
        jobs: how many there are.
        frames: of all of them, those of earlier starts too.
        estimated: not all of them were read yet: `frames` is what their bytes let expect.
    """

    jobs: int
    frames: int
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class Started:
    """Work on a job began or went on.

    Attributes:
        job: name for people, the video's.
        frames: how many there are to do; 0 where that is not known.
        done: how many of them an earlier, interrupted start did.
    """

    job: str
    frames: int
    done: int = 0


@dataclass(frozen=True, slots=True)
class Progress:
    """So many frames went through a stage.

    Attributes:
        stage: `index`, `detect`, `track`, `publish`, `render`.
        job: name for people, the video's.
        done, total: frames since the job's first frame, also those of an earlier, interrupted start; total 0 where it is
            not known.
    """

    stage: str
    job: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Warned:
    """Something a user should know.

    Attributes:
        job: name for people; empty where it concerns no single job.
        code: stable word for machines.
        detail: for people.
    """

    job: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Finished:
    """A job ended.

    Attributes:
        job: name for people.
        state: `ready`, `failed` or `cancelled`.
        frames: how many were done.
        failed: how many of them could not be decoded.
    """

    job: str
    state: str
    frames: int
    failed: int


Event = Planned | Started | Progress | Warned | Finished


class Hook(Protocol):
    """Who listens. Called from any thread, one call at a time for each job; must return fast and never raise."""

    def emit(self, event: Event) -> None:
        """Take note of an event."""


class _Null:
    def emit(self, event: Event) -> None:
        """Take no note."""


NULL: Hook = _Null()
