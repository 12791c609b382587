"""Track: detections of one group in, confirmed tracks out.

Reads   `detections:<group>` of one job in `seq` order, empty and failed frames included.
Writes  one `Tracked` per input frame to `tracks:<group>`.
State   the tracker's (`vision.tracker_state`), a few kilobytes; and two small pictures where the camera's motion is told
        from pictures (`vision.following`).

A frame that failed is no evidence that nothing was there: see `bytetrack.skip`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from sightline.camera import Motion
from sightline.events import Detected, End, Record, Tracked, part_of, stream_name
from sightline.stages.stage import Output
from sightline.types import Tracks, TrackTable
from sightline.vision import bytetrack, following
from sightline.vision.bytetrack import TrackerSettings, TrackerState
from sightline.vision.camera_view import CameraView
from sightline.vision.following import NOWHERE, Following
from sightline.vision.motion import felt

__all__ = ["Track", "TrackState"]


class TrackState(NamedTuple):
    """What is remembered between two frames: of the tracks, and of the camera."""

    tracker: TrackerState
    camera: Following


@dataclass(frozen=True, slots=True)
class Track:
    """Fold one group's detections into tracks.

    Attributes:
        settings: of the tracker.
        view: how looks are laid on each other; None where the camera's motion is not told from pictures.
        size: width and height of the source, pixels: how small a motion is that does not matter. 0 x 0: each one does.
    """

    settings: TrackerSettings
    view: CameraView | None = None
    size: tuple[int, int] = (0, 0)
    name: ClassVar[str] = "track"
    release: ClassVar[int] = 1
    completes: ClassVar[bool] = False

    def initial(self) -> TrackState:
        """No tracks."""
        return TrackState(bytetrack.initial(self.settings), NOWHERE)

    def process(self, batch: Sequence[Record], state: TrackState) -> Output[TrackState]:
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

    def encode(self, state: TrackState) -> bytes:
        """See `Stage`; of a job whose camera is not followed it is the tracker's state alone."""
        tracker = bytetrack.encode(self.settings, state.tracker)
        return tracker if self.view is None else following.encode(state.camera) + tracker

    def decode(self, blob: bytes) -> TrackState:
        """See `Stage`."""
        camera, rest = (NOWHERE, blob) if self.view is None else following.decode(blob)
        return TrackState(bytetrack.decode(self.settings, rest), camera)

    def _frame(self, record: Record, stream: str, state: TrackState) -> tuple[TrackState, Tracked]:
        assert isinstance(record, Detected)
        tracks, births = Tracks.empty(), TrackTable.empty()
        tracker, camera = state
        camera, motion, look = self._followed(record, camera)
        moved = felt(motion, *self.size, record.pts_us - tracker.pts_us)
        if record.outcome == "ok":
            tracker, tracks, births = bytetrack.step(
                self.settings, tracker, record.detections, record.pts_us, record.seq, moved
            )
        else:
            tracker = bytetrack.skip(self.settings, tracker, record.pts_us, record.seq, moved)
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
            motion=motion,
            look=look,
        )
        return TrackState(tracker, camera), tracked

    def _followed(self, record: Detected, state: Following) -> tuple[Following, Motion | None, bytes]:
        """Where the camera went; what is known from elsewhere is known whether or not the frame was seen."""
        if self.view is None or record.outcome != "ok":
            return state, record.motion, b""
        return following.follow(self.view, state, record.seq, record.motion, record.look)
