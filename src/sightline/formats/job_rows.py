"""Boxes of all groups of a job in the one order that result files share: frame, group's place, id.

Detections have no ids and keep the order in which they were recorded. Rows come in blocks of whole frames, so that a
writer's memory does not grow with the job.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from sightline.arrays import BoolArray, IntArray
from sightline.types import JobResult, TrackTable

__all__ = ["JobRows", "blocks", "detections", "tracks", "tracks_or_detections", "unique_ids"]


BLOCK_ROWS = 8192


@dataclass(frozen=True, slots=True, eq=False)
class JobRows:
    """Boxes of some consecutive frames.

    Attributes:
        first, end: seq of the first frame, and of the first one behind the last.
        place: int64 (R,), place of the row's group in the job.
        table: the rest, in the same order.
    """

    first: int
    end: int
    place: IntArray
    table: TrackTable

    def __len__(self) -> int:
        return len(self.place)

    def __getitem__(self, rows: BoolArray | IntArray) -> JobRows:
        return JobRows(self.first, self.end, self.place[rows], self.table[rows])

    def bounds(self) -> list[int]:
        """Where the rows of each frame begin, and where the last one's end."""
        found: list[int] = np.searchsorted(self.table.seq, np.arange(self.first, self.end + 1)).tolist()
        return found


def tracks(result: JobResult, rows: int = BLOCK_ROWS) -> Iterator[JobRows]:
    """Published tracks of every group that has a tracker, in blocks of `rows` or of one frame that has more."""
    tables = [(place, group.tracks) for place, group in enumerate(result.groups)]
    return _blocks(len(result.frames), [(place, table) for place, table in tables if table is not None], rows)


def detections(result: JobResult, rows: int = BLOCK_ROWS) -> Iterator[JobRows]:
    """Every detection kept, in such blocks."""
    return _blocks(
        len(result.frames), [(place, group.detections) for place, group in enumerate(result.groups)], rows
    )


def tracks_or_detections(
    result: JobResult, conf: float = 0.0, rows: int = BLOCK_ROWS, first: int = 0
) -> Iterator[JobRows]:
    """Published tracks, in such blocks; for groups without a tracker the detections of confidence `conf` or more.

    `first` is the frame to begin with.
    """
    parts = [
        (place, group.detections if group.tracks is None else group.tracks)
        for place, group in enumerate(result.groups)
    ]
    untracked = np.array([group.tracks is None for group in result.groups])
    for block in _blocks(len(result.frames), parts, rows, first):
        doubtful = untracked[block.place] & (block.table.confidence < conf)
        yield block[~doubtful] if doubtful.any() else block


def blocks(table: TrackTable) -> Iterator[TrackTable]:
    """The rows of one group in pieces, frames cut where they may be."""
    for start in range(0, len(table), BLOCK_ROWS):
        yield table[start : start + BLOCK_ROWS]


def unique_ids(rows: JobRows, groups: int) -> IntArray:
    """Int64 (R,), `track_id * groups + place`: unique over groups, and reversible.

    >>> table = TrackTable([0, 0], [1, 1], [0, 2], [[0, 0, 1, 1]] * 2, [1, 1], [0, 0])
    >>> unique_ids(JobRows(0, 1, np.array([0, 1]), table), 2).tolist()
    [2, 3]
    """
    return rows.table.track_id * groups + rows.place


def _blocks(
    frames: int, parts: Sequence[tuple[int, TrackTable]], rows: int, first: int = 0
) -> Iterator[JobRows]:
    """Every frame is in one block, also a frame without a box."""
    before = sum(
        (np.searchsorted(table.seq, np.arange(frames + 1)) for _, table in parts), np.zeros(frames + 1, int)
    )
    while first < frames:
        end = int(np.searchsorted(before, before[first] + rows, side="right")) - 1
        end = max(end, first + 1)
        yield _merged(first, end, parts)
        first = end


def _merged(first: int, end: int, parts: Sequence[tuple[int, TrackTable]]) -> JobRows:
    cut = []
    for place, table in parts:
        low, high = np.searchsorted(table.seq, [first, end])
        cut.append((place, table[int(low) : int(high)]))
    table = TrackTable.concatenate([table for _, table in cut])
    places = np.array([place for place, _ in cut], np.int64)
    owner = np.repeat(places, [len(rows) for _, rows in cut])
    order = np.lexsort((table.track_id, owner, table.seq))
    return JobRows(first, end, owner[order], table[order])
