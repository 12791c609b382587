"""Videos whose pixels tell which frame is shown, for tests of what a player or a decoder shows.

The upper part of a picture is a bar code of 16 blocks of equal width, the lowest bit at the left, white for 1. The number
is the row of the frame in the index of the video, whatever kind of video it is.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

__all__ = ["BLOCKS", "KINDS", "NEVER", "numbered", "picture", "read"]

BLOCKS = 16
NEVER = 2**BLOCKS - 1
"""Number of frames that the container cuts off: nobody may show them."""

_SIZE = 640, 360
_CUT = 5  # frames that the edit list cuts off
_LATE = 35  # frames of 40 ms before the first one: 1.4 s


@dataclass(frozen=True, slots=True)
class _Kind:
    suffix: str = ".mp4"
    codec: str = "libx264"
    rate: Fraction = Fraction(25)
    base: Fraction | None = None  # seconds of a tick; None: one frame
    steps: tuple[int, ...] = (1,)  # ticks behind one frame after the other, then from the start again
    first: int = 0  # tick of the first frame
    b_frames: int = 0
    muxing: dict[str, str] = field(default_factory=dict)
    encoding: dict[str, str] = field(default_factory=dict)


_FAST = {"preset": "ultrafast", "threads": "1"}

KINDS: dict[str, _Kind] = {
    "cfr": _Kind(encoding=_FAST),
    "ntsc": _Kind(rate=Fraction(30_000, 1_001), encoding=_FAST),
    "vfr": _Kind(base=Fraction(1, 1_000), steps=(17, 40, 33, 120, 21, 50), encoding=_FAST),
    "late": _Kind(first=_LATE, encoding=_FAST),
    "edit_list": _Kind(first=-_CUT, encoding=_FAST),
    "fragmented": _Kind(b_frames=2, muxing={"movflags": "frag_keyframe+delay_moov"}, encoding=_FAST),
    "empty_moov": _Kind(b_frames=2, muxing={"movflags": "frag_keyframe+empty_moov"}, encoding=_FAST),
    "bframes": _Kind(b_frames=3, encoding=_FAST | {"b-adapt": "0"}),
    "open_gop": _Kind(b_frames=2, encoding=_FAST | {"b-adapt": "0", "x264-params": "open-gop=1"}),
    "hevc": _Kind(codec="libx265", b_frames=2, encoding=_FAST | {"x265-params": "log-level=none"}),
    "avi": _Kind(suffix=".avi", codec="mpeg4"),
    "avi_h264": _Kind(suffix=".avi", encoding=_FAST),
    "mkv": _Kind(suffix=".mkv", b_frames=2, encoding=_FAST),
    "mov": _Kind(suffix=".mov", base=Fraction(1, 1_000), steps=(17, 40, 33), b_frames=2, encoding=_FAST),
    "ts": _Kind(suffix=".ts", b_frames=2, rate=Fraction(30_000, 1_001), encoding=_FAST),
}
"""By name; `numbered` makes any of them."""


def picture(number: int, width: int = _SIZE[0], height: int = _SIZE[1]) -> np.ndarray:
    """uint8 (height, width, 3), RGB: the bar code of a number in the upper half, a gradient that moves below it."""
    across = np.arange(width)[None, :, None] + 3 * number
    down = np.arange(height)[:, None, None]
    image = (64 + (across + down + np.array([0, 40, 80])) % 96).astype(np.uint8)
    for block in range(BLOCKS):
        left, right = block * width // BLOCKS, (block + 1) * width // BLOCKS
        image[: height // 2, left:right] = 235 if number >> block & 1 else 20
    return image


def read(image: np.ndarray) -> int:
    """The number that `picture` drew, from an RGB or BGR image of any size."""
    height, width = image.shape[:2]
    middles = [(2 * block + 1) * width // (2 * BLOCKS) for block in range(BLOCKS)]
    return sum((int(image[height // 4, x].mean()) > 128) << block for block, x in enumerate(middles))


def numbered(path: Path, kind: str, frames: int) -> Path:
    """A video of a kind of `KINDS`, with so many frames that are shown; the path, with the suffix of the kind."""
    made = KINDS[kind]
    path = path.with_suffix(made.suffix)
    with av.open(str(path), "w", options=made.muxing) as container:
        stream = container.add_stream(made.codec, rate=made.rate, options=made.encoding)
        stream.width, stream.height, stream.pix_fmt = *_SIZE, "yuv420p"
        base = made.base or 1 / made.rate
        codec = stream.codec_context
        codec.time_base, codec.gop_size, codec.max_b_frames, codec.thread_count = base, 24, made.b_frames, 1
        codec.bit_rate = 2_000_000
        stream.time_base = base
        for number, tick in _ticks(made, frames):
            frame = av.VideoFrame.from_ndarray(picture(number), format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = tick, base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def _ticks(kind: _Kind, frames: int) -> Iterator[tuple[int, int]]:
    """Number and time of every frame that is written, those that are cut off too."""
    tick = kind.first
    cut = max(0, -kind.first)
    for place in range(cut + frames):
        yield (place - cut if place >= cut else NEVER), tick
        tick += kind.steps[place % len(kind.steps)]
