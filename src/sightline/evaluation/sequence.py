"""What is evaluated: boxes with ids in frames, predicted and true, and what of the truth does not count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sightline.arrays import BoolArray, FloatArray, IntArray
from sightline.errors import Rejected

__all__ = ["Boxes", "Prepared", "Sequence"]


@dataclass(frozen=True, slots=True, eq=False)
class Boxes:
    """Boxes of one video, a row a box, in any order.

    Attributes:
        frame: int64 (R,), from 0.
        object_id: int64 (R,), an object has one box in a frame.
        xyxy: float64 (R, 4), pixels.
        class_id: int64 (R,), number of the class in the data's own convention; 0 where there are none.
        considered: bool (R,), False where the truth says that a box is not judged.
    """

    frame: IntArray
    object_id: IntArray
    xyxy: FloatArray
    class_id: IntArray
    considered: BoolArray

    @classmethod
    def of(
        cls,
        frame: ArrayLike,
        object_id: ArrayLike,
        xyxy: ArrayLike,
        class_id: ArrayLike | None = None,
        considered: ArrayLike | None = None,
    ) -> Boxes:
        """Boxes from anything like arrays; without classes all are 0, without `considered` all count."""
        frames = np.asarray(frame, np.int64)
        n = len(frames)

        def column(values: ArrayLike | None, default: int, dtype: type) -> NDArray[Any]:
            return np.full(n, default, dtype) if values is None else np.asarray(values, dtype)

        boxes = np.asarray(xyxy, np.float64).reshape(-1, 4)
        ids = np.asarray(object_id, np.int64)
        return cls(frames, ids, boxes, column(class_id, 0, np.int64), column(considered, True, np.bool_))

    def __post_init__(self) -> None:
        lengths = {
            len(self.frame),
            len(self.object_id),
            len(self.xyxy),
            len(self.class_id),
            len(self.considered),
        }
        if len(lengths) != 1:
            raise ValueError(f"columns of {sorted(lengths)} rows")

    def __len__(self) -> int:
        return len(self.frame)

    def __getitem__(self, rows: BoolArray | IntArray | slice) -> Boxes:
        return Boxes(
            self.frame[rows],
            self.object_id[rows],
            self.xyxy[rows],
            self.class_id[rows],
            self.considered[rows],
        )

    def by_frame(self) -> Boxes:
        """The same rows sorted by frame; rows of a frame keep their order."""
        return self[np.argsort(self.frame, kind="stable")]

    def require_unique_ids(self, what: str) -> None:
        """Check that no object has two boxes in a frame.

        Raises:
            Rejected: names frame and id.
        """
        pairs, count = np.unique(np.column_stack([self.frame, self.object_id]), axis=0, return_counts=True)
        if (count > 1).any():
            frame, object_id = pairs[np.argmax(count > 1)].tolist()
            raise Rejected(
                f"{what}: id {object_id} has several boxes in frame {frame} (from 0), expected one"
            )


@dataclass(frozen=True, slots=True, eq=False)
class Sequence:
    """One video.

    Attributes:
        name: for people.
        truth, prediction: its boxes.
        min_hits: frames that a predicted id must be seen in to count as an object.
    """

    name: str
    truth: Boxes
    prediction: Boxes
    min_hits: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """What is left to judge, by the rules of a benchmark.

    Attributes:
        truth: boxes that a tracker should find.
        prediction: boxes that are judged: those on ignored objects are gone.
        counted: predicted boxes whose ids are counted as objects.
    """

    truth: Boxes
    prediction: Boxes
    counted: Boxes
