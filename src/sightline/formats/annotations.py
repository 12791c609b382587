"""Boxes as text files hold them: what every reader gives, and what the text writers take.

One table holds detections, tracks and ground truth of one video. Frames are counted from 0 whatever the file's first
number is; boxes are `xyxy` in continuous pixels; rows are sorted by frame and keep the file's order inside a frame.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sightline.arrays import BoolArray, FloatArray, IntArray
from sightline.errors import InvalidFile

__all__ = ["MAX_FRAME", "NO_ID", "Annotations"]


NO_ID = -1
# 92 hours at 30 frames a second. Readers of a file build a list of its frames: a slip of the pen must not fill memory.
MAX_FRAME = 10_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Annotations:
    """Rows of a text file of one video, sorted by frame.

    Attributes:
        frame: int64 (R,), from 0.
        object_id: int64 (R,), -1 where a box has none.
        xyxy: float64 (R, 4), pixels, x2 >= x1, y2 >= y1.
        confidence: float64 (R,) as the file gives it; 1 where it gives none.
        class_id: int64 (R,), index in `labels`.
        labels: class names as the format spells them; one for all rows where it has no classes.
        considered: bool (R,); False where ground truth says that the box is not judged.
        visibility: float64 (R,), 0..1, -1 where unknown.
        truncation, occlusion: int64 (R,) in the numbers of the format, -1 where unknown: 0 is none, more is more;
            KITTI has truncation 0..2, occlusion 0..2 and 3 for unknown, VisDrone 0..1 and 0..2.
    """

    frame: IntArray
    object_id: IntArray
    xyxy: FloatArray
    confidence: FloatArray
    class_id: IntArray
    labels: tuple[str, ...]
    considered: BoolArray
    visibility: FloatArray
    truncation: IntArray
    occlusion: IntArray

    def __post_init__(self) -> None:
        for name, dtype in _DTYPES.items():
            values: NDArray[Any] = np.ascontiguousarray(getattr(self, name), dtype)
            if values.shape != ((len(self.frame), 4) if name == "xyxy" else (len(self.frame),)):
                raise ValueError(f"{name}: shape {values.shape} for {len(self.frame)} rows")
            values = values.view()
            values.flags.writeable = False
            object.__setattr__(self, name, values)
        if np.any(np.diff(self.frame) < 0):
            raise ValueError("rows are not sorted by frame")

    @classmethod
    def of(
        cls,
        frame: ArrayLike,
        object_id: ArrayLike,
        xyxy: ArrayLike,
        *,
        confidence: ArrayLike | None = None,
        class_id: ArrayLike | None = None,
        labels: tuple[str, ...] = ("objects",),
        considered: ArrayLike | None = None,
        visibility: ArrayLike | None = None,
        truncation: ArrayLike | None = None,
        occlusion: ArrayLike | None = None,
    ) -> Annotations:
        """The table of these rows in any order; what is not given is unknown."""
        frames = np.asarray(frame, np.int64)
        n = len(frames)
        order = np.argsort(frames, kind="stable")

        def column(values: ArrayLike | None, unknown: float, dtype: type) -> NDArray[Any]:
            return np.full(n, unknown, dtype) if values is None else np.asarray(values, dtype)[order]

        return cls(
            frames[order],
            column(object_id, NO_ID, np.int64),
            np.asarray(xyxy, np.float64).reshape(-1, 4)[order],
            column(confidence, 1, np.float64),
            column(class_id, 0, np.int64),
            labels,
            column(considered, True, np.bool_),
            column(visibility, -1, np.float64),
            column(truncation, -1, np.int64),
            column(occlusion, -1, np.int64),
        )

    def __len__(self) -> int:
        return len(self.frame)

    def __getitem__(self, rows: BoolArray | slice) -> Annotations:
        return replace(self, **{name: getattr(self, name)[rows] for name in _DTYPES})

    @property
    def frames(self) -> int:
        """Number of frames up to the last one with a box."""
        return int(self.frame[-1]) + 1 if len(self) else 0

    @property
    def label(self) -> tuple[str, ...]:
        """Class name of each row."""
        return tuple(self.labels[k] for k in self.class_id.tolist())

    @property
    def tracked(self) -> bool:
        """Every row has an id."""
        return len(self) > 0 and bool((self.object_id != NO_ID).all())

    def without_ids(self) -> Annotations:
        """The same boxes as mere detections."""
        return replace(self, object_id=np.full(len(self), NO_ID))

    def by_frame(self, frames: int | None = None) -> Iterator[Annotations]:
        """The rows of frame 0, 1, ... `frames` - 1, empty ones too; without `frames`, up to the last box."""
        count = self.frames if frames is None else frames
        bounds = np.searchsorted(self.frame, np.arange(count + 1)).tolist()
        for start, end in pairwise(bounds):
            yield self[start:end]

    def require_confidence(self, name: str, first_frame: int = 1) -> None:
        """Check that confidences are ones that a tracker understands.

        Raises:
            InvalidFile: one is not in (0, 1]; names file and frame.
        """
        bad = ~((self.confidence > 0) & (self.confidence <= 1))
        if bad.any():
            row = int(np.argmax(bad))
            frame = int(self.frame[row]) + first_frame
            reason = (
                f"confidence {self.confidence[row]:g} in frame {frame}, expected more than 0 and at most 1"
            )
            raise InvalidFile(name, reason=reason)

    def require_unique_ids(self, name: str, first_frame: int = 1) -> None:
        """Check that no object has two boxes in one frame.

        Raises:
            InvalidFile: names file, frame and id.
        """
        known = self.object_id != NO_ID
        pairs = np.column_stack([self.frame[known], self.object_id[known]])
        unique, count = np.unique(pairs, axis=0, return_counts=True)
        if (count > 1).any():
            frame, object_id = unique[np.argmax(count > 1)].tolist()
            reason = f"id {object_id} has two boxes in frame {frame + first_frame}, expected one"
            raise InvalidFile(name, reason=reason)


_DTYPES: dict[str, type] = {
    "frame": np.int64,
    "object_id": np.int64,
    "xyxy": np.float64,
    "confidence": np.float64,
    "class_id": np.int64,
    "considered": np.bool_,
    "visibility": np.float64,
    "truncation": np.int64,
    "occlusion": np.int64,
}
