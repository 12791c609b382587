"""What is counted from anchors on real tracks is what is counted from the tracks."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from benchmarks.tracking import suites
from benchmarks.tracking.refined import play, published
from benchmarks.tracking.standing import PICTURES, USUAL

from sightline.counts import Line, Zone
from sightline.errors import Misconfigured
from sightline.types import GroupResult, JobResult, TrackTable
from sightline.vision.counting import count_job, hits_limit
from sightline.vision.refine import RefineSettings
from tests.anchored import from_anchors, told

LINES, ZONES = 20, 10
SIZES = {"kitti-car": (1242, 375)}


@pytest.mark.parametrize("suite", ["mot17", "mot20", "kitti-car", "dance"])
def test_lines_and_zones_anywhere_count_the_same(shared: Path, suite: str):
    """Every field of every event, in the same order; on each sequence something happens."""
    rng = np.random.default_rng(0)
    for sequence in suites.load(suite, shared):
        frames, raw = play(suite, sequence)
        rate = Fraction(sequence.fps)
        tracks = published(frames, raw, RefineSettings())
        size = PICTURES.get(sequence.name, SIZES.get(suite, USUAL))
        group = GroupResult("objects", (0,), TrackTable.empty(), tracks)
        labels = tuple(map(str, range(int(tracks.class_id.max()) + 1)))
        job = JobResult("v", "j", 0, frames, rate, *size, labels, (group,), hits_limit(rate), 0.25)
        drawn = _lines(rng), _zones(rng)

        counts = count_job(job, *drawn)

        assert counts.events
        assert told(from_anchors(job, *drawn)) == told(counts)


def _lines(rng):
    return tuple(Line(f"line {k}", *map(tuple, rng.uniform(0, 1, (2, 2)).tolist())) for k in range(LINES))


def _zones(rng):
    found = []
    while len(found) < ZONES:
        corners = rng.uniform(-0.1, 1.1, (int(rng.integers(3, 7)), 2)).tolist()
        try:
            found.append(Zone(f"zone {len(found)}", tuple(map(tuple, corners))))
        except Misconfigured:
            continue
    return tuple(found)
