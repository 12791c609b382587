"""KITTI tracking text: fields separated by spaces, frames from 0, the type as a word.

`frame id type truncated occluded alpha x1 y1 x2 y2 height width length x y z rotation_y [score]`; ground truth has
no score, and `DontCare` areas have id -1. What a camera cannot know (alpha, dimensions, position) is written as the
format's words for "unknown".
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator

import numpy as np

from sightline.errors import InvalidFile
from sightline.formats import job_rows
from sightline.formats.annotations import MAX_FRAME, NO_ID, Annotations
from sightline.formats.text import Column, chunks, file_name, line_blocks, lines, rounded
from sightline.types import JobResult

__all__ = ["TYPES", "files", "read", "read_truth", "type_of", "write"]

TYPES = ("Car", "Van", "Truck", "Pedestrian", "Person", "Cyclist", "Tram", "Misc", "DontCare")
ROW = "%d %d %s %d %d -10 %.3f %.3f %.3f %.3f -1 -1 -1 -1000 -1000 -1000 -10"
_ALIASES = {"person": "Pedestrian", "people": "Pedestrian", "ignored regions": "DontCare"}
# What stands between fields here and in other texts; a type is one field.
_SEPARATORS = re.compile(r"[\s,;]+")
_SCORE = 17


def read(text: str, name: str, *, first_frame: int = 0) -> Annotations:
    """Detections or tracks: ten fields or more; the score is the eighteenth, 1 where there is none.

    Types beyond `TYPES` are taken as they are.

    Raises:
        InvalidFile: names the line.

    >>> found = read("0 1 Van -1 -1 -1 298.92 162.07 457.11 288.85", "0000.txt")
    >>> found.label, found.xyxy.tolist()
    (('Van',), [[298.92, 162.07, 457.11, 288.85]])
    """
    labels = {label: number for number, label in enumerate(TYPES)}
    rows = [_row(line.split(), labels, name, number, first_frame) for number, line in lines(text)]
    table = np.array(rows, np.float64).reshape(-1, 10)
    class_id = table[:, 2].astype(np.int64)
    object_id = table[:, 1].astype(np.int64)
    return Annotations.of(
        table[:, 0].astype(np.int64),
        object_id,
        table[:, 5:9],
        confidence=table[:, 9],
        class_id=class_id,
        labels=tuple(labels),
        considered=class_id != TYPES.index("DontCare"),
        truncation=table[:, 3].astype(np.int64),
        occlusion=table[:, 4].astype(np.int64),
    )


def read_truth(text: str, name: str, *, first_frame: int = 0) -> Annotations:
    """Ground truth: as `read`; `DontCare` areas are not considered.

    Raises:
        InvalidFile: names the line.
    """
    return read(text, name, first_frame=first_frame)


def _row(fields: list[str], labels: dict[str, int], name: str, line: int, first_frame: int) -> list[float]:
    if len(fields) < 10:
        reason = (
            f"{len(fields)} fields, expected 10 or more: frame id type truncated occluded alpha x1 y1 x2 y2"
        )
        raise InvalidFile(name, reason=reason, line=line)
    frame = _whole(fields, 0, name, line, first_frame, MAX_FRAME + first_frame) - first_frame
    object_id = _whole(fields, 1, name, line, NO_ID, 2**53)
    class_id = labels.setdefault(fields[2], len(labels))
    truncated = math.ceil(_number(fields, 3, name, line))  # a share of the box in files of single images
    occluded = _whole(fields, 4, name, line, -10, 1000)
    x1, y1, x2, y2 = (_number(fields, place, name, line) for place in range(6, 10))
    if x2 < x1 or y2 < y1:
        raise InvalidFile(
            name, reason=f"box {x1:g} {y1:g} {x2:g} {y2:g}, expected x1 <= x2, y1 <= y2", line=line
        )
    score = _number(fields, _SCORE, name, line) if len(fields) > _SCORE else 1.0
    return [frame, object_id, class_id, truncated, occluded, x1, y1, x2, y2, score]


def _number(fields: list[str], place: int, name: str, line: int) -> float:
    try:
        value = float(fields[place])
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or "_" in fields[place]:
        reason = f"field {place + 1} is {fields[place]!r}, expected a number"
        raise InvalidFile(name, reason=reason, line=line)
    return value


def _whole(fields: list[str], place: int, name: str, line: int, low: int, high: int) -> int:
    value = _number(fields, place, name, line)
    if value != round(value) or not low <= value <= high:
        reason = f"field {place + 1} is {fields[place]!r}, expected a whole number from {low} to {high}"
        raise InvalidFile(name, reason=reason, line=line)
    return int(value)


def write(annotations: Annotations, *, truth: bool = False, first_frame: int = 0) -> Iterator[bytes]:
    """Results with a score, or ground truth without: the same rows that `read` understands.

    Labels that KITTI knows are spelled its way, others as they are with `_` for spaces and commas; one that is a number
    is a `class_`, as a type is a word.
    """
    types = [type_of(label) for label in annotations.labels]
    columns: list[Column] = [
        annotations.frame + first_frame,
        annotations.object_id,
        [types[number] for number in annotations.class_id.tolist()],
        annotations.truncation,
        annotations.occlusion,
        *rounded(annotations.xyxy, 3).T,
    ]
    if not truth:
        columns.append(rounded(annotations.confidence, 4))
    return chunks(line_blocks(ROW + ("\n" if truth else " %.4f\n"), columns, len(annotations)))


def files(result: JobResult) -> Iterator[tuple[str, Iterable[bytes]]]:
    """`kitti/<video_id>.txt`: tracks with ids unique over groups; without a tracker the detections, id -1."""
    yield f"kitti/{file_name(result.video_id)}.txt", chunks(_lines(result))


def _lines(result: JobResult) -> Iterator[str]:
    tracked = np.array([group.tracks is not None for group in result.groups])
    types = [type_of(label) for label in result.labels]
    for block in job_rows.tracks_or_detections(result):
        table = block.table
        ids = np.where(tracked[block.place], job_rows.unique_ids(block, len(result.groups)), NO_ID)
        unknown = np.full(len(table), -1)
        columns: list[Column] = [
            result.frames.frame[table.seq],
            ids,
            [types[number] for number in table.class_id.tolist()],
            unknown,
            unknown,
            *rounded(table.xyxy, 3).T,
            rounded(table.confidence, 4),
        ]
        yield from line_blocks(ROW + " %.4f\n", columns, len(table))


def type_of(label: str) -> str:
    """A label as KITTI writes it.

    >>> type_of("car"), type_of("person"), type_of("traffic light"), type_of("3")
    ('Car', 'Pedestrian', 'traffic_light', 'class_3')
    """
    known = {name.lower(): name for name in TYPES} | _ALIASES
    word = _SEPARATORS.sub("_", label.strip())
    if label in TYPES or label.lower() in known:
        return label if label in TYPES else known[label.lower()]
    try:
        float(word)
    except ValueError:
        return word or "Misc"
    return f"class_{word}"
