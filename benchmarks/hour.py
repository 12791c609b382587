"""An hour of traffic as a finished run: what `track` leaves for so many objects, but for text formats.

Objects drive from one side of the picture to the other, a row a frame each, trembling by a pixel. Other benchmarks count
in it and show it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from sightline.formats import segments
from sightline.formats.segments import Kind, Segment
from sightline.jobs.derived import facts_of
from sightline.jobs.files import manifest_of
from sightline.jobs.recipe import Recipe
from sightline.ports import Stat
from sightline.stages.collect import SEGMENT, segment_key
from sightline.stages.publish import published_anchors, published_segments, result_of
from sightline.types import FrameTable, JobResult, SourceIndex, TrackTable
from sightline.vision.counting import count_job

__all__ = ["Folder", "street", "write_run"]

MIB = 2**20


def street(
    frames: int, tracks: int, length: int, class_id: int, size: tuple[int, int] = (640, 360), seed: int = 0
) -> TrackTable:
    """Objects of a class that drive through a picture of this width and height, `length` boxes each."""
    width, height = size
    rng = np.random.default_rng(seed)
    step = np.arange(length)
    seq = np.sort(rng.integers(0, frames - length, tracks))[:, None] + step
    x = np.linspace(-10, width + 10, length) + rng.normal(0, 1, (tracks, length))
    x = np.where(rng.random((tracks, 1)) < 0.5, x, width - x)
    y = rng.uniform(40, height, (tracks, 1)) + rng.normal(0, 1, (tracks, length))
    half = rng.uniform(8, 30, (tracks, 1))
    boxes = np.stack([x - half, y - 2 * half, x + half, y], axis=2).clip(0, [width, height, width, height])
    rows = tracks * length
    return TrackTable(
        seq.ravel(),
        np.repeat(np.arange(1, tracks + 1), length),
        np.full(rows, class_id),
        np.rint(boxes.reshape(-1, 4) * 64) / 64,
        np.rint(rng.uniform(0.3, 1, rows) * 1e4) / 1e4,
        np.zeros(rows, np.uint8),
    ).sorted()


class Folder:
    """A run folder that is being written; sizes and seconds by what was written."""

    def __init__(self, root: Path) -> None:
        self.root, self.stored = root, dict[str, Stat]()

    def write(self, key: str, chunks: Sequence[bytes]) -> int:
        """Write a file; its size."""
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.writelines(chunks)
            file.flush()
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        self.stored[key] = Stat.of(chunks)
        return self.stored[key].size


def streams(
    recipe: Recipe, tables: Mapping[str, TrackTable], frames: FrameTable
) -> Iterator[tuple[str, list[bytes]]]:
    """The segments that `collect` would have written: detections, tracks, totals of each group."""
    for name, table in tables.items():
        found = replace(table, track_id=np.zeros(len(table), np.int64))
        yield f"detections:{name}", list(_segments("detections", found, frames))
        yield f"tracks:{name}", list(_segments("tracks", table, frames))
        yield f"totals:{name}", list(_segments("totals", None, frames))
    assert {f"totals:{name}" for name in tables} <= set(recipe.streams)


def _segments(kind: Kind, table: TrackTable | None, frames: FrameTable) -> Iterator[bytes]:
    for first in range(0, len(frames), SEGMENT):
        end = min(first + SEGMENT, len(frames))
        words = frames.outcome[first:end], frames.reason[first:end]
        part = FrameTable(frames.frame[first:end], frames.pts_us[first:end], *words)
        if table is None:
            zeros = np.zeros(end - first, np.int64)
            yield segments.encode(Segment(kind, first, part, None, zeros, zeros))
            continue
        low, high = np.searchsorted(table.seq, [first, end])
        yield segments.encode(Segment(kind, first, part, table[int(low) : int(high)]))


def write_run(root: Path, recipe: Recipe, index: SourceIndex, tables: Mapping[str, TrackTable]) -> None:
    """Write the run folder of a recipe with these tracks of each group, and say what publishing takes.

    Args:
        root: made where it is not.
        recipe: every frame of the source is sampled.
        index: of the source.
        tables: by group, in the order of the recipe.
    """
    n = recipe.sampled
    frames = FrameTable(index.frame, index.pts_us, ("ok",) * n, ("",) * n)
    folder = Folder(root)
    found = list(streams(recipe, tables, frames))
    for stream, blobs in found:
        for place, blob in enumerate(blobs):
            folder.write(segment_key("", stream, place * SEGMENT), [blob])
    result = result_of(facts_of(recipe), found)
    rows = sum(map(len, tables.values()))
    tracks = sum(len(np.unique(table.track_id)) for table in tables.values())
    print(f"{n} frames, {rows} boxes, {tracks} tracks")
    _published(folder, result, rows)
    (root / "run.json").write_bytes(manifest_of(recipe, index, result, folder.stored, {"sightline": "bench"}))


def _published(folder: Folder, result: JobResult, rows: int) -> None:
    began, size = time.perf_counter(), 0
    for stream, blobs in published_segments(result).items():
        for place, blob in enumerate(blobs):
            size += folder.write(segment_key("", stream, place * SEGMENT), [blob])
    _say("publish tracks", time.perf_counter() - began, size, rows)
    began = time.perf_counter()
    counts = count_job(result)
    print(
        f"{'count, for the summary':24s}{(time.perf_counter() - began) * 1e6 / rows:8.3f} s a million boxes"
    )
    began, size = time.perf_counter(), 0
    for key, chunks in published_anchors(result, counts):
        size += folder.write(key, list(chunks))
    _say("publish anchors", time.perf_counter() - began, size, rows)


def _say(what: str, seconds: float, size: int, rows: int) -> None:
    million = rows / 1e6
    print(
        f"{what:24s}{seconds / million:8.3f} s {size / MIB / million:7.1f} MiB a million boxes, {size / MIB:.0f} MiB"
    )
