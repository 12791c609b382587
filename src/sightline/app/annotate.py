"""Annotate: the sampled frames of a finished run, decoded again in their own size, with its tracks drawn on them."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import groupby
from pathlib import Path

import numpy as np

from sightline.adapters.render import Overlay, overlays, render
from sightline.app.prepare import open_reader
from sightline.app.sources import Source
from sightline.ports import FrameReader
from sightline.stages.feed import Plan
from sightline.telemetry import Hook, Progress
from sightline.types import ByteArray, ImageSpec, JobResult
from sightline.vision import sampling

__all__ = ["annotate"]

EVERY = 25


def annotate(result: JobResult, source: Source, fps: Fraction | None, out: Path, hook: Hook) -> int:
    """Write an annotated video; how many frames it has. Frames that did not decode are left out.

    Raises:
        NotFound: the source is gone.
        Unavailable: the disk is full, or `out` cannot be written.
    """
    reader = open_reader(source, ImageSpec(0, 0), "none", fps)
    try:
        return render(_frames(result, reader, source.video_id, hook), out)
    finally:
        reader.close()


def _frames(
    result: JobResult, reader: FrameReader, video_id: str, hook: Hook
) -> Iterator[tuple[ByteArray, int, Overlay]]:
    index = reader.index()
    row_of = {int(frame): row for row, frame in enumerate(index.frame.tolist())}
    rows = np.array([row_of[frame] for frame in result.frames.frame.tolist()])
    plan = Plan(index, rows, sampling.chunks(index))
    drawn = list(overlays(result))
    shape = (index.height, index.width, 3)
    wanted = [seq for seq, outcome in enumerate(result.frames.outcome) if outcome == "ok"]
    for number, group in groupby(wanted, key=plan.chunk_of):
        seqs = {int(rows[seq]): seq for seq in group}
        ticks = [int(index.tick[row]) for row in seqs]
        for decoded in reader.read(plan.chunks[number], list(seqs), ticks, lambda: np.empty(shape, np.uint8)):
            seq = seqs[decoded.row]
            if seq % EVERY == 0:
                hook.emit(Progress("render", video_id, seq, len(result.frames)))
            if decoded.buffer is not None:
                yield decoded.buffer, int(result.frames.pts_us[seq]), drawn[seq]
