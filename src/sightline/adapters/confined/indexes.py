"""The index of a source on its way between two processes, and what is checked of one that a hostile process sent.

A child that lies about times, frames or key frames in a way that a file could have said itself spoils the result of that
file, which its sender could do anyway. What is kept out is what no file can bring about: columns of unequal length, rows
that fall, sizes beyond the limits, words that are none of ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from sightline.adapters.confined.messages import IndexData, Lied
from sightline.arrays import IntArray
from sightline.types import Caveat, Part, SourceIndex

__all__ = ["checked", "cleaned", "most_bytes", "packed", "unpacked"]

_COLUMN = np.dtype("<i8")
_FURTHEST = 2**62


def packed(index: SourceIndex) -> IndexData:
    """An index as a message."""
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
        failed=dict(index.failed),  # type: ignore[arg-type]
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


def unpacked(data: IndexData, name: str) -> SourceIndex:
    """The index of a message, which is believed.

    Args:
        data: the message.
        name: of the source, for people.
    """
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
        caveats=tuple(Caveat(code, cleaned(detail)) for code, detail in data.caveats),
    )


def checked(data: IndexData, name: str, kind: str, names: Sequence[str], most: int) -> SourceIndex:
    """The index of a message that a hostile process may have made.

    Args:
        data: the message.
        name: of the source, for people.
        kind: of the source.
        names: of its images, in any order; none for a video.
        most: frames.

    Raises:
        Lied: no source has such an index.
    """
    rows = len(data.frame) // _COLUMN.itemsize
    columns = (data.frame, data.tick, data.pts_us)
    _honest(data.kind == kind and sorted(data.names) == sorted(names), "kind and names")
    _honest(1 <= rows <= most, "number of frames")
    _honest(all(len(column) == rows * _COLUMN.itemsize for column in columns), "columns")
    _honest(len(data.key) == rows and set(data.key) <= {0, 1}, "key frames")
    _honest(all(row < rows for row in data.failed), "failed frames")
    _honest(len(data.gaps) < rows and len(data.parts) <= rows + 1, "gaps and parts")
    _honest(all(code.replace("_", "").isalpha() and code.isascii() for code, _ in data.caveats), "caveats")
    index = unpacked(data, name)
    for column in (index.frame, index.tick, index.pts_us):
        _honest(_rises(column), "rows that fall")
    _honest(index.frame[0] == 0 and index.pts_us[0] == 0, "beginning")
    _honest(kind != "video" or int(index.frame[-1]) == rows - 1, "numbers of frames")
    _honest(index.duration_us >= int(index.pts_us[-1]), "duration")
    return index


def most_bytes(frames: int) -> int:
    """How long an honest message with an index of `frames` frames can be."""
    return 64 * frames + (1 << 20)


def cleaned(text: str) -> str:
    """Text for people without characters that a terminal or a log obeys."""
    return "".join(each if each.isprintable() else "?" for each in text)


def _column(data: bytes) -> IntArray:
    return np.frombuffer(data, _COLUMN).astype(np.int64)


def _rises(column: IntArray) -> bool:
    within = int(column.min()) >= -_FURTHEST and int(column.max()) <= _FURTHEST
    return within and bool((column[1:] > column[:-1]).all())


def _honest(true: bool, what: str) -> None:
    if not true:
        raise Lied(f"an index whose {what} cannot be")
