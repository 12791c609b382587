"""A card for a model that has none: told from its ports and metadata, never invented.

| what the file says | head |
|---|---|
| outputs `labels`, `boxes`, `scores` | `detr-deployed` |
| outputs `logits`, `pred_boxes`, the latter (1, N, 4) | `detr` |
| outputs `labels` (1, N, C), `dets` (1, N, 4): RF-DETR | `detr`, normalised |
| output (1, 4 + C, A), A may vary | `yolov8` |
| output (1, N, 4 + C), N not the number of cells | `rtdetr` |
| output (1, N, 6), N not the number of cells | `end2end`; of an RT-DETR with centres and sides in 0..1 |
| output (1, 3 x cells, 5 + C) | `yolov5` |
| output (1, cells, 5 + C) and a file name that holds `yolox` | `yolox` |
| no shape, but metadata `task: detect` with names, as Ultralytics writes it | `end2end` where it says so, else `yolov8` |

Cells are those of strides 8, 16 and 32. Labels come from the metadata; without any, 80 classes are COCO's, and 91 scores
of a DETR are COCO's category ids. What cannot be told is an error that names what was found and what to write into a
card.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sightline.errors import Misconfigured
from sightline.models.cards import Card, Input, Output, card_path
from sightline.models.facts import Facts
from sightline.vision.coco import COCO, COCO_91, UNUSED
from sightline.vision.heads import HeadName
from sightline.vision.network import Shape, plan_of, port_words, words

__all__ = ["guess_card"]

# YOLOX is trained on pictures as OpenCV reads them; the others are Ultralytics'.
_YOLOX_INPUT = Input(fit="topleft", colour="bgr", scale=1.0)
_CENTRED, _STRETCHED = Input(), Input(fit="stretch")
_AS_ITS_HEAD = Output()
# RF-DETR's backbone was trained on pictures that ImageNet's mean and deviation were taken out of.
_RFDETR_INPUT = Input(fit="stretch", mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
_RFDETR_METADATA = "rfdetr_inference"


@dataclass(frozen=True, slots=True)
class _Told:
    """A head, the number of classes that its shape says (0 where it does not), and how it is fed and read."""

    head: HeadName
    classes: int = 0
    input: Input = _CENTRED
    output: Output = _AS_ITS_HEAD


def guess_card(path: Path, facts: Facts, output: Shape) -> Card:
    """The card of a model without one.

    Args:
        path: the model file.
        facts: what it says of itself.
        output: shape of its first output for a picture of its size, or of 640 x 640; () where that is not known.

    Raises:
        Misconfigured: head or labels cannot be told, or it cannot be fed with pictures.
    """
    task = facts.metadata.get("task", "detect")
    if task != "detect":
        raise Misconfigured(
            f"{path.name}: a model for the task {task!r}, Sightline needs one for detect", code="model"
        )
    told = _of_several(facts) or _of_one(path, facts, output)
    if told is None:
        raise Misconfigured(_unclear(path, facts, output, "what its output means"), code="model_card")
    plan_of(path.name, told.head, facts.inputs, facts.outputs)
    labels = _labels(facts, told)
    if not labels:
        raise Misconfigured(
            _unclear(path, facts, output, f"its labels (head {told.head!r})", told), code="model_card"
        )
    return Card(
        name=path.stem,
        licence=facts.metadata.get("license", "").partition(" ")[0],
        file=path.name,
        head=told.head,
        labels=labels,
        imgsz=None if facts.fixed else 640,
        input=told.input,
        output=told.output,
    )


def _of_several(facts: Facts) -> _Told | None:
    """By the names of its outputs."""
    ports = {port.name.lower(): port.shape for port in facts.outputs}
    if {"labels", "boxes", "scores"} <= ports.keys():
        return _Told("detr-deployed", input=_STRETCHED)
    for logits, boxes, own in (
        ("labels", "dets", _RFDETR_INPUT),
        ("logits", "pred_boxes", _STRETCHED),
        ("pred_logits", "pred_boxes", _STRETCHED),
        ("logits", "boxes", _STRETCHED),
    ):
        if (
            logits in ports
            and boxes in ports
            and len(ports[logits]) == 3
            and ports[boxes][2:] in ((4,), (None,))
        ):
            classes = ports[logits][2] or 0
            # Of those with COCO's 91 ids only RT-DETR's family, which has 80, was trained without ImageNet's mean and std.
            return _Told("detr", classes, _RFDETR_INPUT if classes == len(COCO_91) else own)
    return None


def _of_one(path: Path, facts: Facts, output: Shape) -> _Told | None:
    """By the shape of its first output."""
    names = len(facts.labels)
    if len(output) == 3 and output[1] is not None and output[2] is None:
        return _Told("yolov8", output[1] - 4) if names in (0, output[1] - 4) else None
    if len(output) != 3 or None in output[1:]:
        ends = facts.metadata.get("end2end", "").lower() == "true"
        known = names and "task" in facts.metadata
        return _Told("end2end" if ends else "yolov8") if known else None
    _, rows, columns = (side or 0 for side in output)
    width, height = facts.fixed or (640, 640)
    cells = sum((width // stride) * (height // stride) for stride in (8, 16, 32))
    if rows not in (cells, 3 * cells):
        told = _of_queries(path, facts, rows, columns)
        if told is not None:
            return told
    if rows < columns and names in (0, rows - 4):
        return _Told("yolov8", rows - 4)
    if rows == 3 * cells and names in (0, columns - 5):
        return _Told("yolov5", columns - 5)
    if rows == cells and names in (0, columns - 5) and "yolox" in path.stem.lower():
        return _Told("yolox", columns - 5, _YOLOX_INPUT)
    return None


def _of_queries(path: Path, facts: Facts, rows: int, columns: int) -> _Told | None:
    """An output with a row an object: of networks that end in no grid of cells."""
    names = len(facts.labels)
    said = (facts.metadata.get("head", ""), facts.metadata.get("description", ""), path.stem)
    is_rtdetr = "rtdetr" in " ".join(said).lower().replace("-", "").replace("_", "")
    if columns == 6:
        own = Output(box="cxcywh", unit="picture")
        return _Told("end2end", 0, _STRETCHED, own) if is_rtdetr else _Told("end2end")
    if rows > columns - 4 and (names == columns - 4 or (not names and columns == 4 + len(COCO))):
        return _Told("rtdetr", columns - 4, _STRETCHED)
    return None


def _labels(facts: Facts, told: _Told) -> tuple[str, ...]:
    """By class id; empty where they cannot be told."""
    named = _labels_of_rfdetr(facts.metadata, told.classes) or facts.labels
    if named:
        return named
    if told.head == "detr" and told.classes == len(COCO_91):
        return COCO_91
    return COCO if told.classes == len(COCO) else ()


def _labels_of_rfdetr(metadata: Mapping[str, str], classes: int) -> tuple[str, ...]:
    """Labels that RF-DETR writes into its export in later releases: by class id, with gaps (`ExportMetadata` there)."""
    try:
        said: Any = json.loads(metadata.get(_RFDETR_METADATA, "null"))
        names = {int(number): str(name) for number, name in said["class_id_to_name"].items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        return ()
    if not names or min(names) < 0 or max(names) >= (classes or max(names) + 1):
        return ()
    return tuple(names.get(number, UNUSED) for number in range(classes or max(names) + 1))


def _unclear(path: Path, facts: Facts, output: Shape, what: str, told: _Told | None = None) -> str:
    said = facts.metadata.get("names", "")
    why = f"its metadata says names = {said[:60]!r}" if said else "no metadata that says it"
    shown = f"outputs {port_words(facts.outputs)}" if len(facts.outputs) > 1 else f"output {words(output)}"
    choice = f'head = "{told.head}"' if told else 'head = "yolov8" (or yolov5, yolox, end2end, rtdetr, detr)'
    coco = ' (or labels = "coco")' if told and told.head == "detr-deployed" else ""
    return (
        f"{path.name}: cannot tell {what}: {shown}, {why}. Write {card_path(path).name} "
        f'beside it: name = "{path.stem}", file = "{path.name}", {choice}, '
        f'labels = ["car", "person"] in the order of the class ids{coco}'
    )
