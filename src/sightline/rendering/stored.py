"""Pictures of a stored source, plain or with what its job has found there: one frame, or a clip of some seconds.

A stranger sent the source, so a confined process decodes it. Only the segments of the frames in question are read, and
whoever stands on them is named by the counts of the whole job: a picture is the one that `sightline frame` makes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from sightline.adapters.drawing.canvas import paint
from sightline.adapters.drawing.overlays import TRAIL_S, Overlay, overlays
from sightline.adapters.drawing.video import render
from sightline.arrays import ByteArray, IntArray
from sightline.counts import JobCounts
from sightline.errors import NotFound, TooLarge
from sightline.jobs.derived import facts_of, plan_of
from sightline.jobs.recipe import Recipe
from sightline.jobs.requests import SourceRef
from sightline.ports import FrameReader
from sightline.rendering.frame import decoded_frame, jpeg_of
from sightline.runs.place import Place
from sightline.runs.window import rows
from sightline.sources.stored import Places, open_pictures
from sightline.types import FrameTable, GroupResult, JobResult, Outcome, SourceIndex, TrackTable
from sightline.vision import sampling

__all__ = ["CLIP_PIXELS", "CLIP_US", "Drawn", "clip", "decoded", "frame_jpeg"]

CLIP_US = 60_000_000
CLIP_PIXELS = 60 * 30 * 1920 * 1080  # of all frames together: a minute of full HD
TRAIL_US = round(TRAIL_S * 1_000_000)


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a finished job has found.

    Attributes:
        place: of its run.
        recipe: of the job.
        counts: of the whole job; None where it has no tracks.
    """

    place: Place
    recipe: Recipe
    counts: JobCounts | None


def frame_jpeg(
    places: Places, source: SourceRef, frame: int, drawn: Drawn | None = None, width: int | None = None
) -> bytes:
    """One frame as JPEG.

    Args:
        places, source: what it is a frame of.
        frame: its number in the source, from 0.
        drawn: what is drawn on it; None for nothing.
        width: pixels that it may be wide; None for its own size.

    Raises:
        NotFound: there is no such frame.
        InvalidVideo: it cannot be decoded, or the source is gone.
    """
    with closing(open_pictures(places, source)) as reader:
        index = reader.index()
        row = _row(index, frame)
        image = decoded_frame(source.name, reader, index, row)
    if drawn is not None:
        result = _window(drawn, index, row, row + 1)
        seq = int(np.searchsorted(result.frames.frame, frame))
        if seq < len(result.frames) and int(result.frames.frame[seq]) == frame:
            first = _trailing(result.frames.pts_us, seq)
            found = overlays(result, counts=_counts(drawn), first=first)
            image = paint(image, next(islice(found, seq - first, None)))
    return jpeg_of(image, width)


def clip(
    places: Places,
    source: SourceRef,
    start_us: int,
    end_us: int | None,
    out: Path,
    drawn: Drawn | None = None,
) -> int:
    """Write the frames of a span as MP4, which can be played while it still comes.

    Frames have the distances in time that they have in the source; the first one is at 0.

    Args:
        places, source: what it is a part of.
        start_us, end_us: presentation times in the source, the end exclusive; None for all that follow.
        out: the file.
        drawn: what is drawn on the frames, of which then only the sampled ones are there; None for nothing.

    Returns:
        Time of the first frame in the source, microseconds.

    Raises:
        TooLarge: it is longer than `CLIP_US`, or has more pixels than `CLIP_PIXELS`.
        NotFound: there is no frame in that span.
        InvalidVideo: no frame of it can be decoded, or the source is gone.
    """
    with closing(open_pictures(places, source)) as reader:
        index = reader.index()
        low, high = _span(index, start_us, end_us)
        result = None if drawn is None else _window(drawn, index, low, high)
        chosen = np.arange(low, high) if result is None else _sampled(result, index, low, high)
        if not len(chosen):
            raise NotFound(f"no frame from {start_us / 1e6:g} s on was sampled before the end of the clip")
        if len(chosen) * index.width * index.height > CLIP_PIXELS:
            raise TooLarge(
                f"{len(chosen)} frames of {index.width} x {index.height} are more than a clip may have: "
                "choose a shorter one"
            )
        find = None if drawn is None or result is None else _found(drawn, result, index, chosen)
        begins = int(index.pts_us[chosen[0]])
        written = render(
            (
                (image, int(index.pts_us[row]) - begins, Overlay() if find is None else find(row))
                for row, image in decoded(reader, index, chosen)
            ),
            out,
        )
    if not written:
        raise NotFound(f"{source.name}: no frame of this span can be decoded")
    return begins


