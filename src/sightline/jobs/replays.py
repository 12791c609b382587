"""Replays: a job runs its parent again from a stage on, on what the parent's run has stored (docs/decisions/008-replay.md).

Both results stay. What is needed of the parent is its row and its index, and from `track` on the detections in its segments:
its video is not opened then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from sightline.errors import Misconfigured, NotFound
from sightline.events import part_of
from sightline.jobs import recipe as recipes
from sightline.jobs import requests
from sightline.jobs.again import made
from sightline.jobs.recipe import Recipe
from sightline.jobs.requests import Replay
from sightline.ports import TERMINAL, Job, Jobs, Ledger, Notes, ObjectStore

__all__ = ["NOTHING_STORED", "NOT_ENDED", "Stage", "begin", "parent_of", "stored_of"]

NOT_ENDED, NOTHING_STORED = "not_ended", "nothing_stored"
Stage = Literal["detect", "track"]


def stored_of(
    job: Job, stage: Stage, progress: Mapping[tuple[str, str], int], objects: ObjectStore
) -> Recipe:
    """The recipe of a job that has stored what a replay begins with.

    Args:
        job: that is to be replayed.
        stage: the first that runs again.
        progress: of the job; see `Ledger.progress`.
        objects: port.

    Raises:
        Misconfigured: it has not ended (`not_ended`), or has not stored that (`nothing_stored`).
    """
    if job.state not in TERMINAL:
        raise Misconfigured(
            f"job {job.job_id} is {job.state}: cancel it first, or wait until it has ended", code=NOT_ENDED
        )
    if not job.facts:
        raise _nothing(job, "it ended before its frames were known", "retry it")
    recipe = recipes.decode(job.facts)
    if stage == "detect":
        _see_source(job, objects)
        return recipe
    streams = [stream for stream in recipe.streams if part_of(stream)[0] == "detections"]
    done = min(progress.get(("collect", stream), 0) for stream in streams)
    if done <= recipe.sampled:  # its end is one more
        raise _nothing(
            job,
            f"detections of {done} of its {recipe.sampled} frames are stored",
            "replay it from detect on, or retry it",
        )
    return recipe


def begin(
    job: Job,
    child_id: str,
    stage: Stage,
    asked: Callable[[Recipe], Replay],
    *,
    jobs: Jobs,
    ledger: Ledger,
    objects: ObjectStore,
    notes: Notes,
    now_us: int,
) -> bool:
    """Make the job that replays another one; its id must be claimed. False where it was made before.

    Args:
        job: that is to be replayed.
        child_id: of the new one.
        stage: the first that runs again.
        asked: what is asked for, by the recipe of the job.
        jobs, ledger, objects, notes: ports.
        now_us: microseconds since 1970.

    Raises:
        Misconfigured: see `stored_of`; or `asked` refuses.
        NotFound: the job was removed, or is being removed.
    """
    recipe = stored_of(job, stage, ledger.progress(job.job_id), objects)
    return made(job, child_id, jobs, objects, notes, now_us, asked(recipe))


def parent_of(job: Job, jobs: Jobs) -> Recipe:
    """The recipe of the job that a job replays.

    Raises:
        NotFound: it was removed (`records_gone`).
    """
    try:
        parent = jobs.get(job.parent_id or "")
    except NotFound as error:
        raise NotFound(
            f"job {job.parent_id}, which it replays, was removed meanwhile: retry this one",
            code="records_gone",
        ) from error
    return recipes.decode(parent.facts)


def _see_source(job: Job, objects: ObjectStore) -> None:
    """See that a video in the object store is there; what lies below a root is seen to when it is opened."""
    source = requests.decode(job.request).source
    if source.root:
        return
    try:
        next(objects.read(source.key, 0, 1), None)
    except NotFound:
        raise _nothing(job, "its video was removed", "replay it from track on") from None


def _nothing(job: Job, why: str, instead: str) -> Misconfigured:
    return Misconfigured(f"job {job.job_id} has nothing to begin with: {why}; {instead}", code=NOTHING_STORED)
