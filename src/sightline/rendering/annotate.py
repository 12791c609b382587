"""Annotate: the sampled frames of a finished run, decoded again in their own size, with its tracks drawn on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import groupby
from pathlib import Path

import numpy as np

from sightline.adapters.drawing.overlays import Look, Overlay, overlays
from sightline.adapters.drawing.video import render
from sightline.arrays import ByteArray, IntArray
from sightline.errors import Misconfigured, setting
from sightline.ports import FrameReader
from sightline.sources.named import Source
from sightline.sources.probe import open_reader
from sightline.stages.feed import Plan
from sightline.telemetry import Hook, Progress
from sightline.types import ImageSpec, JobResult, SourceIndex
from sightline.vision import sampling

__all__ = ["annotate", "annotate_blank"]

EVERY = 25
BLANK = (30, 34, 40)
Frames = Iterator[tuple[ByteArray, int, Overlay]]


def annotate(
    result: JobResult,
    source: Source,
    fps: Fraction | None,
    out: Path,
    hook: Hook,
    look: Look | None = None,
    check: Callable[[int, int], None] = lambda width, height: None,
) -> int:
    """Write an annotated video; how many frames it has. Frames that did not decode are left out.

    Args:
        result: the run.
        source: a video or images that have its frames by number; their times are those of the video.
        fps: of images and raw streams; None for those that have times.
        out: the file.
        hook: hears of progress.
        look: what is drawn.
        check: sees the size of the pictures before anything is drawn.

    Raises:
        NotFound: the source is gone.
        Misconfigured: the source lacks a frame of the run.
        Unavailable: the disk is full, or `out` cannot be written.
    """
    look = look or Look()
    reader = open_reader(source, ImageSpec(0, 0), "none", fps)
    try:
        index = reader.index()
        check(index.width, index.height)
        return render(_frames(result, reader, source.video_id, hook, look), out)
    finally:
        reader.close()


def annotate_blank(result: JobResult, out: Path, hook: Hook, look: Look | None = None) -> int:
    """Write a video of a run without pictures: on a dark canvas of the run's size. See `annotate`."""
    look = look or Look()
    return render(_blank_frames(result, hook, look), out)


def _blank_frames(result: JobResult, hook: Hook, look: Look) -> Frames:
    canvas = np.full((result.height, result.width, 3), BLANK, np.uint8)
    for seq, overlay in enumerate(overlays(result, look)):
        _report(result, hook, result.video_id, seq)
        yield canvas, int(result.frames.pts_us[seq]), overlay


def _frames(result: JobResult, reader: FrameReader, video_id: str, hook: Hook, look: Look) -> Frames:
    index = reader.index()
    rows = _rows(result, index, video_id)
    plan = Plan(index, rows, sampling.chunks(index))
    shape = (index.height, index.width, 3)
    drawn = enumerate(overlays(result, look))
    wanted = [seq for seq, outcome in enumerate(result.frames.outcome) if outcome == "ok"]
    for number, group in groupby(wanted, key=plan.chunk_of):
        seqs = {int(rows[seq]): seq for seq in group}
        ticks = [int(index.tick[row]) for row in seqs]
        for decoded in reader.read(plan.chunks[number], list(seqs), ticks, lambda: np.empty(shape, np.uint8)):
            seq = seqs[decoded.row]
            _report(result, hook, video_id, seq)
            if decoded.buffer is not None:
                overlay = next(overlay for at, overlay in drawn if at == seq)
                yield decoded.buffer, int(index.pts_us[decoded.row]), overlay


def _rows(result: JobResult, index: SourceIndex, video_id: str) -> IntArray:
    """Int64 (F,): row of the index of each sampled frame.

    Raises:
        Misconfigured: the source lacks one.
    """
    row_of = {frame: row for row, frame in enumerate(index.frame.tolist())}
    missing = [frame for frame in result.frames.frame.tolist() if frame not in row_of]
    if missing:
        raise Misconfigured(
            f"{video_id}: frame {missing[0]} of the run is not in it, it has {len(index)} frames; choose another {setting('source')}",
            code="usage",
        )
    return np.array([row_of[frame] for frame in result.frames.frame.tolist()], np.int64)


def _report(result: JobResult, hook: Hook, video_id: str, seq: int) -> None:
    if seq % EVERY == 0:
        hook.emit(Progress("render", video_id, seq, len(result.frames)))
