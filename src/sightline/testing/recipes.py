"""Recipes of scripted jobs: everything that a real one has, but pictures and a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import msgspec

from sightline.jobs.recipe import (
    Engine,
    GroupLabels,
    Model,
    Picture,
    Recipe,
    Route,
    Settings,
    SourceFacts,
    encode,
    keyed,
)
from sightline.jobs.topology import FRAME_PARTITIONS, streams_of, topics_of
from sightline.ports import Job
from sightline.types import ImageSpec
from sightline.vision.bytetrack import TrackerSettings
from sightline.vision.refine import RefineSettings

__all__ = ["begun_job", "scripted_recipe"]

LABELS = ("car", "person")


def scripted_recipe(
    job_id: str = "",
    frames: int = 10,
    *,
    groups: Mapping[str, tuple[int, ...]] = {"cars": (0,), "people": (1,)},
    tracker: TrackerSettings | None = None,
    refine: RefineSettings | None = None,
    rate: str = "25",
    prefix: str = "",
    topics: Mapping[str, str] | None = None,
    **changes: Any,
) -> Recipe:
    """The recipe of a job whose frames and detections come from a script, as `ScriptedReader` and `ScriptedDetector` do.

    Args:
        job_id: its name too; where empty, what the run key gives.
        frames: of the source; all are sampled.
        groups: class ids of `car`, 0, and `person`, 1.
        tracker: None: nothing is tracked.
        refine: None: tracks stay as the tracker gave them.
        rate: sampled frames per second.
        prefix: of every object key.
        topics: by stream; those of one process where None.
        changes: other fields of the recipe.
    """
    tracked = tracker is not None
    recipe = Recipe(
        job_id=job_id,
        video_id=f"video {job_id}",
        pipeline="scripted",
        settings=_settings(groups, tracker, refine),
        source=SourceFacts(
            kind="video", name="street", bytes=0, sha256=job_id, frames=frames, width=640, height=360
        ),
        model=Model(name="scripted", sha256="0" * 64, labels=LABELS),
        engine=Engine(name="scripted", version="1", precision="f32", picture=Picture.of(ImageSpec(0, 0))),
        class_ids=dict(groups),
        rate=rate,
        sampled=frames,
        streams=streams_of(groups, tracked=tracked),
        formats=("mot", "csv", "csv-a", "json-b"),
        route=Route(
            topics=dict(topics_of(groups, tracked=tracked) if topics is None else topics),
            frame_partitions=FRAME_PARTITIONS,
            prefix=prefix,
        ),
    )
    return msgspec.structs.replace(keyed(recipe), **changes)


def _settings(
    groups: Mapping[str, tuple[int, ...]], tracker: TrackerSettings | None, refine: RefineSettings | None
) -> Settings:
    return Settings(
        stride=1,
        preprocess="none",
        conf=0.1,
        iou=0.7,
        max_det=300,
        object_conf=0.25,
        groups=tuple(
            GroupLabels(name=name, labels=tuple(LABELS[i] for i in ids)) for name, ids in groups.items()
        ),
        tracker=None if tracker is None else asdict(tracker) | {"version": 0},
        refine=None if refine is None else asdict(refine) | {"version": 0},
    )


def begun_job(recipe: Recipe) -> Job:
    """The row of a job that `feed` has begun with."""
    return Job(recipe.job_id, recipe.video_id, recipe.created_at_us, "processing", facts=encode(recipe))
