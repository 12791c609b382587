"""A street that a detector function sees by the number drawn on each picture, and the folder of images that shows it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from sightline.arrays import ByteArray
from sightline.types import Detections
from tests.media import number_of, picture

LABELS = ("car", "person", "dog")
FRAMES, BROKEN = 140, 50


def see(frames: Sequence[ByteArray]) -> list[Detections]:
    """A car that drives to the right all the time, one that drives up, a person from frame 60 on, and a dog."""
    return [_seen(number_of(frame)) for frame in frames]


def _seen(n: int) -> Detections:
    rows = [(n * 0.8, 50, n * 0.8 + 30, 70, 0.9, 0), (100, 80 - n * 0.5, 130, 95 - n * 0.5, 0.8, 0)]
    if n >= 60:
        rows.append((5, 10, 15, 40, 0.7 - n % 5 / 25, 1))
    rows.append((60, 5, 80, 15, 0.9, 2))
    table = np.array(rows, float)
    return Detections(table[:, :4], table[:, 4], table[:, 5].astype(np.int64))


def images(folder: Path, count: int, broken: Sequence[int] = ()) -> Path:
    """Numbered pictures; those in `broken` cannot be decoded."""
    folder.mkdir(parents=True)
    for number in range(count):
        path = folder / f"{number:04d}.png"
        Image.fromarray(picture(number)).save(path, compress_level=1)
        if number in broken:
            path.write_bytes(path.read_bytes()[:200])
    return folder
