"""Generated traffic under a drone that moves, told and not told how.

    python -m benchmarks.counting.flown [--seeds 2] [--strides 1,2,3,4,5]

The scenes and the judgement of `benchmarks.counting.traffic`; boxes go where the camera has them, tracks back to where a still
one would have seen them.
"""

from __future__ import annotations

import argparse
from functools import reduce
from itertools import pairwise
from operator import add

import numpy as np
from benchmarks.counting.play import Played, objects
from benchmarks.counting.scenes import FPS, SIZE, Scene, scene
from benchmarks.counting.traffic import Result, judged
from benchmarks.tracking.suites import Frame

from sightline.camera import IDENTITY, Motion
from sightline.types import TrackTable
from sightline.vision.camera_path import CameraPath, path_of
from sightline.vision.motion import felt
from sightline.vision.stabilised import in_frames, on_ground

__all__ = ["flown", "result", "steps"]

TURN, ZOOM, PAN, SHAKE = 0.1, 0.3, (300.0, 200.0), 10.0  # rad a second, |ln|, pixels, pixels


def steps(count: int, stride: int) -> list[Motion]:
    """Motions of a drone that sways, comes nearer, goes away, turns and shakes; none to the first frame."""
    at, rng = np.arange(count) * stride / FPS, np.random.default_rng(0)
    scale, turn = np.exp(ZOOM * np.sin(at / 5)), TURN * at
    across, down = PAN[0] * np.sin(at / 3) + rng.normal(0, SHAKE, count), PAN[1] * np.sin(at / 4)
    columns = scale * np.cos(turn), scale * np.sin(turn), across, down
    places = [Motion(*map(float, each)) for each in zip(*columns, strict=True)]
    return [IDENTITY, *(before.inverse().then(after) for before, after in pairwise(places))]


def result(seeds: int, stride: int, *, known: bool) -> Result:
    """Sums of some scenes."""
    scenes = (scene("drone", seed) for seed in range(seeds))
    return reduce(add, (judged(made, flown(made, stride, known=known), stride) for made in scenes))


def flown(made: Scene, stride: int, *, known: bool) -> Played:
    """Objects of a scene under a moving camera, with boxes where a still one would have seen them.

    Args:
        made: the scene.
        stride: every how many frames are seen.
        known: whether the tracker is told of the motion.
    """
    frames = made.frames[::stride]
    motions = steps(len(frames), stride)
    path, elapsed = path_of(motions), round(1e6 * stride / FPS)
    told = ([felt(each, *SIZE, elapsed) for each in motions], path) if known else ()
    played = objects(_seen(path, frames), FPS / stride, *told)
    return played._replace(tracks=on_ground(path, played.tracks))


def _seen(path: CameraPath, frames: list[Frame]) -> list[Frame]:
    """Frames with their boxes where the camera has them."""
    out = []
    for seq, frame in enumerate(frames):
        none = np.zeros(len(frame.boxes), np.int64)
        table = TrackTable(none + seq, none, frame.classes, frame.boxes, frame.scores, none)
        out.append(frame._replace(boxes=in_frames(path, table).xyxy))
    return out


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--strides", default="1,2,3,4,5")
    chosen = parser.parse_args()
    print(
        "frames a second; counted of true vehicles, invented; crossings found of true, false; told, and not told"
    )
    for stride in map(int, chosen.strides.split(",")):
        told, untold = (_line(result(chosen.seeds, stride, known=known)) for known in (True, False))
        print(f"| {FPS / stride:.3g} | {told} | {untold} |", flush=True)


def _line(of: Result) -> str:
    return f"{of.counted} of {of.true}, {of.invented}; {of.found} of {of.crossings}, {of.false}"


if __name__ == "__main__":
    main()
