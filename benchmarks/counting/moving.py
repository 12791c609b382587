"""Counts at lines and zones that were drawn on one frame while the camera moves, with exact truth.

    python -m benchmarks.counting.moving [--seeds 6]

A drone looks straight down on a road with vehicles (`scenes.vehicles`), cars that wait on it and some that are parked beside it, pans, zooms, turns,
shakes, drifts, and does all of it. A line and a zone are drawn across the road on the first frame. A vehicle's box is that
around its turned rectangle as far as the picture shows it, each edge off by N(0, 2.5 % of the side), one in twenty
missed; ids are true, and new where a vehicle was out of sight for a second: how well vehicles are followed is asked
elsewhere (`traffic.py`). Counted are events of the product: on lines that stay where they were drawn in the picture
(`fixed`), and on those that stay on the road, by exact motions, by motions whose corners are off by N(0, 0.1 pixels) more with
each frame, and by motions told from generated pictures (`tests.flights`), of which the video is shorter.

True is a crossing of a line, an entry or an exit where the middle of the vehicle is a length and more away from the
border when it is first and when it is last seen, or in the zone; others are left out. `wrong` are events that are not true, and true
ones that are missing. Fails where any are with lines that stay on the road.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np
from benchmarks.camera_motion import looks_of, motions
from benchmarks.counting.scenes import FPS, vehicles
from tests.flights import SIZE, fly, ground, looking

from sightline.arrays import BoolArray, FloatArray
from sightline.camera import IDENTITY, CameraPath, Motion
from sightline.counts import Line, Zone
from sightline.speeds import Plane
from sightline.types import FrameTable, GroupResult, JobResult, TrackTable
from sightline.vision import looks
from sightline.vision.camera_path import path_of
from sightline.vision.counting import count_job, hits_limit

__all__ = [
    "CAMERAS",
    "FRAMES",
    "PICTURED",
    "PICTURED_FRAMES",
    "Flown",
    "Score",
    "flown",
    "pictured",
    "score",
    "shaken",
    "steps",
]

FRAMES, PICTURED_FRAMES = 500, 100
NOISE, MISSED, LEAST_PX, LEAST_SHOWN = 0.025, 0.05, 10, 0.25
STANDING = 6
LINE_M, ZONE_M = -21.0, (10.0, 32.0)  # along the road from the middle of the first picture
ERROR_PX = 0.1
PICTURED = ("far", "zoom", "turn", "all")
MIDDLE = np.array(SIZE) / 2


def _shakes(rng: np.random.Generator, pixels: float) -> FloatArray:
    shakes = rng.normal(0, pixels, (FRAMES, 2))
    shakes[0] = 0
    return shakes


def _drift(rng: np.random.Generator) -> list[Motion]:
    """Wind: slowly away, with tremor."""
    way = np.cumsum(rng.normal(0, 1.5, (FRAMES, 2)), axis=0) + _shakes(rng, 0.7)
    turns = np.cumsum(rng.normal(0, 0.001, FRAMES))
    return [
        looking(x, y, turn) if at else IDENTITY
        for at, ((x, y), turn) in enumerate(zip(way, turns, strict=True))
    ]


def _all(rng: np.random.Generator) -> list[Motion]:
    shakes = _shakes(rng, 2)
    return [
        looking(
            200 * math.sin(at / 60) + shakes[at, 0],
            90 * math.sin(at / 45) + shakes[at, 1],
            0.5 * math.sin(at / 80),
            1 + 0.4 * math.sin(at / 70),
        )
        for at in range(FRAMES)
    ]


CAMERAS: dict[str, Callable[[np.random.Generator], list[Motion]]] = {
    "still": lambda _: [IDENTITY] * FRAMES,
    "drift": _drift,
    "pan": lambda _: [looking(500 * math.sin(at / 70)) for at in range(FRAMES)],
    "zoom": lambda _: [looking(zoom=1.5 ** math.sin(at / 60)) for at in range(FRAMES)],
    "turn": lambda _: [looking(turn=2 * math.pi * at / FRAMES) for at in range(FRAMES)],
    "shake": lambda rng: [looking(*shake) for shake in _shakes(rng, 4)],
    "all": _all,
}


@dataclass(frozen=True)
class Flown:
    """A video of a moving camera.

    Attributes:
        tracks: published tracks.
        line, zone: as they were drawn on the first frame.
        true: events (name, direction or kind, track id) that must be found, each so many times.
        unsaid: those of which truth is too short to say; track ids of each name.
        plane: four points of the road on the first frame, in metres.
        velocity: metres a second to the right and down on the first frame, float64 (2,), of each track.
    """

    tracks: TrackTable
    line: Line
    zone: Zone
    true: Counter[tuple[str, str, int]]
    unsaid: frozenset[tuple[str, int]]
    plane: Plane
    velocity: dict[int, FloatArray]


@dataclass(frozen=True)
class Score:
    """Events that are true, and of these missing; events that are not."""

    true: int
    missing: int
    false: int

    def __add__(self, other: Score) -> Score:
        return Score(self.true + other.true, self.missing + other.missing, self.false + other.false)

    @property
    def wrong(self) -> int:
        """Missing and false."""
        return self.missing + self.false


def flown(camera: Sequence[Motion], rng: np.random.Generator) -> Flown:
    """Traffic as a camera sees it that has moved so, frame by frame, from the first frame on."""
    scale, angle = rng.uniform(5, 8), rng.uniform(0, 2 * np.pi)
    ahead, right = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    reach = 2000 / scale  # the camera may go far
    along, across, sizes, breadth = vehicles(rng, reach)
    along, across = (part[-len(camera) :] for part in (along - sizes[:, 0] / 2 - reach / 2, across))
    standing = _standing(rng, float(breadth), len(camera))
    along, across = (np.hstack(pair) for pair in zip((along, across), standing, strict=True))
    sizes = np.vstack((sizes, np.tile((4.5, 1.8, 1.5), (2 * STANDING, 1))))
    centre = MIDDLE + scale * (along[..., None] * ahead + across[..., None] * right)
    half = [sizes[:, :1] / 2 * ahead * scale, sizes[:, 1:2] / 2 * right * scale]
    corners = [centre + one * half[0] + other * half[1] for one in (-1, 1) for other in (-1, 1)]
    boxes, seen = _boxes(camera, np.array(corners), rng)
    tracks, owner = _tracks(boxes, seen)
    beside = float(breadth) / 2 + 6  # metres from the middle of the road, where lines end

    def place(at: float, side: int) -> tuple[float, float]:
        x, y = MIDDLE + scale * (at * ahead + side * beside * right)
        return float(x), float(y)

    line = Line("line", place(LINE_M, -1), place(LINE_M, 1), "px")
    ends = ((ZONE_M[0], -1), (ZONE_M[0], 1), (ZONE_M[1], 1), (ZONE_M[1], -1))
    zone = Zone("zone", tuple(place(*end) for end in ends), "px")
    at_line, outside = along - LINE_M, np.maximum(ZONE_M[0] - along, along - ZONE_M[1])
    true, unsaid = _truth(tracks, owner, at_line, outside, np.abs(across) < beside, sizes[:, 0])
    marks = ((-20.0, -1), (20.0, -1), (20.0, 1), (-20.0, 1))
    points = tuple(place(*mark) for mark in marks)
    plane = Plane(points, tuple((at, side * beside) for at, side in marks), "px")
    pace = FPS * (along[1] - along[0])[:, None] * ahead
    velocity = {track_id: pace[vehicle] for track_id, vehicle in owner.items()}
    return Flown(tracks, line, zone, true, unsaid, plane, velocity)


def _standing(rng: np.random.Generator, breadth: float, frames: int) -> tuple[FloatArray, FloatArray]:
    """Cars that are parked beside the road, and some that wait on it near line and zone: (frames, 2 * STANDING) along and
    across it, metres."""
    borders = rng.choice((LINE_M, *ZONE_M), STANDING)
    along = np.append(
        rng.uniform(-60, 60, STANDING),
        borders + rng.choice((-1, 1), STANDING) * rng.uniform(5, 6.5, STANDING),
    )
    across = np.append(breadth / 2 + rng.uniform(12, 18, STANDING), rng.uniform(0, breadth / 2, STANDING))
    across *= rng.choice((-1, 1), 2 * STANDING)
    return np.tile(along, (frames, 1)), np.tile(across, (frames, 1))


def _boxes(
    camera: Sequence[Motion], corners: FloatArray, rng: np.random.Generator
) -> tuple[FloatArray, BoolArray]:
    """Boxes (F, N, 4) around corners (4, F, N, 2) on the ground, as a detector gives them, and which it gives."""
    shown = np.stack([look.apply(corners[:, at]) for at, look in enumerate(camera)], axis=1)
    full = np.concatenate((shown.min(axis=0), shown.max(axis=0)), axis=2)
    box = np.clip(full, 0, [*SIZE, *SIZE])
    sides, whole = (each[..., 2:] - each[..., :2] for each in (box, full))
    seen = (sides.min(axis=2) > 0) & (sides.max(axis=2) >= LEAST_PX)
    seen &= sides.prod(axis=2) >= LEAST_SHOWN * whole.prod(axis=2)
    seen &= rng.random(seen.shape) >= MISSED
    box = box + rng.normal(0, NOISE, box.shape) * np.tile(sides, 2)
    return np.clip(box, 0, [*SIZE, *SIZE]), seen


def _tracks(boxes: FloatArray, seen: BoolArray) -> tuple[TrackTable, dict[int, int]]:
    """Rows with true ids, and whose they are; a new id after a second out of sight."""
    rows, owner = [], {}
    for vehicle in range(seen.shape[1]):
        at = np.flatnonzero(seen[:, vehicle])
        for run in np.split(at, np.flatnonzero(np.diff(at) > FPS) + 1):
            if len(run):
                track_id = len(owner) + 1
                owner[track_id] = vehicle
                rows += [(seq, track_id, 0, tuple(boxes[seq, vehicle]), 0.9, 0) for seq in run.tolist()]
    return TrackTable(*zip(*rows, strict=True)).sorted(), owner


def _truth(
    tracks: TrackTable,
    owner: dict[int, int],
    at_line: FloatArray,
    outside: FloatArray,
    driving: BoolArray,
    length: FloatArray,
) -> tuple[Counter[tuple[str, str, int]], frozenset[tuple[str, int]]]:
    """What happens between the first and the last frame in which each track is seen.

    Args:
        tracks: of all vehicles.
        owner: vehicle of each track.
        at_line: float64 (F, N), metres ahead of the line.
        outside: float64 (F, N), metres to the zone, below 0 in it.
        driving: bool (F, N), between the ends of line and zone.
        length: float64 (N,), metres.
    """
    true: Counter[tuple[str, str, int]] = Counter()
    unsaid = set()
    for track_id, vehicle in owner.items():
        seq = tracks.seq[tracks.track_id == track_id]
        ends = seq[[0, -1]]
        if len(seq) < hits_limit(Fraction(FPS)) or not driving[0, vehicle]:
            continue
        line, zone = at_line[ends, vehicle], outside[ends, vehicle]
        if (np.abs(line) < length[vehicle]).any():
            unsaid.add(("line", track_id))
        elif line[0] * line[1] < 0:
            true["line", "out" if line[1] > 0 else "in", track_id] += 1
        if (np.abs(zone) < length[vehicle]).any():
            unsaid.add(("zone", track_id))
        elif outside[seq[0] : seq[-1] + 1, vehicle].min() < 0:
            true["zone", "zone_enter", track_id] += 1
            true["zone", "zone_exit", track_id] += int(zone[1] > 0)
    return +true, frozenset(unsaid)


def score(made: Flown, camera: CameraPath | None, frames: int) -> Score:
    """What the product counts of a video by a path of its camera; None: its lines stay where they were drawn in the picture."""
    seq = np.arange(frames)
    table = FrameTable(seq, np.round(seq * 1e6 / FPS), ("ok",) * frames, ("",) * frames)
    group = GroupResult("cars", (0,), TrackTable.empty(), made.tracks, None, None)
    rate = Fraction(FPS)
    job = JobResult(
        "v", "j", 0, table, rate, *SIZE, ("car",), (group,), hits_limit(rate), 0.25, camera=camera
    )
    found = Counter(
        (event.name, event.direction or event.kind, event.track_id)
        for event in count_job(job, (made.line,), (made.zone,)).events
        if (event.name, event.track_id) not in made.unsaid
    )
    return Score(made.true.total(), (made.true - found).total(), (found - made.true).total())


def steps(camera: Sequence[Motion]) -> list[Motion | None]:
    """To each frame from the one before."""
    return [None, *(before.inverse().then(after) for before, after in pairwise(camera))]


def shaken(motions: Sequence[Motion | None], rng: np.random.Generator) -> list[Motion | None]:
    """The same with errors, by which the corners of the picture are off by about `ERROR_PX`; what does not move is known."""
    found: list[Motion | None] = []
    for motion in motions:
        x, y, turn, zoom = rng.normal(0, ERROR_PX / math.sqrt(2), 4)
        wrong = looking(x, y, turn / MIDDLE[0], 1 + zoom / MIDDLE[0])
        found.append(motion if motion is None or motion.is_identity else motion.then(wrong))
    return found


def pictured(path: str, seed: int) -> tuple[list[Motion], list[Motion | None]]:
    """A camera of `tests.flights`: where it has moved to in each frame, and the steps that its pictures tell."""
    flight = fly(ground(("town", "fields", "roads")[seed % 3]), path, PICTURED_FRAMES, size=SIZE, seed=seed)
    scale = looks.look_scale(SIZE[1], SIZE[0])
    told = motions(looks_of(flight.frames, flight.boxes), 1)
    camera = [flight.motion(0, at) for at in range(PICTURED_FRAMES)]
    return camera, [None, *(motion and motion.scaled(scale) for motion in told)]


def rows(seeds: int) -> Iterator[tuple[str, Score, Score, Score]]:
    """Camera, and what is counted on fixed lines, on those that stay by exact motions, and by those with errors."""
    for name, camera in CAMERAS.items():
        sums = [Score(0, 0, 0)] * 3
        for seed in range(seeds):
            rng = np.random.default_rng([seed, list(CAMERAS).index(name)])
            looked = camera(rng)
            made, moved = flown(looked, rng), steps(looked)
            paths = (None, path_of(moved), path_of(shaken(moved, rng)))
            sums = [one + score(made, path, FRAMES) for one, path in zip(sums, paths, strict=True)]
        yield name, *sums
    for name in PICTURED:
        sums = [Score(0, 0, 0)] * 3
        for seed in range(seeds):
            looked, told = pictured(name, seed)
            made = flown(looked, np.random.default_rng(seed))
            paths = (None, path_of(steps(looked)), path_of(told))
            sums = [one + score(made, path, PICTURED_FRAMES) for one, path in zip(sums, paths, strict=True)]
        yield f"{name}, from pictures", *sums


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=6)
    options = parser.parse_args()
    print("| camera | true | fixed: missing, false | exact motions | with errors, or told from pictures |")
    print("|---|---:|---:|---:|---:|")
    wrong = 0
    for name, *scores in rows(options.seeds):
        cells = " | ".join(f"{each.missing}, {each.false}" for each in scores)
        print(f"| {name} | {scores[0].true} | {cells} |", flush=True)
        wrong += sum(each.wrong for each in scores[1:])
    if wrong:
        sys.exit(f"{wrong} events are wrong on lines that stay on the road")


if __name__ == "__main__":
    main()
