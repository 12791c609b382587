"""One pass over the packets of a video, and where that does not suffice one over its frames."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import accumulate
from typing import Any

from sightline.adapters.opened import Place
from sightline.adapters.video.clock import ClockWatch, Run, Unwound, moved, parts_of
from sightline.adapters.video.decode import FirstFrame, decode, is_cut, packets
from sightline.adapters.video.file import VideoFile
from sightline.adapters.video.packets import field_test, hidden_test, key_test, same_sets_test
from sightline.errors import InvalidVideo
from sightline.types import Part

__all__ = ["DecodedPass", "PacketPass", "PaddedFile", "decode_all", "scan_packets", "step_of"]

_PROBED = 32
_LONGEST_REORDERING = 20
_DEFAULT_RATE = Fraction(30)


@dataclass(slots=True)
class PacketPass:
    """Packets that show a frame, in decoding order, a list entry each.

    Attributes:
        pts, dts: presentation and decoding time in ticks, None where the container gives none.
        begins: decoding can begin here.
        cut: the file ends before or inside the packet.
        position: byte at which the packet's content begins, None where unknown.
        duration: of the packet in ticks, 0 where unknown.
        first: the first frame that decodes, None where none does.
        is_frames: the first packets decoded to just the frames that their times promise, and nothing says that later
            ones will not.
        parts: between which the clock falls, or one where it only turns over; `pts` and `dts` are on the clock that rises.
        fell: the entry of the first frame of each part but the first one.
    """

    pts: list[int | None] = field(default_factory=list)
    dts: list[int | None] = field(default_factory=list)
    begins: list[bool] = field(default_factory=list)
    cut: list[bool] = field(default_factory=list)
    position: list[int | None] = field(default_factory=list)
    duration: list[int] = field(default_factory=list)
    first: FirstFrame | None = None
    is_frames: bool = True
    parts: tuple[Part, ...] = ()
    fell: list[int] = field(default_factory=list)


@dataclass(slots=True)
class DecodedPass:
    """What the decoder gave, in its order: the pts of a frame, or of a packet that failed and why."""

    pts: list[int | None] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    first: FirstFrame | None = None


class PaddedFile(io.RawIOBase):
    """A truncated file, continued with zeros to the size that its own index promises."""

    def __init__(self, path: Place, size: int) -> None:
        self._file, self._size, self._at = path.open("rb"), size, 0

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move; the end is the promised one."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def tell(self) -> int:
        """Position in bytes."""
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Bytes of the file, then zeros."""
        count = max(0, min(size if size >= 0 else self._size, self._size - self._at))
        self._file.seek(self._at)
        found = self._file.read(count)
        self._at += count
        return found + bytes(count - len(found))

    def close(self) -> None:
        """Release the file."""
        self._file.close()
        super().close()


class _Probe:
    """Decodes the first packets, and on until a frame appears."""

    def __init__(self, file: VideoFile) -> None:
        self._file, self._packets, self._errors = file, 0, 0
        self.frames: list[int | None] = []
        self.first: FirstFrame | None = None
        self.done = self.ended = False

    def feed(self, packet: Any) -> None:
        frames = decode(self._file.stream.codec_context, packet)
        self._packets += packet is not None and not packet.is_discard
        self._errors += frames is None
        for frame in frames or ():
            self.first = self.first or FirstFrame.of(frame)
            self.frames.append(frame.pts)
        self.done = self._packets >= _PROBED and self.first is not None

    def end(self) -> None:
        if not self.done:
            self.feed(None)
            self.done = self.ended = True

    def agrees(self, shown: list[int | None], cut: int) -> bool:
        """Whether the frames so far are the first ones of those that the packets promise."""
        if self._errors or None in shown:
            return False
        count = len(self.frames)
        promised = sorted(pts for pts in shown if pts is not None)
        missing = len(shown) - cut - count if self.ended else self._packets - count
        return self.frames == promised[:count] and missing <= (0 if self.ended else _LONGEST_REORDERING)


