"""Ground truth of a clip as CSV: `frame,id,label,x1,y1,x2,y2,visible`.

Frames count from 0; boxes are whole pixels, clipped to the frame; `visible` has three decimals. A frame without
actors has no row, so the number of frames has to come from the clip.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .scenes import LABELS, Truth

__all__ = ["COLUMNS", "read_truth", "write_truth"]

COLUMNS = ("frame", "id", "label", "x1", "y1", "x2", "y2", "visible")


def write_truth(path: Path, truths: Sequence[Truth]) -> None:
    """One row per actor and frame, by frame and id."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for frame, truth in enumerate(truths):
            for k in np.argsort(truth.ids):
                box = (int(v) for v in truth.boxes[k])
                row = frame, truth.ids[k], LABELS[truth.class_ids[k]], *box, f"{truth.visible[k]:.3f}"
                writer.writerow(row)


def read_truth(path: Path, frames: int) -> list[Truth]:
    """Truth of frames 0 to `frames` - 1, empty ones included."""
    rows: list[list[dict[str, str]]] = [[] for _ in range(frames)]
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            rows[int(row["frame"])].append(row)
    return [
        Truth(
            np.array([row["id"] for row in some], int),
            np.array([LABELS.index(row["label"]) for row in some], int),
            np.array([[row[c] for c in COLUMNS[3:7]] for row in some], np.float32).reshape(-1, 4),
            np.array([row["visible"] for row in some], np.float32),
        )
        for some in rows
    ]
