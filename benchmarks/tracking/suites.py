"""Detections with ground truth, as sequences of frames, and generated scenes.

Suites: `mot17`, `mot20`, `dance`, `kitti-car`, `kitti-pedestrian`, `mdmt` (ground truth as perfect detections) and
`mot15` (two tiny ones). `mot17@5` is every fifth frame, `mot17~0.5` loses half of the frames at random; times stay
true and the ground truth is thinned alike. `mot17+camera` is told how the camera moved (`mot17`, `mot20`, `dance`).

The data lies in `data/real` of the folder that the environment variable SIGHTLINE_SHARED names, or of the folder
`shared` beside the repository.
"""

from __future__ import annotations

import configparser
import gzip
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, reduce
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sightline.camera import Motion
from sightline.formats import camera_text
from sightline.vision.camera_path import CameraPath, path_of
from sightline.vision.motion import felt

__all__ = ["PEOPLE", "Frame", "Sequence", "base_of", "generated", "golden", "load", "parameters"]

# Thresholds of ByteTrack's own MOT17 evaluation; `buffer` in frames.
PAPER = {"high": 0.6, "low": 0.1, "new": 0.7, "match": 0.9, "buffer": 30, "fuse": True}
PEOPLE = ("mot17", "mot20", "dance")  # ByteTrack's evaluation drops small and wide boxes there

# Frames of the whole sequence that the detection files cover; the validation half is its end.
FULL_LENGTH = {
    "MOT17-02": 600,
    "MOT17-04": 1050,
    "MOT17-05": 837,
    "MOT17-09": 525,
    "MOT17-11": 900,
    "MOT20-01": 429,
}
# Of DanceTrack, those that are not 1920 x 1080.
DANCE_SMALL = ("dancetrack0026", "dancetrack0047")


class Frame(NamedTuple):
    """Boxes float64 (N, 4) xyxy, scores (N,), classes int64 (N,), presentation time in microseconds.

    `camera` is how it moved since the frame before, None where that is not known.
    """

    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]
    classes: NDArray[np.int64]
    pts_us: int
    camera: Motion | None = None


@dataclass(frozen=True)
class Sequence:
    """One video's detections with its ground truth.

    `truth` has the columns frame (from 1), id, x, y, w, h, consider, class, visibility. `distractors` is true where
    the classes that MOT17 and MOT20 tolerate must be left out of the score. `size` is that of the pictures, where the
    camera is known.
    """

    name: str
    frames: list[Frame]
    fps: float
    truth: NDArray[np.float64]
    benchmark: str = "MOT17"
    distractors: bool = False
    size: tuple[int, int] = (0, 0)

    def felt(self) -> list[Motion | None]:
        """What the tracker is told of the camera in each frame."""
        times = [frame.pts_us for frame in self.frames]
        elapsed = [0, *(after - before for before, after in pairwise(times))]
        return [
            felt(frame.camera, *self.size, since) for frame, since in zip(self.frames, elapsed, strict=True)
        ]

    def path(self) -> CameraPath | None:
        """Where the camera looked, None where nothing is known of it."""
        known = any(frame.camera for frame in self.frames)
        return path_of(frame.camera for frame in self.frames) if known else None

    def true_ids(self) -> set[int]:
        keep = self.truth[:, 6] > 0
        if self.distractors:
            keep &= self.truth[:, 7] == 1
        return set(self.truth[keep, 1].astype(int))

    def at(self, index: NDArray[np.intp]) -> Sequence:
        """The same video seen only at the frames `index` (from 0), renumbered."""
        new = np.full(len(self.frames) + 1, -1)
        new[index + 1] = np.arange(1, len(index) + 1)
        frame = self.truth[:, 0].astype(int)
        inside = (frame >= 1) & (frame <= len(self.frames))
        truth, frame = self.truth[inside].copy(), frame[inside]
        truth[:, 0] = new[frame]
        return replace(
            self,
            frames=[self._since(before, at) for before, at in pairwise([-1, *index.tolist()])],
            truth=truth[truth[:, 0] > 0],
            fps=self.fps * len(index) / len(self.frames),
        )

    def _since(self, before: int, at: int) -> Frame:
        """A frame, with the motion since an earlier one."""
        steps = [frame.camera for frame in self.frames[before + 1 : at + 1]]
        camera = None if None in steps else reduce(Motion.then, steps)
        return self.frames[at]._replace(camera=camera)


def base_of(suite: str) -> str:
    """The suite without stride, share and camera."""
    return re.split("[@~+]", suite)[0]


