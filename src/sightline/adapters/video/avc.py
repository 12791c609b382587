"""H.264 packets as an MP4 holds them, without decoding: units behind their lengths, parameter sets in a record beside them."""

from __future__ import annotations

from collections.abc import Iterator

from sightline.adapters.video.decode import is_cut, packets
from sightline.adapters.video.file import VideoFile
from sightline.adapters.video.packets import (
    field_test,
    length_bytes,
    parameter_sets,
    same_sets_test,
    units,
)

__all__ = ["record_of", "samples"]

_LENGTH = 4
_SEQUENCE, _PICTURE = 7, 8
_PLAYED = frozenset({66, 77, 100})  # baseline, main, high: 8 bits, colours of half the size


def record_of(file: VideoFile) -> bytes:
    """AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1); empty where no browser plays the packets as they are."""
    extradata = bytes(file.stream.codec_context.extradata or b"")
    if file.codec != "h264" or not extradata or field_test(file.codec, extradata) is not None:
        return b""
    prefix = length_bytes(file.codec, extradata)
    if prefix:
        sequences = [bytes(unit) for unit in parameter_sets(extradata, prefix)]
        record = extradata if prefix == _LENGTH else b""
    else:
        found = [bytes(unit).rstrip(b"\0") for unit in units(memoryview(extradata), 0)]
        sequences = [unit for unit in found if unit[0] & 31 == _SEQUENCE]
        pictures = [unit for unit in found if unit[0] & 31 == _PICTURE]
        record = _record(sequences, pictures) if len(sequences) == 1 and pictures else b""
    return record if sequences and all(unit[1] in _PLAYED for unit in sequences) else b""


def _record(sequences: list[bytes], pictures: list[bytes]) -> bytes:
    profile = sequences[0][1:4]
    made = bytes([1, *profile, 0xFC | _LENGTH - 1, 0xE0 | len(sequences)])
    made += b"".join(len(unit).to_bytes(2, "big") + unit for unit in sequences)
    made += bytes([len(pictures)]) + b"".join(len(unit).to_bytes(2, "big") + unit for unit in pictures)
    return made + (b"\xfd\xf8\xf8\0" if profile[0] == 100 else b"")


def samples(file: VideoFile) -> Iterator[tuple[int | None, bytes]]:
    """Presentation time in ticks and content of every packet of a file just opened; ends early where one does not fit."""
    extradata = bytes(file.stream.codec_context.extradata or b"")
    prefix, same = length_bytes(file.codec, extradata), same_sets_test(file.codec, extradata)
    for packet in packets(file):
        data = memoryview(packet)
        if is_cut(packet, file) or not same(data) or packet.has_sidedata("new_extradata"):
            return
        yield packet.pts, bytes(data) if prefix else _with_lengths(data)


def _with_lengths(data: memoryview) -> bytes:
    found = (bytes(unit).rstrip(b"\0") for unit in units(data, 0))  # a unit ends with a bit that is set
    return b"".join(len(unit).to_bytes(_LENGTH, "big") + unit for unit in found if unit)
