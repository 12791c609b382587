"""Headings and speeds of generated traffic, with exact truth.

    python -m benchmarks.counting.speeds [--seeds 4]

`bridge` and `drone` are those of `scenes.py`, followed by the product at every frame, and at every fifth; a track belongs to the
vehicle that most of its rows lie on (`traffic.owners`). The others are those of `moving.py`: by exact motions, by motions
with errors that grow from frame to frame, and by motions told from generated pictures. The four points of the plane are off by
N(0, 2 pixels) each, as it says; all speeds of a scene are off together then, so each scene is looked at with ten such planes.

Of all vehicles that drive and have a speed: how many, how far it is off in the middle, what error is given in the middle, and how
many are off by no more than their error. Headings, of those that are off by more than 3 degrees. `stand` have a speed or a
heading though they stand still. Fails where less than 90 % of the speeds of a row are within their errors, or anything that
stands has one.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from benchmarks.counting.moving import CAMERAS, PICTURED, Flown, flown, pictured, shaken, steps
from benchmarks.counting.play import objects
from benchmarks.counting.scenes import FPS, SIZE, Scene, scene
from benchmarks.counting.traffic import owners
from tests import flights

from sightline.arrays import FloatArray, IntArray
from sightline.camera import CameraPath
from sightline.counts import CountedGroup
from sightline.speeds import ERROR_PX, Plane, Way
from sightline.types import FrameTable, TrackTable
from sightline.vision.camera_path import path_of
from sightline.vision.counting import count_tracks, hits_limit
from sightline.vision.foot_paths import EDGE, anchors_of
from sightline.vision.ground import Ground
from sightline.vision.speeds import speeds_of

__all__ = ["Score", "moving", "score", "watched"]

NEAR = 3.0  # degrees
PICKS = 10  # of the four points in each scene: what they are off by is alike for all of its vehicles


@dataclass(frozen=True)
class Truth:
    """What a vehicle does: km/h, and degrees clockwise from up in the picture; it stands at 0."""

    kmh: float
    heading: float


@dataclass(frozen=True)
class Score:
    """Errors of the vehicles that drive: off and given, km/h, with their speeds, and headings off, degrees."""

    off: tuple[float, ...] = ()
    given: tuple[float, ...] = ()
    headings: tuple[float, ...] = ()
    driving: int = 0
    standing: int = 0

    def __add__(self, other: Score) -> Score:
        return Score(
            self.off + other.off,
            self.given + other.given,
            self.headings + other.headings,
            self.driving + other.driving,
            self.standing + other.standing,
        )

    @property
    def within(self) -> float:
        """Share of the speeds that are off by no more than their error."""
        return float(np.mean(np.abs(self.off) <= np.array(self.given)))

    @property
    def astray(self) -> int:
        """Headings that are off by more than `NEAR`."""
        return int((np.array(self.headings) > NEAR).sum())


def score(ways: Iterable[Way], truth: dict[int, Truth]) -> Score:
    """Ways of tracks beside what their vehicles do; those of none are left out."""
    made = Score()
    for way in ways:
        true = truth.get(way.track_id)
        if true is None:
            continue
        if true.kmh == 0:
            made += Score(standing=int(way.speed_kmh is not None or way.heading is not None))
            continue
        made += Score(driving=1)
        if way.heading is not None:
            made += Score(headings=(abs((way.heading - true.heading + 180) % 360 - 180),))
        if way.speed_kmh is not None and way.error_kmh is not None:
            made += Score((way.speed_kmh - true.kmh,), (way.error_kmh,))
    return made


def _picked(points: FloatArray, metres: FloatArray, rng: np.random.Generator) -> Iterator[Plane]:
    """Four points as somebody picks them by eye, again and again."""
    for _ in range(PICKS):
        wrong = points + rng.normal(0, ERROR_PX, (4, 2))
        yield Plane(tuple(map(tuple, wrong.tolist())), tuple(map(tuple, metres.tolist())), "px")


def _ways(
    tracks: TrackTable,
    counted: IntArray,
    frames: FrameTable,
    size: tuple[int, int],
    plane: Plane,
    path: CameraPath | None = None,
    fps: float = FPS,
) -> Sequence[Way]:
    counts = count_tracks(frames, tracks, hits_limit(Fraction(fps).limit_denominator(1001)))
    who = np.isin(counts.track_id, counted)
    counts = replace(counts, counted_seq=np.where(who, counts.counted_seq, -1))
    group = CountedGroup("cars", counts, anchors_of(tracks, counts.counted, *size))
    ground = Ground.of(path, frames.frame)
    return speeds_of([group], frames.pts_us, size, ("car",) * 8, plane, ground).ways


def watched(view: str, seed: int, stride: int) -> Score:
    """A camera that stands still; vehicles are followed as the product does."""
    made = scene(view, seed)
    played = objects(made.frames[::stride], FPS / stride)
    assert made.corners is not None
    owner = owners(made, played, stride)[0].items()
    truth = {track: _seen(made, vehicle) for track, vehicle in owner if vehicle is not None}
    planes = _picked(made.corners[:, :2], made.corners[:, 2:], np.random.default_rng(seed))
    found = (
        _ways(played.tracks, played.counted, played.frames, SIZE, plane, fps=FPS / stride) for plane in planes
    )
    return sum((score(ways, truth) for ways in found), Score())


def _seen(made: Scene, vehicle: int) -> Truth:
    """A vehicle as its true boxes show it where no edge of the picture cuts them."""
    boxes = made.boxes[:, vehicle]
    margin = EDGE * np.array(SIZE)
    with np.errstate(invalid="ignore"):
        whole = boxes[(boxes[:, 0] > margin[0]) & (boxes[:, 2:] < SIZE - margin).all(axis=1)]
    foot = np.stack((whole[:, [0, 2]].mean(axis=1), whole[:, 3]), axis=1)
    x, y = (foot[-1] - foot[0]).tolist() if len(foot) else (0.0, 0.0)
    return Truth(float(made.kmh[vehicle]), float(np.degrees(np.arctan2(x, -y))))


def moving(name: str, seed: int) -> tuple[Score, Score]:
    """A camera that moves, by exact motions and by those with errors; a track is a vehicle's."""
    rng = np.random.default_rng([seed, list(CAMERAS).index(name)])
    looked = CAMERAS[name](rng)
    made, moved = flown(looked, rng), steps(looked)
    return _followed(made, path_of(moved), rng), _followed(made, path_of(shaken(moved, rng)), rng)


