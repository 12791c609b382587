"""What the whole program counts in a real video whose truth was counted by eye."""

from __future__ import annotations

import csv
import json

from tests.integration.track_process import check_run, track

PEOPLE = 6


def test_six_people_who_pass_one_by_one_are_six(shared, tmp_path):
    """With default settings: six people, one at a time, and nobody in between; each is one track."""
    clip = shared / "data" / "real" / "video" / "one-by-one-person-detection.mp4"
    network = shared / "data" / "models" / "yolox_nano_416.onnx"

    done = track(tmp_path, clip, "--model", network, "--precision", "f32", "-o", "out", "--json")

    (report,) = json.loads(done.stdout)["runs"]
    assert (done.returncode, report["counts"]) == (0, {"person": PEOPLE})
    run = tmp_path / "out" / clip.stem
    frames = check_run(run)["frames"]
    assert (frames["total"], frames["sampled"], frames["ok"]) == (1394, 1394, 1394)
    people = json.loads((run / "summary.json").read_bytes())["groups"]["people"]
    assert (people["unique"], people["peak"]) == (PEOPLE, 1)
    with (run / "tracks.csv").open(newline="") as file:
        assert len({row["track_id"] for row in csv.DictReader(file)}) == PEOPLE
