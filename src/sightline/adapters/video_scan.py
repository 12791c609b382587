"""One pass over the packets of a video, and where that does not suffice one over its frames."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sightline.adapters.video_decode import FirstFrame, decode, is_cut, packets
from sightline.adapters.video_file import VideoFile
from sightline.adapters.video_packets import field_test, hidden_test, key_test
from sightline.errors import InvalidVideo

__all__ = ["DecodedPass", "PacketPass", "PaddedFile", "decode_all", "scan_packets"]

_PROBED = 32
_LONGEST_REORDERING = 20


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
    """

    pts: list[int | None] = field(default_factory=list)
    dts: list[int | None] = field(default_factory=list)
    begins: list[bool] = field(default_factory=list)
    cut: list[bool] = field(default_factory=list)
    position: list[int | None] = field(default_factory=list)
    duration: list[int] = field(default_factory=list)
    first: FirstFrame | None = None
    is_frames: bool = True


@dataclass(slots=True)
class DecodedPass:
    """What the decoder gave, in its order: the pts of a frame, or of a packet that failed and why."""

    pts: list[int | None] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    first: FirstFrame | None = None


class PaddedFile(io.RawIOBase):
    """A truncated file, continued with zeros to the size that its own index promises."""

    def __init__(self, path: Path, size: int) -> None:
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
        InvalidVideo: `limit`, more than `max_frames`.
        Unavailable: the file cannot be read.
    """
    found, probe = PacketPass(), _Probe(file)
    extradata = bytes(file.stream.codec_context.extradata or b"")
    hidden, begins = hidden_test(file.codec), key_test(file.codec, extradata)
    fields = field_test(file.codec, extradata)
    latest: int | None = None
    for packet in packets(file):
        pts, cut = packet.pts, is_cut(packet, file)
        if not (probe.done or cut):
            probe.feed(packet)
        if packet.is_discard:
            continue
        key = packet.is_keyframe and (latest is None or (pts is not None and pts > latest))
        if pts is not None and (latest is None or pts > latest):
            latest = pts
        if hidden is not None and not cut and hidden(memoryview(packet)):
            continue
        found.is_frames &= fields is None or not fields(memoryview(packet))
        found.pts.append(pts)
        found.dts.append(packet.dts)
        found.begins.append(bool(key and (begins is None or begins(memoryview(packet)))))
        found.cut.append(cut)
        found.position.append(packet.pos)
        found.duration.append(packet.duration or 0)
        if len(found.pts) > max_frames:
            reason = f"more than {max_frames} frames are not allowed: cut the video"
            raise InvalidVideo(file.name, reason=reason, code="limit")
    probe.end()
    found.first = probe.first
    found.is_frames &= probe.agrees(found.pts, sum(found.cut)) and len(set(found.pts)) == len(found.pts)
    return found


def decode_all(file: VideoFile) -> DecodedPass:
    """Decode a file just opened from start to end.

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

    for packet in packets(file):
        if is_cut(packet, file):
            found.pts.append(packet.pts)
            found.failed.append("truncated")
        else:
            add(packet)
    add(None)
    return found
