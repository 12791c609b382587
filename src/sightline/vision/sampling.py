"""Which frames of a source are sampled, in which pieces they are decoded, and how many there are in a second.

Everything here is a pure function of the `SourceIndex`. Times are computed as fractions and rounded once; a frame
number divided by a frame rate is never a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from sightline.arrays import IntArray
from sightline.types import Chunk, SourceIndex

__all__ = ["chunks", "microseconds", "rate", "sample"]

_DEFAULT_RATE = Fraction(30)
_SECOND = 1_000_000
# Frames per second that no camera gives: steps below a millisecond are made up, to keep repeated times apart.
_FASTEST = 1_000
# Seconds and frames of a burst. A third of a second is what an object must be seen for to count.
_LONGEST_BURST = Fraction(1, 3)
_WIDEST_BURST = 16
# Ticks of a step from which a tick of rounding at each end is little of it.
_FINE = 20
_UNITS = (Fraction(1), Fraction(1000, 1001), Fraction(1, 2), Fraction(1, 10))


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
    """Sampled frames per second while frames come: one over the usual step between two of them.

    The usual step is the median one. Pauses and lost frames, steps over one and a half of it, do not count, so a camera
    that sleeps for ten minutes has the rate that it has awake. Frames that come in bursts, as those of a network do,
    are taken in windows of as many frames as make the steps even.

    Args:
        index: the source.
        rows: rising rows of the index, from `sample`.

    Returns:
        Frames per second, exact for the clock of the file where steps are equal; where they differ, as those of 33
        and 34 ms do, the roundest rate that the steps allow. One frame: one over its duration, 30 where that is
        unknown or nothing was sampled.
    """
    if len(rows) < 2:
        return (
            Fraction(_SECOND, index.duration_us) if len(index) == 1 and index.duration_us else _DEFAULT_RATE
        )
    tick = index.tick[np.asarray(rows)]
    window, spans = _usual_spans(tick, _LONGEST_BURST / index.time_base)
    covered, slack = int(spans.sum()), _slack(tick, window, spans)
    found = window * len(spans) / (covered * index.time_base)
    if found > _FASTEST:
        return (len(rows) - 1) / (int(tick[-1] - tick[0]) * index.time_base)
    if not slack:
        return found
    return _roundest(
        found, found * Fraction(covered, covered + slack), found * Fraction(covered + slack, covered)
    )


def _median(steps: IntArray) -> int:
    middle = (len(steps) - 1) // 2
    return int(np.partition(steps, middle)[middle])


def _usual_spans(tick: IntArray, longest: Fraction) -> tuple[int, IntArray]:
    """How many steps make the distance between frames even, and the distances of so many steps that are no pause.

    One step, unless frames come in bursts: then some window's median is more than twice what the median step promises.
    The window is taken in which most distances are usual, of those whose median is at most `longest` ticks; what is
    longer is a pause between frames and no burst.
    """
    window, spans = 1, np.diff(tick)
    step = _median(spans)
    spans, best = _near(spans, step), 0.0
    for wider in range(2, min(_WIDEST_BURST + 1, len(tick))):
        distances = tick[wider:] - tick[:-wider]
        median = _median(distances)
        if median > longest:
            break
        if not best and median <= 2 * step * wider:
            continue
        near = _near(distances, median)
        if len(near) / len(distances) > best:
            window, spans, best = wider, near, len(near) / len(distances)
    return window, spans


def _near(spans: IntArray, usual: int) -> IntArray:
    # Ticks are rounded: 24 frames a second on a clock of milliseconds at 60 Hz come 33 and 50 apart.
    slack = 5 if usual >= _FINE else 0
    near: IntArray = spans[(2 * spans >= usual) & (2 * spans <= 3 * usual + slack)]
    return near


def _slack(tick: IntArray, window: int, spans: IntArray) -> int:
    """Ticks by which the sum of uneven spans may be off: a step's unevenness at each run of frames, at most 5 %."""
    longest = int(spans.max())
    pauses = int(np.count_nonzero(tick[window:] - tick[:-window] > longest))
    return min(window * (longest - int(spans.min())) * (pauses + 1), int(spans.sum()) // 20)


def _roundest(found: Fraction, low: Fraction, high: Fraction) -> Fraction:
    """The rate from `low` to `high` that a camera is most likely set to: whole, NTSC, a half, a tenth, as found."""
    for unit in _UNITS:
        near = round(found / unit) * unit
        if near > 0 and low <= near <= high:
            return near
    return found
