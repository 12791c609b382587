"""What a replay is asked for, closed against the job that it runs again: settings of its tracker with changes."""

from __future__ import annotations

from typing import Literal

from sightline.errors import Misconfigured, setting
from sightline.jobs.recipe import Recipe
from sightline.jobs.requests import Replay
from sightline.pipeline.resolve import TrackerOverrides, retracked

__all__ = ["replay_of"]


def replay_of(
    recipe: Recipe, stage: Literal["detect", "track"], changes: TrackerOverrides, refine: bool | None
) -> Replay:
    """A replay of a job.

    Args:
        recipe: of the job.
        stage: the first that runs again.
        changes, refine: what is said of the tracker and of refinement; what is not stays.

    Raises:
        Misconfigured: values that do not fit each other, the stage, or a job that follows nothing.
    """
    said = changes.model_dump(exclude_none=True)
    if not said and refine is None:
        return Replay(stage=stage)
    named = setting("refine") if not said else setting(f"tracker.{next(iter(said))}")
    if stage != "track":
        raise Misconfigured(
            f"{named} needs {setting('from', 'track')}: replay the job from {stage} on, then that one from track on",
            code="usage",
        )
    tracker = recipe.settings.tracker
    if tracker is None:
        raise Misconfigured(f"{named} means nothing to a job whose objects are not followed", code="usage")
    made, refined = retracked(tracker, recipe.settings.refine is not None, changes, refine)
    return Replay(stage=stage, tracker={**tracker, **made.model_dump(mode="json")}, refine=refined)
