"""The topics of both founding systems as their own consumers read them, beside the files of the same job."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pytest

from sightline.events import JobEvent, OutboxEvents
from sightline.pipeline import codecs_for
from tests.contract.old_consumers import SystemA, SystemB
from tests.laws.test_dialect_laws import CREATED, DETECT, FRAMES, VISDRONE, outcome

pytestmark = pytest.mark.contract

BEGIN = datetime.fromtimestamp(CREATED / 1e6, UTC)
WORDS = {"cars": ("car", "cars"), "people": ("people", "people")}


@pytest.fixture(scope="module")
def system_a():
    """The files and the log of a job of pipeline `visdrone`."""
    _, blobs, store = outcome(VISDRONE, codecs_for([VISDRONE]))
    return blobs, store


@pytest.fixture(scope="module")
def system_b():
    """The same of pipeline `detect`."""
    _, blobs, store = outcome(DETECT, codecs_for([DETECT]))
    return blobs, store


def rows(blobs, name: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(blobs[f"csv-a/{name}.csv"].decode())))[1:]


def as_text(found: list[list]) -> list[list[str]]:
    return [[f"{cell:.6g}" if isinstance(cell, float) else str(cell) for cell in row] for row in found]


def rounded(found: list[list[str]]) -> list[list[str]]:
    return [
        [f"{float(cell):.6g}" if "." in cell and ":" not in cell else cell for cell in row] for row in found
    ]


@pytest.mark.parametrize("topic", ["car-frames", "person-frames"])
def test_frames_of_system_a_are_read_by_its_detectors(system_a, topic):
    """One for each frame, named from 0, on the job's clock; the same on both topics."""
    frames = SystemA.frames(system_a[1].values(topic))

    assert sorted(frames) == [
        (f"frame_{number:05d}", "video j1", BEGIN + timedelta(microseconds=number * 40_000))
        for number in range(FRAMES)
    ]


@pytest.mark.parametrize("group", WORDS)
def test_detections_of_system_a_are_read_by_its_trackers(system_a, group):
    """What they read are the rows of the CSV file, which has those from 0.25 on."""
    word, topic = WORDS[group]
    read = SystemA.detections(system_a[1].values(f"detections-{topic}"))

    expected = rounded(rows(system_a[0], f"{word}_detections"))
    assert len(expected) > 100
    assert sorted(as_text([row for row in read if row[4] >= 0.25])) == sorted(expected)


@pytest.mark.parametrize("group", WORDS)
def test_tracks_of_system_a_are_read_by_its_statistics(system_a, group):
    """What they read are the rows of the CSV file."""
    word, topic = WORDS[group]
    read = SystemA.tracks(system_a[1].values(f"tracks-{topic}"))

    expected = rounded(rows(system_a[0], f"{word}_tracks"))
    assert len(expected) > 100
    assert sorted(as_text(read)) == sorted(expected)


def test_tasks_of_system_b_are_read_by_its_inference(system_b):
    """Frames 0, 5, 10, … of the upload."""
    tasks = SystemB.tasks(system_b[1].values("inference_tasks"))

    assert sorted(tasks, key=lambda task: task[1]) == [
        ("j1", frame, "videos") for frame in range(0, FRAMES, 5)
    ]


def test_results_of_system_b_are_read_by_its_collector(system_b):
    """What it puts together is the result object: every sampled frame, empty and failed ones too."""
    read = SystemB.results(system_b[1].values("inference_results"))

    expected = json.loads(system_b[0]["result.json"])
    assert len(expected) == -(-FRAMES // 5)
    assert read == [{"frame": each["frame"], "objects": each["objects"]} for each in expected]


def test_events_of_system_b_are_read_by_its_runner():
    """`_id`, `payload`, `created_at` as the outbox has them."""
    event = JobEvent("j1", "street", "detect", "videos", "input/j1.mp4", "video", 1_704_110_400_000_000)

    assert SystemB.event(OutboxEvents().encode(event)) == (
        "j1",
        {"bucket": "videos", "object": "input/j1.mp4", "media_type": "video"},
        datetime(2024, 1, 1, 12),
    )
