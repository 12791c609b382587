"""Lines and zones against the ground truth, above all where people stand about: real detections, real trembling.

    python -m benchmarks.tracking.standing [--suites mot17,mot20,mot17@5]

Four short lines are drawn through every place where a person of the ground truth stands for four seconds, and two
zones whose border leads through it; eighteen long lines go across the picture. What crosses them on the default
tracker's refined tracks is compared with what crosses them in the ground truth, whose feet are averaged over a second
and whose crossings reach a tenth of the object's size beyond the border on either side. `two frames` is the rule of
two frames on each side of a line, three for a zone, without any margin.
"""

from __future__ import annotations

import argparse
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np
from benchmarks.tracking import suites
from benchmarks.tracking.refined import play, published
from numpy.typing import NDArray

from sightline.arrays import FloatArray
from sightline.counts import Line, Zone
from sightline.types import FrameTable, TrackTable
from sightline.vision.counting import count_tracks, hits_limit
from sightline.vision.geometry import crossings
from sightline.vision.refine import RefineSettings

Shape = Line | Zone
Changes = Callable[["Walk", Shape], list[int]]  # new sides, 1 or -1, in the order of time

PICTURES = {"MOT17-05": (640, 480)}
USUAL = (1920, 1080)
STANDS_S, NEAR = 4.0, 0.3  # for so long so near to where it mostly is, in its own size
AVERAGE_S, BEYOND = 1.0, 0.1


class Difference(NamedTuple):
    """Crossings of all lines or zones: in the ground truth, counted, and how many too many and too few of them."""

    true: int
    counted: int
    extra: int
    missing: int


@dataclass(frozen=True)
class Walk:
    """Where one object stood: seconds, pixels, and its size, float64 (R,) each."""

    t: FloatArray
    x: FloatArray
    y: FloatArray
    size: FloatArray


def differences(
    suite: str, shared: Path | None = None
) -> tuple[dict[str, Difference], dict[str, Difference]]:
    """By kind of shape, by the product's rule and by that of two frames."""
    ours, plain = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for sequence in suites.load(suite, shared):
        frames, raw = play(suite, sequence)
        tracks = published(frames, raw, RefineSettings(), sequence.path())
        counted = count_tracks(frames, tracks, hits_limit(Fraction(sequence.fps)))
        labels = dict.fromkeys(counted.track_id[counted.counted].tolist(), "person")
        picture = PICTURES.get(sequence.name, USUAL)
        truth = [_averaged(walk) for walk in _walks(*_true_rows(sequence, frames))]
        mine = list(_walks(*_tracked_rows(tracks, frames, labels)))
        for kind, shapes in _shapes(truth, picture).items():
            found = _product(frames, tracks, labels, shapes, picture)
            for shape, product in zip(shapes, found, strict=True):
                true = Counter(side for walk in truth for side in _true_changes(walk, shape))
                simple = Counter(side for walk in mine for side in _plain_changes(walk, shape))
                _compare(ours, kind, true, product)
                _compare(plain, kind, true, simple)
    return _by_kind(ours), _by_kind(plain)


def _compare(total: Counter[tuple[str, str]], kind: str, true: Counter[int], found: Counter[int]) -> None:
    total[kind, "true"] += true.total()
    total[kind, "counted"] += found.total()
    total[kind, "extra"] += (found - true).total()
    total[kind, "missing"] += (true - found).total()


def _by_kind(total: Counter[tuple[str, str]]) -> dict[str, Difference]:
    kinds = dict.fromkeys(kind for kind, _ in total)
    return {kind: Difference(*(total[kind, name] for name in Difference._fields)) for kind in kinds}


def _product(
    frames: FrameTable,
    tracks: TrackTable,
    labels: dict[int, str],
    shapes: Sequence[Shape],
    picture: tuple[int, int],
) -> list[Counter[int]]:
    lines = [shape for shape in shapes if isinstance(shape, Line)]
    zones = [shape for shape in shapes if isinstance(shape, Zone)]
    found = {shape.name: Counter[int]() for shape in shapes}
    for event in crossings(frames, tracks, lines, zones, *picture, labels, "people"):
        found[event.name][1 if event.direction == "in" or event.kind == "zone_enter" else -1] += 1
    return list(found.values())


