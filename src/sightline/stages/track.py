"""Track: detections of one group in, confirmed tracks out.

Reads   `detections:<group>` of one job in `seq` order, empty and failed frames included.
Writes  one `Tracked` per input frame to `tracks:<group>`.
State   the tracker's (`vision.tracker_state`), a few kilobytes.

A frame that failed is no evidence that nothing was there: see `bytetrack.skip`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sightline.events import Detected, End, Record, Tracked, part_of, stream_name
from sightline.stages.stage import Output
from sightline.types import Tracks, TrackTable
from sightline.vision import bytetrack
from sightline.vision.bytetrack import TrackerSettings, TrackerState

__all__ = ["Track"]


@dataclass(frozen=True, slots=True)
class Track:
    """Fold one group's detections into tracks."""

    settings: TrackerSettings
    name: ClassVar[str] = "track"
    release: ClassVar[int] = 1
    completes: ClassVar[bool] = False

    def initial(self) -> TrackerState:
        """No tracks."""
        return bytetrack.initial(self.settings)

    def process(self, batch: Sequence[Record], state: TrackerState) -> Output[TrackerState]:
        """See `Stage`."""
        records: list[Record] = []
        for record in batch:
            stream = stream_name("tracks", part_of(record.stream)[1])
            if isinstance(record, End):
                records.append(End(record.job_id, stream, record.seq))
                continue
            state, tracked = self._frame(record, stream, state)
            records.append(tracked)
        return Output(state, tuple(records))

    def encode(self, state: TrackerState) -> bytes:
        """See `Stage`."""
        return bytetrack.encode(self.settings, state)

    def decode(self, blob: bytes) -> TrackerState:
        """See `Stage`."""
        return bytetrack.decode(self.settings, blob)

    def _frame(self, record: Record, stream: str, state: TrackerState) -> tuple[TrackerState, Tracked]:
        assert isinstance(record, Detected)
        tracks, births = Tracks.empty(), TrackTable.empty()
        if record.outcome == "ok":
            state, tracks, births = bytetrack.step(
                self.settings, state, record.detections, record.pts_us, record.seq
            )
        else:
            state = bytetrack.skip(self.settings, state, record.pts_us, record.seq)
        tracked = Tracked(
            job_id=record.job_id,
            stream=stream,
            seq=record.seq,
            frame=record.frame,
            pts_us=record.pts_us,
            outcome=record.outcome,
            reason=record.reason,
            tracks=tracks,
            births=births,
        )
        return state, tracked
