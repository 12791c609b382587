"""What follows from a recipe: which frames are sampled, how pictures become records, what a result needs. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from typing import Any

import numpy as np
from msgspec import UNSET

from sightline.arrays import IntArray
from sightline.camera import Motion
from sightline.jobs.recipe import Recipe
from sightline.stages.detect import Detect
from sightline.stages.feed import Plan
from sightline.stages.publish import Facts
from sightline.types import SourceIndex
from sightline.vision import sampling
from sightline.vision.camera_view import CameraView
from sightline.vision.counting import hits_limit
from sightline.vision.letterbox import Letterbox
from sightline.vision.refine import RefineSettings

__all__ = [
    "detect_of",
    "evidence_of",
    "facts_from",
    "facts_of",
    "first_frame_of",
    "plan_of",
    "sampled_of",
    "two_wheelers_of",
    "view_of",
]


def plan_of(
    recipe: Recipe,
    index: SourceIndex,
    chunk_frames: int = 0,
    motions: Callable[[IntArray], Sequence[Motion | None]] | None = None,
) -> Plan:
    """Which frames of a source a job samples, and in which pieces they are decoded.

    Args:
        recipe: of the job.
        index: of its source.
        chunk_frames: least frames of a chunk, 0 for the default; changes no byte.
        motions: what is known from elsewhere of the camera's motion: of sampled frames, by their numbers in the source.
    """
    chunks = sampling.chunks(index, chunk_frames) if chunk_frames else sampling.chunks(index)
    rows = np.asarray(sampled_of(recipe, index))
    known = None if motions is None else motions(index.frame[rows])
    return Plan(index, rows, chunks, looks=view_of(recipe) is not None, motions=known)


def sampled_of(recipe: Recipe, index: SourceIndex) -> IntArray:
    """Which rows of a source a job samples, rising."""
    settings = recipe.settings
    return sampling.sample(index, settings.stride, settings.start_us, settings.end_us)


def detect_of(recipe: Recipe, topic: str = "") -> Detect:
    """How the pictures of a job become records.

    Args:
        recipe: of the job.
        topic: of frames whose detector is meant; it finds what all find and keeps its own groups.
    """
    mine = recipe.route.found_in(topic)
    groups = {name: ids for name, ids in recipe.class_ids.items() if mine is None or name in mine}
    image, source = recipe.engine.picture.spec(), recipe.source
    whole = image.width == 0
    letterbox = None if whole else Letterbox.fit(source.width, source.height, image)
    return Detect(letterbox, groups, quantised=source.kind != "detections", view=view_of(recipe))


def view_of(recipe: Recipe) -> CameraView | None:
    """How the camera's motion is told from a job's pictures; None where it is not."""
    camera = recipe.settings.camera
    if camera is UNSET or camera.motion != "auto":
        return None
    image, source = recipe.engine.picture.spec(), recipe.source
    return CameraView(Letterbox.fit(source.width, source.height, image), image.layout)


def facts_of(recipe: Recipe) -> Facts:
    """What the result of a job needs besides its segments."""
    facts = facts_from(
        recipe.settings_json(),
        video_id=recipe.video_id,
        job_id=recipe.job_id,
        created_at_us=recipe.created_at_us,
        clock_start=recipe.clock,
        rate=recipe.sampled_rate,
        size=(recipe.source.width, recipe.source.height),
        labels=recipe.model.labels,
        class_ids=recipe.class_ids,
    )
    view = view_of(recipe)
    known = recipe.settings.camera is not UNSET
    return replace(facts, camera_scale=view.scale if view is not None else 1.0 if known else None)


def facts_from(
    settings: Mapping[str, Any],
    *,
    video_id: str,
    job_id: str,
    created_at_us: int,
    clock_start: datetime | None,
    rate: Fraction,
    size: tuple[int, int],
    labels: tuple[str, ...],
    class_ids: Mapping[str, tuple[int, ...]],
) -> Facts:
    """What a result needs besides its segments, from result settings as a job or `run.json` has them.

    Raises:
        KeyError, TypeError, ValueError: they are not those of a run.
    """
    refine = settings["refine"]
    return Facts(
        video_id=video_id,
        job_id=job_id,
        created_at_us=created_at_us,
        rate=rate,
        width=size[0],
        height=size[1],
        labels=labels,
        groups=class_ids,
        min_hits=hits_limit(rate),
        conf=settings["object_conf"],
        refine=None if refine is None else _refine_settings(refine),
        clock_start=clock_start,
        first_frame=first_frame_of(settings),
        two_wheelers=two_wheelers_of(settings),
        evidence=evidence_of(settings),
    )


def first_frame_of(settings: Mapping[str, Any]) -> int | None:
    """Number that a text gives its first frame, from the settings of a run; None for other sources."""
    text = settings.get("text")
    return None if text is None else int(text["first_frame"])


def two_wheelers_of(settings: Mapping[str, Any]) -> tuple[str, str] | None:
    """Names of the groups of two-wheelers and of their riders, from the settings of a run; None where riders are people."""
    rule = settings.get("two_wheelers")
    return None if rule is None else (str(rule["group"]), str(rule["riders"]))


def evidence_of(settings: Mapping[str, Any]) -> bool:
    """Whether a run's tracks are judged by what they have shown; older runs do not know of it."""
    tracker = settings["tracker"]
    return tracker is not None and bool(tracker.get("evidence", False))


def _refine_settings(written: Mapping[str, Any]) -> RefineSettings:
    return RefineSettings(**{name: value for name, value in written.items() if name != "version"})
