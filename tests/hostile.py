"""Uploads that are broken, odd or meant to harm, in one way each; a function a file."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

from tests.boxes import Edit, box, edited, nested
from tests.media import Clip, encode, picture, video

__all__ = [
    "absurd_duration",
    "absurd_time_scale",
    "alpha",
    "animated",
    "attached",
    "bomb",
    "deep",
    "encrypted",
    "external",
    "huge_table",
    "hundreds_of_streams",
    "large_mdat",
    "listed",
    "noisy",
    "open_mdat",
    "page_inside",
    "still",
]


def _with(path: Path, edits: dict[bytes, Edit]) -> Path:
    path.write_bytes(edited(path.read_bytes(), edits))
    return path


def large_mdat(path: Path) -> Path:
    """The length of the pictures in 64 bits, as cameras write it that know nothing of the end."""
    content = video(path).read_bytes()
    at = content.index(b"mdat") - 12  # a free box of 8 bytes lies before it, meant for this
    assert content[at + 4 : at + 8] == b"free"
    size = int.from_bytes(content[at + 8 : at + 12], "big")
    path.write_bytes(content[:at] + struct.pack(">I4sQ", 1, b"mdat", size + 8) + content[at + 16 :])
    return path


def open_mdat(path: Path) -> Path:
    """Pictures that go on to the end of the file, whose length nobody wrote."""
    content = bytearray(video(path, mux_options={"movflags": "faststart"}).read_bytes())
    at = content.index(b"mdat") - 4
    content[at : at + 4] = bytes(4)
    path.write_bytes(content)
    return path


def deep(path: Path) -> Path:
    """10 000 boxes in each other."""
    path.write_bytes(box(b"ftyp", b"isom\0\0\0\0isom") + nested(b"moov", 10_000))
    return path


def huge_table(path: Path, table: bytes = b"stsz") -> Path:
    """A table that says it has 2^31 - 1 entries."""
    at = 8 if table == b"stsz" else 4
    return _with(video(path), {table: lambda body: body[:at] + b"\x7f\xff\xff\xff" + body[at + 4 :]})


def absurd_duration(path: Path) -> Path:
    """A header that claims years."""
    edit = {b"mvhd": lambda body: body[:16] + b"\x7f\xff\xff\xff" + body[20:]}
    edit[b"mdhd"] = edit[b"mvhd"]
    return _with(video(path), edit)


def absurd_time_scale(path: Path) -> Path:
    """Ticks of half a nanosecond."""
    return _with(video(path), {b"mdhd": lambda body: body[:12] + b"\x7f\xff\xff\xff" + body[16:]})


def external(path: Path) -> Path:
    """Pictures that are said to lie in another file of this machine."""
    place = b"/etc/passwd\0"

    def elsewhere(body: bytes) -> bytes:
        name = struct.pack(">I", 1) + place
        record = struct.pack(">HHI", 0, 2, len(place)) + place
        volume = bytes(4) + struct.pack(">H", 150) + bytes(150 - 6)
        alias = volume + record + struct.pack(">HH", 0xFFFF, 0)
        entries = box(b"alis", bytes(4) + alias) + box(b"url ", bytes(4) + b"http://127.0.0.1:9/a\0" + name)
        return bytes(4) + struct.pack(">I", 2) + entries

    return _with(video(path), {b"dref": elsewhere})


def bomb(
    path: Path, size: tuple[int, int] = (16_384, 16_384), claimed: tuple[int, int] | None = None
) -> Path:
    """Small pictures that say they are large: their container says it, or only they."""
    width, height = size

    def swell(clip: Clip) -> None:
        packets = []
        for content, *rest in clip.packets:
            at = content.index(b"\xff\xc0") + 5
            packets.append((content[:at] + struct.pack(">HH", height, width) + content[at + 4 :], *rest))
        clip.packets = packets

    made = video(path, 5, codec="mjpeg", pix_fmt="yuvj420p", edit=swell)
    said = struct.pack(">HH", *(claimed or size))
    content = made.read_bytes()
    at = content.index(b"stsd") + 4 + 8 + 8 + 24
    path.write_bytes(content[:at] + said + content[at + 4 :])
    return path


def hundreds_of_streams(path: Path) -> Path:
    """200 tracks, each of a picture."""
    with av.open(str(path), "w", format="mp4") as container:
        streams = []
        for _ in range(200):
            stream = container.add_stream("mpeg4", rate=25)
            stream.width, stream.height, stream.pix_fmt = 16, 16, "yuv420p"
            streams.append(stream)
        image = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), format="rgb24")
        for stream in streams:
            container.mux(stream.encode(image.reformat(format="yuv420p")))
        for stream in streams:
            container.mux(stream.encode(None))
    return path


def alpha(path: Path) -> Path:
    """WebM whose second layer says where it can be looked through."""
    return video(path, codec="libvpx-vp9", pix_fmt="yuva420p", options={"cpu-used": "8"})


def encrypted(path: Path) -> Path:
    """Pictures that need a key."""
    return video(
        path,
        mux_options={
            "encryption_scheme": "cenc-aes-ctr",
            "encryption_key": "0123456789abcdef0123456789abcdef",
            "encryption_kid": "00112233445566778899aabbccddeeff",
        },
    )


def noisy(path: Path, packets: Sequence[int]) -> Path:
    """Some packets are noise behind their lengths."""

    def edit(clip: Clip) -> None:
        for number in packets:
            content, *rest = clip.packets[number]
            noise = np.random.default_rng(number).bytes(len(content) - 4)
            clip.packets[number] = (content[:4] + noise, *rest)

    return video(path, edit=edit, gop=1)


def attached(path: Path) -> Path:
    """Matroska with a font and a page beside the pictures."""
    clip = encode(picture(number) for number in range(60))
    with av.open(str(path), "w", format="matroska") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = clip.context.width, clip.context.height, "yuv420p"
        container.add_attachment("../../etc/a.ttf", "application/x-truetype-font", b"\0" * 1000)
        container.add_attachment("a.html", "text/html", b"<script>1</script>")
        stream.codec_context.options = clip.options
        stream.codec_context.open()
        stream.codec_context.extradata = clip.context.extradata
        for content, pts, dts, key in clip.packets:
            packet = av.Packet(content)
            packet.stream, packet.time_base = stream, Fraction(1, 25)
            packet.pts, packet.dts, packet.is_keyframe = pts, dts, key
            container.mux(packet)
    return path


def page_inside(path: Path) -> Path:
    """A video that a browser could take for a page."""
    content = video(path).read_bytes()
    page = box(b"free", b"<html><script>alert(1)</script></html>" * 20)
    size = int.from_bytes(content[:4], "big")
    edits: dict[bytes, Edit] = {b"stco": lambda body: _moved(body, len(page))}
    path.write_bytes(edited(content[:size] + page + content[size:], edits))
    return path


def _moved(body: bytes, step: int) -> bytes:
    count = int.from_bytes(body[4:8], "big")
    places = struct.unpack(f">{count}I", body[8:])
    return body[:8] + struct.pack(f">{count}I", *(place + step for place in places))


def animated(path: Path, kind: str) -> Path:
    """Pictures that move, of a kind that is no video."""
    first, *others = (Image.fromarray(picture(number)) for number in range(5))
    first.save(path, format=kind, save_all=True, append_images=others, duration=40)
    return path


def still(path: Path, kind: str) -> Path:
    """One picture."""
    Image.fromarray(picture(7)).save(path, format=kind)
    return path


def listed(path: Path, text: str, port: int) -> Path:
    """A list that names other files and addresses, called a video."""
    path.write_text(text.format(port=port))
    return path
