"""Tracks as the log carries them: a native `tracks` record per group and sampled frame, one JSON object a line.

Lines are sorted by frame, then by the group's place; each can be read with `events.Native`. Boxes are rounded to 3
decimals, confidences to 4. Detections have the same form, with records of kind `detections`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from sightline.events import Detected, Native, Tracked, stream_name
from sightline.formats.text import rounded
from sightline.types import Detections, FrameTable, JobResult, Tracks, TrackTable

__all__ = ["Kind", "Part", "files", "lines"]

BLOCK_FRAMES = 512
Kind = Literal["tracks", "detections"]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Consecutive frames of one group.

    Attributes:
        group: its name.
        first_seq: seq of the first frame.
        frames: row i is seq `first_seq + i`.
        rows: boxes of these frames, sorted by `seq`.
    """

    group: str
    first_seq: int
    frames: FrameTable
    rows: TrackTable


def files(result: JobResult) -> Iterator[tuple[str, Iterable[bytes]]]:
    """`tracks.ndjson`, where a group has a tracker."""
    if any(group.tracks is not None for group in result.groups):
        yield "tracks.ndjson", _blocks(result)


def lines(job_id: str, kind: Kind, parts: Sequence[Part]) -> bytes:
    """The same frames of some groups, in the order of the groups."""
    native = Native()
    per_group = [list(_records(job_id, kind, part)) for part in parts]
    return b"".join(
        native.encode(record) + b"\n" for frame in zip(*per_group, strict=True) for record in frame
    )


def _blocks(result: JobResult) -> Iterator[bytes]:
    frames = result.frames
    for start in range(0, len(frames), BLOCK_FRAMES):
        end = min(start + BLOCK_FRAMES, len(frames))
        part = FrameTable(
            frames.frame[start:end],
            frames.pts_us[start:end],
            frames.outcome[start:end],
            frames.reason[start:end],
        )
        parts = []
        for group in result.groups:
            if group.tracks is not None:
                low, high = np.searchsorted(group.tracks.seq, [start, end])
                parts.append(Part(group.name, start, part, group.tracks[int(low) : int(high)]))
        yield lines(result.job_id, "tracks", parts)


def _records(job_id: str, kind: Kind, part: Part) -> Iterator[Tracked | Detected]:
    frames, table, stream = part.frames, part.rows, stream_name(kind, part.group)
    bounds = np.searchsorted(table.seq, part.first_seq + np.arange(len(frames) + 1)).tolist()
    xyxy, confidence = rounded(table.xyxy, 3), rounded(table.confidence, 4)
    head = zip(frames.frame.tolist(), frames.pts_us.tolist(), frames.outcome, frames.reason, strict=True)
    for place, (frame, pts_us, outcome, reason) in enumerate(head):
        low, high = bounds[place], bounds[place + 1]
        boxes, classes = (xyxy[low:high], confidence[low:high]), table.class_id[low:high]
        seen = (job_id, stream, part.first_seq + place, frame, pts_us, outcome, reason)
        if kind == "tracks":
            yield Tracked(*seen, Tracks(*boxes, classes, table.track_id[low:high], table.origin[low:high]))
        else:
            yield Detected(*seen, Detections(*boxes, classes))
