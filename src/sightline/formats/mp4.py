"""MP4 of one H.264 track whose packets are there already: what comes before their bytes (ISO/IEC 14496-12, 14496-15).

Times are microseconds, and no edit list moves them: packets stand in decoding order at the times of the frames in the
order in which they are shown, and each says how much later or earlier its own frame is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate, groupby
from struct import pack

__all__ = ["head"]

SCALE = 1_000_000
MATRIX = pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
UNDETERMINED = 0x55C4  # language
MDAT_HEAD = 16


def head(
    record: bytes,
    size: tuple[int, int],
    sizes: Sequence[int],
    pts_us: Sequence[int],
    keys: Iterable[int],
    duration_us: int,
) -> bytes:
    """Everything before the bytes of the first packet; behind it come the packets, one after the other.

    Args:
        record: AVCDecoderConfigurationRecord, with the parameter sets.
        size: width and height in pixels.
        sizes: bytes of each packet, in decoding order; units with their lengths before them.
        pts_us: when its frame is shown, from 0; no two alike.
        keys: numbers of packets at which decoding can begin, from 0, rising.
        duration_us: to the end of the last frame.
    """
    shown = sorted(pts_us)
    steps = [
        after - at for at, after in zip(shown, [*shown[1:], max(duration_us, shown[-1] + 1)], strict=True)
    ]
    offsets = [pts - at for pts, at in zip(pts_us, shown, strict=True)]
    first = _box(b"ftyp", b"isom", pack(">I", 0x200), b"isomiso2avc1mp41")
    tables = [
        _full(b"stsd", 0, 0, pack(">I", 1), _avc1(record, size)),
        _full(b"stts", 0, 0, _runs(steps, ">II")),
        *([_full(b"ctts", 1, 0, _runs(offsets, ">Ii"))] if any(offsets) else []),
        _full(b"stss", 0, 0, _list([key + 1 for key in keys], "I")),
        _full(b"stsc", 0, 0, pack(">IIII", 1, 1, 1, 1)),
        _full(b"stsz", 0, 0, pack(">I", 0), _list(sizes, "I")),
    ]
    begins = [0, *accumulate(sizes)]

    def moov(start: int) -> bytes:
        places = _full(b"co64", 0, 0, _list([start + at for at in begins[:-1]], "Q"))
        return _moov(size, sum(steps), [*tables, places])

    start = len(first) + len(moov(0)) + MDAT_HEAD
    return first + moov(start) + pack(">I4sQ", 1, b"mdat", MDAT_HEAD + begins[-1])


def _moov(size: tuple[int, int], whole: int, tables: Sequence[bytes]) -> bytes:
    """The movie of one track that is so long, microseconds, with the tables of its samples."""
    movie = pack(">QQIQIH10x", 0, 0, SCALE, whole, 0x10000, 0x100), MATRIX, bytes(24), pack(">I", 2)
    place = (
        pack(">QQIIQ8xHHHH", 0, 0, 1, 0, whole, 0, 0, 0, 0),
        MATRIX,
        pack(">II", size[0] << 16, size[1] << 16),
    )
    media = _box(
        b"mdia",
        _full(b"mdhd", 1, 0, pack(">QQIQHH", 0, 0, SCALE, whole, UNDETERMINED, 0)),
        _full(b"hdlr", 0, 0, bytes(4), b"vide", bytes(12), b"video\0"),
        _box(
            b"minf",
            _full(b"vmhd", 0, 1, bytes(8)),
            _box(b"dinf", _full(b"dref", 0, 0, pack(">I", 1), _full(b"url ", 0, 1))),
            _box(b"stbl", *tables),
        ),
    )
    return _box(b"moov", _full(b"mvhd", 1, 0, *movie), _box(b"trak", _full(b"tkhd", 1, 3, *place), media))


def _avc1(record: bytes, size: tuple[int, int]) -> bytes:
    """The sample entry: pixels as the parameter sets have them."""
    entry = pack(">6xH16xHHIIIH32sHh", 1, *size, 0x480000, 0x480000, 0, 1, b"", 24, -1)
    return _box(b"avc1", entry, _box(b"avcC", record))


def _runs(values: Sequence[int], form: str) -> bytes:
    """Equal values behind each other as their number and the value."""
    found = [(sum(1 for _ in same), value) for value, same in groupby(values)]
    return pack(">I", len(found)) + b"".join(pack(form, *run) for run in found)


def _list(values: Sequence[int], form: str) -> bytes:
    return pack(f">I{len(values)}{form}", len(values), *values)


def _box(name: bytes, *parts: bytes) -> bytes:
    return pack(">I4s", 8 + sum(map(len, parts)), name) + b"".join(parts)


def _full(name: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    return _box(name, pack(">I", version << 24 | flags), *parts)
