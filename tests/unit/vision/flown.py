"""What a camera that moves sees of objects whose places on the ground are known."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from sightline.camera import CameraPath, Motion
from sightline.types import TrackTable
from tests.flights import SIZE

Way = Callable[[int], tuple[float, float]]


def path_of_looks(looks: Iterable[Motion], stretch: Iterable[int] | None = None) -> CameraPath:
    """The path of a camera that looks so, frame by frame; `looks` of a stretch begin with the identity."""
    maps = np.array([(look.a, look.b, look.x, look.y) for look in looks])
    numbers = np.zeros(len(maps), int) if stretch is None else np.array(list(stretch))
    return CameraPath(maps, numbers)


def seen(path: CameraPath, ways: Iterable[Way], side: float = 20.0, *, cut: bool = True) -> TrackTable:
    """Square objects, track ids from 1, on the ground of the first stretch; `cut`: as far as the picture shows them.

    Args:
        path: of the camera.
        ways: where the middle of each object is in each frame.
        side: of each square, pixels of the first frame.
        cut: boxes end at the picture's edges, and who is not in it has none.
    """
    rows = []
    for track_id, way in enumerate(ways, start=1):
        for seq in range(len(path)):
            x, y = path.in_frame(seq).apply(np.array(way(seq), float))
            half = path.in_frame(seq).scale * side / 2
            box = np.array((x - half, y - half, x + half, y + half))
            if cut:
                box = np.clip(box, 0, [*SIZE, *SIZE])
                if box[2] - box[0] < 1 or box[3] - box[1] < 1:
                    continue
            rows.append((seq, track_id, 0, tuple(box), 0.9, 0))
    return TrackTable(*zip(*rows, strict=True)).sorted() if rows else TrackTable.empty()
