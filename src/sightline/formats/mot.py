"""MOTChallenge text: one box a line, frames from 1, no class in results.

Results      `frame,id,left,top,width,height,confidence,-1,-1,-1`; detections have id -1 or a running number.
Ground truth `frame,id,left,top,width,height,considered,class,visibility`; 10 columns (MOT15) end in world
             coordinates instead and have no class.

Boxes are not shifted: the benchmark's page says that the first pixel is 1, but its own evaluation and the common
writers do not count so. `origin=1` reads and writes files that do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from sightline.arrays import FloatArray, IntArray
from sightline.errors import setting
from sightline.formats import job_rows
from sightline.formats.annotations import MAX_FRAME, NO_ID, Annotations
from sightline.formats.text import NumberTable, chunks, file_name, line_blocks, numbers, rounded
from sightline.types import JobResult, TrackTable

__all__ = ["CLASSES", "class_numbers", "files", "read", "read_truth", "text_tracks", "write"]


RESULT = "%d,%d,%.3f,%.3f,%.3f,%.3f,%.4f,-1,-1,-1\n"
TRUTH = "%d,%d,%.3f,%.3f,%.3f,%.3f,%d,%d,%.6f\n"
TEXT_TRACKS = "%d,%d,%.6f,%.6f,%.6f,%.6f,%.6f\n"
MAX_CLASS = 999
# Index = number in the ground truth of MOT16, MOT17 and MOT20; 0 stands for "no class".
CLASSES = (
    "objects",
    "pedestrian",
    "person_on_vehicle",
    "car",
    "bicycle",
    "motorbike",
    "non_mot_vehicle",
    "static_person",
    "distractor",
    "occluder",
    "occluder_on_ground",
    "occluder_full",
    "reflection",
    "crowd",
)


def read(text: str, name: str, *, first_frame: int = 1, origin: float = 0.0) -> Annotations:
    """Detections or tracks: six columns or more; no confidence, or -1, is 1.

    Args:
        text: the file's content.
        name: its name, for errors.
        first_frame: number of the first frame, 0 or 1.
        origin: number of the first pixel, 0 or 1.

    Raises:
        InvalidFile: names the line.

    >>> read("1,-1,10,20,30,40", "det.txt").xyxy.tolist()
    [[10.0, 20.0, 40.0, 60.0]]
    """
    table = numbers(text, name, least=6, most=7)
    confidence = table.column(6, 1.0)
    return Annotations.of(
        _frames(table, first_frame),
        table.integers(1, "id", NO_ID),
        table.boxes(2, origin),
        confidence=np.where(confidence == -1, 1.0, confidence),
    )


def read_truth(text: str, name: str, *, first_frame: int = 1, origin: float = 0.0) -> Annotations:
    """Ground truth; `labels` are those of MOT17, further classes are called `class 14` and so on.

    Raises:
        InvalidFile: names the line.
    """
    table = numbers(text, name, least=6, most=10)
    world = ~np.isnan(table.values[:, 9:10]) & (np.arange(10) >= 7)
    table = replace(table, values=np.where(world, np.nan, table.values))
    class_id = np.maximum(table.integers(7, "class", -1, MAX_CLASS), 0)
    names = range(len(CLASSES), int(class_id.max(initial=0)) + 1)
    return Annotations.of(
        _frames(table, first_frame),
        table.integers(1, "id", NO_ID),
        table.boxes(2, origin),
        class_id=class_id,
        labels=CLASSES + tuple(f"class {number}" for number in names),
        considered=table.column(6, 1.0) != 0,
        visibility=table.column(8, -1.0),
    )


def _frames(table: NumberTable, first_frame: int) -> IntArray:
    frame = table.integers(0, "frame", 0, MAX_FRAME + first_frame)
    reason = f"frame {{}}, expected {first_frame} or more: name the first frame ({setting('first_frame', '0')}) if it is another"
    table.refuse(frame < first_frame, reason, frame.astype(np.float64))
    return frame - first_frame


def write(
    annotations: Annotations, *, truth: bool = False, first_frame: int = 1, origin: float = 0.0
) -> Iterator[bytes]:
    """Results, or ground truth: the same rows that `read` or `read_truth` understand."""
    xywh = _xywh(annotations.xyxy, 3, origin)
    columns = [annotations.frame + first_frame, annotations.object_id, *xywh.T]
    if truth:
        columns += [
            annotations.considered.astype(np.int64),
            _classes(annotations),
            rounded(annotations.visibility, 6),
        ]
    else:
        columns += [rounded(annotations.confidence, 4)]
    return chunks(line_blocks(TRUTH if truth else RESULT, columns, len(annotations)))


def _classes(annotations: Annotations) -> IntArray:
    return np.array(class_numbers(annotations.labels), np.int64)[annotations.class_id]


def class_numbers(labels: Sequence[str]) -> list[int]:
    """Class number of each label; labels that MOT17 does not have get numbers behind its own.

    >>> class_numbers(["Car", "person", "dog"])
    [3, 1, 16]
    """
    known = {label: number for number, label in enumerate(CLASSES)} | {"people": 1, "person": 1}
    places = enumerate(labels, start=len(CLASSES))
    return [_number(label) or known.get(label.lower(), min(place, MAX_CLASS)) for place, label in places]


def _number(label: str) -> int:
    number = label.removeprefix("class ")
    return int(number) if number != label and number.isdecimal() and int(number) <= MAX_CLASS else 0


def files(result: JobResult) -> Iterator[tuple[str, Iterable[bytes]]]:
    """`mot/<group>/<video_id>.txt` for each group that has a tracker."""
    for group in result.groups:
        if group.tracks is None:
            continue
        path = f"mot/{file_name(group.name)}/{file_name(result.video_id)}.txt"
        yield path, _content(result, group.tracks)


def _content(result: JobResult, rows: TrackTable) -> Iterator[bytes]:
    """Detections made elsewhere keep their frame numbers and their decimals."""
    if result.first_frame is None:
        return chunks(_lines(result, rows))
    frame = result.frames.frame[rows.seq] + result.first_frame
    return text_tracks(frame, rows.track_id, rows.xyxy, rows.confidence)


def _lines(result: JobResult, rows: TrackTable) -> Iterator[str]:
    for table in job_rows.blocks(rows):
        frame = result.frames.frame[table.seq] + 1
        columns = [frame, table.track_id, *_xywh(table.xyxy, 3).T, rounded(table.confidence, 4)]
        yield from line_blocks(RESULT, columns, len(table))


def text_tracks(
    frame: IntArray, track_id: IntArray, xyxy: FloatArray, confidence: FloatArray
) -> Iterator[bytes]:
    r"""Tracks of detections made elsewhere, `frame,id,x,y,w,h,score`, with six decimals and frames as in the input.

    Args:
        frame: int64 (R,), numbers as they are to be written.
        track_id: int64 (R,).
        xyxy: float64 (R, 4), pixels.
        confidence: float64 (R,).

    >>> list(text_tracks(np.array([1]), np.array([7]), np.array([[1.0, 2, 4, 8]]), np.array([0.9])))
    [b'1,7,1.000000,2.000000,3.000000,6.000000,0.900000\n']
    """
    columns = [frame, track_id, *_xywh(xyxy, 6).T, rounded(confidence, 6)]
    return chunks(line_blocks(TEXT_TRACKS, columns, len(frame)))


def _xywh(xyxy: FloatArray, decimals: int, origin: float = 0.0) -> FloatArray:
    return rounded(np.hstack([xyxy[:, :2] + origin, xyxy[:, 2:] - xyxy[:, :2]]), decimals)
