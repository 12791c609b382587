"""A clock that falls inside a file: recordings joined byte by byte, or a camera whose clock was set back.

Packets come in decoding order, and decoding times rise. Where they fall, another part begins: its times are moved so
that it goes on one usual step behind the last frame of the part before. MPEG streams count 90,000 ticks a second in
33 bits, so a clock may also turn over every 26.5 hours, and FFmpeg, which looks at the first time only, may take a
clock that was set back for one that has turned over; steps are taken modulo 2^33.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from sightline.types import Part

__all__ = ["ClockWatch", "Unwound", "moved", "parts_of"]

_MPEG_WRAP = 1 << 33
_WRAPS = ("mpegts", "mpeg")
# Containers that store decoding times; elsewhere FFmpeg makes them up, and where a clock falls they are nonsense.
_STORE_DTS = ("mpegts", "mpeg", "mov,mp4,m4a,3gp,3g2,mj2", "flv", "mxf", "gxf")
# Packets behind which a frame's presentation time is above those of all frames decoded before: twice the standard's 8.
_REORDERED = 16
# Frames of a part on average. Times that fall more often are no clock at all.
_FEWEST_FRAMES = 4


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
        fell: number of the packet and of the row with which each part but the first one begins.
        leads: the last packet's presentation time is above those of all packets before it in its part.
    """

    def __init__(self, container_format: str, reorders: bool) -> None:
        """Begin.

        Args:
            container_format: FFmpeg's name of it.
            reorders: frames may be shown in another order than they are decoded in.
        """
        self.fell: list[tuple[int, int]] = []
        self.leads = True
        self._stores_dts = container_format in _STORE_DTS
        self._packet = -1
        self._last: int | None = None
        self._latest: int | None = None
        self._recent: deque[int] = deque(maxlen=_REORDERED if reorders else 1)

    def falls(self, pts: int | None, dts: int | None, begins: bool, row: int) -> bool:
        """Whether another part begins with this packet.

        Args:
            pts, dts: presentation and decoding time in ticks, of `Unwound`, None where unknown.
            begins: decoding can begin here.
            row: number of the frame that the packet shows, where it shows one.
        """
        self._packet += 1
        sinks = self._stores_dts and dts is not None and self._last is not None and dts <= self._last
        fell = self._fell(pts, sinks, begins)
        if fell:
            self.fell.append((self._packet, row))
            self._latest = None
            self._recent.clear()
        self.leads = self._latest is None or (pts is not None and pts > self._latest)
        self._last = self._last if dts is None and not fell else dts
        if pts is not None:
            self._recent.append(pts)
            self._latest = pts if self._latest is None else max(pts, self._latest)
        return fell

    def _fell(self, pts: int | None, sinks: bool, begins: bool) -> bool:
        if pts is None or self._latest is None:
            return sinks
        if pts > self._latest:
            return False
        return begins or sinks or (not self._stores_dts and pts <= min(self._recent))


def near(distance: int, wrap: int) -> int:
    """A distance of two times, the shorter way round a clock of `wrap` ticks.

    >>> near(-7, 2**33), near(5 - (2**33 - 5), 2**33), near(2**33 - 7, 2**33)
    (-7, 10, -7)
    """
    return (distance + wrap // 2) % wrap - wrap // 2


def parts_of(
    fell: Sequence[tuple[int, int]], pts: Sequence[int | None], usual: int
) -> tuple[tuple[Part, ...], list[int]]:
    """By how much the times of each part must be moved.

    Args:
        fell: of a `ClockWatch`.
        pts: of the packets that show a frame, of `Unwound`, in the order of the file.
        usual: ticks from one frame to the next, for a part too short to tell.

    Returns:
        The parts, beginning with one that is not moved, and the row with which each begins; none where times do not
        fall, or so often that they are no clock.
    """
    if not fell or len(fell) * _FEWEST_FRAMES > len(pts):
        return (), []
    found: list[Part] = []
    rows = [0, *(row for _, row in fell)]
    last: int | None = None
    step = usual
    for packet, first, end in zip(
        [0, *(number for number, _ in fell)], rows, [*rows[1:], len(pts)], strict=True
    ):
        own = np.unique(np.array([time for time in pts[first:end] if time is not None], dtype=np.int64))
        shift = found[-1].shift if found else 0
        if len(own):
            shift = shift if last is None else last + step - int(own[0])
            last = int(own[-1]) + shift
        if len(own) > 1:
            step = int(np.sort(np.diff(own))[(len(own) - 2) // 2])
        found.append(Part(packet, shift))
    return tuple(found), rows


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
