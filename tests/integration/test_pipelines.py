"""The bundled pipelines, whole: what they sample, how they prepare pictures, what they write."""

import json

import numpy as np
import pytest

from sightline.adapters.video.reader import VideoReader
from sightline.app.track import track
from sightline.run import track as track_one
from sightline.runs.verify import verify
from sightline.settings import DetectOptions
from sightline.types import Detections, ImageSpec
from sightline.vision.preprocess import Preprocess
from sightline.vision.sampling import chunks
from tests import media


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Twelve small frames that differ."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    media.video(path, 12)
    return path


def frames_of(path) -> list[np.ndarray]:
    reader = VideoReader(path, ImageSpec(0, 0))
    index = reader.index()
    made = [
        decoded.buffer
        for chunk in chunks(index)
        for decoded in reader.read(
            chunk,
            range(chunk.first, chunk.end),
            index.tick[chunk.first : chunk.end].tolist(),
            lambda: np.empty((index.height, index.width, 3), np.uint8),
        )
    ]
    reader.close()
    return made


class Watching:
    """A detector that remembers what it saw and finds one box in each frame."""

    def __init__(self) -> None:
        self.seen: list[np.ndarray] = []

    def __call__(self, frames):
        self.seen += [frame.copy() for frame in frames]
        return [Detections([[1.0, 2.0, 21.0, 32.0]], [0.8], [0]) for _ in frames]


def test_detect_looks_at_every_fifth_frame_blurred_and_contrasted(clip, tmp_path):
    """Gaussian blur 3, contrast 1.3 and brightness 5 on the full-size frame, bit for bit; an item per sampled frame."""
    watching = Watching()
    options = DetectOptions(pipeline="detect", out=tmp_path, workers=1)

    report = track([clip], options, command="detect", function=watching, labels=["cat"])[0]

    prepare, whole = Preprocess(3, 1.3, 5.0), frames_of(clip)
    assert len(watching.seen) == 3
    for seen, number in zip(watching.seen, (0, 5, 10), strict=True):
        assert np.array_equal(seen, prepare(whole[number]))
    items = json.loads((report.path / "result.json").read_text())
    assert [item["frame"] for item in items] == [0, 5, 10]
    assert items[0]["objects"] == [{"class": "cat", "box": [1, 2, 21, 32], "conf": 0.8}]
    assert report.tracked is False
    assert all(verdict.problems == () for verdict in verify(tmp_path))


def test_traffic_looks_at_every_frame_as_it_is(clip, tmp_path):
    """A function instead of a model; its labels are grouped by the pipeline."""
    watching = Watching()

    run = track_one(clip, detector=watching, labels=["car", "person"], out=tmp_path, workers=1)

    whole = frames_of(clip)
    assert len(watching.seen) == len(whole) == 12
    assert all(np.array_equal(seen, frame) for seen, frame in zip(watching.seen, whole, strict=True))
    assert run.counts == {"car": 1}
    assert [group.name for group in run.result.groups] == ["cars", "people"]


def test_visdrone_has_the_tables_and_the_tracker_of_system_a(clip, tmp_path):
    """`bytetrack`, never refined; `stats.csv` has a row per sampled frame and never falls."""
    run = track_one(
        clip, detector=Watching(), labels=["car", "pedestrian"], pipeline="visdrone", out=tmp_path
    )

    settings = json.loads((run.path / "run.json").read_text())["settings"]
    assert (settings["tracker"]["mode"], settings["tracker"]["track_high_thresh"]) == ("bytetrack", 0.25)
    assert settings["refine"] is None
    rows = (run.path / "csv-a" / "stats.csv").read_text().splitlines()
    assert rows[0] == "timestamp,num_cars,num_people"
    assert len(rows) == 13
    assert rows[-1].endswith(",1,0")
