"""COCO JSON of a job: a list of results, or a whole dataset.

`coco`          a list of `{"image_id","category_id","bbox":[x,y,w,h],"score","track_id"}`, image_id = frame + 1.
`coco-dataset`  `images`, `categories` and `annotations`; ids from 1, as COCOeval reads 0 as "no match".

Both hold the published tracks, with ids unique over groups (`track_id * G + g`); for groups without a tracker the
detections, without `track_id`. Models with the 80 classes of COCO get its official category ids 1 to 90, others
class_id + 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from sightline.formats import job_rows
from sightline.formats.text import Column, chunks, file_name, json_text, line_blocks, rounded
from sightline.types import JobResult

__all__ = ["COCO_LABELS", "category_ids", "dataset_files", "files"]

_NAMES = (
    "person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,fire hydrant,stop sign,parking meter,"
    "bench,bird,cat,dog,horse,sheep,cow,elephant,bear,zebra,giraffe,backpack,umbrella,handbag,tie,suitcase,frisbee,"
    "skis,snowboard,sports ball,kite,baseball bat,baseball glove,skateboard,surfboard,tennis racket,bottle,"
    "wine glass,cup,fork,knife,spoon,bowl,banana,apple,sandwich,orange,broccoli,carrot,hot dog,pizza,donut,cake,"
    "chair,couch,potted plant,bed,dining table,toilet,tv,laptop,mouse,remote,keyboard,cell phone,microwave,oven,"
    "toaster,sink,refrigerator,book,clock,vase,scissors,teddy bear,hair drier,toothbrush"
)
COCO_LABELS = tuple(_NAMES.split(","))
# Numbers between 1 and 90 that the published annotations never use.
_MISSING = frozenset({12, 26, 29, 30, 45, 66, 68, 69, 71, 83})
_OFFICIAL = tuple(number for number in range(1, 91) if number not in _MISSING)
# How the Darknet models spell six of them.
_DARKNET = {
    "motorbike": "motorcycle",
    "aeroplane": "airplane",
    "sofa": "couch",
    "pottedplant": "potted plant",
    "diningtable": "dining table",
    "tvmonitor": "tv",
}
RESULT = '{"image_id":%d,"category_id":%d,"bbox":[%.3f,%.3f,%.3f,%.3f],"score":%.4f%s},'
ANNOTATION = (
    '{"id":%d,"image_id":%d,"category_id":%d,"bbox":[%.3f,%.3f,%.3f,%.3f],"area":%.3f,"iscrowd":0%s},'
)


def category_ids(labels: tuple[str, ...]) -> tuple[int, ...]:
    """COCO category id of each class id.

    >>> category_ids(("car", "person")), category_ids(COCO_LABELS)[-1]
    ((1, 2), 90)
    """
    if tuple(_DARKNET.get(label, label) for label in labels) == COCO_LABELS:
        return _OFFICIAL
    return tuple(range(1, len(labels) + 1))


def files(result: JobResult) -> Iterator[tuple[str, Iterable[bytes]]]:
    """`coco.json`."""
    yield "coco.json", chunks(_listed("[", _rows(result, numbered=False), "]\n"))


def dataset_files(result: JobResult) -> Iterator[tuple[str, Iterable[bytes]]]:
    """`coco-dataset.json`; images are named `<video_id>/<frame + 1>.jpg`."""
    yield "coco-dataset.json", chunks(_dataset(result))


def _dataset(result: JobResult) -> Iterator[str]:
    folder = file_name(result.video_id)
    size = f'"width":{result.width},"height":{result.height}'
    numbers = (result.frames.frame + 1).tolist()
    images = (
        f'{{"id":{n},"file_name":{json_text(f"{folder}/{n:06d}.jpg")},{size},"frame_id":{n}}},'
        for n in numbers
    )
    categories = (
        f'{{"id":{number},"name":{json_text(label)}}},'
        for number, label in zip(category_ids(result.labels), result.labels, strict=True)
    )
    yield from _listed('{"images":[', images, "],")
    yield from _listed('"categories":[', categories, "],")
    yield from _listed('"annotations":[', _rows(result, numbered=True), "]}\n")


def _listed(start: str, parts: Iterable[str], end: str) -> Iterator[str]:
    """Items that each end in a comma, the last one without it, between brackets."""
    yield start
    last = ""
    for part in parts:
        yield last
        last = part
    yield last.removesuffix(",") + end


def _rows(result: JobResult, *, numbered: bool) -> Iterator[str]:
    """One object a box, with a comma; annotations have a number and an area besides."""
    categories = np.array(category_ids(result.labels), np.int64)
    tracked = np.array([group.tracks is not None for group in result.groups])
    template = ANNOTATION if numbered else RESULT
    first = 1
    for block in job_rows.tracks_or_detections(result):
        table = block.table
        xywh = np.hstack([table.xyxy[:, :2], table.xyxy[:, 2:] - table.xyxy[:, :2]])
        columns: list[Column] = [
            result.frames.frame[table.seq] + 1,
            categories[table.class_id],
            *rounded(xywh, 3).T,
        ]
        if numbered:
            columns = [np.arange(first, first + len(table)), *columns, rounded(xywh[:, 2] * xywh[:, 3], 3)]
        else:
            columns.append(rounded(table.confidence, 4))
        ids = job_rows.unique_ids(block, len(result.groups)).tolist()
        known = tracked[block.place].tolist()
        words = [f',"track_id":{i}' if is_known else "" for i, is_known in zip(ids, known, strict=True)]
        yield from line_blocks(template, [*columns, words], len(table))
        first += len(table)
