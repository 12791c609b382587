"""The index of a source as bytes: as it is stored once when a source is accepted, and on its way between two processes.

MessagePack of one map; columns are little-endian bytes: `frame`, `tick`, `pts_us` int64, `key` a byte a row. Whoever made
it may have had a hostile file open, so no more is believed than a file could have said itself: columns of one length,
rows that rise, sizes within limits, words that are ours.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Literal

import msgspec
import numpy as np

from sightline.arrays import IntArray
from sightline.errors import Corrupt
from sightline.formats.versioned import Versioned, require_version
from sightline.types import Caveat, Part, SourceIndex

__all__ = ["MOST_FRAMES", "IndexData", "checked", "decode", "encode", "packed"]

VERSION: Literal[1] = 1
MOST_FRAMES = 20_000_000
_COLUMN = np.dtype("<i8")
_FURTHEST = 2**62
_Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
_Signed = Annotated[int, msgspec.Meta(ge=-(2**62), le=2**62)]
_Side = Annotated[int, msgspec.Meta(ge=1, le=2**20)]
_Tick = Annotated[int, msgspec.Meta(ge=1, le=2**40)]
_Long = Annotated[int, msgspec.Meta(ge=0, le=2**62)]
_Word = Annotated[str, msgspec.Meta(max_length=40)]
_Text = Annotated[str, msgspec.Meta(max_length=1_000)]


class IndexData(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A `SourceIndex` without its name; columns are int64, little endian, `key` is a byte a row."""

    kind: Literal["video", "images"]
    codec: Annotated[str, msgspec.Meta(pattern="^[a-z0-9_, ]{1,80}$")]
    width: _Side
    height: _Side
    rotation: Literal[0, 90, 180, 270]
    stream: Annotated[int, msgspec.Meta(ge=0, le=2**16)]
    time_base: tuple[_Tick, _Tick]
    frame: bytes
    tick: bytes
    pts_us: bytes
    key: bytes
    failed: dict[_Count, Literal["truncated", "decode", "limit"]]
    names: list[str]
    counted: bool
    vfr: bool
    duration_us: _Long
    claimed_frames: _Long | None
    gaps: list[tuple[_Count, _Count]]
    parts: list[tuple[_Count, _Signed]]
    clock: Literal["file", "names", "rate"]
    caveats: Annotated[list[tuple[_Word, _Text]], msgspec.Meta(max_length=64)]


class _Stored(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    v: Literal[1]
    name: str
    index: IndexData


def encode(index: SourceIndex) -> bytes:
    """An index as it is stored; the same index gives the same bytes."""
    return msgspec.msgpack.encode(_Stored(VERSION, index.name, packed(index)))


def decode(blob: bytes, name: str = "index") -> SourceIndex:
    """The index that was stored; `name` is for the message.

    Raises:
        Corrupt: it is none, or a newer program wrote it (code `file_version`).
    """
    try:
        require_version(msgspec.msgpack.decode(blob, type=Versioned).v, VERSION, name)
        stored = msgspec.msgpack.decode(blob, type=_Stored)
        return checked(stored.index, stored.name, MOST_FRAMES)
    except (msgspec.MsgspecError, ValueError) as error:
        raise Corrupt(f"{name}: not the index of a source: {error}") from error


def packed(index: SourceIndex) -> IndexData:
    """An index as data."""
    assert index.kind != "detections"
    return IndexData(
        kind=index.kind,
        codec=index.codec,
        width=index.width,
        height=index.height,
        rotation=index.rotation,  # type: ignore[arg-type]
        stream=index.stream,
        time_base=(index.time_base.numerator, index.time_base.denominator),
        frame=index.frame.astype(_COLUMN).tobytes(),
        tick=index.tick.astype(_COLUMN).tobytes(),
        pts_us=index.pts_us.astype(_COLUMN).tobytes(),
        key=index.key.astype(np.uint8).tobytes(),
        failed=dict(sorted(index.failed.items())),  # type: ignore[arg-type]
        names=list(index.names),
        counted=index.counted,
        vfr=index.vfr,
        duration_us=index.duration_us,
        claimed_frames=index.claimed_frames,
        gaps=[(first, last) for first, last in index.gaps],
        parts=[(part.packet, part.shift) for part in index.parts],
        clock=index.clock,
        caveats=[(caveat.code, caveat.detail) for caveat in index.caveats],
    )


def checked(data: IndexData, name: str, most: int) -> SourceIndex:
    """The index that data describe.

    Args:
        data: from anywhere.
        name: of the source, for people.
        most: frames.

    Raises:
        ValueError: no source has such an index; says what of it cannot be.
    """
    rows = len(data.frame) // _COLUMN.itemsize
    columns = (data.frame, data.tick, data.pts_us)
    _require(1 <= rows <= most, "number of frames")
    _require(all(len(column) == rows * _COLUMN.itemsize for column in columns), "columns")
    _require(len(data.key) == rows and set(data.key) <= {0, 1}, "key frames")
    _require(all(row < rows for row in data.failed), "failed frames")
    _require(len(data.gaps) < rows and len(data.parts) <= rows + 1, "gaps and parts")
    _require(data.kind == "video" or len(data.names) == rows, "names")
    _require(all(code.replace("_", "").isalpha() and code.isascii() for code, _ in data.caveats), "caveats")
    index = _unpacked(data, name)
    for column in (index.frame, index.tick, index.pts_us):
        _require(_rises(column), "rows that fall")
    _require(index.frame[0] == 0 and index.pts_us[0] == 0, "beginning")
    _require(data.kind != "video" or int(index.frame[-1]) == rows - 1, "numbers of frames")
    _require(index.duration_us >= int(index.pts_us[-1]), "duration")
    return index


def _unpacked(data: IndexData, name: str) -> SourceIndex:
    return SourceIndex(
        kind=data.kind,
        name=name,
        codec=data.codec,
        width=data.width,
        height=data.height,
        rotation=data.rotation,
        stream=data.stream,
        time_base=Fraction(*data.time_base),
        frame=_column(data.frame),
        tick=_column(data.tick),
        pts_us=_column(data.pts_us),
        key=np.frombuffer(data.key, np.uint8).astype(np.bool_),
        failed=data.failed,
        names=tuple(data.names),
        counted=data.counted,
        vfr=data.vfr,
        duration_us=data.duration_us,
        claimed_frames=data.claimed_frames,
        gaps=tuple(data.gaps),
        parts=tuple(Part(packet, shift) for packet, shift in data.parts),
        clock=data.clock,
        caveats=tuple(Caveat(code, detail) for code, detail in data.caveats),
    )


def _column(data: bytes) -> IntArray:
    return np.frombuffer(data, _COLUMN).astype(np.int64)


def _rises(column: IntArray) -> bool:
    within = int(column.min()) >= -_FURTHEST and int(column.max()) <= _FURTHEST
    return within and bool((column[1:] > column[:-1]).all())


def _require(true: bool, what: str) -> None:
    if not true:
        raise ValueError(f"an index whose {what} cannot be")