# --- where people stood ------------------------------------------------------------------------------------------


def _true_rows(sequence: suites.Sequence, frames: FrameTable) -> tuple[FloatArray, ...]:
    """Ids, seconds and boxes xyxy of the ground truth."""
    rows = sequence.truth
    keep = (rows[:, 6] > 0) & (rows[:, 0] >= 1) & (rows[:, 0] <= len(frames))
    if sequence.distractors:
        keep &= rows[:, 7] == 1
    rows = rows[keep]
    seconds = frames.pts_us[rows[:, 0].astype(int) - 1] / 1e6
    return rows[:, 1], seconds, np.hstack([rows[:, 2:4], rows[:, 2:4] + rows[:, 4:6]])


def _tracked_rows(
    tracks: TrackTable, frames: FrameTable, labels: dict[int, str]
) -> tuple[NDArray[np.generic], ...]:
    counted = tracks[np.isin(tracks.track_id, list(labels))]
    return counted.track_id, frames.pts_us[counted.seq] / 1e6, counted.xyxy


def _walks(ids: NDArray[np.generic], seconds: FloatArray, xyxy: FloatArray) -> Iterator[Walk]:
    for one in np.unique(ids):
        order = np.flatnonzero(ids == one)
        order = order[np.argsort(seconds[order], kind="stable")]
        x1, y1, x2, y2 = xyxy[order].T
        yield Walk(seconds[order], (x1 + x2) / 2, y2, np.sqrt((x2 - x1) * (y2 - y1)))


def _averaged(walk: Walk) -> Walk:
    """The mean over a second around each row, less at both ends, so that nobody is pulled inwards there."""
    row = np.arange(len(walk.t))
    before = row - np.searchsorted(walk.t, walk.t - AVERAGE_S / 2 - 1e-6)
    after = np.searchsorted(walk.t, walk.t + AVERAGE_S / 2 + 1e-6) - 1 - row
    reach = np.minimum(before, after)

    def mean(values: FloatArray) -> FloatArray:
        total = np.concatenate([[0.0], values.cumsum()])
        averaged: FloatArray = (total[row + reach + 1] - total[row - reach]) / (2 * reach + 1)
        return averaged

    return Walk(walk.t, mean(walk.x), mean(walk.y), mean(walk.size))


def _shapes(truth: Sequence[Walk], picture: tuple[int, int]) -> dict[str, list[Shape]]:
    """Lines and zones through those who stand, and lines across the picture that stay clear of its edges."""
    lines: list[Shape] = []
    zones: list[Shape] = []
    for walk in truth:
        x, y, size = (float(np.median(part)) for part in (walk.x, walk.y, walk.size))
        near = np.hypot(walk.x - x, walk.y - y) < NEAR * size
        step = np.median(np.diff(walk.t)) if len(walk.t) > 1 else 0
        if near.sum() * step < STANDS_S or not (0 < x < picture[0] and 0 < y < picture[1]):
            continue
        for k in range(4):
            dx, dy = (1.2 * size * part for part in (math.cos(k * math.pi / 4), math.sin(k * math.pi / 4)))
            lines.append(Line(f"line {len(lines)}", (x - dx, y - dy), (x + dx, y + dy), "px"))
        for left, top in ((x, y - 1.5 * size), (x - 1.5 * size, y)):
            right, bottom = left + 3 * size, top + 3 * size
            corners = ((left, top), (right, top), (right, bottom), (left, bottom))
            zones.append(Zone(f"zone {len(zones)}", corners, "px"))
    long: list[Shape] = []
    for share in np.linspace(0.1, 0.9, 9).tolist():
        long.append(Line(f"{share:.1f} down", (share, 0.05), (share, 0.95)).normalised(*picture))
        long.append(Line(f"{share:.1f} across", (0.05, share), (0.95, share)).normalised(*picture))
    return {"lines": lines, "zones": zones, "long lines": [_in_pixels(each, picture) for each in long]}


