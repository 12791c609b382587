"""What is drawn on each frame of a finished run: boxes with labels, trails, time, counts so far, lines and zones."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import numpy as np

from sightline.arrays import FloatArray, IntArray
from sightline.camera import CameraPath
from sightline.counts import JobCounts, Line, Point, TrackCounts, Zone, overlaps, touches
from sightline.formats import job_rows
from sightline.types import JobResult
from sightline.vision.counting import count_job
from sightline.vision.ground import Ground

__all__ = ["Look", "Overlay", "Shape", "on_frame", "overlays", "shapes"]

SECOND = 1_000_000
TRAIL_S = 1.0


@dataclass(frozen=True, slots=True)
class Look:
    """What a video shows beside boxes, time and unique objects so far.

    Attributes:
        lines, zones: drawn with their names.
        trails_s: seconds of each object's way that stay visible; 0 for none.
        counts: crossings so far at each line, objects inside at each zone.
    """

    lines: tuple[Line, ...] = ()
    zones: tuple[Zone, ...] = ()
    trails_s: float = TRAIL_S
    counts: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Of lines, then zones."""
        return (*(line.name for line in self.lines), *(zone.name for zone in self.zones))


@dataclass(frozen=True, slots=True)
class Shape:
    """A line, its two ends, or a zone, its corners.

    Attributes:
        kind: `line` or `zone`.
        points: pixels.
        moves: it lies elsewhere in other frames.
    """

    kind: str
    points: tuple[Point, ...]
    moves: bool = False


@dataclass(frozen=True, slots=True)
class Overlay:
    """What is drawn on one frame.

    Attributes:
        xyxy: float64 (N, 4), pixels.
        numbers: int64 (N,), choose the colour: one per object.
        texts: N labels, e.g. `car 12`.
        trails: where objects stood, oldest first: number and float64 (T, 2), pixels.
        panel: lines of text in the corner.
        shapes: lines and zones.
        marks: a text for each shape.
    """

    xyxy: FloatArray = field(default_factory=lambda: np.empty((0, 4)))
    numbers: IntArray = field(default_factory=lambda: np.empty(0, np.int64))
    texts: tuple[str, ...] = ()
    trails: tuple[tuple[int, FloatArray], ...] = ()
    panel: tuple[str, ...] = ()
    shapes: tuple[Shape, ...] = ()
    marks: tuple[str, ...] = ()


def shapes(look: Look, width: int, height: int) -> tuple[Shape, ...]:
    """Lines, then zones, in pixels of a picture of that size.

    Raises:
        Misconfigured: one that does not touch the picture.
    """
    return (
        *(Shape("line", _visible(line.pixels(width, height), width, height)) for line in look.lines),
        *(Shape("zone", zone.pixels(width, height)) for zone in look.zones),
    )


def on_frame(overlay: Overlay, look: Look, size: tuple[int, int], ground: Ground | None, seq: int) -> Overlay:
    """What is drawn on a frame, with lines and zones where they are in it.

    Where the camera has moved, those that lie beside the picture are left out, and the panel says which nobody can follow.

    Args:
        overlay: with a mark for each of them.
        look: with the lines and zones.
        size: width and height of the picture.
        ground: of a camera that moves; None: it stands still.
        seq: of the frame.

    Raises:
        Misconfigured: one that does not touch the picture that it was drawn on, or was drawn on a frame that was not sampled.
    """
    if ground is None:
        return replace(overlay, shapes=shapes(look, *size))
    seen: list[tuple[Shape, str]] = []
    lost: list[str] = []
    drawn: tuple[Line | Zone, ...] = (*look.lines, *look.zones)
    for whole, mark in zip(drawn, overlay.marks, strict=True):
        motion = ground.path.between(ground.seq_of(whole), seq)
        if motion is None:
            lost.append(whole.name)
            continue
        points = tuple((float(x), float(y)) for x, y in motion.apply(np.array(whole.pixels(*size))))
        if isinstance(whole, Line) and touches(points[0], points[1], *size):
            seen.append((Shape("line", _visible(points, *size), moves=True), mark))
        elif isinstance(whole, Zone) and overlaps(points, *size):
            seen.append((Shape("zone", points, moves=True), mark))
    note = (f"not followed: {', '.join(lost)}",) if lost else ()
    return replace(
        overlay,
        panel=(*overlay.panel, *note),
        shapes=tuple(shape for shape, _ in seen),
        marks=tuple(mark for _, mark in seen),
    )


