"""Rows of all groups of a job in the one order that result files share: frame, group's place, id.

Detections have no ids and keep the order in which they were recorded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sightline.types import JobResult, TrackTable

__all__ = ["JobRows", "detections", "group_rows", "tracks", "tracks_or_detections", "unique_ids"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class JobRows:
    """Boxes of a job.

    Attributes:
        place: int64 (R,), place of the row's group in the job.
        table: the rest, in the same order.
    """

    place: IntArray
    table: TrackTable

    def __len__(self) -> int:
        return len(self.place)

    def __getitem__(self, rows: BoolArray | IntArray | slice) -> JobRows:
        return JobRows(self.place[rows], self.table[rows])

    def blocks(self, rows: int = 65536) -> Iterator[JobRows]:
        """The rows in pieces, so that a writer's memory does not grow with the job."""
        for start in range(0, len(self), rows):
            yield self[start : start + rows]


def tracks(result: JobResult) -> JobRows:
    """Published tracks of every group that has a tracker."""
    return _merge([(g, group.tracks) for g, group in enumerate(result.groups) if group.tracks is not None])


def detections(result: JobResult) -> JobRows:
    """Every detection kept."""
    return _merge([(g, group.detections) for g, group in enumerate(result.groups)])


def tracks_or_detections(result: JobResult, conf: float = 0.0) -> JobRows:
    """Published tracks; for groups without a tracker the detections of confidence `conf` or more."""
    parts = []
    for place, group in enumerate(result.groups):
        found = group.detections
        rows = found[found.confidence >= conf] if group.tracks is None else group.tracks
        parts.append((place, rows))
    return _merge(parts)


def group_rows(table: TrackTable, place: int = 0) -> JobRows:
    """The rows of one group."""
    return _merge([(place, table)])


def unique_ids(rows: JobRows, groups: int) -> IntArray:
    """Int64 (R,), `track_id * groups + place`: unique over groups, and reversible.

    >>> table = TrackTable([0, 0], [1, 1], [0, 2], [[0, 0, 1, 1]] * 2, [1, 1], [0, 0])
    >>> unique_ids(JobRows(np.array([0, 1]), table), 2).tolist()
    [2, 3]
    """
    return rows.table.track_id * groups + rows.place


def _merge(parts: Sequence[tuple[int, TrackTable]]) -> JobRows:
    if not parts:
        return JobRows(np.empty(0, np.int64), TrackTable.empty())
    place = np.concatenate([np.full(len(table), number) for number, table in parts])
    columns: tuple[Any, ...] = tuple(
        np.concatenate([getattr(table, name) for _, table in parts])
        for name in ("seq", "track_id", "class_id", "xyxy", "confidence", "origin")
    )
    table = TrackTable(*columns)
    order = np.lexsort((table.track_id, place, table.seq))
    return JobRows(place[order], table[order])
