"""Clients of both founding systems at one service."""

import csv
import io
import json
from itertools import islice

import av
import pytest

from tests.cluster.cluster import cut, sent
from tests.serving.service import Service
from tests.stored_job import STREET

pytestmark = pytest.mark.contract

SEQUENCE, FRAMES = "uav0000086_00000_v", 30


@pytest.fixture
def dataset(tmp_path):
    """A sequence of VisDrone's layout, with a street in it."""
    folder = tmp_path / "VisDrone2019-MOT-val" / "sequences" / SEQUENCE
    folder.mkdir(parents=True)
    with av.open(str(STREET)) as video:
        for number, frame in enumerate(islice(video.decode(video=0), FRAMES), 1):
            frame.to_image().save(folder / f"{number:07d}.jpg", quality=95)
    return folder.parents[1]


def test_both_systems_in_one_service(dataset, tmp_path):
    """A sequence by its name and a video by upload, at the same time: each client finds its own result, and both jobs are in the list."""
    service = Service(tmp_path / "data", "--dataset", str(dataset)).start()
    try:
        started = json.loads(service.ask("POST", f"/start/{SEQUENCE}", b"", port="generator")[1])
        job_a = started["event_id"]
        job_b = sent(service, cut(STREET, tmp_path / "street.mp4", FRAMES), bucket="videos")
        results = {job_id: service.result(job_id) for job_id in (job_a, job_b)}
        shown = service.json("/api/status/all")
        stats = service.data / "debug_output" / "stats.csv"
        service.until(stats.exists)
        rows = list(csv.reader(io.StringIO(stats.read_text())))
        stored = json.loads(
            (service.data / "objects" / "videos" / "detection" / f"{job_b}.json").read_bytes()
        )
    finally:
        assert service.stop() == 0

    assert started["status"] == f"Sent {FRAMES} frames from {SEQUENCE}."
    assert [item["frame"] for item in results[job_a]["prediction"]] == list(range(FRAMES))
    assert [item["frame"] for item in results[job_b]["prediction"]] == list(range(0, FRAMES, 5))
    assert stored == results[job_b]["prediction"]
    assert (rows[0], len(rows)) == (["timestamp", "num_cars", "num_people"], 1 + FRAMES)
    assert {each["video_id"]: each["status_code"] for each in shown["operations"]} == {
        job_a: "ready",
        job_b: "ready",
    }
