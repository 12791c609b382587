"""Mode `bytetrack` against what the official tracker gave on the same detections."""

from pathlib import Path

import numpy as np
import pytest
from benchmarks.tracking import suites
from benchmarks.tracking.adapter import ByteTrack

SEQUENCES = {
    "mot17": ["MOT17-02", "MOT17-04", "MOT17-05", "MOT17-09", "MOT17-11"],
    "mot20": ["MOT20-01"],
    "dance": ["dancetrack0018", "dancetrack0026", "dancetrack0043", "dancetrack0065"],
    "kitti-car": ["0000-car", "0004-car", "0011-car", "0020-car"],
    "kitti-pedestrian": ["0015-pedestrian", "0017-pedestrian"],
    "mot15": ["TUD-Campus", "TUD-Stadtmitte"],
}
TOLERANCE = 0.001  # pixels; the golden files have four decimals


@pytest.mark.parametrize(
    ("suite", "name"), [(suite, name) for suite, names in SEQUENCES.items() for name in names]
)
def test_every_frame_equals_the_official_tracker(shared: Path, suite: str, name: str):
    """The same ids in every frame, each with its box within a thousandth of a pixel."""
    sequence = next(each for each in suites.load(suite, shared) if each.name == name)
    golden = suites.golden(suite, name, shared)
    assert golden is not None
    assert sum(len(track_ids) for track_ids, _ in golden) > 100
    tracker = ByteTrack(suites.parameters(suite, name), 30)

    for at, frame in enumerate(sequence.frames):
        tracks = tracker.step(tracker.prepare(*frame[:4]))

        track_ids, boxes = golden[at] if at < len(golden) else (np.empty(0, np.int64), np.empty((0, 4)))
        order = track_ids.argsort()
        assert tracks.track_id.tolist() == track_ids[order].tolist(), f"frame {at + 1}"
        assert np.abs(tracks.xyxy - boxes[order]).max(initial=0) <= TOLERANCE, f"frame {at + 1}"


def test_all_golden_files_are_compared(shared: Path):
    """The list above is the folder."""
    files = (shared / "data" / "real" / "golden-bytetrack").glob("*/*.txt.gz")

    found = {(path.parent.name, path.name.removesuffix(".txt.gz")) for path in files}

    assert found == {(suite, name) for suite, names in SEQUENCES.items() for name in names}
