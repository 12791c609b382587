"""What may be wrong with the boxes: scores of another scale, false boxes of low score, frames left out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from benchmarks.tracking.suites import Frame

__all__ = ["CHANGES", "changed", "noisy", "scaled", "strided"]


def scaled(frames: list[Frame], factor: float) -> list[Frame]:
    """The same boxes by a network that is less sure of itself."""
    return [frame._replace(scores=frame.scores * factor) for frame in frames]


def noisy(frames: list[Frame], share: float = 0.5, seed: int = 0) -> list[Frame]:
    """Add boxes of low score: in each frame Poisson(share * mean number of boxes from 0.3 on).

    Half are copies of a box of the frame, the centre off by N(0, 0.3) sides; half have the size of any box of the
    video and lie anywhere. Sides times exp(N(0, 0.3)). Score 0.1 + Exp(0.1), at most half of the 95 % quantile, and
    the 0.1 less where the surest box is below 0.9.
    """
    rng = np.random.default_rng([seed, len(frames)])
    boxes = np.concatenate([frame.boxes for frame in frames])
    scores = np.concatenate([frame.scores for frame in frames])
    if not len(boxes):
        return frames
    area = boxes[:, :2].min(0), boxes[:, 2:].max(0)
    mean = share * (scores >= 0.3).sum() / len(frames)
    floor, top = 0.1 * min(1, scores.max() / 0.9), 0.5 * np.quantile(scores, 0.95)
    out = []
    for frame in frames:
        more = np.array([_false(rng, frame.boxes, boxes, area) for _ in range(rng.poisson(mean))]).reshape(
            -1, 4
        )
        score = np.minimum(floor + rng.exponential(0.1, len(more)), max(top, floor))
        kind = np.full(len(more), frame.classes[0] if len(frame.classes) else 0)
        scores = np.concatenate([frame.scores, score])
        order = np.argsort(-scores, kind="stable")
        out.append(
            frame._replace(
                boxes=np.concatenate([frame.boxes, more])[order],
                scores=scores[order],
                classes=np.concatenate([frame.classes, kind])[order],
            )
        )
    return out


def _false(rng, here, boxes, area):
    """One false box: beside one of the frame, or anywhere."""
    if len(here) and rng.random() < 0.5:
        box = here[rng.integers(len(here))]
        centre = (box[:2] + box[2:]) / 2 + rng.normal(0, 0.3, 2) * (box[2:] - box[:2])
    else:
        box, centre = boxes[rng.integers(len(boxes))], rng.uniform(*area)
    half = (box[2:] - box[:2]) * np.exp(rng.normal(0, 0.3, 2)) / 2
    return np.concatenate([centre - half, centre + half])


def strided(frames: list[Frame], stride: int) -> list[Frame]:
    """Only every n-th frame is seen; times stay true."""
    return frames[::stride]


CHANGES: dict[str, Callable[[list[Frame]], list[Frame]]] = {
    "as": lambda frames: frames,
    "x0.6": lambda frames: scaled(frames, 0.6),
    "noise": noisy,
}


def changed(name: str, frames: list[Frame]) -> list[Frame]:
    """Frames with a change, by name: `as`, `noise`, or `x` and a factor."""
    if name.startswith("x"):
        return scaled(frames, float(name[1:]))
    if name not in CHANGES:
        raise SystemExit(f"unknown change {name!r}: {', '.join(CHANGES)}")
    return CHANGES[name](frames)