def _visible(ends: Sequence[Point], width: int, height: int) -> tuple[Point, ...]:
    """The part of a segment that lies on the picture (Liang and Barsky 1984); its text stands in the middle of that."""
    (ax, ay), (bx, by) = ends
    first, last = 0.0, 1.0
    for start, step, limit in ((ax, bx - ax, width), (ay, by - ay, height)):
        if step:
            enters, leaves = sorted((-start / step, (limit - start) / step))
            first, last = max(first, enters), min(last, leaves)
    if last <= first:  # a corner is touched
        return tuple(ends)
    return tuple((ax + at * (bx - ax), ay + at * (by - ay)) for at in (first, last))


def overlays(
    result: JobResult, look: Look | None = None, counts: JobCounts | None = None, first: int = 0
) -> Iterator[Overlay]:
    """What is drawn on each sampled frame of a job, in `seq` order.

    Tracks are labelled with their class by vote and their id; without a tracker detections, from the job's object
    confidence on, with their class and confidence.

    Args:
        result: the job; boxes of frames that nobody looks at may be missing, where the counts are given.
        look: what is drawn beside them.
        counts: of the whole job, with the lines and zones of the look; None: counted here.
        first: seq of the frame to begin with; its trails begin there too.
    """
    look = look or Look()
    counts = counts or count_job(result, look.lines, look.zones)
    panels, marks = (
        itertools.islice(each, first, None) for each in (_panels(result), _marks(result, counts, look))
    )
    size, ground = (result.width, result.height), Ground.of(result.camera, result.frames.frame)
    trails = _Trails(round(look.trails_s * SECOND), None if ground is None else ground.path)
    for rows in job_rows.tracks_or_detections(result, result.conf, first=first):
        table, classes = rows.table, _elected(counts.groups, rows)
        ids = job_rows.unique_ids(rows, len(result.groups))
        for seq, (first, end) in enumerate(itertools.pairwise(rows.bounds()), start=rows.first):
            texts = [
                f"{result.labels[classes[row]]} {table.track_id[row]}"
                if counts.groups[rows.place[row]] is not None
                else f"{result.labels[classes[row]]} {table.confidence[row]:.2f}"
                for row in range(first, end)
            ]
            tracked = table.track_id[first:end] > 0
            numbers = np.where(tracked, ids[first:end], table.class_id[first:end])
            xyxy = table.xyxy[first:end]
            seen = trails.seen(seq, int(result.frames.pts_us[seq]), numbers[tracked], xyxy[tracked])
            found = Overlay(xyxy, numbers, tuple(texts), seen, next(panels), marks=next(marks))
            yield on_frame(found, look, size, ground, seq)


def _elected(counts: Sequence[TrackCounts | None], rows: job_rows.JobRows) -> IntArray:
    """Int64 (R,): class of each row's track by vote, so that a label does not flicker; of the row without a tracker."""
    chosen = rows.table.class_id.copy()
    for place, tracks in enumerate(counts):
        own = rows.place == place
        if tracks is not None and own.any():
            chosen[own] = tracks.class_id[np.searchsorted(tracks.track_id, rows.table.track_id[own])]
    return chosen


