"""What a compressed packet says about its frame without being decoded.

Containers call packets "key" from which decoding cannot begin (recovery points that need many frames, index entries
that are simply wrong), and hold packets that show no frame (hidden references of VP8 and VP9, single fields of
interlaced H.264). A few header bits tell. Sources: ITU-T H.264 7.3.2.1, 7.3.3, 7.4.1, D.2.8; ITU-T H.265 7.4.2.2;
ISO/IEC 14496-2 6.2.5; ISO/IEC 13818-2 6.2.3; RFC 6386 9.1; VP9 bitstream specification 6.2 and annex B.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

__all__ = [
    "field_test",
    "hidden_test",
    "key_test",
    "length_bytes",
    "parameter_sets",
    "same_sets_test",
    "units",
]

Test = Callable[[memoryview], bool]

_SCALING_PROFILES = frozenset({44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244})
_HEADER_BYTES = 4096


def hidden_test(codec: str) -> Test | None:
    """A test that is true for packets that show no frame; None where every packet shows one."""
    return {"vp8": _vp8_hidden, "vp9": _vp9_hidden}.get(codec)


def key_test(codec: str, extradata: bytes) -> Test | None:
    """A test that is true for packets from which decoding can really begin; None where the container is believed."""
    if codec in ("h264", "hevc"):
        prefix = length_bytes(codec, extradata)
        begins = _h264_begins if codec == "h264" else _hevc_begins
        return lambda data: begins(units(data, prefix))
    return {
        "mpeg4": _mpeg4_intra,
        "mpeg1video": _mpeg2_intra,
        "mpeg2video": _mpeg2_intra,
        "vp8": lambda data: not data[0] & 1,
        "vp9": _vp9_intra,
    }.get(codec)


def field_test(codec: str, extradata: bytes) -> Test | None:
    """A test that is true for packets that begin with a single field of a frame; None where there are no fields."""
    if codec != "h264":
        return None
    prefix = length_bytes(codec, extradata)
    for unit in parameter_sets(extradata, prefix):
        if unit[0] & 31 == 7:
            frame_number_bits, frames_only = _sequence(unit)
            if not frames_only:
                return lambda data: _h264_field(units(data, prefix), frame_number_bits)
    return None


def same_sets_test(codec: str, extradata: bytes) -> Test:
    """A test that is true for packets that bring no other parameter sets than those of the stream's beginning.

    Where they bring others, or sets are not kept apart from the frames' data, packets are not sure to be frames.
    """
    if codec not in ("h264", "hevc"):
        return lambda data: True
    prefix = length_bytes(codec, extradata)
    known = {bytes(unit).rstrip(b"\0") for unit in parameter_sets(extradata, prefix)}
    kinds = (7, 8) if codec == "h264" else (32, 33, 34)

    def same(data: memoryview) -> bool:
        for unit in units(data, prefix):
            kind = unit[0] & 31 if codec == "h264" else unit[0] >> 1 & 63
            if kind in kinds and bytes(unit).rstrip(b"\0") not in known:
                return False
        return True

    return same


def _vp8_hidden(data: memoryview) -> bool:
    return not data[0] >> 4 & 1


def _vp9_bits(data: memoryview) -> tuple[int, int, int]:
    """show_existing_frame, frame_type, show_frame; a third profile bit moves them by one."""
    first = data[0]
    shift = 0 if first >> 4 & 3 == 3 else 1
    return first >> (2 + shift) & 1, first >> (1 + shift) & 1, first >> shift & 1


def _vp9_hidden(data: memoryview) -> bool:
    superframe = data[-1] >> 5 == 0b110
    existing, _, show = _vp9_bits(data)
    return not (superframe or existing or show)


def _vp9_intra(data: memoryview) -> bool:
    existing, inter, _ = _vp9_bits(data)
    return not existing and not inter


def _mpeg4_intra(data: memoryview) -> bool:
    head = bytes(data[:_HEADER_BYTES])
    start = head.find(b"\x00\x00\x01\xb6")
    return 0 <= start < len(head) - 4 and head[start + 4] >> 6 == 0


def _mpeg2_intra(data: memoryview) -> bool:
    head = bytes(data[:_HEADER_BYTES])
    start = head.find(b"\x00\x00\x01\x00")
    return 0 <= start < len(head) - 5 and head[start + 5] >> 3 & 7 == 1


def _h264_begins(units: Iterator[memoryview]) -> bool:
    for unit in units:
        kind = unit[0] & 31
        if kind == 5:
            return True
        if kind == 6 and _recovers_at_once(_payload(unit)):
            return True
        if 1 <= kind <= 4:
            return False
    return False


def _hevc_begins(units: Iterator[memoryview]) -> bool:
    for unit in units:
        kind = unit[0] >> 1 & 63
        if kind < 32:
            return 16 <= kind <= 23
    return False


def _h264_field(units: Iterator[memoryview], frame_number_bits: int) -> bool:
    for unit in units:
        if unit[0] & 31 in (1, 5):
            bits = _Bits(_payload(unit[:32]))
            for _ in range(3):
                bits.golomb()
            bits.take(frame_number_bits)
            return bool(bits.take(1))
    return False


def _recovers_at_once(message: bytes) -> bool:
    """Whether supplemental information holds a recovery point with recovery_frame_cnt 0."""
    at = 1
    while at + 2 < len(message):
        kind = size = 0
        while at < len(message) and message[at] == 255:
            kind, at = kind + 255, at + 1
        kind, at = kind + message[at], at + 1
        while at < len(message) and message[at] == 255:
            size, at = size + 255, at + 1
        if at >= len(message):
            return False
        size, at = size + message[at], at + 1
        if kind == 6:
            return at < len(message) and message[at] >> 7 == 1
        at += size
    return False


def length_bytes(codec: str, extradata: bytes) -> int:
    """Bytes of the length before each unit; 0 where units are separated by start codes."""
    if len(extradata) < 7 or extradata[0] != 1:
        return 0
    return (
        (extradata[4] & 3) + 1 if codec == "h264" else (extradata[21] & 3) + 1 if len(extradata) > 22 else 0
    )


def units(data: memoryview, prefix: int) -> Iterator[memoryview]:
    """Units of a packet, behind lengths of so many bytes, or 0: behind start codes."""
    at, end = 0, len(data)
    if prefix:
        while at + prefix < end:
            size = int.from_bytes(data[at : at + prefix], "big")
            at += prefix
            if size:
                yield data[at : at + size]
            at += size
        return
    text = bytes(data)
    at = text.find(b"\x00\x00\x01")
    while 0 <= at < end - 3:
        after = text.find(b"\x00\x00\x01", at + 3)
        yield data[at + 3 : after if after >= 0 else end]
        at = after


def parameter_sets(extradata: bytes, prefix: int) -> Iterator[memoryview]:
    """Parameter sets of a stream's beginning; of a record those of sequences alone."""
    if not prefix:
        yield from units(memoryview(extradata), 0)
        return
    at = 6
    for _ in range(extradata[5] & 31):
        size = int.from_bytes(extradata[at : at + 2], "big")
        if size and at + 2 + size <= len(extradata):
            yield memoryview(extradata)[at + 2 : at + 2 + size]
        at += 2 + size


