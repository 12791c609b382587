"""The result object of system B: a bare JSON array with one item per sampled frame, empty ones too.

`[{"frame":0,"objects":[{"class":"cat","box":[100,200,300,400],"conf":0.8700}]}]`, boxes x1, y1, x2, y2 truncated to
integers, objects by falling `conf`. A group with a tracker gives its published tracks and adds `track_id`, made
unique over groups (`track_id * G + g`); a group without one gives the detections of the job's `conf` or more. A frame
that is not `ok` adds `outcome` and `reason`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

import numpy as np

from sightline.formats import job_rows
from sightline.formats.text import chunks, json_text, rounded
from sightline.types import JobResult

__all__ = ["files"]

OBJECT = '{"class":%s,"box":[%d,%d,%d,%d],"conf":%.4f'


def files(result: JobResult) -> Iterator[tuple[str, Iterable[bytes]]]:
    """`result.json`."""
    yield "result.json", chunks(_parts(result))


def _parts(result: JobResult) -> Iterator[str]:
    labels = [json_text(label) for label in result.labels]
    tracked = np.array([group.tracks is not None for group in result.groups])
    separator = "["
    for rows in job_rows.tracks_or_detections(result, result.conf):
        block = rows[np.lexsort((-rows.table.confidence, rows.table.seq))]
        objects = _objects(block, len(result.groups), labels, tracked[block.place].tolist())
        for seq, (low, high) in enumerate(itertools.pairwise(block.bounds()), start=block.first):
            inside = ",".join(objects[low:high])
            yield f'{separator}{{"frame":{result.frames.frame[seq]},"objects":[{inside}]{_failure(result, seq)}}}'
            separator = ","
    yield "]" if len(result.frames) else "[]"


def _objects(rows: job_rows.JobRows, groups: int, labels: list[str], tracked: list[bool]) -> list[str]:
    table = rows.table
    boxes = np.trunc(table.xyxy).astype(np.int64)
    columns = [
        [labels[number] for number in table.class_id.tolist()],
        *(side.tolist() for side in boxes.T),
        rounded(table.confidence, 4).tolist(),
    ]
    ids = job_rows.unique_ids(rows, groups).tolist()
    heads = map(OBJECT.__mod__, zip(*columns, strict=True))
    tails = (f',"track_id":{i}}}' if known else "}" for i, known in zip(ids, tracked, strict=True))
    return [head + tail for head, tail in zip(heads, tails, strict=True)]


def _failure(result: JobResult, seq: int) -> str:
    outcome = result.frames.outcome[seq]
    if outcome == "ok":
        return ""
    return f',"outcome":"{outcome}","reason":{json_text(result.frames.reason[seq])}'