def parameters(suite: str, sequence: str) -> dict[str, float | bool]:
    """ByteTrack's thresholds for a sequence: its evaluator shortens one buffer and fuses no scores on MOT20."""
    return PAPER | {"buffer": 14 if sequence == "MOT17-05" else 30, "fuse": suite != "mot20"}


@cache
def _whole(suite: str, shared: Path, camera: bool) -> tuple[Sequence, ...]:
    folder, pattern, make = _suite(suite)
    found = tuple(make(path) for path in sorted((shared / "data" / "real" / folder).glob(pattern)))
    if camera:
        found = tuple(_with_camera(each, shared / "data" / "real" / folder / each.name) for each in found)
    if not found:
        raise SystemExit(
            f"no data for suite {suite!r}: set SIGHTLINE_SHARED to the folder that holds data/real/{folder}"
        )
    return found


def load(name: str, shared: Path | None = None) -> list[Sequence]:
    """The sequences of a suite or a variant, by name."""
    match = re.fullmatch(r"([a-z0-9-]+)(?:@(\d+))?(?:~([\d.]+))?(\+camera)?", name)
    if match is None:
        raise SystemExit(f"unknown suite {name!r}: a name, then @stride, ~share or +camera")
    found = _whole(match[1], shared or shared_folder(), bool(match[4]))
    if match[2]:
        found = tuple(each.at(np.arange(0, len(each.frames), int(match[2]))) for each in found)
    if match[3]:
        found = tuple(each.at(_left(len(each.frames), float(match[3]))) for each in found)
    return [each for each in found if len(each.truth)]


def shared_folder() -> Path:
    beside = Path(__file__).resolve().parents[3] / "shared"
    return Path(os.environ.get("SIGHTLINE_SHARED", beside))


def golden(
    suite: str, name: str, shared: Path | None = None
) -> list[tuple[NDArray[np.int64], NDArray[np.float64]]] | None:
    """The official tracker's ids and boxes xyxy per frame, None where there is no golden file."""
    path = (shared or shared_folder()) / "data" / "real" / "golden-bytetrack" / suite / f"{name}.txt.gz"
    if not path.exists():
        return None
    rows = np.loadtxt(path, delimiter=",", ndmin=2)
    frames = (rows[rows[:, 0] == frame] for frame in range(1, int(rows[:, 0].max()) + 1))
    return [(r[:, 1].astype(np.int64), np.hstack([r[:, 2:4], r[:, 2:4] + r[:, 4:6]])) for r in frames]


def generated(n: int, frames: int = 90, size: tuple[int, int] = (3840, 2160)) -> list[Frame]:
    """n objects on straight noisy paths with 5 % misses, varying scores and clutter."""
    rng = np.random.default_rng(0)
    centre, speed = rng.uniform([0, 0], size, (n, 2)), rng.normal(0, 3.0, (n, 2))
    height = rng.uniform(24, 72, n)
    extent = np.column_stack([height * rng.uniform(0.4, 1.8, n), height])
    out = []
    for at in range(frames):
        centre = centre + speed
        speed = np.where((centre < 0) | (centre > size), -speed, speed)
        seen = rng.random(n) > 0.05
        clutter = rng.poisson(0.05 * n)
        middle = np.vstack(
            [centre[seen] + rng.normal(0, 1, (seen.sum(), 2)), rng.uniform([0, 0], size, (clutter, 2))]
        )
        half = np.vstack([extent[seen], rng.uniform(20, 60, (clutter, 2))]) / 2
        score = np.concatenate(
            [np.clip(rng.normal(0.78, 0.16, seen.sum()), 0.05, 0.99), rng.uniform(0.05, 0.5, clutter)]
        )
        order = np.argsort(-score, kind="stable")
        boxes = np.hstack([middle - half, middle + half])[order]
        out.append(Frame(boxes, score[order], np.zeros(len(score), np.int64), round(at * 1e6 / 30)))
    return out


def _left(count: int, share: float) -> NDArray[np.intp]:
    """The frames that are left when each but the first is lost with probability `share`."""
    keep = np.random.default_rng([0, count]).random(count) >= share
    keep[0] = True
    return np.flatnonzero(keep)


def _suite(suite: str) -> tuple[str, str, Callable[[Path], Sequence]]:
    if suite in ("mot17", "mot20"):
        return f"{suite}-val-half", "MOT*", _mot_half
    if suite == "dance":
        return "dancetrack-val", "dancetrack*", _dance
    if suite in ("kitti-car", "kitti-pedestrian"):
        label = suite.split("-")[1]
        return "kitti-tracking-train", "00*", lambda path: _kitti(path, label)
    if suite == "mdmt":
        return "mdmt-drone", "*-*", _mdmt
    if suite == "mot15":
        return "mot15", "TUD-*", _mot15
    raise SystemExit(f"unknown suite {suite!r}: mot17 mot20 dance kitti-car kitti-pedestrian mdmt mot15")