def _payload(unit: memoryview) -> bytes:
    return bytes(unit).replace(b"\x00\x00\x03", b"\x00\x00")


class _Bits:
    """Bits of a unit behind its header byte; past the end they are 0."""

    def __init__(self, unit: bytes) -> None:
        self._value, self._left = int.from_bytes(unit[1:], "big"), 8 * (len(unit) - 1)

    def take(self, count: int) -> int:
        self._left -= count
        shifted = self._value >> self._left if self._left >= 0 else self._value << -self._left
        return shifted & ((1 << count) - 1)

    def golomb(self) -> int:
        zeros = 0
        while not self.take(1):
            zeros += 1
            if self._left <= 0:
                return 0
        return (1 << zeros) - 1 + self.take(zeros)

    def signed(self) -> int:
        code = self.golomb()
        return (code + 1) // 2 if code & 1 else -(code // 2)


def _sequence(unit: memoryview) -> tuple[int, bool]:
    """Bits of frame_num, and frame_mbs_only_flag, from a sequence parameter set."""
    bits = _Bits(_payload(unit))
    profile = bits.take(8)
    bits.take(16)
    bits.golomb()
    if profile in _SCALING_PROFILES:
        _skip_scaling(bits)
    frame_number_bits = bits.golomb() + 4
    order = bits.golomb()
    if order == 0:
        bits.golomb()
    elif order == 1:
        bits.take(1)
        bits.golomb()
        bits.golomb()
        for _ in range(min(bits.golomb(), 255)):
            bits.golomb()
    bits.golomb()
    bits.take(1)
    bits.golomb()
    bits.golomb()
    return frame_number_bits, bool(bits.take(1))


def _skip_scaling(bits: _Bits) -> None:
    chroma = bits.golomb()
    if chroma == 3:
        bits.take(1)
    bits.golomb()
    bits.golomb()
    bits.take(1)
    if not bits.take(1):
        return
    for number in range(12 if chroma == 3 else 8):
        if not bits.take(1):
            continue
        last = following = 8
        for _ in range(16 if number < 6 else 64):
            if following:
                following = (last + bits.signed()) % 256
            last = following or last
