"""The tracker as the tracking benchmark plays it: `adapter:ByteTrack`, `adapter:Quality`, `adapter:Online`."""

from __future__ import annotations

from typing import Any, ClassVar

from sightline.types import Detections, Tracks
from sightline.vision.bytetrack import TrackerSettings, decode, encode, initial, step


class Adapter:
    """One tracker for one video; `options` are settings that the benchmark's parameters do not name."""

    options: ClassVar[dict[str, Any]] = {}

    def __init__(self, params: dict[str, Any] | None, fps: float) -> None:
        del fps  # times are in every frame
        self.settings = TrackerSettings(**self.chosen(params), **self.options)
        self.state, self.seq = initial(self.settings), 0

    def chosen(self, params: dict[str, Any] | None) -> dict[str, Any]:
        """The benchmark's parameters as settings; None asks for our defaults."""
        if params is None:
            return {}
        return {
            "track_high_thresh": params["high"],
            "track_low_thresh": params["low"],
            "new_track_thresh": params["new"],
            "match_thresh": params["match"],
            "track_buffer": params["buffer"],
            "fuse_score": params["fuse"],
        }

    def prepare(self, boxes, scores, classes, pts_us: int) -> tuple[Detections, int]:
        return Detections(xyxy=boxes, confidence=scores, class_id=classes), pts_us

    def step(self, prepared: tuple[Detections, int]) -> Tracks:
        detections, pts_us = prepared
        self.state, tracks, _ = step(self.settings, self.state, detections, pts_us, self.seq)
        self.seq += 1
        return tracks

    def rows(self, tracks: Tracks):
        return tracks.track_id, tracks.xyxy, tracks.confidence, tracks.class_id

    def dump(self) -> bytes:
        return encode(self.settings, self.state)

    def load(self, blob: bytes) -> None:
        self.state = decode(self.settings, blob)


class ByteTrack(Adapter):
    """Equal to the official tracker."""

    options: ClassVar[dict[str, Any]] = {"mode": "bytetrack"}


class Online(Adapter):
    """The default: `quality` with the online rules."""

    options: ClassVar[dict[str, Any]] = {"mode": "quality"}

    def chosen(self, params: dict[str, Any] | None) -> dict[str, Any]:
        """Lost tracks are kept for one second, whatever the frame rate: a buffer in frames means nothing here."""
        return super().chosen(params) | {"track_buffer": 30}


class Quality(Online):
    """`quality` without the online rules."""

    options: ClassVar[dict[str, Any]] = {"mode": "quality", "online": False, "own_motion": False}
