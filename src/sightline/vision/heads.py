"""Heads: what a network puts out, turned into boxes in pixels of its picture.

| head | output of one picture | source |
|---|---|---|
| `yolov8` | (4 + classes, cells): centre x, y, width, height in pixels, then scores | Ultralytics YOLOv8, 11 |
| `yolov5` | (cells, 5 + classes): the same box, objectness, then scores | YOLOv5 |
| `yolox` | (cells, 5 + classes): offsets in cells, log sizes, objectness, scores; strides 8, 16, 32 | Megvii YOLOX |
| `end2end` | (boxes, 6): x1, y1, x2, y2, score, class id; already suppressed | YOLOv10, YOLO26 |

Only *wanted* classes are looked at: their maximum, the threshold, then the box and the class of the cells that are left.
A cell stands for one object, so it has one class.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, Self, get_args

import numpy as np
from numpy.typing import NDArray

from sightline.errors import Misconfigured
from sightline.types import Detections, FloatArray, IntArray
from sightline.vision.nms import nms

__all__ = ["HEADS", "Decoder", "HeadName", "Profile", "Wanted"]

HeadName = Literal["yolox", "yolov8", "yolov5", "end2end", "ultralytics"]
HEADS: tuple[HeadName, ...] = get_args(HeadName)

_STRIDES = (8, 16, 32)
Raw = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Profile:
    """What an engine must know of a network; the part of a model card that decides its output.

    Attributes:
        name: of the model, for people.
        sha256: hex digest of the model file.
        labels: by class id.
        head: what the output means; `ultralytics` for a `.pt` file, which knows that itself.
        fit: where the scaled frame lies in the picture.
        colour: order of the channels that the network was trained with.
        scale: pixel values are divided by it: 255 gives 0..1, 1 leaves 0..255.
        pad: grey value 0..255 around the frame.
        imgsz: width and height of the picture where nobody asks for another; None: the network's own.
    """

    name: str
    sha256: str
    labels: tuple[str, ...]
    head: HeadName
    fit: Literal["centre", "topleft"] = "centre"
    colour: Literal["rgb", "bgr"] = "rgb"
    scale: float = 255.0
    pad: int = 114
    imgsz: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is kept of a network's output.

    Attributes:
        class_ids: classes that are looked at, rising.
        buckets: one a class id: boxes suppress each other within a bucket. Empty: every class its own.
        conf: lowest confidence, in (0, 1].
        iou: largest overlap of two boxes of a bucket, in (0, 1].
        max_det: most boxes of a picture, the most confident ones.
    """

    class_ids: tuple[int, ...]
    buckets: tuple[int, ...] = ()
    conf: float = 0.1
    iou: float = 0.7
    max_det: int = 300

    def __post_init__(self) -> None:
        if not self.class_ids or list(self.class_ids) != sorted(set(self.class_ids)) or self.class_ids[0] < 0:
            raise ValueError(f"class_ids {self.class_ids}: at least one, rising, from 0")
        if self.buckets and len(self.buckets) != len(self.class_ids):
            raise ValueError(f"{len(self.buckets)} buckets for {len(self.class_ids)} class ids")
        if not 0 < self.conf <= 1 or not 0 < self.iou <= 1 or self.max_det < 1:
            raise ValueError(
                f"conf {self.conf} and iou {self.iou} lie in (0, 1], max_det {self.max_det} from 1"
            )

    @classmethod
    def of(
        cls,
        groups: Mapping[str, tuple[int, ...]],
        *,
        tracked: bool,
        conf: float,
        iou: float,
        max_det: int = 300,
    ) -> Self:
        """The classes of a pipeline's groups.

        Args:
            groups: class ids by group name, in the pipeline's order.
            tracked: boxes suppress each other within a group, whatever their class: a tracker must not see a vehicle
                twice because the network takes it for a car and a truck at once. A class of several groups counts
                for the first of them. Else they do so within a class.
            conf, iou, max_det: as above.

        >>> Wanted.of({"cars": (2, 7), "people": (0,)}, tracked=True, conf=0.1, iou=0.7).buckets
        (1, 0, 0)
        """
        first: dict[int, int] = {}
        for number, class_ids in enumerate(groups.values()):
            for class_id in class_ids:
                first.setdefault(class_id, number)
        ids = tuple(sorted(first))
        buckets = tuple(first[class_id] for class_id in ids) if tracked else ()
        return cls(ids, buckets, conf, iou, max_det)


