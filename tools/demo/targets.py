"""What the network sees of a frame and what it has to say about it.

A 1280x720 frame becomes 640x384: half size, 12 rows of grey above and below. The network answers for cells of
`STRIDE` pixels.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from PIL import Image

from .scenes import H, Truth, W, training

__all__ = [
    "FIRST",
    "GREY",
    "IN_H",
    "IN_W",
    "MARGIN",
    "STRIDE",
    "Example",
    "fit",
    "label_cells",
    "render_world",
]

IN_W, IN_H, STRIDE = 640, 384, 8
GREY = 114
FIRST = 1000  # seed of the first world; clips use seeds far below
MARGIN = (IN_H - H * IN_W // W) // 2
TAKE = (
    0.3  # actors with at least this visible share are targets; the others are neither targets nor background
)
REACH = 1.2 * STRIDE  # how far from the middle of a box its cells are, in input pixels
BACKGROUND, LEFT_OUT = -1, -2

Example = tuple[np.ndarray, np.ndarray, np.ndarray]


def fit(frame: np.ndarray, how: Image.Resampling = Image.Resampling.BOX) -> np.ndarray:
    """Uint8 RGB (H, W, 3) to the network's input, uint8 (IN_H, IN_W, 3)."""
    picture = Image.fromarray(np.ascontiguousarray(frame))
    fitted = np.full((IN_H, IN_W, 3), GREY, np.uint8)
    fitted[MARGIN : IN_H - MARGIN] = np.asarray(picture.resize((IN_W, IN_H - 2 * MARGIN), how))
    return fitted


def label_cells(truth: Truth) -> tuple[np.ndarray, np.ndarray]:
    """Class and box per cell; the middle of a box is positive, the smaller box wins.

    Returns:
        int64 (h, w): class id, `BACKGROUND` or `LEFT_OUT`; float32 (h, w, 4): xyxy in input pixels.
    """
    h, w = IN_H // STRIDE, IN_W // STRIDE
    class_ids, targets = np.full((h, w), BACKGROUND, np.int64), np.zeros((h, w, 4), np.float32)
    boxes = truth.boxes / 2 + np.array([0, MARGIN, 0, MARGIN], np.float32)
    for i in np.argsort(-(boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])):
        x1, y1, x2, y2 = boxes[i]
        taken, reach = (True, REACH) if truth.visible[i] >= TAKE else (False, math.inf)
        cells = _middle(y1, y2, reach, h), _middle(x1, x2, reach, w)
        class_ids[cells] = truth.class_ids[i] if taken else LEFT_OUT
        targets[cells] = boxes[i]
    return class_ids, targets


def _middle(low: float, high: float, reach: float, cells: int) -> slice:
    """Cells along one axis whose middle is within `reach` of the middle of a box and inside it; at least one."""
    centre, half = (low + high) / 2, min((high - low) / 2, reach)
    first, last = math.ceil((centre - half) / STRIDE - 0.5), math.floor((centre + half) / STRIDE - 0.5)
    if first > last:
        first = last = int(centre / STRIDE)
    return slice(max(first, 0), min(last, cells - 1) + 1)


def render_world(seed: int) -> list[Example]:
    """Every training image of one world: input, class per cell, box per cell."""
    return list(_examples(seed))


def _examples(seed: int) -> Iterator[Example]:
    rng = np.random.default_rng([seed, 13])
    for frame, truth in training(seed):
        how = (Image.Resampling.BOX, Image.Resampling.BILINEAR)[rng.integers(2)]
        yield fit(frame, how), *label_cells(truth)
