"""Column segments: the records of some consecutive frames of one stream, as `collect` stores them.

A segment begins at a fixed seq, holds every frame from there to its end, and can be mapped into memory: columns are
little endian and start at multiples of 8 bytes, padded with zeros.

| offset | type | content |
|---|---|---|
| 0 | 8 bytes | magic `SLSEGMNT` |
| 8 | u2 | version: 1, or 2 where anything is known of the camera |
| 10 | u2 | kind: 1 detections, 2 tracks, 3 totals |
| 12 | u4 | T, bytes of reasons and looks |
| 16 | i8 | first seq |
| 24 | i8 | F, frames |
| 32 | i8 | R, rows |
| 40 | i8 F | frame: number in the source |
| | i8 F | pts_us |
| | u4 F | reason: place in the table of reasons |
| | u1 F | outcome: 0 ok, 1 failed, 2 skipped |
| | i8 F, i8 F | unique, raw_ids (totals only) |
| | i8 R | seq |
| | i8 R | track_id (0 in detections) |
| | i8 R | class_id |
| | f8 R x 4 | x1 y1 x2 y2, pixels |
| | f8 R | confidence |
| | u1 R | origin (0 in detections) |
| | f8 F x 4 | a b x y: motion of the camera since the frame before, 0 0 0 0 where it is not known (version 2) |
| | u4 F | bytes of the frame's look, 0 for most (version 2) |
| | T bytes | reasons, sorted, each u4 length and UTF-8; the first is empty; then the looks (version 2) |
| end - 4 | u4 | CRC-32 of everything before |

Rows are sorted by seq, then track id; detections keep their order inside a frame. A tracks segment may hold boxes of
origin `birth` whose seq lies before its first: they were recorded when their track was confirmed. Equal segments have
equal bytes: there is no NaN, no negative zero and no free padding, and version 2 only where it is needed.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from sightline.arrays import FloatArray, IntArray
from sightline.errors import Corrupt
from sightline.formats.versioned import require_version
from sightline.types import FrameTable, Origin, Outcome, TrackTable

__all__ = ["CameraColumns", "Kind", "Segment", "decode", "encode", "join"]

Kind = Literal["detections", "tracks", "totals"]

MAGIC = b"SLSEGMNT"
PLAIN, VERSION = 1, 2
HEADER = struct.Struct("<8sHHIqqq")
CRC = struct.Struct("<I")
KINDS: tuple[Kind, ...] = get_args(Kind)
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
_FRAME_COLUMNS = (("frame", "<i8", 1), ("pts_us", "<i8", 1), ("reason", "<u4", 1), ("outcome", "u1", 1))
_TOTAL_COLUMNS = (("unique", "<i8", 1), ("raw_ids", "<i8", 1))
_CAMERA_COLUMNS = (
    ("motion", "<f8", 4),
    ("look_bytes", "<u4", 1),
)
_ROW_COLUMNS = (
    ("seq", "<i8", 1),
    ("track_id", "<i8", 1),
    ("class_id", "<i8", 1),
    ("xyxy", "<f8", 4),
    ("confidence", "<f8", 1),
    ("origin", "u1", 1),
)


@dataclass(frozen=True, slots=True, eq=False)
class CameraColumns:
    """What is known of the camera in consecutive frames.

    Attributes:
        motion: float64 (F, 4), a, b, x, y since the frame before; zeros where it is not known.
        looks: F looks, encoded; most are empty.
    """

    motion: FloatArray
    looks: tuple[bytes, ...]

    @classmethod
    def unknown(cls, frames: int) -> CameraColumns:
        """Of frames of which nothing is known."""
        return cls(np.zeros((frames, 4)), (b"",) * frames)

    @property
    def says_nothing(self) -> bool:
        """Whether nothing is known of any frame."""
        return not (self.motion.any() or any(self.looks))


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """Consecutive frames of one stream.

    Attributes:
        kind: what it holds.
        first_seq: seq of the first frame.
        frames: row i is seq `first_seq + i`.
        rows: boxes; None in totals.
        unique, raw_ids: int64 (F,), running totals at each frame; None but in totals.
        camera: what is known of it; None where nothing is.
    """

    kind: Kind
    first_seq: int
    frames: FrameTable
    rows: TrackTable | None = None
    unique: IntArray | None = None
    raw_ids: IntArray | None = None
    camera: CameraColumns | None = None

    @property
    def end_seq(self) -> int:
        """Seq behind the last frame."""
        return self.first_seq + len(self.frames)


def encode(segment: Segment) -> bytes:
    """Canonical bytes of a segment; rows are sorted.

    Raises:
        ValueError: columns that do not fit the kind, a seq outside, a number that is not finite.
    """
    if (segment.rows is None) != (segment.kind == "totals"):
        raise ValueError(f"totals alone have no boxes, this is {segment.kind}")
    rows = TrackTable.empty() if segment.rows is None else _sorted(segment.rows)
    reasons = ["", *sorted(set(segment.frames.reason) - {""})]
    table = b"".join(struct.pack("<I", len(word)) + word for word in (text.encode() for text in reasons))
    columns = _columns(segment, rows, reasons)
    version = PLAIN
    if segment.camera is not None:
        version, table = VERSION, table + b"".join(segment.camera.looks)
    _check(segment.kind, segment.first_seq, segment.frames, columns)
    head = (MAGIC, version, KINDS.index(segment.kind) + 1, len(table))
    parts = [HEADER.pack(*head, segment.first_seq, len(segment.frames), len(rows))]
    for name, dtype, _ in _layout(segment.kind, version):
        values = np.ascontiguousarray(columns[name])
        values = values + 0.0 if dtype == "<f8" else values
        parts.append(_padded(values.astype(dtype, copy=False).tobytes()))
    parts.append(table)
    body = b"".join(parts)
    return body + CRC.pack(zlib.crc32(body))


def _columns(segment: Segment, rows: TrackTable, reasons: list[str]) -> dict[str, NDArray[Any]]:
    frames = segment.frames
    place = {reason: number for number, reason in enumerate(reasons)}
    columns = {name: getattr(rows, name) for name, _, _ in _ROW_COLUMNS}
    columns["frame"], columns["pts_us"] = frames.frame, frames.pts_us
    columns["reason"] = np.array([place[reason] for reason in frames.reason], np.int64)
    columns["outcome"] = np.array([OUTCOMES.index(outcome) for outcome in frames.outcome], np.int64)
    for name, _, _ in _TOTAL_COLUMNS:
        values = getattr(segment, name)
        if (values is None) == (segment.kind == "totals"):
            raise ValueError(f"{name} belongs to totals and to nothing else, not to {segment.kind}")
        columns[name] = np.empty(0, np.int64) if values is None else np.asarray(values, np.int64)
    camera = segment.camera
    if camera is not None:
        columns["motion"] = camera.motion
        columns["look_bytes"] = np.array([len(look) for look in camera.looks], np.int64)
    return columns


def _layout(kind: Kind, version: int) -> tuple[tuple[str, str, int], ...]:
    totals = _TOTAL_COLUMNS if kind == "totals" else ()
    return _FRAME_COLUMNS + totals + _ROW_COLUMNS + (_CAMERA_COLUMNS if version == VERSION else ())


def _check(kind: Kind, first_seq: int, frames: FrameTable, columns: dict[str, NDArray[Any]]) -> None:
    """Refuse what no stage can have meant.

    Raises:
        ValueError: says what.
    """
    end = first_seq + len(frames)
    seq, births = columns["seq"], columns["origin"] == Origin.BIRTH
    if first_seq < 0:
        raise ValueError(f"first seq {first_seq}")
    if kind == "totals" and (len(seq) or {len(columns["unique"]), len(columns["raw_ids"])} != {len(frames)}):
        raise ValueError("totals need a number a frame and no boxes")
    early = births if kind == "tracks" else np.zeros_like(births)
    outside = (seq >= end) | (seq < np.where(early, 0, first_seq))
    if outside.any():
        raise ValueError(f"seq {seq[np.argmax(outside)]} in a segment of {first_seq} to {end}")
    if not (np.isfinite(columns["xyxy"]).all() and np.isfinite(columns["confidence"]).all()):
        raise ValueError("a box or confidence is not finite")
    for name, _, width in _CAMERA_COLUMNS:
        column = columns.get(name)
        if column is not None and (
            len(column) != len(frames) or (width == 4 and not np.isfinite(column).all())
        ):
            raise ValueError(f"{name} of {len(column)} frames of {len(frames)}, or not finite")
    if columns["origin"].size and columns["origin"].max() > max(Origin):
        raise ValueError(f"origin {columns['origin'].max()}")
    if np.any(np.diff(frames.frame) <= 0) or np.any(np.diff(frames.pts_us) <= 0):
        raise ValueError("frame or pts_us does not rise")


def _padded(column: bytes) -> bytes:
    return column + bytes(-len(column) % 8)


def decode(blob: bytes | memoryview, name: str = "segment") -> Segment:
    """Read a segment; arrays are views of `blob` and cannot be written.

    Args:
        blob: bytes, or a view of a mapped file.
        name: its key, for errors.

    Raises:
        Corrupt: wrong magic, newer version, wrong length, bad CRC, impossible content; says what and where.
    """
    view = memoryview(blob).toreadonly()
    kind, version, first_seq, counts = _header(view, name)
    columns: dict[str, NDArray[Any]] = {}
    offset = HEADER.size
    for column, dtype, width in _layout(kind, version):
        n = counts["rows" if (column, dtype, width) in _ROW_COLUMNS else "frames"]
        values = np.frombuffer(view, dtype, n * width, offset)
        columns[column] = values.reshape(n, 4) if width == 4 else values
        offset += values.nbytes + -values.nbytes % 8
    try:
        end = len(view) - CRC.size
        looks = int(columns["look_bytes"].sum()) if version == VERSION else 0
        if looks > end - offset:
            raise ValueError(f"looks of {looks} bytes, there are {end - offset}")
        reasons = _reasons(view[offset : end - looks])
        frames = FrameTable(
            columns["frame"],
            columns["pts_us"],
            tuple(OUTCOMES[number] for number in columns["outcome"].tolist()),
            tuple(reasons[number] for number in columns["reason"].tolist()),
        )
        _check(kind, first_seq, frames, columns)
    except (ValueError, IndexError, struct.error) as error:
        raise Corrupt(f"{name}: {error}; restore the file from a copy") from error
    rows = None if kind == "totals" else TrackTable(*(columns[column] for column, _, _ in _ROW_COLUMNS))
    camera = _camera(columns, view[end - looks : end]) if version == VERSION else None
    return Segment(kind, first_seq, frames, rows, columns.get("unique"), columns.get("raw_ids"), camera)


def _camera(columns: dict[str, NDArray[Any]], looks: memoryview) -> CameraColumns:
    ends = columns["look_bytes"].astype(np.int64).cumsum().tolist()
    starts = [0, *ends][:-1]
    parts = tuple(bytes(looks[start:end]) for start, end in zip(starts, ends, strict=True))
    return CameraColumns(columns["motion"], parts)


def _header(view: memoryview, name: str) -> tuple[Kind, int, int, dict[str, int]]:
    if len(view) < HEADER.size + CRC.size or bytes(view[:8]) != MAGIC:
        raise Corrupt(f"{name}: {len(view)} bytes that do not begin with {MAGIC.decode()}: not a segment")
    _, version, number, table, first_seq, frames, rows = HEADER.unpack_from(view)
    if version != PLAIN:
        require_version(version, VERSION, name)
    if not 1 <= number <= len(KINDS):
        raise Corrupt(f"{name}: kind {number} at byte 10, expected 1 to {len(KINDS)}")
    kind = KINDS[number - 1]
    counts = {"frames": frames, "rows": rows}
    length = _length(kind, version, counts) + table
    if min(frames, rows) < 0 or length != len(view):
        raise Corrupt(
            f"{name}: {len(view)} bytes, the header promises {length}; restore the file from a copy"
        )
    (crc,) = CRC.unpack_from(view, length - CRC.size)
    if zlib.crc32(view[: length - CRC.size]) != crc:
        raise Corrupt(f"{name}: CRC-32 at byte {length - CRC.size} differs; restore the file from a copy")
    return kind, version, first_seq, counts


def _length(kind: Kind, version: int, counts: dict[str, int]) -> int:
    sizes = [
        counts["rows" if column in _ROW_COLUMNS else "frames"] * column[2] * np.dtype(column[1]).itemsize
        for column in _layout(kind, version)
    ]
    return HEADER.size + sum(size + -size % 8 for size in sizes) + CRC.size


def _reasons(table: memoryview) -> list[str]:
    words, offset = [], 0
    while offset < len(table):
        (size,) = struct.unpack_from("<I", table, offset)
        words.append(str(table[offset + 4 : offset + 4 + size], "utf-8"))
        offset += 4 + size
    return words


def join(segments: Sequence[Segment], name: str = "segments") -> Segment:
    """One segment from seq 0 of all segments of a stream, in their order; births move to the seq in which they were
    seen.

    Raises:
        Corrupt: no segments, several kinds, or a seq is missing or comes twice; says which.
    """
    if not segments:
        raise Corrupt(f"{name}: no segments of a stream that has ended; restore them from a copy")
    kind, end = segments[0].kind, 0
    for segment in segments:
        if segment.kind != kind:
            raise Corrupt(f"{name}: {segment.kind} at seq {segment.first_seq} among {kind}")
        if segment.first_seq != end:
            raise Corrupt(f"{name}: a segment begins at seq {segment.first_seq}, expected {end}")
        end = segment.end_seq
    frames = FrameTable(
        np.concatenate([segment.frames.frame for segment in segments]),
        np.concatenate([segment.frames.pts_us for segment in segments]),
        tuple(outcome for segment in segments for outcome in segment.frames.outcome),
        tuple(reason for segment in segments for reason in segment.frames.reason),
    )
    unique, raw_ids = (
        _joined([getattr(segment, column) for segment in segments]) for column, _, _ in _TOTAL_COLUMNS
    )
    return Segment(kind, 0, frames, _joined_rows(segments), unique, raw_ids, _joined_camera(segments))


def _joined_camera(segments: Sequence[Segment]) -> CameraColumns | None:
    if all(segment.camera is None for segment in segments):
        return None
    parts = [
        CameraColumns.unknown(len(segment.frames)) if segment.camera is None else segment.camera
        for segment in segments
    ]
    return CameraColumns(
        np.concatenate([part.motion for part in parts]),
        tuple(look for part in parts for look in part.looks),
    )


def _joined_rows(segments: Sequence[Segment]) -> TrackTable | None:
    tables = [segment.rows for segment in segments if segment.rows is not None]
    names = [column for column, _, _ in _ROW_COLUMNS]
    columns = [np.concatenate([getattr(table, name) for table in tables]) for name in names] if tables else []
    return _sorted(TrackTable(*columns)) if tables else None


def _sorted(rows: TrackTable) -> TrackTable:
    """Rows by seq, then track id; most are already, and looking is cheaper than sorting."""
    later, same = np.diff(rows.seq), np.diff(rows.track_id)
    in_order = (later > 0) | ((later == 0) & (same >= 0))
    return rows if in_order.all() else rows.sorted()


def _joined(arrays: Sequence[IntArray | None]) -> IntArray | None:
    known = [values for values in arrays if values is not None]
    return np.concatenate(known) if known else None
