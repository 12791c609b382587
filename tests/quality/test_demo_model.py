"""The bundled model on the bundled clip, through the whole program, against exact ground truth.

The demands: recall and precision of 0.95 per group at IoU 0.5 and the model card's threshold, where objects of which at
least half can be seen must be found and others are ignored; and the counts of cars and people exactly true, each
counted track being an object of its own.
"""

from __future__ import annotations

import csv
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from tests.integration.track_process import check_run, track

DEMO = Path(str(resources.files("sightline") / "demo"))
GROUPS = {"cars": {"car", "van", "truck"}, "people": {"person"}}
COUNTS = {"cars": 19, "people": 26}
HIGH = 0.7  # of the card
IOU = 0.5
VISIBLE = 0.5
LEAST = 0.95
COUNTED = 25 / 3  # frames: a third of a second

Frames = Mapping[int, list["Box"]]


class Box(NamedTuple):
    """A true object or a found one in a frame; `weight` is its visible share or its confidence."""

    who: int
    xyxy: tuple[float, ...]
    weight: float


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """The run folder of the demo's clip."""
    folder = tmp_path_factory.mktemp("demo")
    done = track(folder, DEMO / "street.mp4", "--model", "sightline-tiny", "--precision", "f32", "-o", "out")
    assert done.returncode == 0, done.stderr
    return folder / "out" / "street"


def test_a_run_whose_thresholds_suit_its_model_is_not_warned_of(run):
    """Its few false boxes are nothing to speak of."""
    assert json.loads((run / "run.json").read_text())["warnings"] == []


@pytest.mark.parametrize("group", GROUPS)
def test_objects_are_found_and_nothing_else(group, run):
    """Recall and precision; the surest detection takes its object first, and an object only once."""
    found = boxes(run / "detections.csv", "track_id", "confidence", group=group)
    sure = {frame: [box for box in some if box.weight >= HIGH] for frame, some in found.items()}

    hits, misses, false = matched(sure, truth(group), check_run(run)["frames"]["total"])

    assert hits / (hits + misses) >= LEAST
    assert hits / (hits + false) >= LEAST


@pytest.mark.parametrize("group", GROUPS)
def test_counts_are_exactly_true(group, run):
    """As many as the ground truth has that can be seen for a third of a second."""
    seen = Counter(box.who for some in truth(group).values() for box in some if box.weight >= VISIBLE)
    counted = json.loads((run / "summary.json").read_bytes())["groups"][group]["unique"]

    assert sum(frames >= COUNTED for frames in seen.values()) == COUNTS[group]
    assert counted == COUNTS[group]


@pytest.mark.parametrize("group", GROUPS)
def test_each_counted_object_is_another_one(group, run):
    """A count may be true by chance, one object missed and another counted twice: the objects are compared."""
    real = truth(group)
    votes: dict[int, Counter[int]] = defaultdict(Counter)
    for frame, some in boxes(run / "tracks.csv", "track_id", "confidence", group=group).items():
        for box in some:
            overlaps = {each.who: overlap(box.xyxy, each.xyxy) for each in real.get(frame, [])}
            who = max(overlaps, key=lambda name: overlaps[name], default=-1)
            votes[box.who][who if overlaps.get(who, 0) >= IOU else -1] += 1
    long = {track_id: vote for track_id, vote in votes.items() if vote.total() >= COUNTED}

    objects = [vote.most_common(1)[0][0] for vote in long.values()]

    assert -1 not in objects
    assert len(set(objects)) == len(objects) == COUNTS[group]


def truth(group: str) -> Frames:
    """Ground truth of a group, by frame."""
    return boxes(DEMO / "street.gt.csv", "id", "visible", labels=GROUPS[group])


def boxes(path: Path, who: str, weight: str, *, group: str = "", labels: Iterable[str] = ()) -> Frames:
    """Rows of a table by frame: those of a group, or of some labels."""
    wanted, found = set(labels), defaultdict(list)
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            if row["label"] in wanted if wanted else row["group"] == group:
                xyxy = tuple(float(row[side]) for side in ("x1", "y1", "x2", "y2"))
                found[int(row["frame"])].append(Box(int(row[who] or -1), xyxy, float(row[weight])))
    return found


def matched(found: Frames, real: Frames, frames: int) -> tuple[int, int, int]:
    """Hits, misses and false alarms; objects of which less can be seen are none of the three."""
    hits = misses = false = 0
    for frame in range(frames):
        free = list(real.get(frame, []))
        for box in sorted(found.get(frame, []), key=lambda box: -box.weight):
            near = [each for each in free if overlap(box.xyxy, each.xyxy) >= IOU]
            if not near:
                false += 1
                continue
            best = max(near, key=lambda each: (each.weight >= VISIBLE, overlap(box.xyxy, each.xyxy)))
            free.remove(best)
            hits += best.weight >= VISIBLE
        misses += sum(each.weight >= VISIBLE for each in free)
    return hits, misses, false


def overlap(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    """IoU of two boxes."""
    sides = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    shared = float(np.prod(np.maximum(sides, 0)))
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return shared / (areas[0] + areas[1] - shared)