def seen_in_pictures(name: str, seed: int) -> Score:
    """A camera whose motions are told from generated pictures."""
    looked, told = pictured(name, seed)
    rng = np.random.default_rng(seed)
    return _followed(flown(looked, rng), path_of(told), rng)


def _followed(made: Flown, path: CameraPath, rng: np.random.Generator) -> Score:
    """What is said of a video of a moving camera by a path."""
    count = len(path)
    seq = np.arange(count)
    frames = FrameTable(seq, np.round(seq * 1e6 / FPS), ("ok",) * count, ("",) * count)
    planes = _picked(np.array(made.plane.points), np.array(made.plane.metres), rng)
    truth = {
        track: Truth(3.6 * float(np.hypot(*pace)), float(np.degrees(np.arctan2(pace[0], -pace[1]))))
        for track, pace in made.velocity.items()
    }
    every = np.unique(made.tracks.track_id)
    found = (_ways(made.tracks, every, frames, flights.SIZE, plane, path) for plane in planes)
    return sum((score(ways, truth) for ways in found), Score())


def rows(seeds: int) -> Iterator[tuple[str, Score]]:
    """What is looked at, and the sums of its scenes."""
    for view in ("bridge", "drone"):
        for stride in (1, 5):
            parts = [watched(view, seed, stride) for seed in range(seeds)]
            yield f"{view}, {FPS // stride} frames a second", sum(parts, Score())
    for name in CAMERAS:
        pairs = [moving(name, seed) for seed in range(seeds)]
        for number, how in enumerate(("exact motions", "with errors")):
            yield f"{name}, {how}", sum((pair[number] for pair in pairs), Score())
    for name in PICTURED:
        yield f"{name}, from pictures", sum((seen_in_pictures(name, seed) for seed in range(seeds)), Score())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=4)
    options = parser.parse_args()
    print("| seen | speeds of driving | off, km/h | error given | within | headings astray | stand |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    wrong = []
    for name, made in rows(options.seeds):
        off, given = (float(np.median(np.abs(part))) for part in (made.off, made.given))
        print(
            f"| {name} | {len(made.off)} of {made.driving} | {off:.2f} | {given:.2f} | {made.within:.1%} "
            f"| {made.astray} of {len(made.headings)} | {made.standing} |",
            flush=True,
        )
        if made.within < 0.9 or made.standing:
            wrong.append(name)
    if wrong:
        sys.exit(f"speeds are farther off than they say, or of what stands: {'; '.join(wrong)}")


if __name__ == "__main__":
    main()
