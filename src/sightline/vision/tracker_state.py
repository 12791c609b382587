"""What a tracker remembers between two frames, and its saved form.

Saved form, version 2, little endian, no padding. Equal states give equal bytes; saving, loading and going on is going
on, bit for bit. Rows are in tracker order, which decides between equal costs.

| part | type | what |
|---|---|---|
| magic | 4 bytes | `SLTK` |
| version | u2 | 2 |
| mode | u1 | 0 `bytetrack`, 1 `quality` |
| reserved | u1 | 0 |
| rows | u4 | number of tracks, N |
| bins | u4 | entries of `scores`: 0 where thresholds are fixed, else 101 |
| frames | i8 | steps taken |
| pts_us | i8 | time of the last step, microseconds; -2^63 before the first |
| next_id | i8 | id of the next track |
| digest | 8 bytes | of the settings: begin of the sha256 of their canonical text |
| track_id | i4 x N | |
| state | u1 x N | 1 tracked, 2 lost; tracked rows come first |
| flags | u1 x N | 1 confirmed, 2 was removed once, 4 a candidate whose last box may begin a track |
| motion | f8 x 20 x N | rows of `sightline.vision.kalman`: mean, then the covariance blocks |
| last_frame | i4 x N | step of the last match |
| last_pts_us | i8 x N | its time |
| birth | i4 x N | step of the first box |
| scores | i8 x bins | confidences so far, by hundredth |
| crc | u4 | CRC-32 of everything before |
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from dataclasses import astuple, dataclass, fields
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sightline.arrays import IntArray
from sightline.errors import Corrupt, Misconfigured
from sightline.vision.kalman import ROWS

__all__ = ["TrackerSettings", "TrackerState", "decode", "encode"]

MAGIC, VERSION = b"SLTK", 2
MODES = ("bytetrack", "quality")
HEADER = struct.Struct("<4sHBBIIqqq8s")
ROW_BYTES = 4 + 1 + 1 + 8 * ROWS + 4 + 8 + 4
BIN_BYTES = 8

# Rows of `TrackerState.facts`.
TRACK_ID, FLAGS, LAST_FRAME, LAST_PTS, BIRTH = range(5)
CONFIRMED, REMOVED, STRONG, JUMPED = 1, 2, 4, 8
TRACKED, LOST = 1, 2

NEVER = -(2**63)
UNITS_PER_US = 30 / 1e6  # of `track_buffer` and of motion: the noise figures belong to 30 frames a second


@dataclass(frozen=True, slots=True)
class TrackerSettings:
    """How objects are followed; every field is part of a state's digest.

    Attributes:
        mode: `bytetrack` equals the official tracker; `quality` measures width and height, counts real time and
            gives the detection's box.
        track_high_thresh: detections from this confidence on are matched first.
        track_low_thresh: detections above it may keep a track alive, never start one.
        new_track_thresh: a free detection from this confidence on starts a track.
        match_thresh: largest cost (1 - IoU * confidence) of a match. Higher: fewer splits, more wrong matches.
        track_buffer: how long a lost track is kept: sampled frames in `bytetrack`, units of 1/30 s in `quality`.
        fuse_score: multiply the overlap by the confidence; off in ByteTrack's own runs on MOT20.
        own_motion: shift tracks when the whole picture moves (`quality` with `online`).
        online: vertical overlap in the first association, unconfirmed tracks predicted (`quality`).
        evidence: the thresholds belong to a network whose sure boxes score 0.9, and are scaled to what sure boxes of
            this video score (`sightline.vision.reference`); doubtful boxes start candidates, of which
            `sightline.vision.evidence` decides when everything has been seen (`quality`).
    """

    mode: Literal["bytetrack", "quality"] = "quality"
    track_high_thresh: float = 0.6
    track_low_thresh: float = 0.1
    new_track_thresh: float = 0.7
    match_thresh: float = 0.9
    track_buffer: float = 30
    fuse_score: bool = True
    own_motion: bool = True
    online: bool = True
    evidence: bool = False

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise Misconfigured(f"tracker mode {self.mode!r}: choose {' or '.join(MODES)}")
        if not 0 <= self.track_low_thresh <= self.track_high_thresh <= 1:
            raise Misconfigured(
                f"tracker thresholds low {self.track_low_thresh} and high {self.track_high_thresh}: "
                "need 0 <= track_low_thresh <= track_high_thresh <= 1"
            )
        if not (0 <= self.new_track_thresh <= 1 and 0 < self.match_thresh <= 1):
            raise Misconfigured(
                f"new_track_thresh {self.new_track_thresh}, match_thresh {self.match_thresh}: need 0 to 1"
            )
        if not 0 <= self.track_buffer < float("inf"):
            raise Misconfigured(f"track_buffer {self.track_buffer}: need a finite number from 0 on")


@dataclass(frozen=True, slots=True, eq=False)
class TrackerState:
    """A tracker between two frames; a value, to be passed on and never changed.

    Attributes:
        frames: steps taken.
        pts_us: time of the last step.
        next_id: id of the next track; unconfirmed tracks spend ids too.
        tracked: the first so many columns are tracked, the others lost.
        facts: int64 (5, N): track id, flags, step and time of the last match, step of the first box.
        motion: float64 (20, N), see `sightline.vision.kalman`.
        scores: int64 (101,), confidences so far by hundredth (`sightline.vision.reference`); empty where thresholds
            are fixed.
    """

    frames: int
    pts_us: int
    next_id: int
    tracked: int
    facts: NDArray[np.int64]
    motion: NDArray[np.float64]
    scores: IntArray

    def __len__(self) -> int:
        count: int = self.facts.shape[1]
        return count

    def with_scores(self, scores: IntArray) -> TrackerState:
        """The same tracks; `dataclasses.replace` takes twice as long, in every frame."""
        return TrackerState(
            self.frames, self.pts_us, self.next_id, self.tracked, self.facts, self.motion, scores
        )


def _digest(settings: TrackerSettings) -> bytes:
    values = ";".join(
        f"{each.name}={float(value).hex() if isinstance(value, int | float) else value}"
        for each, value in zip(fields(settings), astuple(settings), strict=True)
    )
    return hashlib.sha256(values.encode()).digest()[:8]


def encode(settings: TrackerSettings, state: TrackerState) -> bytes:
    """Bytes of a state, in the form that the module describes."""
    facts, lost = state.facts, len(state) - state.tracked
    parts = (
        HEADER.pack(
            MAGIC,
            VERSION,
            MODES.index(settings.mode),
            0,
            len(state),
            len(state.scores),
            state.frames,
            state.pts_us,
            state.next_id,
            _digest(settings),
        ),
        facts[TRACK_ID].astype("<i4").tobytes(),
        bytes((TRACKED,)) * state.tracked + bytes((LOST,)) * lost,
        facts[FLAGS].astype("u1").tobytes(),
        state.motion.astype("<f8", copy=False).tobytes(),
        facts[LAST_FRAME].astype("<i4").tobytes(),
        facts[LAST_PTS].astype("<i8", copy=False).tobytes(),
        facts[BIRTH].astype("<i4").tobytes(),
        state.scores.astype("<i8", copy=False).tobytes(),
    )
    body = b"".join(parts)
    return body + struct.pack("<I", zlib.crc32(body))


def decode(settings: TrackerSettings, blob: bytes) -> TrackerState:
    """The state that `encode` gave.

    Raises:
        Corrupt: not a tracker state, cut short, or changed.
        Misconfigured: written by a newer version, or with other settings.
    """
    rows, bins, frames, pts_us, next_id = _header(settings, blob)
    take = _Columns(blob)
    facts = np.empty((5, rows), np.int64)
    facts[TRACK_ID] = take.column("<i4", rows)
    state = take.column("u1", rows)
    facts[FLAGS] = take.column("u1", rows)
    motion = take.column("<f8", ROWS * rows).reshape(ROWS, rows).astype(np.float64)
    facts[LAST_FRAME] = take.column("<i4", rows)
    facts[LAST_PTS] = take.column("<i8", rows)
    facts[BIRTH] = take.column("<i4", rows)
    tracked = int(np.count_nonzero(state == TRACKED))
    scores = take.column("<i8", bins).astype(np.int64)
    return TrackerState(frames, pts_us, next_id, tracked, facts, motion, scores)


class _Columns:
    """Cuts a blob into columns, one behind the other."""

    def __init__(self, blob: bytes) -> None:
        self._blob, self._at = blob, HEADER.size

    def column(self, dtype: str, count: int) -> NDArray[np.generic]:
        values: NDArray[np.generic] = np.frombuffer(self._blob, dtype, count, self._at)
        self._at += values.nbytes
        return values


def _header(settings: TrackerSettings, blob: bytes) -> tuple[int, int, int, int, int]:
    """Rows, bins, frames, pts_us and next id of a blob that is whole and fits the settings."""
    if len(blob) < HEADER.size + 4 or blob[:4] != MAGIC:
        raise Corrupt(
            f"tracker state: {len(blob)} bytes that begin {blob[:4]!r}, expected {MAGIC!r}; start again"
        )
    _, version, mode, _, rows, bins, frames, pts_us, next_id, digest = HEADER.unpack_from(blob)
    if version != VERSION:
        raise Misconfigured(
            f"tracker state: format version {version}, this release reads up to {VERSION}; use the release that wrote it",
            code="state_version",
        )
    expected = HEADER.size + ROW_BYTES * rows + BIN_BYTES * bins + 4
    if len(blob) != expected:
        raise Corrupt(f"tracker state: {len(blob)} bytes, expected {expected} for {rows} tracks; start again")
    if zlib.crc32(blob[:-4]) != int.from_bytes(blob[-4:], "little"):
        raise Corrupt(f"tracker state: checksum differs in {len(blob)} bytes; start again")
    if mode != MODES.index(settings.mode) or digest != _digest(settings):
        written = MODES[mode] if mode < len(MODES) else mode
        raise Misconfigured(
            f"tracker state: written with other settings (mode {written}); now {settings}; start a new job"
        )
    return rows, bins, frames, pts_us, next_id
