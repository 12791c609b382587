"""Scenes for tests of the tracker: boxes by hand, boxes at random, and a short way to play them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sightline.types import Detections, Tracks, TrackTable
from sightline.vision.bytetrack import TrackerSettings, TrackerState, initial, step

BYTETRACK = TrackerSettings(mode="bytetrack")
QUALITY = TrackerSettings()
SECTION = TrackerSettings(online=False, own_motion=False)
EVIDENCE = TrackerSettings(evidence=True)
FIXED = (BYTETRACK, QUALITY, SECTION)
EVERY = (*FIXED, EVIDENCE)

FRAME_US = 33_333


class Shown(NamedTuple):
    """What one step gave."""

    tracks: Tracks
    births: TrackTable


def found(*rows: Sequence[float]) -> Detections:
    """Detections of rows x1, y1, x2, y2[, confidence 0.9[, class 0]]."""
    full = [(*row, *(0.9, 0)[len(row) - 4 :]) for row in rows]
    table = np.array(full, float).reshape(-1, 6)
    return Detections(table[:, :4], table[:, 4], table[:, 5].astype(np.int64))


EMPTY = Detections.empty()


def play(
    settings: TrackerSettings,
    frames: Sequence[Detections],
    state: TrackerState | None = None,
    *,
    first: int = 0,
    interval_us: int = FRAME_US,
) -> tuple[TrackerState, list[Shown]]:
    """Take the frames one after another; frame `first + i` at its time."""
    state = initial(settings) if state is None else state
    shown = []
    for seq, detections in enumerate(frames, first):
        state, tracks, births = step(settings, state, detections, seq * interval_us, seq)
        shown.append(Shown(tracks, births))
    return state, shown


def ids(shown: Sequence[Shown]) -> list[list[int]]:
    """Track ids of each frame."""
    return [frame.tracks.track_id.tolist() for frame in shown]


def street(seed: int, objects: int, frames: int, *, pan: float = 0.0) -> list[Detections]:
    """Boxes on straight noisy paths that get lost, overlap, change class and score; `pan` moves the camera."""
    rng = np.random.default_rng(seed)
    centre = rng.uniform(0, 60 * np.sqrt(objects), (objects, 2))
    speed, size = rng.normal(0, 3, (objects, 2)), rng.uniform(15, 60, (objects, 2))
    out = []
    for at in range(frames):
        moved = centre + at * speed + [at * pan, 0] + rng.normal(0, 1, centre.shape)
        boxes = np.hstack([moved - size / 2, moved + size / 2])
        seen = rng.random(objects) > 0.15
        score = rng.choice(
            [0.05, 0.1, 0.3, 0.6, 0.65, 0.7, 0.9], objects, p=[0.05, 0.05, 0.1, 0.1, 0.1, 0.1, 0.5]
        )
        out.append(Detections(boxes[seen], score[seen], rng.integers(0, 3, int(seen.sum()))))
    return out
