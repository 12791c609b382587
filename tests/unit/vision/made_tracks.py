"""Tracks made by hand for tests of what comes after the tracker."""

from collections.abc import Callable, Iterable

import numpy as np

from sightline.types import FrameTable, Origin, TrackTable


def frame_table(n: int, fps: float = 10, failed: Iterable[int] = ()) -> FrameTable:
    """`n` sampled frames, evenly spaced."""
    lost = set(failed)
    outcome = tuple("failed" if seq in lost else "ok" for seq in range(n))
    return FrameTable(
        np.arange(n), np.round(np.arange(n) * 1e6 / fps), outcome, tuple("x" * (o != "ok") for o in outcome)
    )


def rows(
    track_id: int,
    seqs: Iterable[int],
    at: Callable[[int], tuple[float, float]] = lambda seq: (0.0, 0.0),
    size: tuple[float, float] = (20.0, 40.0),
    class_id: int = 0,
    confidence: float = 0.9,
    origin: Origin = Origin.HIGH,
) -> list[tuple]:
    """A row a seq: a box of that size whose centre is `at(seq)`."""
    made = []
    for seq in seqs:
        (x, y), (w, h) = at(seq), size
        made.append(
            (seq, track_id, class_id, (x - w / 2, y - h / 2, x + w / 2, y + h / 2), confidence, origin)
        )
    return made


def table(*parts: list[tuple]) -> TrackTable:
    """All rows as a table, sorted."""
    every = [row for part in parts for row in part]
    return TrackTable(*zip(*every, strict=True)).sorted() if every else TrackTable.empty()


def same(a: TrackTable, b: TrackTable) -> bool:
    """Whether two tables are equal bit for bit."""
    names = ("seq", "track_id", "class_id", "xyxy", "confidence", "origin")
    return all(getattr(a, name).tobytes() == getattr(b, name).tobytes() for name in names)
