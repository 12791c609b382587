"""Records of a stream to the bytes of a segment: what `collect` does with what it has gathered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sightline.events import Detected, Totals, Tracked
from sightline.formats.segments import Segment, encode
from sightline.types import FrameTable, TrackTable

__all__ = ["encode_detections", "encode_totals", "encode_tracks"]


def encode_detections(records: Sequence[Detected]) -> bytes:
    """A segment of consecutive `detections` records; boxes keep their order.

    Raises:
        ValueError: no records, or a seq is missing.
    """
    parts = [
        (
            np.full(len(record.detections), record.seq),
            np.zeros(len(record.detections), np.int64),
            record.detections.class_id,
            record.detections.xyxy,
            record.detections.confidence,
            np.zeros(len(record.detections), np.uint8),
        )
        for record in records
    ]
    return encode(Segment("detections", *_frames(records), _table(parts)))


def encode_tracks(records: Sequence[Tracked]) -> bytes:
    """A segment of consecutive `tracks` records, the births that they carry included.

    Raises:
        ValueError: no records, or a seq is missing.
    """
    parts = []
    for record in records:
        tracks, births = record.tracks, record.births
        seq = np.full(len(tracks), record.seq)
        parts.append(
            (seq, tracks.track_id, tracks.class_id, tracks.xyxy, tracks.confidence, tracks.origin),
        )
        parts.append(
            (births.seq, births.track_id, births.class_id, births.xyxy, births.confidence, births.origin),
        )
    return encode(Segment("tracks", *_frames(records), _table(parts)))


def encode_totals(records: Sequence[Totals]) -> bytes:
    """A segment of consecutive `totals` records.

    Raises:
        ValueError: no records, or a seq is missing.
    """
    unique = np.array([record.unique for record in records], np.int64)
    raw_ids = np.array([record.raw_ids for record in records], np.int64)
    return encode(Segment("totals", *_frames(records), unique=unique, raw_ids=raw_ids))


def _frames(records: Sequence[Detected] | Sequence[Tracked] | Sequence[Totals]) -> tuple[int, FrameTable]:
    seqs = [record.seq for record in records]
    if not seqs or seqs != list(range(seqs[0], seqs[0] + len(seqs))):
        raise ValueError(f"seqs {seqs[:3]} ... {seqs[-3:]}, expected consecutive ones")
    frame: Any = [record.frame for record in records]
    pts_us: Any = [record.pts_us for record in records]
    outcome = tuple(record.outcome for record in records)
    return seqs[0], FrameTable(frame, pts_us, outcome, tuple(record.reason for record in records))


def _table(parts: Sequence[tuple[NDArray[Any], ...]]) -> TrackTable:
    return TrackTable(*(np.concatenate(column) for column in zip(*parts, strict=True)))