def _span(index: SourceIndex, start_us: int, end_us: int | None) -> tuple[int, int]:
    """Rows of the frames from one time to another: the first, and behind the last.

    Raises:
        NotFound: there are none.
        TooLarge: they last longer than a clip may.
    """
    low = int(np.searchsorted(index.pts_us, start_us))
    high = len(index) if end_us is None else int(np.searchsorted(index.pts_us, end_us))
    if low >= high:
        end = "its end" if end_us is None else f"{end_us / 1e6:g} s"
        raise NotFound(f"there is no frame from {start_us / 1e6:g} s to {end}")
    if int(index.pts_us[high - 1] - index.pts_us[low]) > CLIP_US:
        raise TooLarge(f"a clip may last {CLIP_US // 1_000_000} s: choose a shorter one")
    return low, high


def _row(index: SourceIndex, frame: int) -> int:
    row = int(np.searchsorted(index.frame, frame))
    if row == len(index) or int(index.frame[row]) != frame:
        raise NotFound(
            f"there is no frame {frame}: its {len(index)} frames have numbers from {index.frame[0]} to {index.frame[-1]}"
        )
    return row


def decoded(reader: FrameReader, index: SourceIndex, chosen: IntArray) -> Iterator[tuple[int, ByteArray]]:
    """The pictures of some rows, rising; those that cannot be decoded are left out."""
    shape = (index.height, index.width, 3)
    for chunk in sampling.chunks(index):
        inside = chosen[(chosen >= chunk.first) & (chosen < chunk.end)].tolist()
        wanted = [row for row in inside if row not in index.failed]
        ticks = [int(index.tick[row]) for row in wanted]
        for decoded in reader.read(chunk, wanted, ticks, lambda: np.empty(shape, np.uint8)) if wanted else ():
            if decoded.buffer is not None:
                yield decoded.row, decoded.buffer


def _window(drawn: Drawn, index: SourceIndex, low: int, high: int) -> JobResult:
    """The job, with no boxes but those that rows `low` to `high` of the index show: theirs, and a second before for trails."""
    recipe, facts = drawn.recipe, facts_of(drawn.recipe)
    sampled = plan_of(recipe, index).rows
    n = len(sampled)
    fine: tuple[Outcome, ...] = ("ok",)  # what did not decode has no picture to draw on
    frames = FrameTable(index.frame[sampled], index.pts_us[sampled], fine * n, ("",) * n)
    begin, end = (int(at) for at in np.searchsorted(sampled, [low, high]))
    begin = _trailing(frames.pts_us, begin) if begin < n else n
    tables = {
        name: rows(drawn.place, "tracks" if recipe.tracked else "detections", name, begin, end)
        for name in facts.groups
    }
    groups = [
        _group(name, ids, tables[name], None if drawn.counts is None else _unique(drawn.counts, place, n))
        for place, (name, ids) in enumerate(facts.groups.items())
    ]
    return JobResult(
        facts.video_id,
        facts.job_id,
        facts.created_at_us,
        frames,
        facts.rate,
        facts.width,
        facts.height,
        facts.labels,
        tuple(groups),
        facts.min_hits,
        facts.conf,
        facts.clock_start,
        facts.first_frame,
    )


def _group(name: str, ids: tuple[int, ...], table: TrackTable, unique: IntArray | None) -> GroupResult:
    if unique is None:
        return GroupResult(name, ids, table)
    return GroupResult(name, ids, TrackTable.empty(), table, unique=unique)


def _unique(counts: JobCounts, place: int, frames: int) -> IntArray:
    """Unique objects up to and including each frame, int64 (F,)."""
    group = counts.groups[place]
    assert group is not None  # a run that is open has tracks in every group
    return np.bincount(group.counted_seq[group.counted], minlength=frames).cumsum()


def _counts(drawn: Drawn) -> JobCounts | None:
    return JobCounts((None,) * len(drawn.recipe.class_ids)) if drawn.counts is None else drawn.counts


def _trailing(pts_us: IntArray, seq: int) -> int:
    """The frame with which the trails of another one begin."""
    return int(np.searchsorted(pts_us, pts_us[seq] - TRAIL_US))


def _sampled(result: JobResult, index: SourceIndex, low: int, high: int) -> IntArray:
    """Rows of the index from `low` to `high` that were sampled."""
    found = np.searchsorted(index.frame, result.frames.frame)
    return found[(found >= low) & (found < high)]


def _found(drawn: Drawn, result: JobResult, index: SourceIndex, chosen: IntArray) -> Callable[[int], Overlay]:
    """Finds what is drawn on one row after the other, rising."""
    frames = result.frames.frame
    first = _trailing(result.frames.pts_us, int(np.searchsorted(frames, index.frame[chosen[0]])))
    every = enumerate(overlays(result, counts=_counts(drawn), first=first), start=first)

    def find(row: int) -> Overlay:
        seq = int(np.searchsorted(frames, index.frame[row]))
        return next(overlay for at, overlay in every if at == seq)

    return find
