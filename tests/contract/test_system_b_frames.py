"""System B's tasks with their pictures (`inline_frames`), over the real tools of a service."""

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from sightline import pipeline
from sightline.adapters.video.reader import VideoReader
from sightline.events import INLINE_BYTES
from sightline.pipeline import codecs_for
from sightline.sources.probe import OWN_SIZE, SYSTEM_B
from tests.confining import everything
from tests.contract.test_system_a_frames import World
from tests.media import video

pytestmark = pytest.mark.contract

FRAMES = 12
CODECS = codecs_for([pipeline.load("detect")])


@pytest.fixture
def dataset(tmp_path):
    """A video, and a folder of images that are too large, broken, and neither."""
    video(tmp_path / "street.mp4", FRAMES)
    folder = tmp_path / "noise"
    folder.mkdir()
    noise = np.random.default_rng(7).integers(0, 256, (900, 1200, 3), np.uint8)
    for number in range(11):
        Image.fromarray(noise if number == 5 else noise // 255).save(folder / f"{number:04d}.png")
    (folder / "0010.png").write_bytes(b"no picture")
    return tmp_path


def tasks(dataset, name, kind, inline=True):
    """What a feeder writes of a job on both topics of system B."""
    world = World(dataset, partitions=1, codecs=CODECS, inline_frames=inline)
    world.start(name, name, kind, "detect")
    topics = ("inference_tasks", "inference_results")
    return tuple(
        [entry.value for part in range(8) for entry in world.store.read(topic, part, 0, 100)]
        for topic in topics
    )


def test_inference_tasks_bring_their_pictures(dataset):
    """The very JPEG that system B's runner makes of a frame, blurred and with contrast, beside the path; an end has none."""
    values, answers = tasks(dataset, "street.mp4", "video")
    own = everything(VideoReader(dataset / "street.mp4", OWN_SIZE, SYSTEM_B), OWN_SIZE)

    found = [task for task in map(json.loads, values) if "frame_id" in task]
    assert [task["frame_id"] for task in found] == [0, 5, 10]
    assert {task["path"] for task in found} == {f"{dataset}/street.mp4#chunk=0"}
    for task in found:
        expected = io.BytesIO()
        pixels = np.frombuffer(own[task["frame_id"]][3], np.uint8).reshape(96, 160, 3)
        Image.fromarray(pixels).save(expected, "JPEG", quality=95)
        assert base64.b64decode(task["frame_data"], validate=True) == expected.getvalue()
    assert answers == []


def test_inference_tasks_are_the_same_bytes_again(dataset):
    """A feeder that was killed says what it had said; without the setting it says the same but for the pictures."""
    first, again = (tasks(dataset, "street.mp4", "video") for _ in range(2))
    plain, _ = tasks(dataset, "street.mp4", "video", inline=False)

    assert again == first
    without = [
        {name: value for name, value in json.loads(each).items() if name != "frame_data"} for each in first[0]
    ]
    assert without == [json.loads(each) for each in plain]


def test_inference_tasks_whose_picture_is_too_large_or_broken_have_failed(dataset):
    """The frame is answered at once, as nobody can see it; no record is larger than its topic takes."""
    values, answers = tasks(dataset, "noise", "images")

    assert max(map(len, values)) <= INLINE_BYTES
    found = {task["frame_id"]: task for task in map(json.loads, values) if "frame_id" in task}
    said = {number: (task.get("outcome", "ok"), task.get("reason", "")) for number, task in found.items()}
    assert said == {0: ("ok", ""), 5: ("failed", "too_large"), 10: ("failed", "decode")}
    assert ["frame_data" in found[number] for number in (0, 5, 10)] == [True, False, False]
    results = [each for each in map(json.loads, answers) if "frame_id" in each]
    assert [(each["frame_id"], each["outcome"], each["reason"]) for each in results] == [
        (5, "failed", "too_large"),
        (10, "failed", "decode"),
    ]
    assert [each["frames"] for each in map(json.loads, answers) if each.get("kind") == "eof"] == [3, 3]
