"""The frames of a source as columns for a browser: when each is shown, which of them a job samples, what cannot be decoded.

Little endian: `SLFRAMES`, u4 version, u4 0, i8 frames N, i8 what a player calls the time of the first frame, i8 duration,
both in microseconds; then i8 N presentation times in microseconds from the first frame, i8 N numbers in the source, i4 N
number among the sampled frames, -1 where a frame is not sampled, u1 N whether it is known that a frame cannot be decoded.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np

from sightline.arrays import IntArray
from sightline.types import SourceIndex

__all__ = ["MAGIC", "VERSION", "encode", "size_of"]

MAGIC = b"SLFRAMES"
VERSION = 1
_HEAD = struct.Struct("<8sIIqqq")
_ROW = 8 + 8 + 4 + 1


def encode(index: SourceIndex, rows: IntArray) -> Iterator[bytes]:
    """Column by column.

    Args:
        index: of the source.
        rows: int64 (F,), the sampled rows of it, rising.
    """
    seq = np.full(len(index), -1, "<i4")
    seq[rows] = np.arange(len(rows), dtype="<i4")
    failed = np.zeros(len(index), np.uint8)
    failed[list(index.failed)] = 1
    yield _HEAD.pack(MAGIC, VERSION, 0, len(index), index.media_start_us, index.duration_us)
    yield index.pts_us.astype("<i8").tobytes()
    yield index.frame.astype("<i8").tobytes()
    yield seq.tobytes()
    yield failed.tobytes()


def size_of(index: SourceIndex) -> int:
    """Bytes of all of it."""
    return _HEAD.size + _ROW * len(index)
