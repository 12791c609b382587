"""Thresholds that do not suit a model are spoken of, on real videos with models as people bring them."""

import json

import pytest

from tests.integration.track_process import track


@pytest.mark.parametrize(
    ("model", "video", "end", "codes"),
    [
        ("yolov8n_640_fp32", "highway-video1.avi", "8s", {"few_tracks"}),
        ("yolo11n_640_fp32", "car-detection.mp4", "20s", {"no_tracks_started"}),
        ("yolov8n_640_fp32", "one-by-one-person-detection.mp4", "15s", set()),
    ],
)
def test_a_run_says_that_boxes_became_no_tracks(shared, tmp_path, model, video, end, codes):
    """With the flag; and says nothing where people were followed."""
    data = shared / "data"
    words = ("--model", data / "models" / f"{model}.onnx", "--precision", "f32", "--end", end, "-o", "out")
    words += ("--tracker.track-high-thresh", "0.6", "--tracker.new-track-thresh", "0.7")

    done = track(tmp_path, data / "real" / "video" / video, *words)

    [path] = (tmp_path / "out").glob("*/run.json")
    said = {
        each["code"]: each["detail"]
        for each in json.loads(path.read_text())["warnings"]
        if each["code"] in ("few_tracks", "no_tracks_started", "nothing_found")
    }
    assert done.returncode == 0
    assert set(said) == codes
    assert all(
        "--tracker.new-track-thresh 0.7" in detail and detail in done.stderr for detail in said.values()
    )


@pytest.mark.parametrize("model", ["yolov8n_640_fp32", "yolo11n_640_fp32", "yolox_nano_416"])
def test_thresholds_of_the_video_suit_every_network(shared, tmp_path, model):
    """By default nobody is warned: cars that score 0.6 at best are followed like those that score 0.9."""
    data = shared / "data"
    words = ("--model", data / "models" / f"{model}.onnx", "--precision", "f32", "--end", "8s", "-o", "out")

    done = track(tmp_path, data / "real" / "video" / "highway-video1.avi", *words)

    [path] = (tmp_path / "out").glob("*/summary.json")
    cars = json.loads(path.read_text())["groups"]["cars"]
    codes = [each["code"] for each in json.loads((path.parent / "run.json").read_text())["warnings"]]
    assert done.returncode == 0
    assert 22 <= cars["unique"] <= 28  # both carriageways
    assert not {"few_tracks", "no_tracks_started", "nothing_found"} & set(codes)
