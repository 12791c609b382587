"""What a database shows of jobs to those who read it and not the API: system B's `runner_predictions`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, Protocol, runtime_checkable

import msgspec

from sightline.errors import NotFound
from sightline.jobs.recipe import Recipe
from sightline.jobs.requests import detection_key
from sightline.ports import Job, ObjectStore

__all__ = ["Shown", "count", "filling"]

MOST_BYTES = 8 * 2**20  # of a result; a larger one is not shown


class Predictions(Protocol):
    """The view."""

    def fill(self, job_id: str, items: Iterable[Mapping[str, Any]]) -> None:
        """Show the frames of a job, or that there are too many."""


@runtime_checkable
class Shown(Protocol):
    """A ledger with such a view."""

    predictions: Predictions

    def show_received(self, job_id: str) -> None:
        """Show how many frames have an outcome by now."""


def filling(shown: Shown, objects: ObjectStore) -> Callable[[Recipe], None]:
    """Fills in the frames of a job whose files have been put, before it is `ready`."""

    def fill(recipe: Recipe) -> None:
        key = detection_key(recipe.route.bucket or "", recipe.job_id)
        if objects.stat(key).size > MOST_BYTES:
            shown.predictions.fill(recipe.job_id, _too_many())
        else:
            shown.predictions.fill(
                recipe.job_id, msgspec.json.decode(b"".join(objects.read(key)), type=list[dict[str, Any]])
            )
        shown.show_received(recipe.job_id)

    return fill


def count(shown: Shown, jobs: Iterable[Job]) -> None:
    """Show how far jobs are."""
    for job in jobs:
        with suppress(NotFound):  # removed meanwhile
            shown.show_received(job.job_id)


def _too_many() -> Iterable[Mapping[str, Any]]:
    """More than any view takes."""
    while True:
        yield {"frame": 0, "objects": [{"class": " " * 2**16}]}
