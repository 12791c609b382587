"""Why each track is an object, or is none."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag

import numpy as np

from sightline.arrays import BoolArray, ByteArray, FloatArray, IntArray

__all__ = ["Doubt", "Reason", "Verdicts"]


class Reason(IntEnum):
    """What decided about a track; up to `LINKED` it is an object.

    A refused track has the first reason that stood against it; all of them are told in docs/counting.md.
    """

    BOXES = 0
    MOTION = 1
    LINKED = 2
    SHORT = 3
    FAINT = 4
    BROKEN = 5
    STANDS = 6
    WANDERS = 7
    CAMERA = 8
    DOUBLE = 9

    @property
    def word(self) -> str:
        """As it stands in files."""
        return self.name.lower()


@dataclass(frozen=True, slots=True, eq=False)
class Verdicts:
    """What was decided about each track of a group, and on what facts; a row a track, rising by `track_id`.

    Attributes:
        track_id: int64 (N,), as the tracker gave it.
        reason: uint8 (N,), a `Reason`.
        chain: int64 (N,), the id under which it was published; its own where it was refused.
        hits: int64 (N,), its boxes.
        best: float64 (N,), highest confidence.
        seen: float64 (N,), boxes over frames from first to last.
        moved: float64 (N,), way from the first box to the last, in mean box sides.
        straight: float64 (N,), that way over the path.
        first_seq, last_seq: int64 (N,).
        near: bool (N,), it was refused within a fifth of every bar.
        still: whether the camera is known to stand still. Then motion was evidence, as where it is known how it moves.
    """

    track_id: IntArray
    reason: ByteArray
    chain: IntArray
    hits: IntArray
    best: FloatArray
    seen: FloatArray
    moved: FloatArray
    straight: FloatArray
    first_seq: IntArray
    last_seq: IntArray
    near: BoolArray
    still: bool

    @classmethod
    def none(cls) -> Verdicts:
        """No track."""
        whole, real = np.empty(0, np.int64), np.empty(0)
        return cls(
            whole,
            np.empty(0, np.uint8),
            whole,
            whole,
            real,
            real,
            real,
            real,
            whole,
            whole,
            np.empty(0, bool),
            False,
        )

    def __len__(self) -> int:
        return len(self.track_id)

    @property
    def objects(self) -> BoolArray:
        """Bool (N,): who is an object."""
        objects: BoolArray = self.reason <= Reason.LINKED
        return objects


class Doubt(IntFlag):
    """Why somebody should look at an object that counts, or at a track that does not."""

    SHORT = 1
    NEAR = 2
    GAP = 4
    LINKED = 8
    SPLIT = 16

    @property
    def words(self) -> list[str]:
        """As they stand in files."""
        return [str(each.name).lower() for each in self]
