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
    first, last = bounds[0], bounds[-1]
    xyxy, confidence = rounded(table.xyxy[first:last], 3), rounded(table.confidence[first:last], 4)
    head = zip(frames.frame[start:end].tolist(), frames.pts_us[start:end].tolist(), strict=True)
    records = []
    for seq, (frame, pts_us) in enumerate(head, start=start):
        low, high = bounds[seq - start], bounds[seq - start + 1]
        tracks = Tracks(
            xyxy[low - first : high - first],
            confidence[low - first : high - first],
            table.class_id[low:high],
            table.track_id[low:high],
            table.origin[low:high],
        )
        records.append(
            Tracked(
                result.job_id, stream, seq, frame, pts_us, frames.outcome[seq], frames.reason[seq], tracks
            )
        )
    return records
