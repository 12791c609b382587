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
from sightline.camera import Motion
from sightline.events import End, Sampled, Timeline, stream_name
from sightline.types import Chunk, SourceIndex
from sightline.vision.following import LOOK_EVERY

__all__ = ["Plan"]


@dataclass(frozen=True)
class Plan:
    """Which frames of a source a job samples.

    Attributes:
        index: of the source.
        rows: int64 (F,), rows of the index that are sampled, rising; seq i is rows[i].
        chunks: in order, covering the whole index.
        looks: whether the camera's motion is told from the pictures.
        motions: of the camera, to each sampled frame from the one before, where they are known from elsewhere.
    """

    index: SourceIndex
    rows: IntArray
    chunks: Sequence[Chunk]
    looks: bool = False
    motions: Sequence[Motion | None] | None = None

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
            before=self._before(seq, chunk) if self.looks else None,
            with_look=self.looks and self._with_look(seq, chunk),
            motion=None if self.motions is None else self.motions[seq],
        )

    def _before(self, seq: int, chunk: Chunk) -> tuple[int, int] | None:
        """Row and tick of the sampled frame before, where it is of the same chunk."""
        row = int(self.rows[seq - 1]) if seq else -1
        return (row, int(self.index.tick[row])) if row >= chunk.first else None

    def _with_look(self, seq: int, chunk: Chunk) -> bool:
        """A chunk's first and last sampled frame are laid on those of other chunks, some on one another."""
        last = seq + 1 == len(self.rows) or self.rows[seq + 1] >= chunk.end
        return bool(last or seq % LOOK_EVERY == 0 or self._before(seq, chunk) is None)