class _Found(NamedTuple):
    """Cells that hold a wanted class: rows int64 (K,), confidences float32 (K,), class ids int64 (K,)."""

    cell: IntArray
    confidence: Raw
    class_id: IntArray


class Decoder:
    """Turns the outputs of one network for pictures of one size into detections."""

    def __init__(self, profile: Profile, wanted: Wanted, width: int, height: int) -> None:
        """Prepare for pictures of `width` x `height` pixels.

        Raises:
            Misconfigured: a wanted class id is not a label of the model, or the head belongs to `.pt` files.
        """
        if wanted.class_ids[-1] >= len(profile.labels):
            raise Misconfigured(
                f"{profile.name}: class id {wanted.class_ids[-1]} is not one of its {len(profile.labels)} labels",
                code="model_labels",
            )
        if profile.head == "ultralytics":
            raise Misconfigured(f"{profile.name}: head ultralytics belongs to .pt files", code="model_head")
        self._profile, self._wanted, self._size = profile, wanted, (width, height)
        self._classes = np.array(wanted.class_ids, np.int64)
        self._bucket = np.zeros(len(profile.labels), np.int64)
        self._bucket[self._classes] = wanted.buckets or wanted.class_ids
        self._grid = _grid(width, height) if profile.head == "yolox" else np.empty((0, 3))

    def check(self, shape: tuple[int, ...]) -> None:
        """Compare the shape of a network's output, batch of 1 included, with what the card says of it.

        Raises:
            Misconfigured: it names both and what to write into the card.
        """
        head, labels = self._profile.head, len(self._profile.labels)
        layouts: dict[str, tuple[int | str, int | str, int | str]] = {
            "yolov8": (1, 4 + labels, "cells"),
            "yolov5": (1, "cells", 5 + labels),
            "yolox": (1, len(self._grid), 5 + labels),
            "end2end": (1, "boxes", 6),
        }
        expected = layouts[head]
        if len(shape) != 3 or any(
            isinstance(e, int) and e != s for e, s in zip(expected, shape, strict=True)
        ):
            raise Misconfigured(
                f"{self._profile.name}: output {shape} at {self._size[0]}x{self._size[1]}, but head {head!r} with "
                f"{labels} labels means {expected}: correct `head`, `labels` or `imgsz` in the model card",
                code="model_head",
            )

    def __call__(self, raw: Raw) -> Detections:
        """Detections of one picture.

        Args:
            raw: float32, the output of one picture, batch of 1 included.

        Returns:
            boxes in pixels of the picture, not clipped to it, by falling confidence; none without an area.

        Raises:
            Misconfigured: scores are not in 0..1, so the head is another one.
        """
        find, box = _HEADS[self._profile.head]
        found = find(raw[0], self._classes, self._wanted.conf)
        if not len(found.cell):
            return Detections.empty()
        if found.confidence.max() > 1.0001:
            raise Misconfigured(
                f"{self._profile.name}: a score of {found.confidence.max():.3g}, expected 0..1: "
                f"{self._profile.head!r} is not its head, or its scores lack the sigmoid",
                code="model_head",
            )
        xyxy = box(raw[0], found.cell, self._grid)
        confidence = np.minimum(found.confidence.astype(np.float64), 1.0)
        real = np.isfinite(xyxy).all(axis=1) & (xyxy[:, 2] > xyxy[:, 0]) & (xyxy[:, 3] > xyxy[:, 1])
        xyxy, confidence, class_id = xyxy[real], confidence[real], found.class_id[real]
        rows = self._best(xyxy, confidence, class_id)
        return Detections(xyxy[rows], confidence[rows], class_id[rows])

    def _best(self, xyxy: FloatArray, confidence: FloatArray, class_id: IntArray) -> IntArray:
        if self._profile.head == "end2end":
            return np.argsort(-confidence, kind="stable")[: self._wanted.max_det]
        return nms(xyxy, confidence, self._bucket[class_id], self._wanted.iou, self._wanted.max_det)


