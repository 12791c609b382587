"""Anchors: where the counted objects of a group stood, as `publish` stores them for `count`.

A file holds all that a line or a zone drawn later needs of the published tracks of one group, in columns that can be
mapped into memory: they are little endian and start at multiples of 8 bytes, padded with zeros.

| offset | type | content |
|---|---|---|
| 0 | 8 bytes | magic `SLANCHOR` |
| 8 | u2 | version, 1 |
| 10 | u2, u4 | 0 |
| 16 | u4, u4 | width, height of the picture, pixels |
| 24 | i8 | F, frames |
| 32 | i8 | N, tracks |
| 40 | i8 | R, rows |
| 48 | i8 F | frame: number in the source |
| | i8 F | pts_us |
| | i8 N | track_id, rising |
| | i8 N | class_id, by vote |
| | i8 N | hits: frames in which the tracker matched it |
| | i8 N, i8 N | first_seq, last_seq: with a box |
| | i8 N | counted_seq: where it entered the count, -1 where it never did |
| | u1 N | doubts that follow from the tracks: 1 short, 4 gap, 16 split |
| | i8 N + 1 | first: rows of track n are first[n] to first[n + 1]; a track that does not count has none |
| | f8 N x 4 | left, top, right, bottom of where it stood, pixels; 0 where it has no rows |
| | f8 N | the largest size of its rows, pixels; 0 where it has none |
| | u4 R | seq |
| | f8 R, f8 R | x, y: the middle of the box's lower edge, pixels |
| | f8 R | size: the root of the box's area, pixels |
| | u1 R | edges of the picture that cut the box: 1 left, 2 right, 4 lower; nearer than 1/128 of its size is cut |
| end - 4 | u4 | CRC-32 of everything before |

Rows are sorted by track id, then seq. Equal tracks have equal bytes: there is no NaN, no negative zero and no free padding.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sightline.arrays import IntArray
from sightline.counts import Anchors, CountedGroup, TrackCounts
from sightline.errors import Corrupt
from sightline.formats.versioned import require_version
from sightline.verdicts import Doubt

__all__ = ["AnchorFile", "decode", "encode"]

MAGIC, VERSION = b"SLANCHOR", 1
HEADER = struct.Struct("<8sHHIIIqqq")
CRC = struct.Struct("<I")
# The other doubts follow from what the tracker saw, which published tracks do not tell.
DOUBTS = np.uint8(Doubt.SHORT | Doubt.GAP | Doubt.SPLIT)
_FRAMES = (("frame", "<i8"), ("pts_us", "<i8"))
_TRACKS = tuple(
    (name, "<i8") for name in ("track_id", "class_id", "hits", "first_seq", "last_seq", "counted_seq")
)
_ROWS = (("seq", "<u4"), ("x", "<f8"), ("y", "<f8"), ("size", "<f8"), ("edges", "u1"))


@dataclass(frozen=True, slots=True, eq=False)
class AnchorFile:
    """What a file holds.

    Attributes:
        width, height: of the picture, pixels.
        frame, pts_us: int64 (F,), of the sampled frames.
        group: its tracks and where they stood; the file does not hold its name.
    """

    width: int
    height: int
    frame: IntArray
    pts_us: IntArray
    group: CountedGroup


def encode(file: AnchorFile) -> Iterator[bytes]:
    """Canonical bytes, a column at a time.

    Raises:
        ValueError: what no counting can have meant; says what.
    """
    _check(file)
    sizes = len(file.frame), len(file.group.counts), len(file.group.anchors)
    chunk = HEADER.pack(MAGIC, VERSION, 0, 0, file.width, file.height, *sizes)
    crc = zlib.crc32(chunk)
    yield chunk
    columns = _columns(file)
    for name, dtype, _ in _layout(*sizes):
        chunk = np.ascontiguousarray(columns[name]).astype(dtype, copy=False).tobytes()
        chunk += bytes(-len(chunk) % 8)
        crc = zlib.crc32(chunk, crc)
        yield chunk
    yield CRC.pack(crc)


def _columns(file: AnchorFile) -> dict[str, NDArray[Any]]:
    counts, anchors = file.group.counts, file.group.anchors
    columns: dict[str, NDArray[Any]] = {"frame": file.frame, "pts_us": file.pts_us}
    columns |= {name: getattr(counts, name) for name, _ in _TRACKS}
    columns["doubts"] = np.zeros(len(counts), np.uint8) if counts.doubts is None else counts.doubts & DOUBTS
    return columns | {name: getattr(anchors, name) for name in anchors.__slots__}


def _layout(frames: int, tracks: int, rows: int) -> Iterator[tuple[str, str, int]]:
    """Name, type and number of values of each column, in the order of the file."""
    yield from ((name, dtype, frames) for name, dtype in _FRAMES)
    yield from ((name, dtype, tracks) for name, dtype in _TRACKS)
    yield from (
        ("doubts", "u1", tracks),
        ("first", "<i8", tracks + 1),
        ("bounds", "<f8", 4 * tracks),
        ("largest", "<f8", tracks),
    )
    yield from ((name, dtype, rows) for name, dtype in _ROWS)


def _check(file: AnchorFile) -> None:
    """Refuse what no counting can have meant.

    Raises:
        ValueError: says what.
    """
    counts, anchors, frames = file.group.counts, file.group.anchors, len(file.frame)
    if file.width < 1 or file.height < 1:
        raise ValueError(f"a picture of {file.width} x {file.height}")
    if np.any(np.diff(file.frame) <= 0) or np.any(np.diff(file.pts_us) <= 0):
        raise ValueError("frame or pts_us does not rise")
    if np.any(np.diff(counts.track_id) <= 0):
        raise ValueError("track_id does not rise")
    if np.any(np.diff(anchors.first) < 0) or anchors.first[0] != 0 or anchors.first[-1] != len(anchors):
        raise ValueError(f"tracks do not divide {len(anchors)} rows")
    last = max(anchors.seq.max(initial=0), counts.counted_seq.max(initial=-1), counts.last_seq.max(initial=0))
    if len(counts) and last >= frames:
        raise ValueError(f"seq {last} of {frames} frames")
    first = min(counts.first_seq.min(initial=0), counts.last_seq.min(initial=0))
    if min(first, counts.counted_seq.min(initial=0) + 1) < 0:
        raise ValueError("seq below 0")
    if counts.class_id.min(initial=0) < 0:
        raise ValueError(f"class_id {counts.class_id.min()}")
    if np.any((np.diff(anchors.first) > 0) != counts.counted):
        raise ValueError("a track counts and has no rows, or has rows and does not count")
    later = anchors.seq[1:] > anchors.seq[:-1]
    begins = anchors.first[(anchors.first > 0) & (anchors.first < len(anchors))]
    later[begins - 1] = True
    if not later.all():
        raise ValueError("seq does not rise in a track")
    if anchors.edges.max(initial=0) > 7:
        raise ValueError(f"edges {anchors.edges.max()}")
    places = (anchors.bounds, anchors.largest, anchors.x, anchors.y, anchors.size)
    if not all(np.isfinite(each).all() for each in places):
        raise ValueError("a box is not finite")


def decode(blob: bytes | memoryview, group: str, name: str = "anchors") -> AnchorFile:
    """Read anchors; arrays are views of `blob` and cannot be written. All of it is read once, for its checksum.

    Args:
        blob: bytes, or a view of a mapped file.
        group: name of the group.
        name: key of the file, for errors.

    Raises:
        Corrupt: wrong magic, newer version, wrong length, bad CRC, impossible content; says what and where.
    """
    view = memoryview(blob).toreadonly()
    width, height, *sizes = _header(view, name)
    columns: dict[str, NDArray[Any]] = {}
    offset = HEADER.size
    for column, dtype, n in _layout(*sizes):
        columns[column] = np.frombuffer(view, dtype, n, offset)
        offset += columns[column].nbytes + -columns[column].nbytes % 8
    columns["bounds"] = columns["bounds"].reshape(-1, 4)
    counts = TrackCounts(*(columns[column] for column in TrackCounts.__slots__))
    anchors = Anchors(*(columns[column] for column in Anchors.__slots__))
    file = AnchorFile(
        width, height, columns["frame"], columns["pts_us"], CountedGroup(group, counts, anchors)
    )
    try:
        _check(file)
    except ValueError as error:
        raise Corrupt(f"{name}: {error}; restore the file from a copy") from error
    return file


def _header(view: memoryview, name: str) -> tuple[int, int, int, int, int]:
    """Width, height and numbers of frames, tracks and rows of a file that is whole."""
    if len(view) < HEADER.size + CRC.size or bytes(view[:8]) != MAGIC:
        raise Corrupt(f"{name}: {len(view)} bytes that do not begin with {MAGIC.decode()}: no anchors")
    _, version, _, _, width, height, *sizes = HEADER.unpack_from(view)
    require_version(version, VERSION, name)
    length = HEADER.size + CRC.size
    if min(sizes) >= 0:
        columns = (n * np.dtype(dtype).itemsize for _, dtype, n in _layout(*sizes))
        length += sum(size + -size % 8 for size in columns)
    if min(sizes) < 0 or length != len(view):
        raise Corrupt(
            f"{name}: {len(view)} bytes, the header promises {length}; restore the file from a copy"
        )
    (crc,) = CRC.unpack_from(view, length - CRC.size)
    if zlib.crc32(view[: length - CRC.size]) != crc:
        raise Corrupt(f"{name}: CRC-32 at byte {length - CRC.size} differs; restore the file from a copy")
    return width, height, *sizes
