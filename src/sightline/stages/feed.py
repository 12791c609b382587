"""Feed: an indexed source in, one record per sampled frame out: where it can be decoded, never its pixels.

Writes  `frames:<branch>` of one job, and `End` behind the last frame.
State   none but the next `seq`; records are a pure function of index and plan, so feeding again gives the same.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sightline.arrays import IntArray
from sightline.events import End, Sampled, Timeline, stream_name
from sightline.types import Chunk, SourceIndex

__all__ = ["Plan"]


@dataclass(frozen=True)
class Plan:
    """Which frames of a source a job samples.

    Attributes:
        index: of the source.
        rows: int64 (F,), rows of the index that are sampled, rising; seq i is rows[i].
        chunks: in order, covering the whole index.
    """

    index: SourceIndex
    rows: IntArray
    chunks: Sequence[Chunk]

    def records(self, job_id: str, branch: str, first_seq: int, limit: int) -> list[Sampled | End]:
        """Records from `first_seq` on, at most `limit`; the last is `End` once all frames are named."""
        stream = stream_name("frames", branch)
        last = min(first_seq + limit, len(self.rows))
        found: list[Sampled | End] = [self._record(job_id, stream, seq) for seq in range(first_seq, last)]
        if last == len(self.rows) and len(found) < limit:
            found.append(End(job_id, stream, last))
        return found

    def timeline(self) -> Timeline:
        """Frame and time of each seq, and which of them are known to be undecodable."""
        known = self.index.failed
        failed = {seq: known[row] for seq, row in enumerate(self.rows.tolist()) if row in known}
        return Timeline(self.index.frame[self.rows], self.index.pts_us[self.rows], failed)

    def longest_chunk(self) -> int:
        """Sampled frames of the longest chunk."""
        firsts = np.searchsorted(self.rows, [chunk.first for chunk in self.chunks])
        ends = np.searchsorted(self.rows, [chunk.end for chunk in self.chunks])
        return int((ends - firsts).max(initial=0))

    def chunk_of(self, seq: int) -> int:
        """Number of the chunk of a seq; of the last chunk for the `End`."""
        if seq >= len(self.rows):
            return self.chunks[-1].number if self.chunks else 0
        return self._chunk(int(self.rows[seq])).number

    def _chunk(self, row: int) -> Chunk:
        return self.chunks[bisect_right(self.chunks, row, key=lambda chunk: chunk.first) - 1]

    def _record(self, job_id: str, stream: str, seq: int) -> Sampled:
        row = int(self.rows[seq])
        chunk = self._chunk(row)
        reason = self.index.failed.get(row, "")
        return Sampled(
            job_id=job_id,
            stream=stream,
            seq=seq,
            frame=int(self.index.frame[row]),
            pts_us=int(self.index.pts_us[row]),
            outcome="failed" if reason else "ok",
            reason=reason,
            row=row,
            tick=int(self.index.tick[row]),
            chunk=chunk.number,
            first=chunk.first,
            end=chunk.end,
            first_tick=chunk.first_tick,
            end_tick=chunk.end_tick,
        )
