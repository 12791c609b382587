"""A card for a model that has none: told from its shapes and metadata, never invented.

| what the file says | head |
|---|---|
| output (1, 4 + C, A), A may vary | `yolov8` |
| output (1, N, 6), N not the number of cells | `end2end` |
| output (1, 3 x cells, 5 + C) | `yolov5` |
| output (1, cells, 5 + C) and a file name that holds `yolox` | `yolox` |
| no shape, but metadata `task: detect` with names, as Ultralytics writes it | `end2end` where it says so, else `yolov8` |

Cells are those of strides 8, 16 and 32. Labels come from the metadata; without any, 80 classes are COCO's. What cannot
be told is an error that names what was found and what to write into a card.
"""

from __future__ import annotations

from pathlib import Path

from sightline.errors import Misconfigured
from sightline.models.cards import Card, Input, card_path
from sightline.models.facts import Facts
from sightline.vision.heads import HeadName
from sightline.vision.network import Shape, words

__all__ = ["COCO", "guess_card"]

_COCO_NAMES = (
    "person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,fire hydrant,stop sign,"
    "parking meter,bench,bird,cat,dog,horse,sheep,cow,elephant,bear,zebra,giraffe,backpack,umbrella,handbag,tie,"
    "suitcase,frisbee,skis,snowboard,sports ball,kite,baseball bat,baseball glove,skateboard,surfboard,"
    "tennis racket,bottle,wine glass,cup,fork,knife,spoon,bowl,banana,apple,sandwich,orange,broccoli,carrot,"
    "hot dog,pizza,donut,cake,chair,couch,potted plant,bed,dining table,toilet,tv,laptop,mouse,remote,keyboard,"
    "cell phone,microwave,oven,toaster,sink,refrigerator,book,clock,vase,scissors,teddy bear,hair drier,"
    "toothbrush"
)
COCO = tuple(_COCO_NAMES.split(","))

# YOLOX is trained on pictures as OpenCV reads them; the others are Ultralytics'.
_YOLOX_INPUT = Input(fit="topleft", colour="bgr", scale=1.0)


def guess_card(path: Path, facts: Facts, output: Shape) -> Card:
    """The card of a model without one.

    Args:
        path: the model file.
        facts: what it says of itself.
        output: shape of its output for a picture of its size, or of 640 x 640; () where that is not known.

    Raises:
        Misconfigured: head or labels cannot be told.
    """
    task = facts.metadata.get("task", "detect")
    if task != "detect":
        raise Misconfigured(
            f"{path.name}: a model for the task {task!r}, Sightline needs one for detect", code="model"
        )
    width, height = facts.fixed or (640, 640)
    cells = sum((width // stride) * (height // stride) for stride in (8, 16, 32))
    head = _head(path, facts, output, cells)
    if head is None:
        raise Misconfigured(_unclear(path, facts, output, "what its output means"), code="model_card")
    labels = facts.labels or _coco(head, output)
    if not labels:
        raise Misconfigured(
            _unclear(path, facts, output, f"its labels (head {head!r})", head), code="model_card"
        )
    return Card(
        name=path.stem,
        licence=facts.metadata.get("license", "").partition(" ")[0],
        file=path.name,
        head=head,
        labels=labels,
        imgsz=None if facts.fixed else 640,
        input=_YOLOX_INPUT if head == "yolox" else Input(),
    )


def _head(path: Path, facts: Facts, output: Shape, cells: int) -> HeadName | None:
    names = len(facts.labels)
    if len(output) == 3 and output[1] is not None and output[2] is None:
        return "yolov8" if names in (0, output[1] - 4) else None
    if len(output) != 3 or None in output[1:]:
        ends = facts.metadata.get("end2end", "").lower() == "true"
        return ("end2end" if ends else "yolov8") if names and "task" in facts.metadata else None
    _, rows, columns = (side or 0 for side in output)
    if columns == 6 and rows not in (cells, 3 * cells):
        return "end2end"
    if rows < columns and names in (0, rows - 4):
        return "yolov8"
    if rows == 3 * cells and names in (0, columns - 5):
        return "yolov5"
    if rows == cells and names in (0, columns - 5) and "yolox" in path.stem.lower():
        return "yolox"
    return None


def _coco(head: HeadName, output: Shape) -> tuple[str, ...]:
    classes = {"yolov8": output[1:2], "yolov5": output[2:], "yolox": output[2:]}.get(head, ())
    extra = 4 if head == "yolov8" else 5
    return COCO if classes == (len(COCO) + extra,) else ()


def _unclear(path: Path, facts: Facts, output: Shape, what: str, head: str = "") -> str:
    said = facts.metadata.get("names", "")
    why = f"its metadata says names = {said[:60]!r}" if said else "no metadata that says it"
    choice = f'head = "{head}"' if head else 'head = "yolov8" (or yolox, yolov5, end2end)'
    return (
        f"{path.name}: cannot tell {what}: output {words(output)}, {why}. Write {card_path(path).name} "
        f'beside it: name = "{path.stem}", file = "{path.name}", {choice}, '
        'labels = ["car", "person"] in the order of the class ids'
    )
