"""Files that are made to do harm: they name other files and addresses, or promise more than a machine has."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from tests import media

__all__ = ["IMAGES", "REFERENCES", "VIDEOS", "external_reference"]

Make = Callable[[Path, Path, str], Path]
"""Makes a file at a path; it refers to a file and to an address."""


def _text(content: str) -> Make:
    def make(path: Path, file: Path, address: str) -> Path:
        path.write_text(
            content.format(file=file, address=address, host=address.split("/")[2], port=address.split(":")[2])
        )
        return path

    return make


REFERENCES: dict[str, Make] = {
    "hls-http.mp4": _text("#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{address}/a.ts\n#EXT-X-ENDLIST\n"),
    "hls-file.m3u8": _text("#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile://{file}\n#EXT-X-ENDLIST\n"),
    "hls-key.m3u8": _text(
        '#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXT-X-KEY:METHOD=AES-128,URI="{address}/key"\n#EXTINF:9,\n{file}\n'
        "#EXT-X-ENDLIST\n"
    ),
    "hls-concat.m3u8": _text(
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nconcat:{address}/x|subfile,,start,0,end,9,,:{file}\n#EXT-X-ENDLIST\n"
    ),
    "ffconcat.mp4": _text("ffconcat version 1.0\nfile '{file}'\nfile '{address}/a.mp4'\n"),
    "dash.mpd": _text(
        '<?xml version="1.0"?><!DOCTYPE MPD [<!ENTITY x SYSTEM "file://{file}">]><MPD '
        'xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-main:2011" type="static" '
        'mediaPresentationDuration="PT9S"><Period>&x;<AdaptationSet mimeType="video/mp4"><Representation id="1" '
        'bandwidth="9"><BaseURL>{address}/a.mp4</BaseURL></Representation></AdaptationSet></Period></MPD>'
    ),
    "session.sdp": _text(
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video {port} RTP/AVP 96\na=rtpmap:96 H264/90000\n"
    ),
    "smil.smi": _text('<smil><body><video src="{address}/a.mp4"/></body></smil>'),
}


def external_reference(path: Path, file: Path) -> Path:
    """A QuickTime file whose samples are said to lie in another file, by its absolute path."""
    content = bytearray(media.video(path, 20).read_bytes())
    name = str(file).encode()
    record = struct.pack(">H", len(name)) + name + b"\0" * (len(name) % 2)
    alias = (
        b"\0" * 10 + bytes([3]) + b"vol".ljust(27, b"\0") + b"\0" * 12 + bytes([4]) + b"file".ljust(63, b"\0")
    )
    alias += b"\0" * 16 + struct.pack(">hh", 1, 1) + b"\0" * 16 + b"\0\2" + record + b"\xff\xff\0\0"
    box = struct.pack(">I4sI", 12 + len(alias), b"alis", 0) + alias
    at = content.index(b"dref") + 12  # behind version and number of entries
    more = len(box) - struct.unpack_from(">I", content, at)[0]
    content[at : at + 12] = box
    for kind in (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"):
        place = content.index(kind) - 4
        struct.pack_into(">I", content, place, struct.unpack_from(">I", content, place)[0] + more)
    path.write_bytes(content)
    return path


def _box(kind: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


_FTYP = _box(b"ftyp", b"isom\0\0\2\0isomiso2mp41")


def _bytes(content: bytes) -> Callable[[Path], Path]:
    def make(path: Path) -> Path:
        path.write_bytes(content)
        return path

    return make


def _nested(path: Path) -> Path:
    content = b""
    for _ in range(10_000):
        content = _box(b"trak", content)
    path.write_bytes(_FTYP + _box(b"moov", content))
    return path


def _patched(kind: bytes, offset: int, value: bytes, **video) -> Callable[[Path], Path]:
    """A sound clip, with some bytes behind the name of a box changed."""

    def make(path: Path) -> Path:
        content = bytearray(media.video(path, 20, **video).read_bytes())
        at = content.index(kind) + len(kind) + offset
        content[at : at + len(value)] = value
        path.write_bytes(content)
        return path

    return make


def _large_pictures(path: Path) -> Path:
    """Motion JPEG whose pictures say that they are 65,500 pixels a side: a start of frame is FF C0."""

    def enlarge(clip: media.Clip) -> None:
        packets = []
        for content, pts, dts, key in clip.packets:
            at = content.index(b"\xff\xc0") + 5
            packets.append(
                (content[:at] + struct.pack(">HH", 65_500, 65_500) + content[at + 4 :], pts, dts, key)
            )
        clip.packets = packets

    return media.video(path, 20, edit=enlarge, **media.MJPEG)


def _moving_pixels(path: Path) -> Path:
    """Small pictures first, then some of 36 megapixels, each a few bytes: 54 MB each when it is decoded."""
    small = media.encode([media.picture(number) for number in range(12)], **media.MJPEG)
    large = media.encode(
        [media.picture(0).repeat(64, axis=0).repeat(64, axis=1)[:4000, :9000]], **media.MJPEG
    )
    return media.mux(path, media.joined(small, large))


def _gif(path: Path) -> Path:
    Image.new("P", (64, 64)).save(path, "GIF")
    return path


VIDEOS: dict[str, tuple[Callable[[Path], Path], str]] = {
    "no-moov.mp4": (_bytes(_FTYP + _box(b"mdat", b"\0" * 5_000)), "unreadable"),
    "noise-behind-ftyp.mp4": (_bytes(_FTYP + bytes(range(7, 256)) * 90), "unreadable"),
    "nested-boxes.mp4": (_nested, "no_video"),
    "zero-sized-boxes.mp4": (_bytes(_FTYP + struct.pack(">I4s", 1, b"moov") + b"\0" * 64), "unreadable"),
    "table-of-2-31.mp4": (_patched(b"stsz", 8, b"\x7f\xff\xff\xff"), "unreadable"),
    "chunks-of-2-31.mp4": (_patched(b"stco", 4, b"\x7f\xff\xff\xff"), "ready"),
    "times-of-2-31.mp4": (_patched(b"stts", 4, b"\x7f\xff\xff\xff"), "unreadable"),
    "time-scale-0.mp4": (_patched(b"mdhd", 12, b"\0\0\0\0"), "ready"),
    "duration-2-32.mp4": (_patched(b"mvhd", 16, b"\xff\xff\xff\xff"), "ready"),
    "sixteen-thousand.mp4": (_patched(b"avc1", 24, struct.pack(">HH", 16_384, 16_384)), "ready"),
    "large-pictures.mov": (_large_pictures, "no_frame"),
    "pixels-that-grow.mkv": (_moving_pixels, "ready"),
    "cut.mp4": (
        lambda path: media.truncate(media.video(path, 40, mux_options={"movflags": "faststart"}), 0.5),
        "ready",
    ),
    "a.gif": (_gif, "not_video"),
    "sound.mp4": (media.sound_only, "no_video"),
    "cover.mp4": (media.cover_only, "no_video"),
    "frameless.mp4": (media.frameless, "no_video"),
    "raw.h264": (lambda path: media.video(path, 20, header=False), "not_video"),
    "gzip.mp4": (_bytes(zlib.compress(bytes(10_000_000))), "not_video"),
}


def _png_bomb(path: Path, side: int = 20_000) -> Path:
    """400 megapixels in 50 kB."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    line = zlib.compressobj(9)
    rows = b"".join(line.compress(bytes(1 + side // 8)) for _ in range(side)) + line.flush()
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b""))
    return path


def _text_bomb(path: Path) -> Path:
    """A small PNG with a comment of 130 kB that inflates to 128 MB."""
    out = io.BytesIO()
    Image.new("RGB", (64, 64)).save(out, "PNG")
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(1 << 20)) for _ in range(128)) + packer.flush()
    content = b"zTXt" + b"Comment\0\0" + packed
    comment = struct.pack(">I", len(content) - 4) + content + struct.pack(">I", zlib.crc32(content))
    at = out.getvalue().index(b"IDAT") - 4
    path.write_bytes(out.getvalue()[:at] + comment + out.getvalue()[at:])
    return path


def _large_jpeg(path: Path) -> Path:
    out = io.BytesIO()
    Image.new("RGB", (64, 64)).save(out, "JPEG")
    content = bytearray(out.getvalue())
    at = content.index(b"\xff\xc0") + 5
    content[at : at + 4] = struct.pack(">HH", 65_500, 65_500)
    path.write_bytes(content)
    return path


IMAGES: dict[str, tuple[Callable[[Path], Path], str]] = {
    "bomb.png": (_png_bomb, "limit"),
    "text-bomb.png": (_text_bomb, "no_frame"),
    "large.jpg": (_large_jpeg, "limit"),
    "gif.png": (_gif, "no_frame"),
}
