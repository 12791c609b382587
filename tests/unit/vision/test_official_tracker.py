"""Mode `bytetrack` against what the official tracker gave, on scenes of our own that everybody has.

On real videos: tests/quality/test_tracking_parity.py, which needs the real data.
"""

import gzip
from pathlib import Path

import numpy as np
import pytest

from sightline.types import Detections
from tests.data.bytetrack import make
from tests.laws.tracker_scenes import BYTETRACK, play

FOLDER = Path(make.__file__).parent
NAMES = sorted(path.name.partition(".")[0] for path in FOLDER.glob("*.official.txt.gz"))
TOLERANCE = 0.001  # pixels; the golden files have four decimals


def table(name: str) -> np.ndarray:
    """Rows frame, id, four numbers of a box[, confidence]."""
    with gzip.open(FOLDER / f"{name}.txt.gz", "rt") as lines:
        return np.array([[float(cell) for cell in line.split(",")] for line in lines])


def detections(name: str) -> list[Detections]:
    """Each frame of a scene, as the official tracker got it."""
    rows = table(f"{name}.detections")
    frames = [rows[rows[:, 0] == number] for number in range(1, int(rows[-1, 0]) + 1)]
    return [Detections(found[:, 2:6], found[:, 6], np.zeros(len(found), np.int64)) for found in frames]


@pytest.mark.parametrize("name", NAMES)
def test_every_frame_equals_the_official_tracker(name):
    """The same ids in every frame, each with its box within a thousandth of a pixel."""
    golden = table(f"{name}.official")

    _, shown = play(BYTETRACK, detections(name))

    assert len(golden) > 500
    for number, frame in enumerate(shown, 1):
        rows = golden[golden[:, 0] == number]
        rows = rows[rows[:, 1].argsort()]
        boxes = np.hstack([rows[:, 2:4], rows[:, 2:4] + rows[:, 4:6]])
        assert frame.tracks.track_id.tolist() == rows[:, 1].tolist(), f"frame {number}"
        assert np.abs(frame.tracks.xyxy - boxes).max(initial=0) <= TOLERANCE, f"frame {number}"


def test_the_scenes_are_those_of_the_generator():
    """Nothing in them was chosen by hand."""
    assert set(make.scenes()) == set(NAMES)
    for name, frames in make.scenes().items():
        with gzip.open(FOLDER / f"{name}.detections.txt.gz", "rt") as file:
            assert file.read() == make.rows(frames), name
