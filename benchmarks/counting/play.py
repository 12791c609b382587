"""Boxes of a whole video in, published tracks and counted objects out: the one place that knows the tracker.

`override` changes a setting or a constant for the rest of the process, so that a benchmark can try values.
"""

from __future__ import annotations

import ast
import importlib
from dataclasses import fields
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from benchmarks.tracking.suites import Frame

from sightline.arrays import IntArray
from sightline.camera import Motion
from sightline.types import Detections, FrameTable, TrackTable
from sightline.vision.bytetrack import TrackerSettings, initial, step
from sightline.vision.camera_path import CameraPath
from sightline.vision.counting import count_tracks, hits_limit
from sightline.vision.reference import reference, score_counts
from sightline.vision.refine import RefineSettings, judge_and_refine, refine

__all__ = ["Played", "objects", "override", "overrides", "rate", "times"]

COLUMNS = ("track_id", "class_id", "xyxy", "confidence", "origin")
TRACKER = frozenset(field.name for field in fields(TrackerSettings))
REFINE = frozenset(field.name for field in fields(RefineSettings))


class Played(NamedTuple):
    """Sampled frames, published (refined) tracks of one group, and the ids that count, int64 ascending."""

    frames: FrameTable
    tracks: TrackTable
    counted: IntArray


def objects(
    frames: list[Frame],
    fps: float,
    cameras: list[Motion | None] | None = None,
    path: CameraPath | None = None,
    **settings: Any,
) -> Played:
    """Follow and count one group through a whole video as the product does where nobody names a threshold.

    Args:
        frames: its sampled frames in order, each with the boxes of one group.
        fps: sampled frames a second.
        cameras: what the tracker is told of the camera in each frame; None where nothing is known.
        path: where the camera looked in each frame; None where nothing is known.
        settings: fields of `TrackerSettings` or `RefineSettings` that differ from their defaults.
    """
    unknown = set(settings) - TRACKER - REFINE
    if unknown:
        raise SystemExit(f"no such setting: {', '.join(sorted(unknown))}")
    chosen = {name: value for name, value in settings.items() if name in TRACKER}
    tracker = TrackerSettings(**{"evidence": True, **chosen})
    refining = RefineSettings(**{name: value for name, value in settings.items() if name in REFINE})
    seen, raw = times(frames), _raw(frames, cameras or [None] * len(frames), tracker)
    if tracker.evidence:
        level = reference(score_counts(np.concatenate([frame.scores for frame in frames])))
        tracks, _ = judge_and_refine(seen, raw, refining, level, path)
    else:
        tracks = refine(seen, raw, refining, path)
    counts = count_tracks(seen, tracks, hits_limit(rate(fps)))
    return Played(seen, tracks, counts.track_id[counts.counted])


def _raw(frames: list[Frame], cameras: list[Motion | None], settings: TrackerSettings) -> TrackTable:
    """Tracks as given out while the job runs, births included."""
    state, parts = initial(settings), []
    for seq, (frame, camera) in enumerate(zip(frames, cameras, strict=True)):
        detections = Detections(frame.boxes, frame.scores, frame.classes)
        state, tracks, births = step(settings, state, detections, frame.pts_us, seq, camera)
        parts += [(np.full(len(tracks), seq), tracks), (births.seq, births)]
    columns = (np.concatenate([getattr(part, name) for _, part in parts]) for name in COLUMNS)
    return TrackTable(np.concatenate([seq for seq, _ in parts]), *columns).sorted()


def times(frames: list[Frame]) -> FrameTable:
    """The frames as a job lists them, all looked at."""
    n = len(frames)
    return FrameTable(np.arange(n), np.array([frame.pts_us for frame in frames]), ("ok",) * n, ("",) * n)


def rate(fps: float) -> Fraction:
    """Frames a second as the fraction that was meant."""
    return Fraction(fps).limit_denominator(1001)


def overrides(texts: list[str]) -> dict[str, Any]:
    """`name=value` as settings; `module.NAME=value` changes a constant of `sightline.vision.module` at once."""
    settings = {}
    for text in texts:
        name, _, value = text.partition("=")
        try:
            parsed = ast.literal_eval(value)
        except (SyntaxError, ValueError):
            raise SystemExit(f"--set {text}: give name=number or name=True") from None
        if "." in name:
            override(name, parsed)
        else:
            settings[name] = parsed
    return settings


def override(name: str, value: Any) -> Any:
    """Set a constant `module.NAME` of `sightline.vision` and return what it was.

    Where another module imports it by name, set it there too.
    """
    path, _, constant = name.rpartition(".")
    module = importlib.import_module(f"sightline.vision.{path}")
    if not hasattr(module, constant):
        raise SystemExit(f"sightline.vision.{path} has no {constant}")
    was = getattr(module, constant)
    setattr(module, constant, value)
    return was
