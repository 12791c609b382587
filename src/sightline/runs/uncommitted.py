"""What an earlier start wrote ahead of its commits: a new start removes it before it works on."""

from __future__ import annotations

from pathlib import Path

from sightline.errors import NotFound
from sightline.jobs.recipe import Recipe
from sightline.ports import TERMINAL, ObjectStore, Store
from sightline.stages.collect import segment_keys

__all__ = ["drop_uncommitted"]


def drop_uncommitted(store: Store, recipe: Recipe, objects: ObjectStore, built: Path) -> None:
    """Remove what was written of a job and no commit names, unless the job ended: it is written again.

    What was rendered: other formats or libraries render other bytes. Segments that no commit names, after a power cut
    that took the newest commits back: a detector with random low bits finds other bytes. Nobody else may be writing.

    Args:
        store: jobs and ledger.
        recipe: of the job.
        objects: where its objects are.
        built: the folder in which they lie.
    """
    job_id, prefix = recipe.job_id, recipe.route.prefix
    try:
        ended = store.get(job_id).state in TERMINAL
    except NotFound:
        ended = False
    kept = {
        key
        for (stage, stream), frames in store.progress(job_id).items()
        if stage == "collect"
        for key in segment_keys(prefix, stream, frames)
    }
    for path in () if ended else [*(built / prefix).rglob("*")]:
        key = path.relative_to(built).as_posix()
        if path.is_file() and key not in kept:
            objects.delete(key)
