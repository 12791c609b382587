"""Export: a finished run in another format, from its segments, without inference."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np

from sightline.camera import CameraPath
from sightline.errors import InvalidFile, Misconfigured
from sightline.runs.load import find_runs, load_result
from sightline.runs.place import Place, in_folder
from sightline.runs.writers import writer_of
from sightline.types import GroupResult, JobResult
from sightline.vision.ground import Ground

__all__ = ["check_seen_from", "export", "export_place", "seen_from"]

Files = Iterator[tuple[str, Iterable[bytes]]]
ANYWHERE = ("csv", "mot", "ndjson", "parquet")
"""Formats whose boxes may lie beside the picture."""


def export(
    path: Path,
    target: str,
    frame: int | None = None,
    warn: Callable[[str], None] = lambda lost: None,
) -> Iterator[tuple[str, Iterable[bytes]]]:
    """Files of a format, of a run folder, or of every run in the folder of a command.

    Args:
        path: folder of one video's run, or of a command's; then the files of each video are in a folder of its name.
        target: any format of `track`.
        frame: number of the frame on whose picture boxes are given, see `seen_from`; None: each on that of its own frame.
        warn: hears of frames that are left out as nothing leads from them to that one.

    Returns:
        Relative path and content of each file; runs are loaded one at a time.

    Raises:
        NotFound: no finished run is here.
        Misconfigured: no such format, or `seen_from` refuses.
        InvalidFile: the run has nothing that the format can hold, such as tracks.
        Corrupt: a segment is missing or damaged.
    """
    writer_of(target)  # a name that is none is refused before anything is loaded
    check_seen_from(target, frame)
    for folder in find_runs(path):
        result, _ = load_result(in_folder(folder))
        if frame is not None:
            result = seen_from(result, frame, warn)
        prefix = "" if folder == path else f"{folder.name}/"
        for name, content in _written(result, target, str(folder)):
            yield prefix + name, content


def export_place(place: Place, target: str, clock_start: str | None, frame: int | None = None) -> Files:
    """The same of one run, wherever it lies, on another clock; see `export`.

    Args:
        place: of the run.
        target: any format of `track`.
        clock_start: time of frame 0, ISO 8601; None where nobody said.
        frame: see `export`.
    """
    writer_of(target)  # a name that is none is refused before anything is loaded
    check_seen_from(target, frame)
    result, _ = load_result(place)
    if frame is not None:
        result = seen_from(result, frame)
    start = None if clock_start is None else datetime.fromisoformat(clock_start)
    yield from _written(replace(result, clock_start=start), target, place.name)


def seen_from(result: JobResult, frame: int, warn: Callable[[str], None] = lambda lost: None) -> JobResult:
    """A result whose boxes lie on the picture of one frame, where the objects stood on the ground; see `vision.ground`.

    Where the camera stands still, they stay as they are.

    Args:
        result: of a run.
        frame: number in the source.
        warn: hears of frames that are left out as nothing leads from them to that one.

    Raises:
        Misconfigured: that frame was not sampled.
    """
    where = Ground(_path(result), result.frames.frame)
    seq = where.seq_at(frame, f"{result.video_id}: boxes are asked for as seen from")
    for first, end in where.hidden(seq):
        numbers = result.frames.frame
        warn(
            f"{result.video_id}: nobody knows how the camera moved between frame {frame} and frames {numbers[first]} to "
            f"{numbers[end - 1]}: what they show is left out"
        )
    return replace(result, groups=tuple(_group_seen_from(where, seq, group) for group in result.groups))


def _path(result: JobResult) -> CameraPath:
    """Of a camera that is not known to have moved, one that stands still."""
    count = len(result.frames)
    still = np.tile((1.0, 0.0, 0.0, 0.0), (count, 1))
    return CameraPath(still, np.zeros(count, np.int64)) if result.camera is None else result.camera


def _group_seen_from(where: Ground, seq: int, group: GroupResult) -> GroupResult:
    if not where.path.moves:
        return group
    tracks = None if group.tracks is None else where.boxes_seen_from(seq, group.tracks)
    return replace(group, tracks=tracks, detections=where.boxes_seen_from(seq, group.detections))


def check_seen_from(target: str, frame: int | None) -> None:
    """Refuse a format whose boxes cannot lie beside the picture, where a frame is named that all are seen from.

    Raises:
        Misconfigured: it is one.
    """
    if frame is not None and target not in ANYWHERE:
        raise Misconfigured(
            f"format {target} has boxes on the pictures of their own frames; those seen from one frame can be had as "
            f"{', '.join(ANYWHERE)}",
            code="usage",
        )


def _written(result: JobResult, target: str, name: str) -> Files:
    empty = True
    for each in writer_of(target)(result):
        empty = False
        yield each
    if empty:
        raise InvalidFile(name, reason=f"nothing in it that format {target} can hold: {_lacks(target)}")


def _lacks(target: str) -> str:
    return "the groups cars and people" if target == "csv-a" else "tracks; detect made none"
