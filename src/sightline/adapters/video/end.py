"""Whether a file was cut off: the container says how much there should be, and the file ends before.

Frames behind the cut are lost, and where the container does not count its frames nothing else tells. Only a few bytes
are read. Sources: RFC 8794 (EBML), RFC 9559 (Matroska), ISO/IEC 14496-12 4.2, OpenDML 1.02, FLV 10.1 annex E,
ISO/IEC 13818-1 2.4.3.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import dropwhile
from typing import BinaryIO

import av

from sightline.adapters.opened import Place
from sightline.adapters.video.decode import decode, packets
from sightline.adapters.video.file import VideoFile
from sightline.errors import Unavailable

__all__ = ["is_cut_off"]

_SEGMENT, _CLUSTER = 0x18538067, 0x1F43B675
# What a container may hold at its top; anything else behind it was appended, by dashcams for one, and is no cut.
_BOXES = frozenset(b"ftyp moov mdat free skip wide moof mfra sidx styp uuid meta pnot udta emsg prft".split())
_CHUNK = re.compile(rb"RIFF|LIST|JUNK|idx1|ix\d\d|\d\d(dc|db|wb|tx|pc)")
_ELEMENTS = frozenset(
    {_SEGMENT, _CLUSTER, 0x1A45DFA3, 0x114D9B74, 0x1549A966, 0x1654AE6B, 0x1C53BB6B, 0x1941A469, 0x1043A770}
    | {0x1254C367, 0xEC, 0xBF, 0xE7, 0xA3, 0xA0, 0xAB, 0xA7, 0x5854}
)
_MOST_ELEMENTS = 1_000_000
# Ticks of 1/90,000 s before a key frame at which a search begins: it goes by decoding times, which are lower.
_BEFORE_KEY = 180_000
_TS_SIZES = (188, 192, 204)
_TS_SYNC = 0x47


def is_cut_off(path: Place, opened: VideoFile, key_tick: int | None) -> bool:
    """Whether a file ends in the middle of an element, a box, a chunk, a tag, a packet or a frame.

    Containers that nothing is known about here are taken to be whole.

    Args:
        path: of the file.
        opened: the same file, of which no packet is needed any more.
        key_tick: presentation time of the last frame with which decoding can begin, None where it cannot be found.

    Raises:
        Unavailable: it cannot be read.
    """
    test = _TESTS.get(opened.container.format.name)
    if test is None:
        return False
    try:
        with path.open("rb") as file:
            if test(file, opened.size):
                return True
            suspect = test is _transport and key_tick is not None and _is_full(file, opened)
    except OSError as exc:
        raise Unavailable(f"{opened.name}: cannot be read ({exc.strerror}); check the disk") from exc
    return suspect and key_tick is not None and _last_breaks(opened, key_tick)


def _matroska(file: BinaryIO, size: int) -> bool:
    """Elements behind each other; a segment or cluster of unknown size goes on to the next one of its kind."""
    at = 0
    for _ in range(_MOST_ELEMENTS):
        if at == size:
            return False
        file.seek(at)
        head = file.read(12)
        if not head[0]:  # padding
            return False
        identity, after = _number(head, 0, keep=True)
        if after and identity not in _ELEMENTS:
            return False
        length, after = _number(head, after, keep=False)
        if not after:  # the head of an element, of which there is not enough
            return any(each.to_bytes(4, "big").lstrip(b"\0").startswith(head[:4]) for each in _ELEMENTS) or (
                identity in _ELEMENTS
            )
        if identity == _SEGMENT or (identity == _CLUSTER and length is None):
            if length is not None and at + after + length > size:
                return True
            at += after
        elif length is None:
            return False
        else:
            at += after + length
            if at > size:
                return True
    return False


def _number(head: bytes, at: int, *, keep: bool) -> tuple[int | None, int]:
    """A number of 1 to 8 bytes and the place behind it; None for "unknown", place 0 where the bytes end before."""
    if at >= len(head) or not head[at]:
        return None, 0
    length = 9 - head[at].bit_length()
    if at + length > len(head):
        return None, 0
    value = int.from_bytes(head[at : at + length], "big")
    if not keep:
        value &= (1 << 7 * length) - 1
        if value == (1 << 7 * length) - 1:
            return None, at + length
    return value, at + length


def _boxes(file: BinaryIO, size: int) -> bool:
    at = 0
    for _ in range(_MOST_ELEMENTS):
        if at == size:
            return False
        file.seek(at)
        head = file.read(16)
        if len(head) < 8 or head[4:8] not in _BOXES:
            return False
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        if length == 0:  # to the end of the file
            return False
        if length < 8:  # no box: whatever this is, it is no cut
            return False
        at += length
        if at > size:
            return True
    return False


def _riff(file: BinaryIO, size: int) -> bool:
    """Chunks behind each other; a writer that could not go back left the sizes of lists open: their chunks follow."""
    at = 0
    for _ in range(_MOST_ELEMENTS):
        if at >= size:
            return False
        file.seek(at)
        head = file.read(12)
        length = int.from_bytes(head[4:8], "little")
        if len(head) < 8 or not _CHUNK.match(head):
            return False
        if length in (0, 0xFFFFFFFF) and head[:4] in (b"RIFF", b"LIST"):
            at += 12
            continue
        at += 8 + length
        if at > size:
            return True
        at += length % 2
    return False


def _flv(file: BinaryIO, size: int) -> bool:
    """The last four bytes are the size of the tag before them."""
    if size < 13:
        return True
    file.seek(size - 4)
    length = int.from_bytes(file.read(4), "big")
    if not length:  # padding
        return False
    begin = size - 4 - length
    if begin < 9:
        return True
    file.seek(begin)
    head = file.read(4)
    return head[0] & 31 not in (8, 9, 18) or int.from_bytes(head[1:4], "big") + 11 != length


def _transport(file: BinaryIO, size: int) -> bool:
    """Packets of one size; the last one is whole where they fill the file."""
    head = file.read(5 * _TS_SIZES[-1])
    for length in _TS_SIZES:
        offset = length - 188 if length == 192 else 0
        if len(head) > offset + length and head[offset] == _TS_SYNC == head[offset + length]:
            if size % length == 0:
                return False
            file.seek(
                size - length + offset
            )  # a part before may have been cut, the last packet is whole all the same
            return file.read(1) != bytes([_TS_SYNC])
    return False


def _is_full(file: BinaryIO, opened: VideoFile) -> bool:
    """Whether the picture fills its last packet: a muxer pads the packet in which a frame ends, but for 1 in 184."""
    at = opened.size - 188
    while at >= 0:
        file.seek(at)
        head = file.read(4)
        if len(head) == 4 and (head[1] & 31) << 8 | head[2] == opened.stream.id:
            return not head[3] & 0x20
        at -= 188
    return False


def _last_breaks(opened: VideoFile, key_tick: int) -> bool:
    """Whether the last packet does not decode by a decoder that hides nothing."""
    decoder = opened.new_decoder()
    decoder.options = {**decoder.options, "err_detect": "explode"}
    broken = False
    try:
        opened.container.seek(key_tick - _BEFORE_KEY, stream=opened.stream)
    except av.error.FFmpegError:
        return False
    group = dropwhile(lambda packet: packet.pts != key_tick, packets(opened))
    for packet in group:
        broken = decode(decoder, packet) is None
    return broken


_TESTS: dict[str, Callable[[BinaryIO, int], bool]] = {
    "matroska,webm": _matroska,
    "mov,mp4,m4a,3gp,3g2,mj2": _boxes,
    "avi": _riff,
    "flv": _flv,
    "mpegts": _transport,
}
