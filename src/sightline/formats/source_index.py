"""The index of a source as bytes, so that it is made once: when the source is accepted, by whoever may open it.

Version 1: MessagePack of one map. Columns are little-endian bytes: `frame`, `tick`, `pts_us` int64, `key` uint8. What
is read was written by this program, perhaps by a process that had a hostile file open: every shape and order is checked.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

import msgspec
import numpy as np

from sightline.arrays import BoolArray, IntArray
from sightline.errors import Corrupt
from sightline.types import Caveat, Part, SourceIndex

__all__ = ["decode", "encode"]

VERSION: Literal[1] = 1
MOST_FRAMES = 20_000_000


class _Stored(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    v: Literal[1]
    kind: Literal["video", "images"]
    name: str
    codec: str
    width: int
    height: int
    rotation: Literal[0, 90, 180, 270]
    stream: int
    time_base: tuple[int, int]
    frame: bytes
    tick: bytes
    pts_us: bytes
    key: bytes
    failed: dict[int, str]
    names: tuple[str, ...]
    counted: bool
    vfr: bool
    duration_us: int
    claimed_frames: int | None
    gaps: tuple[tuple[int, int], ...]
    parts: tuple[Part, ...]
    clock: Literal["file", "names", "rate"]
    caveats: tuple[Caveat, ...]


_decoder = msgspec.msgpack.Decoder(_Stored)


def encode(index: SourceIndex) -> bytes:
    """An index as bytes; the same index gives the same bytes.

    Raises:
        ValueError: an index of detections, which has no source to open.
    """
    if index.kind == "detections":
        raise ValueError("detections have no index that is stored")
    stored = _Stored(
        v=VERSION,
        kind=index.kind,
        name=index.name,
        codec=index.codec,
        width=index.width,
        height=index.height,
        rotation=index.rotation,  # type: ignore[arg-type]
        stream=index.stream,
        time_base=(index.time_base.numerator, index.time_base.denominator),
        frame=np.ascontiguousarray(index.frame, "<i8").tobytes(),
        tick=np.ascontiguousarray(index.tick, "<i8").tobytes(),
        pts_us=np.ascontiguousarray(index.pts_us, "<i8").tobytes(),
        key=np.ascontiguousarray(index.key, np.uint8).tobytes(),
        failed=dict(sorted(index.failed.items())),
        names=tuple(index.names),
        counted=index.counted,
        vfr=index.vfr,
        duration_us=index.duration_us,
        claimed_frames=index.claimed_frames,
        gaps=tuple(index.gaps),
        parts=tuple(index.parts),
        clock=index.clock,
        caveats=tuple(index.caveats),
    )
    return msgspec.msgpack.encode(stored)


def decode(blob: bytes, name: str = "index") -> SourceIndex:
    """The index in bytes; `name` is for the message.

    Raises:
        Corrupt: it is none.
    """
    try:
        stored = _decoder.decode(blob)
        return _index(stored)
    except (msgspec.MsgspecError, ValueError, OverflowError, ZeroDivisionError) as error:
        raise Corrupt(f"{name}: not the index of a source: {error}") from error


def _index(stored: _Stored) -> SourceIndex:
    frame, tick, pts_us = (_column(blob) for blob in (stored.frame, stored.tick, stored.pts_us))
    key: BoolArray = np.frombuffer(stored.key, np.uint8).astype(np.bool_)
    rows = len(frame)
    if not 0 < rows <= MOST_FRAMES or {len(tick), len(pts_us), len(key)} != {rows}:
        raise ValueError(f"columns of {rows}, {len(tick)}, {len(pts_us)} and {len(key)} rows")
    if frame[0] < 0 or np.any(np.diff(frame) <= 0) or pts_us[0] < 0 or np.any(np.diff(pts_us) <= 0):
        raise ValueError("numbers or times do not rise")
    if stored.kind == "images" and len(stored.names) != rows:
        raise ValueError(f"{len(stored.names)} names for {rows} images")
    if any(not 0 <= row < rows for row in stored.failed) or min(stored.width, stored.height) < 1:
        raise ValueError("a failed frame that is none, or a picture without pixels")
    return SourceIndex(
        kind=stored.kind,
        name=stored.name,
        codec=stored.codec,
        width=stored.width,
        height=stored.height,
        rotation=stored.rotation,
        stream=stored.stream,
        time_base=Fraction(*stored.time_base),
        frame=frame,
        tick=tick,
        pts_us=pts_us,
        key=key,
        failed=stored.failed,
        names=stored.names,
        counted=stored.counted,
        vfr=stored.vfr,
        duration_us=stored.duration_us,
        claimed_frames=stored.claimed_frames,
        gaps=stored.gaps,
        parts=stored.parts,
        clock=stored.clock,
        caveats=stored.caveats,
    )


def _column(blob: bytes) -> IntArray:
    return np.frombuffer(blob, "<i8").astype(np.int64)