def _find_yolov8(raw: Raw, classes: IntArray, conf: float) -> _Found:
    scores = raw[4:]
    best = scores[classes[0]].copy()
    for class_id in classes[1:]:  # a row at a time: no copy of the wanted rows, and vectorised
        np.maximum(best, scores[class_id], out=best)
    cell = np.flatnonzero(best >= conf)
    return _Found(cell, best[cell], classes[scores[np.ix_(classes, cell)].argmax(axis=0)])


def _find_objects(raw: Raw, classes: IntArray, conf: float) -> _Found:
    cell = np.flatnonzero(raw[:, 4] >= conf)  # no score is above 1, so no product is above the objectness
    scores = raw[np.ix_(cell, classes + 5)]
    best = scores.argmax(axis=1)
    confidence = raw[cell, 4] * scores[np.arange(len(cell)), best]
    kept = confidence >= conf
    return _Found(cell[kept], confidence[kept], classes[best[kept]])


def _find_end2end(raw: Raw, classes: IntArray, conf: float) -> _Found:
    class_id = raw[:, 5].astype(np.int64)
    cell = np.flatnonzero((raw[:, 4] >= conf) & np.isin(class_id, classes))
    return _Found(cell, raw[cell, 4], class_id[cell])


def _box_yolov8(raw: Raw, cell: IntArray, _grid: FloatArray) -> FloatArray:
    return _corners(raw[:4, cell].T.astype(np.float64))


def _box_yolov5(raw: Raw, cell: IntArray, _grid: FloatArray) -> FloatArray:
    return _corners(raw[cell, :4].astype(np.float64))


def _box_yolox(raw: Raw, cell: IntArray, grid: FloatArray) -> FloatArray:
    box, stride = raw[cell, :4].astype(np.float64), grid[cell, 2:]
    with np.errstate(over="ignore"):  # an endless box is dropped by the caller
        return _corners(np.hstack([(box[:, :2] + grid[cell, :2]) * stride, np.exp(box[:, 2:]) * stride]))


def _box_end2end(raw: Raw, cell: IntArray, _grid: FloatArray) -> FloatArray:
    return raw[cell, :4].astype(np.float64)


def _corners(cxcywh: FloatArray) -> FloatArray:
    """Float64 (N, 4) xyxy of centres and sides."""
    half = cxcywh[:, 2:] / 2
    return np.hstack([cxcywh[:, :2] - half, cxcywh[:, :2] + half])


def _grid(width: int, height: int) -> FloatArray:
    """Column, row and stride of every cell, float64 (cells, 3), as YOLOX orders them."""
    grids = []
    for stride in _STRIDES:
        rows, columns = np.divmod(np.arange((height // stride) * (width // stride)), width // stride)
        grids.append(np.stack([columns, rows, np.full_like(rows, stride)], axis=1))
    return np.concatenate(grids).astype(np.float64)


_Find = Callable[[Raw, IntArray, float], _Found]
_Box = Callable[[Raw, IntArray, FloatArray], FloatArray]
_HEADS: dict[str, tuple[_Find, _Box]] = {
    "yolov8": (_find_yolov8, _box_yolov8),
    "yolov5": (_find_objects, _box_yolov5),
    "yolox": (_find_objects, _box_yolox),
    "end2end": (_find_end2end, _box_end2end),
}
