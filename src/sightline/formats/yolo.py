"""YOLO labels: a text a frame, `class cx cy width height` in shares of the picture, and the names of the classes.

`yolo/labels/<video_id>/<frame + 1>.txt` belongs to the picture `images/<video_id>/<frame + 1>.jpg` (FFmpeg writes those as
`%06d.jpg`), as trainers look for it. Every sampled frame has a file; an empty one says that nothing is in it.
Boxes are cut at the picture's edge, as trainers refuse others; ids and confidences have no place there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

import numpy as np

from sightline.arrays import FloatArray
from sightline.errors import Misconfigured, setting
from sightline.formats import job_rows
from sightline.formats.text import file_name, json_text
from sightline.types import JobResult, TrackTable

__all__ = ["files"]

LINE = "%d %.6f %.6f %.6f %.6f\n"


def files(result: JobResult) -> Iterator[tuple[str, Iterable[bytes]]]:
    """`yolo/classes.txt`, `yolo/data.yaml` and the labels of each frame; classes are the model's, by class id.

    Published tracks; for groups without a tracker the detections of the job's `conf` or more.

    Raises:
        Misconfigured: the size of the picture is not known.
    """
    if not result.width or not result.height:
        raise Misconfigured(
            f"{result.video_id}: yolo needs the size of the picture: {setting('size', '1920x1080')}",
            code="usage",
        )
    names = [" ".join(label.split()) for label in result.labels]
    yield "yolo/classes.txt", ["".join(f"{name}\n" for name in names).encode()]
    yield "yolo/data.yaml", [_dataset(names).encode()]
    folder = f"yolo/labels/{file_name(result.video_id)}"
    for rows in job_rows.tracks_or_detections(result, result.conf):
        for seq, (low, high) in enumerate(pairwise(rows.bounds()), start=rows.first):
            if result.frames.outcome[seq] == "ok":
                text = _lines(rows.table[low:high], result.width, result.height)
                yield f"{folder}/{result.frames.frame[seq] + 1:06d}.txt", [text.encode()]


def _dataset(names: list[str]) -> str:
    listed = "".join(f"  {number}: {json_text(name)}\n" for number, name in enumerate(names))
    return f"path: .\ntrain: images\nval: images\nnames:\n{listed}"


def _lines(table: TrackTable, width: int, height: int) -> str:
    inside = np.clip(table.xyxy / (width, height, width, height), 0, 1)
    size = inside[:, 2:] - inside[:, :2]
    seen = (size > 0).all(axis=1)
    columns: FloatArray = np.hstack([(inside[:, :2] + inside[:, 2:]) / 2, size])[seen]
    rows = zip(table.class_id[seen].tolist(), columns.tolist(), strict=True)
    return "".join(LINE % (class_id, *box) for class_id, box in rows)
