"""VisDrone-MOT text: ten columns, frames from 1, categories 0 to 11.

Results      `frame,id,left,top,width,height,score,category,-1,-1`; detections have id -1.
Ground truth the same with score 0 = ignored, 1 = considered, then truncation 0/1 and occlusion 0/1/2.

`class_id` of what is read is the category, index in `CATEGORIES`; models trained on the dataset begin at pedestrian,
so their labels are the category less one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from sightline.arrays import FloatArray, IntArray
from sightline.formats import job_rows
from sightline.formats.annotations import MAX_FRAME, NO_ID, Annotations
from sightline.formats.text import NumberTable, chunks, file_name, line_blocks, numbers, rounded
from sightline.types import JobResult

__all__ = [
    "CATEGORIES",
    "IGNORED_REGIONS",
    "MAX_OCCLUSION",
    "MAX_TRUNCATION",
    "OTHERS",
    "category",
    "files",
    "read",
    "read_truth",
    "write",
]


RESULT = "%d,%d,%.3f,%.3f,%.3f,%.3f,%.4f,%d,-1,-1\n"
TRUTH = "%d,%d,%.3f,%.3f,%.3f,%.3f,%d,%d,%d,%d\n"
CATEGORIES = (
    "ignored regions",
    "pedestrian",
    "people",
    "bicycle",
    "car",
    "van",
    "truck",
    "tricycle",
    "awning-tricycle",
    "bus",
    "motor",
    "others",
)
IGNORED_REGIONS = 0
OTHERS = 11
_ALIASES = {"person": 1, "motorcycle": 10, "motorbike": 10, "dontcare": IGNORED_REGIONS}
# Truncation is a part outside the picture or none, occlusion none, some or most of the object.
MAX_TRUNCATION, MAX_OCCLUSION = 1, 2


def category(label: str) -> int:
    """Category of a label, any case; 11 (others) where VisDrone has none.

    >>> category("Car"), category("person"), category("dog")
    (4, 1, 11)
    """
    word = label.lower()
    return CATEGORIES.index(word) if word in CATEGORIES else _ALIASES.get(word, OTHERS)


def read(text: str, name: str, *, first_frame: int = 1) -> Annotations:
    """Detections or tracks: eight columns or more.

    Raises:
        InvalidFile: names the line.

    >>> read("1,-1,10,20,30,40,0.9,4,-1,-1", "det.txt").label
    ('car',)
    """
    table = numbers(text, name, least=8, most=8)
    return Annotations.of(
        _frames(table, first_frame),
        table.integers(1, "id", NO_ID),
        table.boxes(2),
        confidence=table.values[:, 6],
        class_id=table.integers(7, "category", 0, OTHERS),
        labels=CATEGORIES,
    )


def read_truth(text: str, name: str, *, first_frame: int = 1) -> Annotations:
    """Ground truth: eight columns or more; a row of score 0 is not considered. Truncation and occlusion are -1 where
    they are unknown.

    Raises:
        InvalidFile: names the line.
    """
    table = numbers(text, name, least=8, most=10)
    return Annotations.of(
        _frames(table, first_frame),
        table.integers(1, "id", NO_ID),
        table.boxes(2),
        class_id=table.integers(7, "category", 0, OTHERS),
        labels=CATEGORIES,
        considered=table.integers(6, "score", 0, 1) == 1,
        truncation=table.integers(8, "truncation", -1, 2),
        occlusion=table.integers(9, "occlusion", -1, 2),
    )


def _frames(table: NumberTable, first_frame: int) -> IntArray:
    return table.integers(0, "frame", first_frame, MAX_FRAME + first_frame) - first_frame


def write(annotations: Annotations, *, truth: bool = False, first_frame: int = 1) -> Iterator[bytes]:
    """Results, or ground truth: the same rows that `read` or `read_truth` understand.

    Labels that VisDrone does not have become `others`; a truncation beyond 1 is 1, an occlusion beyond 2, which is
    KITTI's word for unknown, is -1.
    """
    frame = annotations.frame + first_frame
    box = _xywh(annotations.xyxy)
    categories = np.array([category(label) for label in annotations.labels])[annotations.class_id]
    columns = [frame, annotations.object_id, *box.T]
    if truth:
        considered = annotations.considered.astype(np.int64)
        truncation = np.clip(annotations.truncation, -1, MAX_TRUNCATION)
        occlusion = np.where(annotations.occlusion > MAX_OCCLUSION, -1, np.maximum(annotations.occlusion, -1))
        columns += [considered, categories, truncation, occlusion]
    else:
        columns += [rounded(annotations.confidence, 4), categories]
    return chunks(line_blocks(TRUTH if truth else RESULT, columns, len(annotations)))


def files(result: JobResult) -> Iterator[tuple[str, Iterable[bytes]]]:
    """`visdrone/<video_id>.txt`: tracks with ids unique over groups; without a tracker the detections, id -1."""
    yield f"visdrone/{file_name(result.video_id)}.txt", chunks(_lines(result))


def _lines(result: JobResult) -> Iterator[str]:
    tracked = np.array([group.tracks is not None for group in result.groups])
    categories = np.array([category(label) for label in result.labels])
    for block in job_rows.tracks_or_detections(result):
        table = block.table
        ids = np.where(tracked[block.place], job_rows.unique_ids(block, len(result.groups)), NO_ID)
        frame = result.frames.frame[table.seq] + 1
        confidence = rounded(table.confidence, 4)
        columns = [frame, ids, *_xywh(table.xyxy).T, confidence, categories[table.class_id]]
        yield from line_blocks(RESULT, columns, len(table))


def _xywh(xyxy: FloatArray) -> FloatArray:
    return rounded(np.hstack([xyxy[:, :2], xyxy[:, 2:] - xyxy[:, :2]]), 3)
