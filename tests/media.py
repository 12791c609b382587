"""Small video files that are odd in one way each, made with PyAV; every frame shows its own number.

A frame's number is drawn as ten bars, so a test can tell which frame it got and not only how many.
"""

import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

__all__ = [
    "HIDDEN_VP8",
    "MJPEG",
    "VP9",
    "Clip",
    "cover_only",
    "damage",
    "encode",
    "frameless",
    "hide_vp8",
    "hide_vp9",
    "joined",
    "mux",
    "number_of",
    "packed_mpeg4",
    "paff",
    "picture",
    "repeat_pts",
    "repeated",
    "shift",
    "size_change",
    "sound_only",
    "swap_pts",
    "swung",
    "truncate",
    "video",
]

BITS = 10
FAST = {"preset": "ultrafast", "threads": "1"}


def picture(number: int, width: int = 160, height: int = 96) -> np.ndarray:
    """uint8 (height, width, 3), RGB: ten bars that spell `number` over a gradient that stands, as the camera does, and moves
    at the very bottom, as something does in every video.
    """
    down = np.arange(height)[:, None, None]
    across = np.arange(width)[None, :, None] + 3 * number * (4 * down >= 3 * height)
    image = (64 + (across + down + np.array([0, 40, 80])) % 96).astype(np.uint8)
    for bit in range(BITS):
        left, right = bit * width // BITS, (bit + 1) * width // BITS
        image[: height // 2, left:right] = 235 if number >> bit & 1 else 20
    return image


def number_of(image: np.ndarray) -> int:
    """The number that `picture` drew, from an RGB or BGR image of any size."""
    height, width = image.shape[:2]
    middles = [(2 * bit + 1) * width // (2 * BITS) for bit in range(BITS)]
    return sum((int(image[height // 4, x].mean()) > 128) << bit for bit, x in enumerate(middles))


@dataclass
class Clip:
    """Encoded packets as (bytes, pts, dts, is key), and the codec context that made them, with its options."""

    packets: list[tuple[bytes, int, int, bool]]
    context: av.VideoCodecContext
    options: dict[str, str] = field(default_factory=dict)


@contextmanager
def _scheduled_as_before() -> Iterator[None]:
    """SVT-AV1 gives a thread of root's that calls it the highest real-time priority, which all that it starts inherits."""
    if not hasattr(os, "sched_getscheduler"):
        yield
        return
    before = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        os.sched_setscheduler(0, *before)


@_scheduled_as_before()
def encode(
    images: Iterable[np.ndarray],
    codec: str = "libx264",
    *,
    pix_fmt: str = "yuv420p",
    pts: Sequence[int] | None = None,
    rate: int = 25,
    gop: int = 12,
    b_frames: int = 0,
    header: bool = True,
    options: dict[str, str] | None = None,
) -> Clip:
    """Compress images; pts count frames unless given."""
    images = list(images)
    context = av.CodecContext.create(codec, "w")
    context.width, context.height = images[0].shape[1], images[0].shape[0]
    context.pix_fmt, context.time_base, context.framerate = pix_fmt, Fraction(1, rate), Fraction(rate)
    context.gop_size, context.max_b_frames, context.thread_count = gop, b_frames, 1
    context.bit_rate = 800_000
    if header:
        context.flags |= av.codec.context.Flags.global_header
    settings = (FAST if codec.startswith("libx26") else {}) | (options or {})
    context.options = dict(settings)
    packets = []
    for row, image in enumerate(images):
        frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format=pix_fmt)
        frame.pts, frame.time_base = (row if pts is None else pts[row]), context.time_base
        packets += context.encode(frame)
    packets += context.encode(None)
    return Clip([(bytes(p), p.pts, p.dts, p.is_keyframe) for p in packets], context, settings)


@_scheduled_as_before()
def mux(
    path: Path,
    clip: Clip,
    *,
    rotation: float | None = None,
    options: dict[str, str] | None = None,
    time_base: Fraction | None = None,
    aspect: Fraction | None = None,
    format: str | None = None,
) -> Path:
    """Write packets as they are."""
    with av.open(str(path), "w", format=format, options=options or {}) as container:
        stream = container.add_stream(clip.context.codec.name, rate=clip.context.framerate)
        stream.width, stream.height = clip.context.width, clip.context.height
        stream.pix_fmt = clip.context.pix_fmt
        if aspect is not None:
            stream.sample_aspect_ratio = aspect
        if rotation is not None:
            stream.set_display_rotation(rotation)
        # The stream's own encoder is opened only to be overruled: its headers are not those of the clip.
        stream.codec_context.thread_count = 1
        stream.codec_context.options = clip.options
        stream.codec_context.open()
        stream.codec_context.extradata = clip.context.extradata
        base = time_base or clip.context.time_base
        stream.time_base = base
        for content, pts, dts, key in clip.packets:
            packet = av.Packet(content)
            packet.stream, packet.time_base = stream, base
            packet.pts, packet.dts, packet.is_keyframe = pts, dts, key
            container.mux(packet)
    return path


def video(
    path: Path,
    count: int = 60,
    codec: str = "libx264",
    *,
    size: tuple[int, int] = (160, 96),
    edit: Callable[[Clip], None] | None = None,
    rotation: float | None = None,
    mux_options: dict[str, str] | None = None,
    aspect: Fraction | None = None,
    time_base: Fraction | None = None,
    **encoding,
) -> Path:
    """A clip of numbered pictures; `edit` may change its packets before they are written."""
    clip = encode((picture(number, *size) for number in range(count)), codec, **encoding)
    if edit is not None:
        edit(clip)
    return mux(path, clip, rotation=rotation, options=mux_options, aspect=aspect, time_base=time_base)


def sound_only(path: Path) -> Path:
    """A tenth of a second of silence."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 8000, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def cover_only(path: Path) -> Path:
    """Sound with a picture on the sleeve."""
    with av.open(str(path), "w") as container:
        sound = container.add_stream("aac", rate=8000, layout="mono")
        cover = container.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 160, 96, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 8000, 0
        container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
        image = av.VideoFrame.from_ndarray(picture(0), format="rgb24").reformat(format="yuvj420p")
        image.pts = 0
        container.mux(cover.encode(image))
        container.mux(cover.encode(None))
    return path


def frameless(path: Path) -> Path:
    """A video stream that holds no packet."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        container.start_encoding()
    return path


def truncate(path: Path, share: float) -> Path:
    """Keep the first part of a file."""
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path


def joined(*clips: Clip) -> Clip:
    """Clips behind each other in one stream; pts go on."""
    packets: list[tuple[bytes, int, int, bool]] = []
    for clip in clips:
        shift = max((pts for _, pts, _, _ in packets), default=-1) + 1
        packets += [(content, pts + shift, dts + shift, key) for content, pts, dts, key in clip.packets]
    return Clip(packets, clips[0].context)


def swung(path: Path, source: Path, frames: int) -> Path:
    """The first frames of a video as a camera sees them that pans slowly and sways: its picture is 7/8 of theirs."""
    images = []
    with av.open(str(source)) as clip:
        for number, frame in zip(range(frames), clip.decode(video=0), strict=False):
            width, height = frame.width * 7 // 16 * 2, frame.height * 7 // 16 * 2
            across = frame.width / 16 + 3 * math.sin(number / 5) - frame.width / 32 * math.cos(number / 40)
            down = frame.height / 16 + 2 * math.sin(number / 7)
            x, y = round(across), round(down)
            images.append(frame.to_ndarray(format="rgb24")[y : y + height, x : x + width])
    return mux(path, encode(images, gop=25))


def repeated(path: Path, source: Path, times: int) -> Path:
    """The picture of an MP4 file so many times, one after the other, as it was encoded."""
    with av.open(str(source)) as clip, av.open(str(path), "w") as container:
        stream = clip.streams.video[0]
        out = container.add_stream_from_template(stream)
        packets = [packet for packet in clip.demux(stream) if packet.dts is not None]
        begin, length = packets[0].dts, stream.duration
        encoded = [(bytes(p), p.dts - begin, p.pts - begin, p.is_keyframe) for p in packets]
        for time in range(times):
            for content, dts, pts, is_key in encoded:
                packet = av.Packet(content)
                packet.dts, packet.pts = dts + time * length, pts + time * length
                packet.time_base, packet.is_keyframe, packet.stream = stream.time_base, is_key, out
                container.mux(packet)
    return path


def shift(steps: int) -> Callable[[Clip], None]:
    """Move all times; below 0 MP4 cuts the frames off by an edit list."""

    def edit(clip: Clip) -> None:
        clip.packets = [(content, pts + steps, dts + steps, key) for content, pts, dts, key in clip.packets]

    return edit


def repeat_pts(clip: Clip) -> None:
    """Give each pair of frames one time."""
    clip.packets = [(content, pts // 2 * 2, dts // 2 * 2, key) for content, pts, dts, key in clip.packets]


def swap_pts(clip: Clip) -> None:
    """Let the time fall at every second frame."""
    clip.packets = [(content, pts ^ 1, 0, key) for content, pts, _, key in clip.packets]


HIDDEN_VP8 = {7, 8, 33}


def hide_vp8(clip: Clip) -> None:
    """Clear show_frame of some frames (RFC 6386 9.1), as encoders do for references that are never shown."""
    clip.packets = [
        (bytes([content[0] & ~0x10]) + content[1:] if row in HIDDEN_VP8 else content, pts, dts, key)
        for row, (content, pts, dts, key) in enumerate(clip.packets)
    ]


MJPEG = {"codec": "mjpeg", "pix_fmt": "yuvj420p"}
VP9 = {
    "codec": "libvpx-vp9",
    "gop": 20,
    "options": {"cpu-used": "8", "error-resilient": "default", "lag-in-frames": "0"},
}


def hide_vp9(clip: Clip) -> None:
    """Clear show_frame of key frames and show them by a packet of one byte, show_existing_frame of slot 0."""
    packets = []
    for content, pts, _, key in clip.packets:
        if key:
            packets.append((bytes([content[0] & ~0x02]) + content[1:], 2 * pts, 2 * pts, True))
            packets.append((b"\x88", 2 * pts + 1, 2 * pts + 1, False))
        else:
            packets.append((content, 2 * pts + 1, 2 * pts + 1, False))
    clip.packets = packets


def damage(path: Path, packets: Sequence[int] = (14, 20, 36)) -> Path:
    """Overwrite the middle of some packets."""
    with av.open(str(path)) as container:
        places = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    content = bytearray(path.read_bytes())
    for number in packets:
        position, size = places[number]
        middle = slice(position + size // 3, position + size // 2)
        content[middle] = bytes(byte ^ 0x5A for byte in content[middle])
    path.write_bytes(content)
    return path


def size_change(path: Path) -> Path:
    """Twenty frames of one size, then twenty of another."""
    small = encode([picture(number) for number in range(20)], header=False)
    large = encode([picture(number, 320, 128) for number in range(20, 40)], header=False)
    return mux(path, joined(small, large))


# MPEG-4 part 2, 6.2.5: a VOP with vop_coded 0, for 5 bits of vop_time_increment.
NOT_CODED = b"\x00\x00\x01\xb6\x50\x4f"


def packed_mpeg4(path: Path, count: int = 60) -> Path:
    """MPEG-4 in AVI as DivX 5 wrote it: a P-frame and the B-frame shown before it share a packet, a dummy follows."""
    clip = encode((picture(number) for number in range(count)), "mpeg4", b_frames=1, header=False)
    packets: list[bytes] = []
    contents = [content for content, _, _, _ in clip.packets]
    is_b = [content[content.index(b"\x00\x00\x01\xb6") + 4] >> 6 == 2 for content in contents]
    for content, b_frame in zip(contents, is_b, strict=True):
        if b_frame:
            packets[-1] += content
            packets.append(NOT_CODED)
        else:
            packets.append(content)
    start = (
        packets[0].index(b"\x00\x00\x01\xb3")
        if b"\x00\x00\x01\xb3" in packets[0]
        else packets[0].index(b"\x00\x00\x01\xb6")
    )
    packets[0] = packets[0][:start] + b"\x00\x00\x01\xb2DivX503b1393p" + packets[0][start:]
    clip.packets = [
        (content, row, row, keys)
        for row, (content, keys) in enumerate(zip(packets, _i_frames(packets), strict=True))
    ]
    return mux(path, clip)


def _i_frames(packets: list[bytes]) -> list[bool]:
    return [content[content.index(b"\x00\x00\x01\xb6") + 4] >> 6 == 0 for content in packets]


class Bits:
    """A writer of H.264 syntax elements."""

    def __init__(self) -> None:
        self.text = ""

    def u(self, count: int, value: int) -> "Bits":
        self.text += format(value, f"0{count}b")
        return self

    def ue(self, *values: int) -> "Bits":
        for value in values:
            code = format(value + 1, "b")
            self.text += "0" * (len(code) - 1) + code
        return self

    def align(self) -> "Bits":
        self.text += "0" * (-len(self.text) % 8)
        return self

    def raw(self, content: bytes) -> "Bits":
        self.align()
        self.text += "".join(format(byte, "08b") for byte in content)
        return self

    def unit(self, kind: int, reference: int) -> bytes:
        """A NAL unit behind a start code, with trailing bits and emulation prevention."""
        text = self.text + "1"
        text += "0" * (-len(text) % 8)
        content = int(text, 2).to_bytes(len(text) // 8, "big")
        safe, zeros = bytearray(), 0
        for byte in content:
            if zeros >= 2 and byte <= 3:
                safe.append(3)
                zeros = 0
            safe.append(byte)
            zeros = zeros + 1 if byte == 0 else 0
        return b"\x00\x00\x00\x01" + bytes([reference << 5 | kind]) + bytes(safe)


def _pcm_slice(planes: list[np.ndarray], number: int, first_of_group: bool, field: int | None) -> bytes:
    """A picture of uncompressed macroblocks: a frame, or its top (0) or bottom (1) field."""
    if field is not None:
        planes = [plane[field::2] for plane in planes]
    instant = first_of_group and field != 1
    bits = Bits().ue(0, 7, 0).u(4, number % 16).u(1, field is not None)
    if field is not None:
        bits.u(1, field)
    if instant:
        bits.ue(0).u(2, 0)
    else:
        bits.u(1, 0)
    bits.ue(0).ue(1)
    rows, columns = planes[0].shape[0] // 16, planes[0].shape[1] // 16
    for row in range(rows):
        for column in range(columns):
            bits.ue(25)
            blocks = [planes[0][16 * row : 16 * row + 16, 16 * column : 16 * column + 16]]
            blocks += [p[8 * row : 8 * row + 8, 8 * column : 8 * column + 8] for p in planes[1:]]
            bits.raw(b"".join(block.tobytes() for block in blocks))
    return bits.unit(5 if instant else 1, 1)


def paff(path: Path, count: int = 24, size: tuple[int, int] = (160, 96), gop: int = 12) -> Path:
    """Interlaced H.264 as cameras write it: whole frames at first, then two packets a frame, one for each field."""
    width, height = size
    context = av.CodecContext.create("libx264", "w")
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    context.time_base, context.framerate = Fraction(1, 50), Fraction(25)
    sequence = (
        Bits()
        .u(8, 77)
        .u(8, 0)
        .u(8, 30)
        .ue(0, 0, 2, 1)
        .u(1, 0)
        .ue(width // 16 - 1, height // 32 - 1)
        .u(5, 0b00100)
    )
    choice = Bits().ue(0, 0).u(2, 0).ue(0, 0, 0).u(3, 0).ue(0, 0, 0).u(3, 0b100)
    context.extradata = sequence.unit(7, 3) + choice.unit(8, 3)
    packets = []
    for number in range(count):
        frame = av.VideoFrame.from_ndarray(picture(number, width, height), format="rgb24").reformat(
            format="yuv420p"
        )
        image = frame.to_ndarray()
        planes = [
            image[:height],
            image[height : height * 5 // 4].reshape(height // 2, -1),
            image[height * 5 // 4 :].reshape(height // 2, -1),
        ]
        first, order = number % gop == 0, number % gop
        head = context.extradata if first else b""
        if number < count // 3:
            packets.append((head + _pcm_slice(planes, order, first, None), 2 * number, 2 * number, first))
        else:
            packets.append((head + _pcm_slice(planes, order, first, 0), 2 * number, 2 * number, first))
            packets.append((_pcm_slice(planes, order, first, 1), 2 * number + 1, 2 * number + 1, False))
    return mux(path, Clip(packets, context))
