"""Heads: what a network puts out, turned into boxes in pixels of its picture.

Where boxes, scores and classes lie in an output is said in `layouts`; outputs that a head cannot have are refused by
`faults`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from sightline.arrays import FloatArray, IntArray
from sightline.errors import Misconfigured
from sightline.types import Detections
from sightline.vision.coco import labels_words
from sightline.vision.faults import (
    Fault,
    box_fault,
    class_fault,
    place_fault,
    score_fault,
    side_fault,
    softmax_fault,
)
from sightline.vision.layouts import (
    HEADS,
    LAYOUTS,
    BoxOrder,
    BoxUnit,
    HeadName,
    Outputs,
    ScoreKind,
    sigmoid,
)
from sightline.vision.nms import nms

__all__ = ["HEADS", "BoxOrder", "BoxUnit", "Decoder", "Fit", "HeadName", "Profile", "ScoreKind", "Wanted"]

Fit = Literal["centre", "topleft", "stretch"]

_STRIDES = (8, 16, 32)
_SAME = 0.99  # copies of one query's box, that differ in their class alone


@dataclass(frozen=True, slots=True)
class Profile:
    """What an engine must know of a network; the part of a model card that decides its output.

    Attributes:
        name: of the model, for people.
        sha256: hex digest of the model file.
        labels: by class id.
        head: what the output means; `ultralytics` for a `.pt` file, which knows that itself.
        fit: where the scaled frame lies in the picture; `stretch` fills it.
        colour: order of the channels that the network was trained with.
        scale: pixel values are divided by it: 255 gives 0..1, 1 leaves 0..255.
        pad: grey value 0..255 around the frame.
        imgsz: width and height of the picture where nobody asks for another; None: the network's own.
        mean, std: by channel, in the network's order; subtracted and divided by after `scale`.
        file: name of the model file, for messages.
        box, unit, scores: what its numbers mean; None: what they mean in its head (`layouts`).
    """

    name: str
    sha256: str
    labels: tuple[str, ...]
    head: HeadName
    fit: Fit = "centre"
    colour: Literal["rgb", "bgr"] = "rgb"
    scale: float = 255.0
    pad: int = 114
    imgsz: tuple[int, int] | None = None
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    box: BoxOrder | None = None
    unit: BoxUnit | None = None
    scores: ScoreKind | None = None
    file: str = ""

    @property
    def is_plain(self) -> bool:
        """Whether pixel values are only divided by `scale`."""
        return not any(self.mean) and set(self.std) == {1.0}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is kept of a network's output.

    Attributes:
        class_ids: classes that are detected, rising.
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
        self._layout = LAYOUTS[profile.head]
        self._order = profile.box or self._layout.order
        self._unit = profile.unit or self._layout.unit
        self._scores = profile.scores or self._layout.scores
        self._floor = (
            wanted.conf if self._scores == "probability" or self._has_objects else _logit(wanted.conf)
        )
        self._classes = np.array(wanted.class_ids, np.int64)
        self._bucket = np.zeros(len(profile.labels), np.int64)
        self._bucket[self._classes] = wanted.buckets or wanted.class_ids
        self._grid = _grid(width, height) if profile.head.startswith("yolox") else np.empty((0, 3))

    @property
    def head(self) -> HeadName:
        """What the outputs mean."""
        return self._profile.head

    @property
    def _has_objects(self) -> bool:
        return self._profile.head in ("yolov5", "yolox", "yolox-decoded")

    def check(self, *shapes: tuple[int, ...]) -> None:
        """Compare the shapes of a network's outputs, batch of 1 included, with what the card says of them.

        Raises:
            Misconfigured: it names both and what to write into the card.
        """
        labels = len(self._profile.labels)
        expected = self._layout.shapes(labels, len(self._grid))
        spare = self._layout.shapes(labels + 1, len(self._grid))  # a last class for the background
        allowed = (expected, spare) if self._profile.head == "detr" else (expected,)
        if not any(_fits(shapes, layout) for layout in allowed):
            raise Misconfigured(
                f"{self._profile.name}: output {_listed(shapes)} at {self._size[0]}x{self._size[1]}, but head "
                f"{self._profile.head!r} with {labels} labels means {_listed(expected)}: correct `head`, `labels` or "
                "`imgsz` in the model card",
                code="model_head",
            )

    def __call__(self, *outputs: NDArray[Any]) -> Detections:
        """Detections of one picture.

        Args:
            outputs: those that the head reads (`network.outputs_of`), of one picture, batch of 1 included; float32, but
                for class ids, which may be integers.

        Returns:
            boxes in pixels of the picture, not clipped to it, by falling confidence; none without an area.

        Raises:
            Misconfigured: values that this head cannot have put out; it names them and the card line that settles it.
        """
        raw = tuple(output[0] for output in outputs)
        found = self._layout.find(raw, self._classes, self._floor, self._scores)
        if self._profile.head == "detr":
            self._refuse(softmax_fault(raw[0], len(self._profile.labels)))
        self._refuse(score_fault(found, self._scores))
        self._refuse(class_fault(found, len(self._profile.labels), outputs[0].shape[-1]))
        if not len(found.cell):
            return Detections.empty()
        xyxy = self._boxes(raw, found.cell)
        confidence = found.confidence.astype(np.float64)
        if self._scores == "logit" and not self._has_objects:
            confidence = sigmoid(confidence)
        confidence = np.minimum(confidence, 1.0)
        real = np.isfinite(xyxy).all(axis=1) & (xyxy[:, 2] > xyxy[:, 0]) & (xyxy[:, 3] > xyxy[:, 1])
        xyxy, confidence, class_id = xyxy[real], confidence[real], found.class_id[real]
        rows = self._best(xyxy, confidence, class_id)
        return Detections(xyxy[rows], confidence[rows], class_id[rows])

    def _boxes(self, raw: Outputs, cell: IntArray) -> FloatArray:
        """Float64 (K, 4), xyxy in pixels of the picture."""
        every = self._layout.box(raw)
        box = every[cell].astype(np.float64)
        if self._profile.head == "yolox":
            self._refuse(side_fault(box[:, 2:]))
            stride = self._grid[cell, 2:]
            with np.errstate(over="ignore"):  # an endless box is dropped by the caller
                box = np.hstack([(box[:, :2] + self._grid[cell, :2]) * stride, np.exp(box[:, 2:]) * stride])
            xyxy = _corners(box, "cxcywh")
            self._refuse(place_fault(box, xyxy, self._size))
            return xyxy
        with np.errstate(invalid="ignore"):  # infinite boxes are refused
            xyxy = _corners(box, self._order)
            if self._unit == "picture":
                xyxy *= np.array(self._size * 2, np.float64)
        self._refuse(box_fault(box, xyxy, self._order, self._unit, self._size, every))
        return xyxy

    def _refuse(self, fault: Fault | None) -> None:
        if fault is None:
            return
        raise Misconfigured(
            f"{self._profile.name}: head {self._profile.head!r} found {fault.seen}. {self._settled(fault)}",
            code="model_head",
        )

    def _settled(self, fault: Fault) -> str:
        """The card that settles a fault, on one line."""
        if fault.advice:
            return fault.advice[0].upper() + fault.advice[1:]
        profile = self._profile
        lines = [
            f'name = "{profile.name}"',
            f'file = "{profile.file}"',
            f'head = "{fault.head or profile.head}"',
            f"labels = {labels_words(profile.labels)}",
        ]
        plain = Profile("", "", (), "yolov8")
        values = {key: getattr(profile, key) for key in ("fit", "colour", "scale", "pad", "mean", "std")}
        given = {key: value for key, value in values.items() if value != getattr(plain, key)}
        if given:
            lines.append(
                f"input = {{ {', '.join(f'{key} = {_toml(value)}' for key, value in given.items())} }}"
            )
        meant = {"box": profile.box, "unit": profile.unit, "scores": profile.scores}
        output = {key: f"{key} = {_toml(value)}" for key, value in meant.items() if value is not None}
        if fault.output:
            output[fault.output.partition(" ")[0]] = fault.output
        if output:
            lines.append(f"output = {{ {', '.join(output.values())} }}")
        return f"Write {PurePath(profile.file).stem}.card.toml beside it: {', '.join(lines)}"

    def _best(self, xyxy: FloatArray, confidence: FloatArray, class_id: IntArray) -> IntArray:
        bucket, most = self._bucket[class_id], self._wanted.max_det
        if self._profile.head == "detr-deployed":  # a query may come once for each of its classes
            return nms(xyxy, confidence, bucket, _SAME, most)
        if self._layout.suppressed:
            return np.argsort(-confidence, kind="stable")[:most]
        return nms(xyxy, confidence, bucket, self._wanted.iou, most)


def _toml(value: object) -> str:
    return json.dumps(list(value) if isinstance(value, tuple) else value)


def _logit(confidence: float) -> float:
    """The logit of a confidence in (0, 1]."""
    return float("inf") if confidence >= 1 else float(np.log(confidence / (1 - confidence)))


def _fits(shapes: tuple[tuple[int, ...], ...], layout: tuple[tuple[int | str, ...], ...]) -> bool:
    return len(shapes) == len(layout) and all(
        len(shape) == len(sides)
        and all(isinstance(e, str) or e == s for e, s in zip(sides, shape, strict=True))
        for shape, sides in zip(shapes, layout, strict=True)
    )


def _listed(shapes: tuple[tuple[int | str, ...], ...]) -> str:
    return ", ".join(map(str, shapes))


def _corners(box: FloatArray, order: BoxOrder) -> FloatArray:
    """Float64 (N, 4) xyxy."""
    if order == "xyxy":
        return box.copy()
    if order == "xywh":
        return np.hstack([box[:, :2], box[:, :2] + box[:, 2:]])
    half = box[:, 2:] / 2
    return np.hstack([box[:, :2] - half, box[:, :2] + half])


def _grid(width: int, height: int) -> FloatArray:
    """Column, row and stride of every cell, float64 (cells, 3), as YOLOX orders them."""
    grids = []
    for stride in _STRIDES:
        rows, columns = np.divmod(np.arange((height // stride) * (width // stride)), width // stride)
        grids.append(np.stack([columns, rows, np.full_like(rows, stride)], axis=1))
    return np.concatenate(grids).astype(np.float64)