def _table(path: Path) -> NDArray[np.float64]:
    return np.loadtxt(path, delimiter=",", ndmin=2)


def _frames(rows: NDArray[np.float64], first: int, count: int, fps: float) -> Iterator[Frame]:
    """Split rows (frame, _, x, y, w, h, score, ...) into frames; order inside a frame is kept."""
    for i in range(count):
        here = rows[rows[:, 0] == first + i]
        boxes = np.hstack([here[:, 2:4], here[:, 2:4] + here[:, 4:6]])
        yield Frame(boxes, here[:, 6].copy(), np.zeros(len(here), np.int64), round(i * 1e6 / fps))


def _with_camera(sequence: Sequence, folder: Path) -> Sequence:
    """The motions of a file, of which the last ones are those of the sequence."""
    path = next(folder.glob("gmc*.txt.gz"), None)
    if path is None:
        raise SystemExit(f"nothing is known of the camera of {sequence.name}")
    first = FULL_LENGTH.get(sequence.name, len(sequence.frames)) - len(sequence.frames)
    number, maps = camera_text.decode(path.read_bytes(), path.name)
    known = dict(zip(number.tolist(), (Motion(*each) for each in maps.tolist()), strict=True))
    frames = [frame._replace(camera=known.get(first + at)) for at, frame in enumerate(sequence.frames)]
    return replace(sequence, frames=frames)


def _mot_half(folder: Path) -> Sequence:
    parser = configparser.ConfigParser()
    parser.read(folder / "seqinfo_val_half.ini")
    count, fps = int(parser["Sequence"]["seqLength"]), int(parser["Sequence"]["frameRate"])
    rows = _table(next(folder.glob("det*.txt.gz")))
    frames = list(_frames(rows, FULL_LENGTH[folder.name] - count + 1, count, fps))
    truth = _table(folder / "gt_val_half.txt.gz")
    size = int(parser["Sequence"]["imWidth"]), int(parser["Sequence"]["imHeight"])
    return Sequence(folder.name, frames, fps, truth, folder.name.split("-")[0], distractors=True, size=size)


def _dance(folder: Path) -> Sequence:
    truth = _table(folder / "gt.txt.gz")
    frames = list(_frames(_table(folder / "det_yolox_x.txt.gz"), 1, int(truth[:, 0].max()), 20))
    size = (1280, 720) if folder.name in DANCE_SMALL else (1920, 1080)
    return Sequence(folder.name, frames, 20, truth, size=size)


def _kitti(folder: Path, label: str) -> Sequence:
    found, a = _kitti_rows(folder / "det_permatrack.txt.gz", label.capitalize())
    truth, b = _kitti_rows(folder / "label_02.txt.gz", label.capitalize())
    one = np.ones((len(truth), 3))
    return Sequence(
        f"{folder.name}-{label}", list(_frames(found, 1, max(a, b), 10)), 10, np.hstack([truth[:, :6], one])
    )


def _kitti_rows(path: Path, label: str) -> tuple[NDArray[np.float64], int]:
    """Rows frame (from 1), id, x, y, w, h, score of one label, and the number of frames."""
    rows, count = [], 0
    for line in gzip.decompress(path.read_bytes()).decode().splitlines():
        part = line.split()
        count = max(count, int(part[0]) + 1)
        if part[2] == label:
            x1, y1, x2, y2 = map(float, part[6:10])
            score = float(part[17]) if len(part) > 17 else 1.0
            rows.append([int(part[0]) + 1, int(part[1]) + 1, x1, y1, x2 - x1, y2 - y1, score])
    return np.array(rows, float).reshape(-1, 7), count


def _mdmt(folder: Path) -> Sequence:
    truth = _table(folder / "gt.txt.gz")
    truth[:, 0] += 1
    truth[:, 6:9] = 1
    found = truth.copy()
    found[:, 6] = 0.9
    return Sequence(folder.name, list(_frames(found, 1, int(truth[:, 0].max()), 30)), 30, truth)


def _mot15(folder: Path) -> Sequence:
    truth = _table(folder / "gt.txt.gz")
    truth = np.hstack([truth[:, :6], np.ones((len(truth), 3))])
    frames = list(_frames(_table(folder / "det.txt.gz"), 1, int(truth[:, 0].max()), 25))
    return Sequence(folder.name, frames, 25, truth, "MOT15")
