"""Counts of generated traffic seen at every frame down to every fifth, with exact truth, and of crowds as a control.

    python -m benchmarks.counting.traffic [--views bridge,drone,crowd] [--seeds 4] [--strides 1,2,3,4,5]
        [--set name=value] [--json FILE]

Countable is a vehicle that is visible (`scenes.Scene`) in at least 3 of the frames that a stride of 5 samples; the same
vehicles at every stride. A counted track belongs to the vehicle that most of its rows lie on (IoU from 0.3), if that is
half of them. `invented`: it belongs to none, or to one that has been counted. `mixed`: less than 0.8 of the rows that
lie on vehicles lie on its own. A crossing is found when the vehicle of its track crosses the line so (lower middle of
the true box; visible in 2 frames of a stride of 5 on each side); another of that vehicle, or of one that does not, is
false, but where truth is too short to say, it is left out.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.counting.changes import changed, strided
from benchmarks.counting.play import Played, objects, overrides
from benchmarks.counting.scenes import FPS, SIZE, VIEWS, Scene, scene
from benchmarks.counting.scores import Sums, figures, scored
from benchmarks.tracking.suites import Frame, Sequence
from numpy.typing import NDArray

from sightline.counts import Line
from sightline.evaluation.matching import iou
from sightline.types import Origin
from sightline.vision.geometry import crossings

__all__ = ["Result", "judged", "owners"]

SLOWEST = 5  # stride by which truth is defined
MATCH, OWN, PURE = 0.3, 0.5, 0.8


@dataclass(frozen=True)
class Result:
    """Sums of one scene at one stride; vehicles, tracks and crossings."""

    true: int
    counted: int
    invented: int
    mixed: int
    crossings: int
    found: int
    false: int

    def __add__(self, other: Result) -> Result:
        return Result(*(a + b for a, b in zip(asdict(self).values(), asdict(other).values(), strict=True)))


def judged(made: Scene, played: Played, stride: int) -> Result:
    """Compare counted tracks and their crossings with the truth."""
    countable = set(np.flatnonzero(made.visible[::SLOWEST].sum(0) >= 3).tolist())
    owner, mixed = owners(made, played, stride)
    vehicles = [each for each in owner.values() if each is not None]
    invented = list(owner.values()).count(None) + len(vehicles) - len(set(vehicles))
    found, false, true = _crossed(made, played, owner)
    return Result(len(countable), len(countable & set(vehicles)), invented, mixed, true, found, false)


def owners(made: Scene, played: Played, stride: int) -> tuple[dict[int, int | None], int]:
    """The vehicle of each counted track, and how many tracks lie on several."""
    owner: dict[int, int | None] = {}
    mixed, tracks = 0, played.tracks
    for track in played.counted.tolist():
        rows = np.flatnonzero((tracks.track_id == track) & (tracks.origin <= Origin.LOW))
        votes = Counter(
            filter(None, (_on(made.boxes[tracks.seq[row] * stride], tracks.xyxy[row]) for row in rows))
        )
        most = votes.most_common(1)
        owner[track] = most[0][0] - 1 if most and most[0][1] >= OWN * len(rows) else None
        mixed += bool(most) and most[0][1] < PURE * votes.total()
    return owner, mixed


def _on(boxes: NDArray[np.float64], box: NDArray[np.float64]) -> int | None:
    """One plus the vehicle that a box lies on."""
    there = np.flatnonzero(~np.isnan(boxes[:, 0]))
    overlap = iou(box[None], boxes[there])[0] if len(there) else np.zeros(0)
    return int(there[overlap.argmax()]) + 1 if len(there) and overlap.max() >= MATCH else None


def _sides(made: Scene) -> NDArray[np.int64]:
    """Where each visible vehicle stands at each frame: 1 to the right of the line, -1 to the left, 0 not visible."""
    a, b = made.line
    foot = np.stack([(made.boxes[..., 0] + made.boxes[..., 2]) / 2, made.boxes[..., 3]], -1) - a
    side = (b - a)[0] * foot[..., 1] - (b - a)[1] * foot[..., 0]
    return np.where(made.visible, np.where(side > 0, 1, -1), 0)


def _crossed(made: Scene, played: Played, owner: dict[int, int | None]) -> tuple[int, int, int]:
    """Crossings found, false and true."""
    sides, true, unsure = _sides(made), {}, set()
    for vehicle in range(sides.shape[1]):
        seen = sides[::SLOWEST, vehicle]
        seen = seen[seen != 0]
        turns = np.flatnonzero(np.diff(seen))
        if len(turns) == 1 and 2 <= turns[0] + 1 <= len(seen) - 2:
            true[vehicle] = "in" if seen[-1] > 0 else "out"
        elif len(turns) or len(seen) < 4:
            unsure.add(vehicle)
    line = Line("line", tuple(made.line[0]), tuple(made.line[1]), "px")
    labels = dict.fromkeys(played.counted.tolist(), "vehicle")
    got, false = set(), 0
    for event in crossings(played.frames, played.tracks, [line], [], *SIZE, labels, "cars"):
        vehicle = owner[event.track_id]
        if vehicle in unsure:
            continue
        if vehicle is None or true.get(vehicle) != event.direction or vehicle in got:
            false += 1
        else:
            got.add(vehicle)
    return len(got), false, len(true)


def _crowd(made: Scene, frames: list[Frame], stride: int, settings: dict[str, Any]) -> tuple[Sums, int]:
    """Sums of a crowd, judged on its visible boxes, and how many tracks lie on several people."""
    rows = [
        (at // stride + 1, number + 1, x1, y1, x2 - x1, y2 - y1, 1, 1, 1)
        for at in range(0, len(made.boxes), stride)
        for number, (x1, y1, x2, y2) in zip(*_visible(made, at), strict=True)
    ]
    sequence = Sequence("crowd", frames, FPS / stride, np.array(rows, float))
    played = objects(frames, FPS / stride, **settings)
    return scored(sequence, played, people=False), owners(made, played, stride)[1]


def _visible(made: Scene, at: int):
    there = np.flatnonzero(made.visible[at])
    return there.tolist(), made.boxes[at, there]


def _row(
    view: str, stride: int, change: str, scenes: list[Scene], settings: dict[str, Any]
) -> dict[str, Any]:
    frames = [strided(changed(change, made.frames), stride) for made in scenes]
    if view == "crowd":
        pairs = [_crowd(made, seen, stride, settings) for made, seen in zip(scenes, frames, strict=True)]
        sums = [each for each, _ in pairs]
        whole = {"counted": sum(each.counted for each in sums), "true": sum(each.true for each in sums)}
        return {**vars(figures(sums)), **whole, "mixed": sum(mixed for _, mixed in pairs)}
    parts = [
        judged(made, objects(seen, FPS / stride, **settings), stride)
        for made, seen in zip(scenes, frames, strict=True)
    ]
    whole = parts[0]
    for part in parts[1:]:
        whole += part
    return asdict(whole)


def _text(view: str, row: dict[str, Any]) -> str:
    if view == "crowd":
        return (
            f"HOTA {row['hota']:.2f} IDF1 {row['idf1']:.2f} switches {row['switches']} "
            f"counted {row['counted']} of {row['true']}, mixed {row['mixed']}"
        )
    return (
        f"counted {row['counted']} of {row['true']} ({row['counted'] / max(1, row['true']):.1%}), "
        f"invented {row['invented']}, mixed {row['mixed']}; "
        f"crossings {row['found']} of {row['crossings']}, false {row['false']}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--views", default=",".join(VIEWS))
    parser.add_argument("--seeds", type=int, default=4, help="scenes a view")
    parser.add_argument("--strides", default="1,2,3,4,5")
    parser.add_argument("--changes", default="as")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    settings, rows = overrides(chosen.set), []
    for view in chosen.views.split(","):
        scenes = [scene(view, seed) for seed in range(chosen.seeds)]
        for change in chosen.changes.split(","):
            for stride in map(int, chosen.strides.split(",")):
                row = _row(view, stride, change, scenes, settings)
                print(f"{view:7s}{change:6s}/{stride}  {_text(view, row)}", flush=True)
                rows.append({"view": view, "change": change, "stride": stride, "seeds": chosen.seeds, **row})
    if chosen.json:
        chosen.json.write_text(json.dumps({"set": chosen.set, "traffic": rows}))


if __name__ == "__main__":
    main()
