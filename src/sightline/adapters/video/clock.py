"""A clock that falls inside a file: recordings joined byte by byte, or a camera whose clock was set back.

Packets come in decoding order, and decoding times rise. Where they fall, another part begins: its times are moved so
that it goes on one usual step behind the last frame of the part before. MPEG streams count 90,000 ticks a second in
33 bits, so a clock may also turn over every 26.5 hours, and FFmpeg, which looks at the first time only, may take a
clock that was set back for one that has turned over; steps are taken modulo 2^33.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from sightline.types import Part

__all__ = ["ClockWatch", "Run", "Unwound", "moved", "parts_of"]

_MPEG_WRAP = 1 << 33
_WRAPS = ("mpegts", "mpeg")
# Containers that store decoding times; elsewhere FFmpeg makes them up, and where a clock falls they are nonsense.
_STORE_DTS = ("mpegts", "mpeg", "mov,mp4,m4a,3gp,3g2,mj2", "flv", "mxf", "gxf")
# Packets behind which a frame's presentation time is above those of all frames decoded before: twice the standard's 8.
_REORDERED = 16
# Frames of a part on average. Times that fall more often are no clock at all.
_FEWEST_FRAMES = 4


class Run(NamedTuple):
    """Number of a packet, of the row of its frame, and of the part that they belong to."""

    packet: int
    row: int
    part: int


class Unwound:
    """Times of packets, in the order of the file, on a clock that does not turn over.

    Attributes:
        turned: some time is another one than in the file.
    """

    def __init__(self, container_format: str) -> None:
        self.turned = False
        self._wrap = _MPEG_WRAP if container_format in _WRAPS else 0
        self._latest: int | None = None

    def times(self, pts: int | None, dts: int | None) -> tuple[int | None, int | None]:
        """Presentation and decoding time of the next packet, in ticks."""
        first = dts if pts is None else pts
        if not self._wrap or first is None:
            return pts, dts
        base = first if self._latest is None else self._latest
        self._latest = base + near(first - base, self._wrap)
        found = (None if pts is None else self._latest), dts
        if dts is not None:
            found = found[0], self._latest + near(dts - first, self._wrap)
        self.turned |= found != (pts, dts)
        return found


class ClockWatch:
    """Looks at the times of all packets, in the order of the file, for places where they fall.

    Attributes:
        runs: packets that follow each other in a part, by the number of the first one, of its row, and of the part. Where
            a clock falls between frames that are shown in another order than they are decoded in, parts take turns.
        odd: decoding times fell where presentation times did not: which packet shows which frame is not told by them.
        leads: the last packet's presentation time is above those of all packets before it in its part.
    """

    def __init__(self, container_format: str, reorders: bool, usual: int) -> None:
        """Begin.

        Args:
            container_format: FFmpeg's name of it.
            reorders: frames may be shown in another order than they are decoded in.
            usual: ticks from one frame to the next.
        """
        self.runs: list[Run] = [Run(0, 0, 0)]
        self.odd = False
        self.leads = True
        self._stores_dts = container_format in _STORE_DTS
        self._packet = -1
        self._last: int | None = None
        self._latest: int | None = None
        self._recent: deque[int] = deque(maxlen=_REORDERED if reorders else 1)
        self._before: int | None = None  # the latest time of the part before
        self._begun = self._part = 0
        self._reach = _REORDERED * usual if reorders else 0

    def falls(self, pts: int | None, dts: int | None, begins: bool, row: int) -> bool:
        """Whether another part begins with this packet.

        Args:
            pts, dts: presentation and decoding time in ticks, of `Unwound`, None where unknown.
            begins: decoding can begin here.
            row: number of the frame that the packet shows, where it shows one.
        """
        self._packet += 1
        if pts is not None and self._is_late(pts):
            self._enter(self._part - 1, row)
            self.leads = False
            return False
        sinks = self._stores_dts and dts is not None and self._last is not None and dts <= self._last
        fell = self._fell(pts, sinks, begins)
        self.odd |= sinks and not fell
        if fell:
            self._part, self._begun, self._before = self._part + 1, self._packet, self._latest
            self._latest = None
            self._recent.clear()
        self._enter(self._part, row)
        self.leads = self._latest is None or (pts is not None and pts > self._latest)
        self._last = self._last if dts is None and not fell else dts
        if pts is not None:
            self._recent.append(pts)
            self._latest = pts if self._latest is None else max(pts, self._latest)
        return fell

    def _enter(self, part: int, row: int) -> None:
        if self.runs[-1].part != part:
            self.runs.append(Run(self._packet, row, part))

    def _is_late(self, pts: int) -> bool:
        """Whether a frame still belongs to the part before: it is shown before the fall, and decoded behind it."""
        near_fall = self._reach and self._packet - self._begun <= _REORDERED
        if not near_fall or self._before is None or self._latest is None:
            return False
        return pts - self._latest > self._reach >= abs(pts - self._before)

    def _fell(self, pts: int | None, sinks: bool, begins: bool) -> bool:
        if pts is None or self._latest is None:
            return sinks
        if pts > self._latest:
            return False
        if begins or sinks or self._stores_dts:
            return begins or sinks
        early = self._part > 0 and self._packet - self._begun <= _REORDERED
        return pts <= min(self._recent) - (self._reach if early else 0)


def near(distance: int, wrap: int) -> int:
    """A distance of two times, the shorter way round a clock of `wrap` ticks.

    >>> near(-7, 2**33), near(5 - (2**33 - 5), 2**33), near(2**33 - 7, 2**33)
    (-7, 10, -7)
    """
    return (distance + wrap // 2) % wrap - wrap // 2


def parts_of(runs: Sequence[Run], pts: Sequence[int | None], usual: int) -> tuple[Part, ...]:
    """By how much the times of each run must be moved.

    Args:
        runs: of a `ClockWatch`.
        pts: of the packets that show a frame, of `Unwound`, in the order of the file.
        usual: ticks from one frame to the next, for a part too short to tell.

    Returns:
        A part a run; none where times do not fall, or so often that they are no clock.
    """
    count = max(run.part for run in runs)
    if not count or count * _FEWEST_FRAMES > len(pts):
        return ()
    times: list[list[int]] = [[] for _ in range(count + 1)]
    for run, end in zip(runs, [*(run.row for run in runs[1:]), len(pts)], strict=True):
        times[run.part] += [time for time in pts[run.row : end] if time is not None]
    shifts: list[int] = []
    last: int | None = None
    step = usual
    for each in times:
        own = np.unique(np.array(each, dtype=np.int64))
        shift = shifts[-1] if shifts else 0
        if len(own):
            shift = shift if last is None else last + step - int(own[0])
            last = int(own[-1]) + shift
        if len(own) > 1:
            step = int(np.sort(np.diff(own))[(len(own) - 2) // 2])
        shifts.append(shift)
    return tuple(Part(run.packet, shifts[run.part]) for run in runs)


def moved(found: Iterable[Any], parts: Sequence[Part], container_format: str) -> Iterator[Any]:
    """Packets from the start of a file on, their times on the one clock that rises; as they are without parts."""
    if not parts:
        yield from found
        return
    unwound = Unwound(container_format)
    following, shift = 0, 0
    for number, packet in enumerate(found):
        while following < len(parts) and parts[following].packet <= number:
            shift, following = parts[following].shift, following + 1
        pts, dts = unwound.times(packet.pts, packet.dts)
        packet.pts = None if pts is None else pts + shift
        packet.dts = None if dts is None else dts + shift
        yield packet