def _in_pixels(shape: Shape, picture: tuple[int, int]) -> Shape:
    assert isinstance(shape, Line)
    return Line(shape.name, *shape.pixels(*picture), "px")


# --- what they crossed -------------------------------------------------------------------------------------------


def _depth(walk: Walk, shape: Shape) -> FloatArray:
    """How far on the right of a line or inside a zone, pixels; less than 0 on the left or outside."""
    if isinstance(shape, Line):
        dx, dy = shape.b[0] - shape.a[0], shape.b[1] - shape.a[1]
        return (dx * (walk.y - shape.a[1]) - dy * (walk.x - shape.a[0])) / math.hypot(dx, dy)
    (left, top), _, (right, bottom), _ = shape.points  # all zones here are rectangles
    out_x = np.maximum(left - walk.x, walk.x - right)
    out_y = np.maximum(top - walk.y, walk.y - bottom)
    outside = np.hypot(np.maximum(out_x, 0), np.maximum(out_y, 0))
    depth: FloatArray = np.where(outside > 0, -outside, -np.maximum(out_x, out_y))
    return depth


def _true_changes(walk: Walk, shape: Shape) -> list[int]:
    """New sides of an averaged walk that reaches beyond the border on both."""
    depth = _depth(walk, shape)
    level = np.where(np.abs(depth) >= BEYOND * walk.size, np.sign(depth), 0).astype(int)
    if isinstance(shape, Zone) and not level.any():
        level[0] = 1 if (depth > 0).mean() > 0.5 else -1
    return _changes(walk, shape, depth, np.flatnonzero(level))


def _plain_changes(walk: Walk, shape: Shape) -> list[int]:
    """New sides by the rule of two frames, three for a zone."""
    depth = _depth(walk, shape)
    clear = np.flatnonzero(depth)
    first = np.flatnonzero(np.diff(np.sign(depth[clear]), prepend=0) != 0)
    lasts = np.diff(first, append=len(clear)) >= (2 if isinstance(shape, Line) else 3)
    return _changes(walk, shape, depth, clear[first[lasts]])


def _changes(walk: Walk, shape: Shape, depth: FloatArray, settled: NDArray[np.intp]) -> list[int]:
    """New sides among rows that are settled; a zone begins outside, a line is crossed between its ends."""
    sides = np.sign(depth[settled]).astype(int).tolist()
    home, found = (-1 if isinstance(shape, Zone) else 0), []
    for row, side in zip(settled.tolist(), sides, strict=True):
        if home and side != home and (isinstance(shape, Zone) or _met(walk, shape, depth, row, side)):
            found.append(side)
        home = side
    return found


def _met(walk: Walk, line: Line, depth: FloatArray, row: int, side: int) -> bool:
    """Whether the last step to a side before a row went between the ends of a line."""
    before = int(np.flatnonzero(depth[:row] * side < 0)[-1])
    after = before + int(np.argmax(depth[before:] * side > 0))
    share = depth[before] / (depth[before] - depth[after])
    x = walk.x[before] + share * (walk.x[after] - walk.x[before]) - line.a[0]
    y = walk.y[before] + share * (walk.y[after] - walk.y[before]) - line.a[1]
    dx, dy = line.b[0] - line.a[0], line.b[1] - line.a[1]
    return bool(0 <= x * dx + y * dy <= dx * dx + dy * dy)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--suites", default="mot17,mot20,mot17@5")
    print(f"{'true: counted (+ too many, - too few)':40s}{'settled':>28s}{'two frames':>28s}")
    for suite in parser.parse_args().suites.split(","):
        ours, plain = differences(suite)
        for kind in ours:
            cells = (f"{a}: {b} (+{c}, -{d})" for a, b, c, d in (ours[kind], plain[kind]))
            print(f"{suite + ', ' + kind:40s}" + "".join(f"{cell:>28s}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
