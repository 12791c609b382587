"""Tracks as the log carries them: a native `tracks` record per group and sampled frame, one JSON object a line.

Lines are sorted by frame, then by the group's place; each can be read with `events.Native`. Boxes are rounded to 3
decimals, confidences to 4.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from sightline.events import Native, Tracked, stream_name
from sightline.formats.text import rounded
from sightline.types import GroupResult, JobResult, Tracks

__all__ = ["files"]

BLOCK_FRAMES = 512


def files(result: JobResult) -> Iterator[tuple[str, Iterable[bytes]]]:
    """`tracks.ndjson`, where a group has a tracker."""
    if any(group.tracks is not None for group in result.groups):
        yield "tracks.ndjson", _blocks(result)


def _blocks(result: JobResult) -> Iterator[bytes]:
    native = Native()
    for start in range(0, len(result.frames), BLOCK_FRAMES):
        end = min(start + BLOCK_FRAMES, len(result.frames))
        per_group = [_records(result, group, start, end) for group in result.groups]
        frames = zip(*(records for records in per_group if records), strict=True)
        yield b"".join(native.encode(record) + b"\n" for frame in frames for record in frame)


def _records(result: JobResult, group: GroupResult, start: int, end: int) -> list[Tracked]:
    if group.tracks is None:
        return []
    frames, stream = result.frames, stream_name("tracks", group.name)
    table = group.tracks
    bounds = np.searchsorted(table.seq, np.arange(start, end + 1)).tolist()
    records = []
    for offset, seq in enumerate(range(start, end)):
        rows = table[bounds[offset] : bounds[offset + 1]]
        tracks = Tracks(
            rounded(rows.xyxy, 3), rounded(rows.confidence, 4), rows.class_id, rows.track_id, rows.origin
        )
        head = (result.job_id, stream, seq, int(frames.frame[seq]), int(frames.pts_us[seq]))
        records.append(Tracked(*head, frames.outcome[seq], frames.reason[seq], tracks))
    return records
