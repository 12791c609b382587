"""How far the unique count is off on real sequences, by the official tracker's ids: the rule is what matters."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from benchmarks.tracking import suites
from benchmarks.tracking.adapter import ByteTrack
from benchmarks.tracking.refined import play, published

from sightline.disk import read_text
from sightline.formats import kitti
from sightline.vision.counting import count_tracks, hits_limit

TYPES = ("Car", "Van", "Truck", "Pedestrian", "Cyclist")


@pytest.mark.parametrize(
    ("suite", "ids", "counted", "error"),
    [("mot17", 293, 272, 0.127), ("mot20", 75, 73, 0.043), ("kitti-car", 438, 428, 0.041)],
)
def test_a_third_of_a_second_makes_the_count_honest(
    shared: Path, suite: str, ids: int, counted: int, error: float
):
    """Fewer objects than ids, and nearer to the truth than ids are."""
    sequences = suites.load(suite, shared)
    total, objects, off, off_by_id, true = 0, 0, 0, 0, 0
    for sequence in sequences:
        frames, raw = play(suite, sequence, ByteTrack)

        counts = count_tracks(frames, published(frames, raw, None), hits_limit(Fraction(sequence.fps)))

        truth = len(sequence.true_ids())
        total, objects, true = total + len(counts), objects + counts.counted.sum(), true + truth
        off, off_by_id = off + abs(counts.counted.sum() - truth), off_by_id + abs(len(counts) - truth)
    assert (total, objects) == (ids, counted)
    assert off / true == pytest.approx(error, abs=0.0005)
    assert off < off_by_id


def test_the_vote_counts_a_car_once(shared: Path):
    """One tracker for all of KITTI's classes: a track that changes its class is one object of one class."""
    cars = off = mixed = pairs = true = 0
    for sequence, truth in _every_class(shared):
        frames, raw = play("kitti", sequence, ByteTrack)
        tracks = published(frames, raw, None)

        counts = count_tracks(frames, tracks, hits_limit(Fraction(10)))

        mine = int((counts.class_id[counts.counted] == 0).sum())
        cars, off, true = cars + mine, off + abs(mine - truth), true + truth
        seen = np.unique(np.stack((tracks.track_id, tracks.class_id)), axis=1)
        mixed += int((np.bincount(seen[0]) > 1).sum())
        long_enough = np.isin(seen[0], counts.track_id[counts.counted])
        pairs += int((seen[1][long_enough] == 0).sum())
    assert true == 413
    assert (cars, round(off / true, 3)) == (426, 0.046)
    assert (mixed, pairs) == (78, 457)  # tracks of several classes; cars, if each class of a track counted


def _every_class(shared: Path):
    """KITTI sequences with five classes, and how many cars there are in each."""
    for folder in sorted((shared / "data" / "real" / "kitti-tracking-train").glob("00*")):
        found = kitti.read(read_text(folder / "det_permatrack.txt.gz"), folder.name)
        truth = kitti.read_truth(read_text(folder / "label_02.txt.gz"), folder.name)
        number = np.array([TYPES.index(label) if label in TYPES else -1 for label in found.labels])[
            found.class_id
        ]
        frames = []
        for frame in range(max(found.frames, truth.frames)):
            at = (found.frame == frame) & (number >= 0)
            frames.append(suites.Frame(found.xyxy[at], found.confidence[at], number[at], frame * 100_000))
        cars = truth.object_id[truth.class_id == truth.labels.index("Car")]
        yield suites.Sequence(folder.name, frames, 10, np.empty((0, 9))), len(np.unique(cars))
