"""Video, plain or drawn on by Pillow: H.264 in MP4 by PyAV.

Every frame keeps its own presentation time, so a video of varying frame rate stays one. Encoder, its settings and its
number of threads are fixed: the same frames give the same bytes, whatever the machine has.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from sightline.adapters.drawing.canvas import paint
from sightline.adapters.drawing.overlays import Overlay
from sightline.arrays import ByteArray
from sightline.disk import FULL, PART, ROOM, settle, try_lock
from sightline.errors import Misconfigured, Unavailable

__all__ = ["render", "write"]

TIME_BASE = Fraction(1, 1_000_000)
THREADS = 4
# No B-frames: decoding order is presentation order, so times need no edit list. Constant quality: size follows content.
# No macroblock tree: on small, still pictures x264 then reads memory that it never wrote, and gives other bytes by chance
# (with MALLOC_PERTURB_ set they are always the same). Still ground costs more without it, so the quality is 26, not 23.
ENCODER = {
    "preset": "veryfast",
    "crf": "26",
    "bf": "0",
    "x264-params": "keyint=120:sliced-threads=0:mbtree=0",
}


def render(frames: Iterable[tuple[ByteArray, int, Overlay]], out: Path) -> int:
    """Write an annotated MP4, whole or not at all; see `write`.

    Args:
        frames: as for `write`, and what is drawn on each.
        out: the file; an older one is replaced.
    """
    return write(((paint(image, overlay), pts_us) for image, pts_us, overlay in frames), out)


def write(frames: Iterable[tuple[ByteArray, int]], out: Path, key_us: int | None = None) -> int:
    """Write an MP4, whole or not at all.

    Args:
        frames: uint8 (H, W, 3) in RGB, all of one size; presentation time in microseconds, strictly rising.
        out: the file; an older one is replaced.
        key_us: distance of key frames; None: they come as the encoder likes, rarely.

    Returns:
        Number of frames written; with none no file is made.

    Raises:
        Unavailable: the disk is full, the file cannot be written, or another process writes it now.
        Misconfigured: this PyAV has no H.264 encoder.
    """
    try:
        with _part_of(out) as part:
            written = _encode(frames, part, key_us)
            if written:
                settle(part, out)
            else:
                part.unlink()
    except OSError as error:  # also the base of PyAV's errors
        full = error.errno in FULL
        hint = f"; {ROOM}" if full else ""
        raise Unavailable(
            f"{out.name}: cannot be written: {error.strerror}{hint}",
            code="disk_full" if full else "unwritable",
        ) from error
    return written


@contextmanager
def _part_of(out: Path) -> Iterator[Path]:
    """The file that is written in place of `out`, by one process at a time; what a killed one left is written over."""
    part = out.with_name(f".{out.name}{PART}")
    handle = os.open(part, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        if not try_lock(handle, part):
            raise Unavailable(f"{out}: another process draws this video; wait for it", code="locked")
        try:
            yield part
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    finally:
        os.close(handle)


def _encode(frames: Iterable[tuple[ByteArray, int]], path: Path, key_us: int | None) -> int:
    written = last_key = 0
    container: Any = None
    stream: Any = None
    try:
        for image, pts_us in frames:
            even = _even(image)
            if container is None:
                options = {"movflags": "+faststart", "fflags": "+bitexact", "movie_timescale": "1000000"}
                container = av.open(str(path), "w", format="mp4", options=options)
                stream = _stream(container, even.shape[1], even.shape[0], key_us is not None)
            frame = av.VideoFrame.from_ndarray(even, format="rgb24")
            frame.pts, frame.time_base = pts_us, TIME_BASE
            if key_us is not None and pts_us - last_key >= key_us:
                frame.pict_type, last_key = av.video.frame.PictureType.I, pts_us
            container.mux(stream.encode(frame))
            written += 1
        if container is not None:
            container.mux(stream.encode(None))
    finally:
        if container is not None:
            container.close()
    return written


def _stream(container: Any, width: int, height: int, keys: bool) -> Any:
    options = ENCODER | ({"forced-idr": "1"} if keys else {})
    try:
        stream = container.add_stream("libx264", options=options)
    except (ValueError, av.error.FFmpegError) as error:
        raise Misconfigured(
            "this PyAV has no H.264 encoder: install the wheel from the package index, or leave the video out",
            code="missing_encoder",
        ) from error
    codec = stream.codec_context
    codec.width, codec.height, codec.pix_fmt = width, height, "yuv420p"
    codec.time_base, codec.thread_count = TIME_BASE, THREADS
    codec.flags |= av.codec.context.Flags.bitexact
    stream.time_base = TIME_BASE
    return stream


def _even(image: ByteArray) -> ByteArray:
    """The image with its last row and column repeated where a side is odd, as the encoder needs."""
    height, width = image.shape[:2]
    if height % 2 == 0 and width % 2 == 0:
        return image
    return np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