class _Trails:
    """Where the objects of the last frames stood: in the middle of the lower edge, as they are counted.

    Args:
        length_us: of a trail; 0: there are none.
        path: of a camera that moves: what stands on the ground leaves no trail behind. None: it stands still.
    """

    def __init__(self, length_us: int, path: CameraPath | None) -> None:
        self._length_us, self._path = length_us, path
        self._known: dict[int, list[tuple[int, int, float, float]]] = {}

    def seen(
        self, seq: int, pts_us: int, numbers: IntArray, xyxy: FloatArray
    ) -> tuple[tuple[int, FloatArray], ...]:
        if self._length_us == 0:
            return ()
        oldest = pts_us - self._length_us
        feet = zip(((xyxy[:, 0] + xyxy[:, 2]) / 2).tolist(), xyxy[:, 3].tolist(), strict=True)
        now = {}
        for number, (x, y) in zip(numbers.tolist(), feet, strict=True):
            before = [point for point in self._known.get(number, ()) if point[0] >= oldest]
            now[number] = [*before, (pts_us, seq, x, y)]
        gone = {
            number: points
            for number, points in self._known.items()
            if number not in now and points[-1][0] >= oldest
        }
        self._known = gone | now
        trails = ((number, self._followed(np.array(points)[:, 1:], seq)) for number, points in now.items())
        return tuple((number, points) for number, points in trails if len(points) > 1)

    def _followed(self, points: FloatArray, seq: int) -> FloatArray:
        """Points (T, 3) of seq, x, y where they are in a frame, (T, 2); without those that nobody can follow."""
        if self._path is None:
            return points[:, 1:]
        at = points[:, 0].astype(np.int64)
        known = self._path.stretch[at] == self._path.stretch[seq]
        ground = self._path.to_ground(points[known, 1:], at[known])
        return self._path.to_frame(ground, np.full(len(ground), seq))


def _panels(result: JobResult) -> Iterator[tuple[str, ...]]:
    """Time, number of the frame in the source, and unique objects of each group so far."""
    counted = [(group.name, group.unique) for group in result.groups if group.unique is not None]
    rows = zip(result.frames.frame.tolist(), result.frames.pts_us.tolist(), strict=True)
    for seq, (frame, pts_us) in enumerate(rows):
        yield _time(result, pts_us), f"frame {frame}", *(f"{name} {unique[seq]}" for name, unique in counted)


def _time(result: JobResult, pts_us: int) -> str:
    """Time on the clock where the run has one, else of the video."""
    if result.clock_start is not None:
        return (result.clock_start + timedelta(microseconds=pts_us)).strftime("%Y-%m-%d %H:%M:%S")
    hundredths = pts_us // 10_000
    minutes, rest = divmod(hundredths, 6000)
    hours, minutes = divmod(minutes, 60)
    long = f"{hours}:" if hours else ""
    return f"{long}{minutes:02}:{rest // 100:02}.{rest % 100:02}"


def _marks(result: JobResult, counts: JobCounts, look: Look) -> Iterator[tuple[str, ...]]:
    """What stands at each line and zone."""
    frames = len(result.frames)
    if not look.counts:
        yield from itertools.repeat(look.names, frames)
        return
    crossed = [[_crossed(counts, line, word, frames) for word in line.directions] for line in look.lines]
    inside = [_inside(result, counts, zone, frames) for zone in look.zones]
    for seq in range(frames):
        at_lines = (
            f"{line.name}   {line.directions[0]} {inwards[seq]}   {line.directions[1]} {outwards[seq]}"
            for line, (inwards, outwards) in zip(look.lines, crossed, strict=True)
        )
        at_zones = (f"{zone.name}   {now[seq]} inside" for zone, now in zip(look.zones, inside, strict=True))
        yield *at_lines, *at_zones


def _crossed(counts: JobCounts, line: Line, direction: str, frames: int) -> list[int]:
    """Crossings up to and including each frame."""
    seqs = [
        event.seq
        for event in counts.events
        if event.kind == "line" and event.name == line.name and event.direction == direction
    ]
    crossed: list[int] = np.bincount(np.array(seqs, np.int64), minlength=frames).cumsum().tolist()
    return crossed


def _inside(result: JobResult, counts: JobCounts, zone: Zone, frames: int) -> list[int]:
    """Objects inside in each frame: from their entry to their exit, or to the end of their track."""
    last = {
        (group.name, track_id): seq
        for group, tracks in zip(result.groups, counts.groups, strict=True)
        if tracks is not None
        for track_id, seq in zip(tracks.track_id.tolist(), tracks.last_seq.tolist(), strict=True)
    }
    change = np.zeros(frames + 1, np.int64)
    present: set[tuple[str, int]] = set()
    for event in counts.events:
        if event.name == zone.name and event.kind in ("zone_enter", "zone_exit"):
            entered = event.kind == "zone_enter"
            change[event.seq] += 1 if entered else -1
            (present.add if entered else present.discard)((event.group, event.track_id))
    for who in present:
        change[last[who] + 1] -= 1
    inside: list[int] = change.cumsum().tolist()
    return inside
