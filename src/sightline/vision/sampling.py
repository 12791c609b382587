"""Which frames of a source are looked at, in which pieces they are decoded, and how many there are in a second.

Everything here is a pure function of the `SourceIndex`. Times are computed as fractions and rounded once; a frame
number divided by a frame rate is never a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from sightline.types import Chunk, IntArray, SourceIndex

__all__ = ["chunks", "microseconds", "rate", "sample"]

_DEFAULT_RATE = Fraction(30)
_SECOND = 1_000_000


def microseconds(ticks: IntArray, time_base: Fraction) -> IntArray:
    """Ticks in microseconds, each product rounded once, half to even.

    Args:
        ticks: int64 (N,). N may be 0.
        time_base: seconds per tick.

    Returns:
        int64 (N,).

    Raises:
        OverflowError: a time does not fit into int64.

    >>> microseconds(np.array([0, 1, 2, 3]), Fraction(1001, 30000))
    array([     0,  33367,  66733, 100100])
    """
    factor = time_base * _SECOND
    up, down = factor.numerator, factor.denominator
    furthest = max(abs(int(ticks.min())), abs(int(ticks.max()))) if len(ticks) else 0
    if 2 * (furthest * up + down) >= 2**63:
        return np.array([round(int(tick) * factor) for tick in ticks], dtype=np.int64)
    whole, rest = np.divmod(ticks * up, down)
    above = (2 * rest > down) | ((2 * rest == down) & (whole % 2 == 1))
    rounded: IntArray = (whole + above).astype(np.int64)
    return rounded


def chunks(index: SourceIndex, at_least: int = 32) -> list[Chunk]:
    """Cut a source into ranges that can be decoded alone.

    A chunk of a video begins at a key frame and holds whole groups of pictures; it ends at the first key frame
    after `at_least` frames. Images and detections are cut anywhere. A video whose pts cannot be trusted is one chunk,
    because its frames are told apart by counting from the start.

    Args:
        index: the source.
        at_least: frames of a chunk, the last one excepted.

    Returns:
        Chunks that follow each other and cover all rows; none for a source without frames.

    Raises:
        ValueError: `at_least` is below 1.
    """
    if at_least < 1:
        raise ValueError(f"at_least is {at_least}, expected 1 or more frames")
    total = len(index)
    if not total:
        return []
    if index.counted:
        return [Chunk(0, 0, total, None, None)]
    free = index.kind != "video"
    starts = [0]
    for row in range(at_least, total) if free else np.flatnonzero(index.key).tolist():
        if row - starts[-1] >= at_least:
            starts.append(row)
    ends = [*starts[1:], total]
    ticks = [int(index.tick[row]) for row in starts]
    return [
        Chunk(number, first, end, tick, after)
        for number, (first, end, tick, after) in enumerate(
            zip(starts, ends, ticks, [*ticks[1:], None], strict=True)
        )
    ]


def sample(
    index: SourceIndex, stride: int, start_us: int | None = None, end_us: int | None = None
) -> IntArray:
    """Rows of every `stride`-th frame between two times, beginning with the first frame at or after `start_us`.

    Args:
        index: the source.
        stride: 1 takes every frame.
        start_us, end_us: microseconds on the clock of `index.pts_us`; `end_us` is exclusive. None: no limit.

    Returns:
        int64 (F,), rising rows of the index; empty where no frame lies between the times.

    Raises:
        ValueError: `stride` is below 1.
    """
    if stride < 1:
        raise ValueError(f"stride is {stride}, expected 1 or more")
    first = 0 if start_us is None else int(np.searchsorted(index.pts_us, start_us))
    end = len(index) if end_us is None else int(np.searchsorted(index.pts_us, end_us))
    return np.arange(first, end, stride, dtype=np.int64)


def rate(index: SourceIndex, rows: Sequence[int] | IntArray) -> Fraction:
    """Sampled frames per covered second: the steps between the first and the last sampled frame over their distance.

    Args:
        index: the source.
        rows: rising rows of the index, from `sample`.

    Returns:
        Frames per second, exact for the clock of the file. One frame: one over its duration, 30 where that is unknown
        or nothing was sampled.
    """
    if len(rows) < 2:
        return (
            Fraction(_SECOND, index.duration_us) if len(index) == 1 and index.duration_us else _DEFAULT_RATE
        )
    first, last = int(rows[0]), int(rows[-1])
    return (len(rows) - 1) / (int(index.tick[last] - index.tick[first]) * index.time_base)
