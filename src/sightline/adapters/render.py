"""Annotated video: boxes and labels drawn by Pillow, H.264 in MP4 by PyAV.

Every frame keeps its own presentation time, so a video of varying frame rate stays one. Encoder, its settings and its
number of threads are fixed: the same frames give the same bytes, whatever the machine has.
"""

from __future__ import annotations

import colorsys
import itertools
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from sightline.adapters.disk import FULL, ROOM, try_lock
from sightline.counts import TrackCounts
from sightline.errors import Misconfigured, Unavailable
from sightline.formats import job_rows
from sightline.types import ByteArray, FloatArray, IntArray, JobResult
from sightline.vision.counting import count_tracks

__all__ = ["Overlay", "color_of", "overlays", "paint", "render"]

TIME_BASE = Fraction(1, 1_000_000)
THREADS = 4
# No B-frames: decoding order is presentation order, so times need no edit list. Constant quality: size follows content.
ENCODER = {"preset": "veryfast", "crf": "23", "bf": "0", "x264-params": "keyint=120:sliced-threads=0"}
GOLDEN = 0.618033988749895


@dataclass(frozen=True, slots=True)
class Overlay:
    """What is drawn on one frame.

    Attributes:
        xyxy: float64 (N, 4), pixels.
        numbers: int64 (N,), choose the colour: one per object.
        texts: N labels, e.g. `car 12`.
    """

    xyxy: FloatArray = field(default_factory=lambda: np.empty((0, 4)))
    numbers: IntArray = field(default_factory=lambda: np.empty(0, np.int64))
    texts: tuple[str, ...] = ()


def overlays(result: JobResult) -> Iterator[Overlay]:
    """What is drawn on each sampled frame of a job, in `seq` order.

    Tracks are labelled with their class by vote and their id; without a tracker detections, from the job's object
    confidence on, with their class and confidence.
    """
    counts = [
        None if group.tracks is None else count_tracks(result.frames, group.tracks, result.min_hits)
        for group in result.groups
    ]
    for rows in job_rows.tracks_or_detections(result, result.conf):
        table, classes = rows.table, _elected(counts, rows)
        ids = job_rows.unique_ids(rows, len(result.groups))
        for first, end in itertools.pairwise(rows.bounds()):
            texts = [
                f"{result.labels[classes[row]]} {table.track_id[row]}"
                if counts[rows.place[row]] is not None
                else f"{result.labels[classes[row]]} {table.confidence[row]:.2f}"
                for row in range(first, end)
            ]
            numbers = np.where(table.track_id[first:end] > 0, ids[first:end], table.class_id[first:end])
            yield Overlay(table.xyxy[first:end], numbers, tuple(texts))


def _elected(counts: Sequence[TrackCounts | None], rows: job_rows.JobRows) -> IntArray:
    """Int64 (R,): class of each row's track by vote, so that a label does not flicker; of the row without a tracker."""
    chosen = rows.table.class_id.copy()
    for place, tracks in enumerate(counts):
        own = rows.place == place
        if tracks is not None and own.any():
            chosen[own] = tracks.class_id[np.searchsorted(tracks.track_id, rows.table.track_id[own])]
    return chosen


def render(frames: Iterable[tuple[ByteArray, int, Overlay]], out: Path) -> int:
    """Write an annotated MP4, whole or not at all.

    Args:
        frames: uint8 (H, W, 3) in RGB, all of one size; presentation time in microseconds, strictly rising; what is
            drawn on it.
        out: the file; an older one is replaced.

    Returns:
        Number of frames written; with none no file is made.

    Raises:
        Unavailable: the disk is full, the file cannot be written, or another process writes it now.
        Misconfigured: this PyAV has no H.264 encoder.
    """
    try:
        with _part_of(out) as part:
            written = _encode(frames, part)
            if written:
                os.replace(part, out)
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
    part = out.with_name(f".{out.name}.part")
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


def _encode(frames: Iterable[tuple[ByteArray, int, Overlay]], path: Path) -> int:
    written = 0
    container: Any = None
    stream: Any = None
    try:
        for image, pts_us, overlay in frames:
            even = _even(paint(image, overlay))
            if container is None:
                options = {"movflags": "+faststart", "fflags": "+bitexact", "movie_timescale": "1000000"}
                container = av.open(str(path), "w", format="mp4", options=options)
                stream = _stream(container, even.shape[1], even.shape[0])
            frame = av.VideoFrame.from_ndarray(even, format="rgb24")
            frame.pts, frame.time_base = pts_us, TIME_BASE
            container.mux(stream.encode(frame))
            written += 1
        if container is not None:
            container.mux(stream.encode(None))
    finally:
        if container is not None:
            container.close()
    return written


def _stream(container: Any, width: int, height: int) -> Any:
    try:
        stream = container.add_stream("libx264", options=ENCODER)
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


def paint(image: ByteArray, overlay: Overlay) -> ByteArray:
    """The image with boxes and labels on it; the image itself where there is nothing to draw.

    Args:
        image: uint8 (H, W, 3), RGB; it is not changed.
        overlay: what to draw.
    """
    if not len(overlay.xyxy):
        return image
    canvas = Image.fromarray(image)
    draw = ImageDraw.Draw(canvas)
    height = image.shape[0]
    line, size = max(1, round(height / 360)), max(10, round(height / 45))
    limits = np.array([image.shape[1], height] * 2) - 1.0
    boxes = np.clip(np.rint(overlay.xyxy), 0, limits).astype(int).tolist()
    for box, number, text in zip(boxes, overlay.numbers.tolist(), overlay.texts, strict=True):
        color = color_of(number)
        draw.rectangle(box, outline=color, width=line)
        wide, high = _extent(text, size)
        left, top = box[0], box[1] - high if box[1] >= high else box[1]
        draw.rectangle((left, top, left + wide, top + high), fill=color)
        dark = color[0] * 299 + color[1] * 587 + color[2] * 114 > 128_000
        draw.text((left + 2, top), text, fill=(0, 0, 0) if dark else (255, 255, 255), font=_font(size))
    return np.asarray(canvas)


@lru_cache(maxsize=4096)
def color_of(number: int) -> tuple[int, int, int]:
    """A colour that is far from those of the neighbouring numbers: steps of the golden angle around the hues.

    >>> color_of(0), color_of(1) != color_of(2)
    ((255, 64, 64), True)
    """
    red, green, blue = colorsys.hsv_to_rgb(number * GOLDEN % 1.0, 0.75, 1.0)
    return round(red * 255), round(green * 255), round(blue * 255)


@lru_cache(maxsize=8)
def _font(size: int) -> Any:
    """Pillow's own font."""
    return ImageFont.load_default(size)


@lru_cache(maxsize=4096)
def _extent(text: str, size: int) -> tuple[int, int]:
    """Width and height of a label's background."""
    ascent, descent = _font(size).getmetrics()
    return int(_font(size).getlength(text)) + 4, ascent + descent


def _even(image: ByteArray) -> ByteArray:
    """The image with its last row and column repeated where a side is odd, as the encoder needs."""
    height, width = image.shape[:2]
    if height % 2 == 0 and width % 2 == 0:
        return image
    return np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
