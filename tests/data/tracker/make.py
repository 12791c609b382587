"""Make a golden state and the output that must follow it, for the format version of today.

    python -m tests.data.tracker.make FOLDER

Writes `state-v<version>-<rules>.bin` and `.json`. Files of released versions are never made again: the tests read
them for ever.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from sightline.types import Detections, Tracks
from sightline.vision.bytetrack import TrackerSettings, TrackerState, encode, step
from sightline.vision.tracker_state import CONFIRMED, FLAGS, REMOVED, VERSION
from tests.laws.tracker_scenes import BYTETRACK, EVIDENCE, FRAME_US, QUALITY, play, street

OBJECTS, BEFORE, AFTER = 14, 55, 5
HIDDEN = range(24, BEFORE)  # half of the street: so long that `bytetrack` removes its tracks in the last step


def rows(tracks: Tracks) -> list[list[Any]]:
    """A frame's tracks as JSON: id, box, confidence, class id, origin."""
    columns = (tracks.track_id, *tracks.xyxy.T, tracks.confidence, tracks.class_id, tracks.origin)
    return [list(row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def rounded(detections: Detections) -> Detections:
    """Boxes to 1/64 px: short in JSON."""
    return Detections(np.round(detections.xyxy * 64) / 64, detections.confidence, detections.class_id)


def scene(seed: int) -> list[Detections]:
    """A street of which the right half is hidden for a second, then seen again."""
    frames = [rounded(frame) for frame in street(seed, OBJECTS, BEFORE + AFTER)]
    middle = float(np.median(frames[0].xyxy[:, 0]))
    return [frame[frame.xyxy[:, 0] < middle] if seq in HIDDEN else frame for seq, frame in enumerate(frames)]


def is_rich(state: TrackerState, mode: str) -> bool:
    """Whether every kind of row is there: tracked, lost, unconfirmed and, in `bytetrack`, removed once."""
    removed = bool((state.facts[FLAGS] & REMOVED).any())
    unconfirmed = (state.facts[FLAGS] & CONFIRMED == 0).any()
    return 0 < state.tracked < len(state) and unconfirmed and removed == (mode == "bytetrack")


def find(settings: TrackerSettings) -> tuple[list[Detections], TrackerState]:
    """The first scene whose state shows everything."""
    for seed in range(1000):
        frames = scene(seed)
        state, _ = play(settings, frames[:BEFORE])
        _, shown = play(settings, frames[BEFORE:], state, first=BEFORE)
        if is_rich(state, settings.mode) and any(len(frame.births) for frame in shown):
            return frames, state
    raise SystemExit("no scene shows every kind of row")


def name_of(settings: TrackerSettings, version: int) -> str:
    """What the files of these settings are called."""
    return f"state-v{version}-{'evidence' if settings.evidence else settings.mode}"


def main(folder: Path) -> None:
    for settings in (BYTETRACK, QUALITY, EVIDENCE):
        frames, state = find(settings)
        blob, after = encode(settings, state), []
        for seq, detections in enumerate(frames[BEFORE:], BEFORE):
            state, tracks, births = step(settings, state, detections, seq * FRAME_US, seq)
            found = np.column_stack([detections.xyxy, detections.confidence, detections.class_id])
            after.append(
                {"seq": seq, "pts_us": seq * FRAME_US, "detections": found.tolist(), "tracks": rows(tracks)}
                | {"births": births.track_id.tolist()}
            )
        name = folder / name_of(settings, VERSION)
        name.with_suffix(".bin").write_bytes(blob)
        name.with_suffix(".json").write_text(
            "[\n" + ",\n".join(json.dumps(frame, separators=(",", ":")) for frame in after) + "\n]\n"
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
