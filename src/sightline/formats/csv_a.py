"""The five CSV files of system A's `debug_output`, for the groups `cars` and `people`.

Names and columns are the old ones; what the columns hold is what their names say: `timestamp` is the frame's time
(clock time of pts 0 plus pts), `track_id` a track's id in its group, `confidence` a confidence. Boxes are truncated to
integers. `stats.csv` has one row per sampled frame: unique objects counted so far, so no column ever falls.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from sightline.arrays import IntArray
from sightline.formats import job_rows
from sightline.formats.text import Column, chunks, clock, line_blocks, quoted, rounded
from sightline.types import GroupResult, JobResult, TrackTable

__all__ = ["GROUPS", "files"]

# Group of the pipeline: word in the names of the files.
GROUPS = {"cars": "car", "people": "people"}
DETECTIONS = "frame_id,video_id,timestamp,label,confidence,x1,y1,x2,y2\n"
TRACKS = "frame_id,video_id,timestamp,track_id,x1,y1,x2,y2,confidence,class_id\n"
STATS = "timestamp,num_cars,num_people\n"


def files(result: JobResult) -> Iterator[tuple[str, Iterable[bytes]]]:
    """`csv-a/<file>`; no files for a group that the job does not have, none at all where it has neither.

    Detections are those of the job's `conf` or more. Tracks and statistics exist where the group has a tracker; in
    the statistics a group that is not there counts 0.
    """
    present = {group.name: group for group in result.groups if group.name in GROUPS}
    stamps = _Stamps(result)
    for name, word in GROUPS.items():
        if name in present:
            lines = _detection_lines(result, present[name].detections, stamps)
            yield f"csv-a/{word}_detections.csv", chunks(lines)
    for name, word in GROUPS.items():
        table = present[name].tracks if name in present else None
        if table is not None:
            yield f"csv-a/{word}_tracks.csv", chunks(_track_lines(result, table, stamps))
    if any(group.unique is not None for group in present.values()):
        yield "csv-a/stats.csv", chunks(_stats_lines(result, [present.get(name) for name in GROUPS], stamps))


class _Stamps:
    """Time of each sampled frame as text, made when first asked for."""

    def __init__(self, result: JobResult) -> None:
        self._start, self._pts = result.created_at_us, result.frames.pts_us

    def __call__(self, seq: IntArray) -> list[str]:
        distinct, place = np.unique(seq, return_inverse=True)
        words = [clock(self._start + pts) for pts in self._pts[distinct].tolist()]
        return [words[k] for k in place.tolist()]


def _head(result: JobResult) -> str:
    return "frame_%05d," + quoted(result.video_id).replace("%", "%%") + ",%s,"


def _boxes(table: TrackTable) -> list[IntArray]:
    return list(np.trunc(table.xyxy).astype(np.int64).T)


def _detection_lines(result: JobResult, table: TrackTable, stamps: _Stamps) -> Iterator[str]:
    yield DETECTIONS
    template = _head(result) + "%s,%.4f,%d,%d,%d,%d\n"
    labels = [quoted(label) for label in result.labels]
    for rows in job_rows.blocks(table):
        block = rows[rows.confidence >= result.conf]
        columns: list[Column] = [
            result.frames.frame[block.seq],
            stamps(block.seq),
            [labels[number] for number in block.class_id.tolist()],
            rounded(block.confidence, 4),
            *_boxes(block),
        ]
        yield from line_blocks(template, columns, len(block))


def _track_lines(result: JobResult, table: TrackTable, stamps: _Stamps) -> Iterator[str]:
    yield TRACKS
    template = _head(result) + "%d,%d,%d,%d,%d,%.4f,%d\n"
    for block in job_rows.blocks(table):
        columns: list[Column] = [
            result.frames.frame[block.seq],
            stamps(block.seq),
            block.track_id,
            *_boxes(block),
            rounded(block.confidence, 4),
            block.class_id,
        ]
        yield from line_blocks(template, columns, len(block))


def _stats_lines(result: JobResult, groups: Sequence[GroupResult | None], stamps: _Stamps) -> Iterator[str]:
    yield STATS
    n = len(result.frames)
    none = np.zeros(n, np.int64)
    counts = [none if group is None or group.unique is None else group.unique for group in groups]
    for start in range(0, n, job_rows.BLOCK_ROWS):
        seq = np.arange(start, min(start + job_rows.BLOCK_ROWS, n))
        columns: list[Column] = [stamps(seq), *(count[seq] for count in counts)]
        yield from line_blocks("%s,%d,%d\n", columns, len(seq))
