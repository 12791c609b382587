"""CSV tables of a job: every detection kept, every published track. The columns are those of the Parquet table.

`detections.csv` leaves `track_id` and `origin` empty; `tracks.csv` holds every confirmed track, also one too short
to count; `label` is that of the frame's own detection.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sightline.formats import job_rows
from sightline.formats.text import Column, chunks, line_blocks, quoted, rounded
from sightline.types import JobResult, Origin

__all__ = ["COLUMNS", "ORIGINS", "files"]

COLUMNS = (
    "video_id",
    "frame",
    "seq",
    "pts_us",
    "group",
    "track_id",
    "class_id",
    "label",
    "x1",
    "y1",
    "x2",
    "y2",
    "confidence",
    "origin",
)
# By value of `Origin`.
ORIGINS = tuple(origin.name.lower() for origin in Origin)
BOX = "%.3f,%.3f,%.3f,%.3f,%.4f,%s\n"


def files(result: JobResult) -> Iterator[tuple[str, Iterable[bytes]]]:
    """`detections.csv`, and `tracks.csv` where a group has a tracker."""
    yield "detections.csv", chunks(_lines(result, job_rows.detections(result), tracked=False))
    if any(group.tracks is not None for group in result.groups):
        yield "tracks.csv", chunks(_lines(result, job_rows.tracks(result), tracked=True))


def _lines(result: JobResult, blocks: Iterator[job_rows.JobRows], *, tracked: bool) -> Iterator[str]:
    yield ",".join(COLUMNS) + "\n"
    video = quoted(result.video_id).replace("%", "%%")
    template = f"{video},%d,%d,%d,%s,{'%d' if tracked else '%s'},%d,%s,{BOX}"
    groups = [quoted(group.name) for group in result.groups]
    labels = [quoted(label) for label in result.labels]
    for block in blocks:
        table = block.table
        empty = [""] * len(table)
        columns: list[Column] = [
            result.frames.frame[table.seq],
            table.seq,
            result.frames.pts_us[table.seq],
            [groups[place] for place in block.place.tolist()],
            table.track_id if tracked else empty,
            table.class_id,
            [labels[number] for number in table.class_id.tolist()],
            *rounded(table.xyxy, 3).T,
            rounded(table.confidence, 4),
            [ORIGINS[origin] for origin in table.origin.tolist()] if tracked else empty,
        ]
        yield from line_blocks(template, columns, len(table))