def scan_packets(file: VideoFile, max_frames: int) -> PacketPass:
    """Read all packets of a file just opened, decoding only the first ones.

    Raises:
        InvalidVideo: `limit`, more than `max_frames`; `encrypted`.
        Unavailable: the file cannot be read.
    """
    found, probe = PacketPass(), _Probe(file)
    extradata = bytes(file.stream.codec_context.extradata or b"")
    hidden, begins = hidden_test(file.codec), key_test(file.codec, extradata)
    fields, same_sets = field_test(file.codec, extradata), same_sets_test(file.codec, extradata)
    unwound = Unwound(file.container.format.name)
    usual = max(1, round(step_of(file.stream) / file.stream.time_base))
    watch = ClockWatch(file.container.format.name, bool(file.stream.codec_context.reorder_depth), usual)
    for packet in packets(file):
        if packet.has_sidedata("encryption_info"):  # a decoder would make pictures of noise
            raise InvalidVideo(
                file.name,
                reason="its pictures are encrypted: decrypt it with its key first",
                code="encrypted",
            )
        (pts, dts), cut = unwound.times(packet.pts, packet.dts), is_cut(packet, file)
        if not (probe.done or cut):
            probe.feed(packet)
        intra = (
            packet.is_keyframe and not packet.is_discard and (begins is None or begins(memoryview(packet)))
        )
        if watch.falls(pts, dts, intra, len(found.pts)):
            sure = intra and same_sets(memoryview(packet)) and not packet.has_sidedata("new_extradata")
            found.is_frames &= bool(sure)
        if packet.is_discard:
            continue
        if hidden is not None and not cut and hidden(memoryview(packet)):
            continue
        found.is_frames &= fields is None or not fields(memoryview(packet))
        found.pts.append(pts)
        found.dts.append(dts)
        found.begins.append(bool(intra and watch.leads))
        found.cut.append(cut)
        found.position.append(packet.pos)
        found.duration.append(packet.duration or 0)
        if len(found.pts) > max_frames:
            reason = f"more than {max_frames} frames are not allowed: cut the video"
            raise InvalidVideo(file.name, reason=reason, code="limit")
    probe.end()
    found.first = probe.first
    _join(found, watch.runs, usual)
    if (unwound.turned or file.raw) and not found.parts:
        found.parts = (Part(0, 0),)
    found.is_frames &= not watch.odd
    found.is_frames &= probe.agrees(found.pts, sum(found.cut)) and len(set(found.pts)) == len(found.pts)
    return found


def _join(found: PacketPass, runs: list[Run], usual: int) -> None:
    """Move the times behind each place where the clock falls."""
    found.parts = parts_of(runs, found.pts, usual)
    ends = [*(run.row for run in runs[1:]), len(found.pts)]
    for part, run, end in zip(found.parts, runs, ends, strict=False):
        for times in (found.pts, found.dts):
            times[run.row : end] = [
                None if time is None else time + part.shift for time in times[run.row : end]
            ]
    if len(runs) > 1:
        # A key frame that does not lead, or one behind which earlier frames follow, is no place to begin.
        latest = [-(2**63), *accumulate((-(2**63) if pts is None else pts for pts in found.pts), max)]
        found.begins = [key and latest[row + 1] > latest[row] for row, key in enumerate(found.begins)]
    if not found.parts:
        return
    for number in range(1, max(run.part for run in runs) + 1):
        own = [
            row
            for run, end in zip(runs, ends, strict=True)
            if run.part == number
            for row in range(run.row, end)
        ]
        shown = [row for row in own if found.pts[row] is not None]
        if not shown or not own[0]:
            continue
        first = min(shown, key=lambda row: found.pts[row] or 0)
        found.fell.append(first)
        following = found.pts[own[0] : own[0] + _LONGEST_REORDERING]
        found.is_frames &= (
            first == own[0] and min(pts for pts in following if pts is not None) == found.pts[first]
        )


def step_of(stream: Any) -> Fraction:
    """Seconds from one frame to the next, by what the container says."""
    return 1 / Fraction(stream.guessed_rate or stream.average_rate or _DEFAULT_RATE)


def decode_all(file: VideoFile, parts: tuple[Part, ...]) -> DecodedPass:
    """Decode a file just opened from start to end, its times moved by `parts`.

    Raises:
        Unavailable: the file cannot be read, or out of memory.
    """
    found = DecodedPass()

    def add(packet: Any) -> None:
        frames = decode(file.stream.codec_context, packet)
        for frame in frames or ():
            found.first = found.first or FirstFrame.of(frame)
            found.pts.append(frame.pts)
            found.failed.append("")
        if frames is None and packet is not None and not packet.is_discard:
            found.pts.append(packet.pts)
            found.failed.append("decode")

    for packet in moved(packets(file), parts, file.container.format.name):
        if is_cut(packet, file):
            found.pts.append(packet.pts)
            found.failed.append("truncated")
        else:
            add(packet)
    add(None)
    return found
