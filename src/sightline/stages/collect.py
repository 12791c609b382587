"""Collect: records of any stream in, column segments at fixed seq boundaries out.

Reads   `detections:<group>`, `tracks:<group>`, `totals:<group>` of one job in `seq` order.
Writes  blobs `segments/<kind>-<part>/<first seq>.seg`, each of `SEGMENT` frames, the last one shorter.
State   none: frames are released in whole segments, so nothing is half collected.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sightline.camera import numbers_of
from sightline.errors import Corrupt, Misconfigured
from sightline.events import Detected, End, Record, Totals, Tracked
from sightline.formats import segments
from sightline.formats.segments import CameraColumns, Kind, Segment
from sightline.stages.stage import Blob, Output
from sightline.types import FrameTable, TrackTable

__all__ = ["SEGMENT", "Collect", "segment_key", "segment_keys", "track_rows"]

SEGMENT = 128
VERSION = 1
_STATE = bytes((VERSION,))


def segment_key(prefix: str, stream: str, first_seq: int) -> str:
    """Object key of a segment.

    >>> segment_key("", "tracks:cars", 128)
    'segments/tracks-cars/000000000128.seg'
    """
    return f"{prefix}segments/{stream.replace(':', '-')}/{first_seq:012d}.seg"


def segment_keys(prefix: str, stream: str, frames: int) -> list[str]:
    """Object keys of all segments of a stream of so many frames."""
    return [segment_key(prefix, stream, first) for first in range(0, frames, SEGMENT)]


@dataclass(frozen=True, slots=True)
class Collect:
    """Fold one stream into segments.

    Attributes:
        prefix: of every object key of the job.
    """

    prefix: str = ""
    name: ClassVar[str] = "collect"
    release: ClassVar[int] = SEGMENT
    completes: ClassVar[bool] = True

    def initial(self) -> None:
        """Nothing to remember."""

    def process(self, batch: Sequence[Record], state: None) -> Output[None]:
        """See `Stage`; a batch begins at a segment's first frame and holds whole segments, but at the end."""
        frames = [record for record in batch if not isinstance(record, End)]
        blobs = tuple(self._blob(frames[at : at + SEGMENT]) for at in range(0, len(frames), SEGMENT))
        return Output(None, (), blobs)

    def encode(self, state: None) -> bytes:
        """See `Stage`."""
        return _STATE

    def decode(self, blob: bytes) -> None:
        """See `Stage`."""
        if blob == _STATE:
            return
        if len(blob) == 1 and blob > _STATE:
            raise Misconfigured(
                f"collect: state of version {blob[0]}, this release reads {VERSION}; use the release that wrote it",
                code="state_version",
            )
        raise Corrupt(f"collect: state {blob[:8]!r}, expected {_STATE!r}; start again")

    def _blob(self, frames: Sequence[Record]) -> Blob:
        first = frames[0]
        return Blob(segment_key(self.prefix, first.stream, first.seq), segments.encode(_segment(frames)))


def _segment(records: Sequence[Record]) -> Segment:
    frames = [record for record in records if isinstance(record, Detected | Tracked | Totals)]
    table = FrameTable(
        np.array([record.frame for record in frames]),
        np.array([record.pts_us for record in frames]),
        tuple(record.outcome for record in frames),
        tuple(record.reason for record in frames),
    )
    first = frames[0]
    if isinstance(first, Totals):
        totals = [record for record in frames if isinstance(record, Totals)]
        unique = np.array([record.unique for record in totals], np.int64)
        raw_ids = np.array([record.raw_ids for record in totals], np.int64)
        return Segment("totals", first.seq, table, None, unique, raw_ids)
    kind: Kind = "tracks" if isinstance(first, Tracked) else "detections"
    return Segment(kind, first.seq, table, _rows(frames), camera=_camera(frames))


def _camera(frames: Sequence[Detected | Tracked | Totals]) -> CameraColumns | None:
    """What records of tracks say of the camera; None where that is nothing, or they are others.

    What records of detections say depends on where chunks begin.
    """
    tracked = [record for record in frames if isinstance(record, Tracked)]
    motion = np.array([numbers_of(record.motion) for record in tracked]).reshape(-1, 4)
    camera = CameraColumns(motion, tuple(record.look for record in tracked))
    return None if camera.says_nothing else camera


def _rows(frames: Sequence[Detected | Tracked | Totals]) -> TrackTable:
    parts: list[TrackTable] = []
    for record in frames:
        if isinstance(record, Detected) and len(record.detections):
            parts.append(_detection_rows(record))
        elif isinstance(record, Tracked):
            parts += [part for part in (record.births, track_rows(record)) if len(part)]
    return TrackTable.concatenate(parts)


def _detection_rows(record: Detected) -> TrackTable:
    found = record.detections
    none = np.zeros(len(found), np.int64)
    seq = np.full(len(found), record.seq)
    return TrackTable(seq, none, found.class_id, found.xyxy, found.confidence, none.astype(np.uint8))


def track_rows(record: Tracked) -> TrackTable:
    """The tracks of one frame as rows of a table, by rising track id."""
    tracks = record.tracks
    seq = np.full(len(tracks), record.seq)
    table = TrackTable(seq, tracks.track_id, tracks.class_id, tracks.xyxy, tracks.confidence, tracks.origin)
    return table.sorted()
