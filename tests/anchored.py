"""Counts from the bytes of anchors alone, and all that counts say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sightline.counts import JobCounts, Line, Zone
from sightline.formats import anchors
from sightline.stages.publish import published_anchors
from sightline.types import JobResult
from sightline.vision.counting import count_groups, count_job


def from_anchors(job: JobResult, lines: Sequence[Line] = (), zones: Sequence[Zone] = ()) -> JobCounts:
    """What is counted of a job whose groups all have tracks."""
    files = [
        anchors.decode(b"".join(chunks), group.name)
        for group, (_, chunks) in zip(job.groups, published_anchors(job, count_job(job)), strict=True)
    ]
    size = files[0].width, files[0].height
    groups = [file.group for file in files]
    return count_groups(groups, files[0].pts_us, size, job.labels, tuple(lines), tuple(zones))


def told(counts: JobCounts) -> tuple[Any, ...]:
    """Everything, bit for bit: arrays with their type, places of events with the sign of zero."""
    columns = [
        None
        if group is None
        else [(name, column.dtype.str, column.tobytes()) for name, column in _columns(group)]
        for group in counts.groups
    ]
    return columns, counts.lines, counts.zones, list(map(repr, counts.events))


def _columns(group: Any) -> list[tuple[str, Any]]:
    return [(name, getattr(group, name)) for name in group.__slots__]
