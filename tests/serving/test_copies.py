"""A copy that every browser plays, of the real service: killed in the middle, asked for again, whole."""

import json
import struct

import av
import numpy as np
import pytest

from tests import numbered
from tests.serving.service import Service

FRAMES = 500


@pytest.fixture
def service(tmp_path):
    service = Service(tmp_path / "data").start()
    yield service
    service.kill()


def test_a_worker_that_is_killed_in_the_middle_leaves_nothing_that_looks_like_a_copy(service, tmp_path):
    """Whoever asks again gets all of it, with the times of the index; a player reads parts."""
    clip = numbered.numbered(tmp_path / "clip", "avi", FRAMES)
    status, answer = service.upload(clip, pipeline="detect")
    assert status == 200, answer
    job = f"/api/v1/jobs/{answer['event_id']}"

    def copy():
        return service.json(f"{job}/playback").get("copy")

    def begun():
        return service.ask("POST", f"{job}/playback", b"")[0] == 202

    service.until(begun)
    service.until(lambda: copy()["done"] > 20)
    assert (copy()["state"], copy()["how"], copy()["total"]) == ("making", "encode", FRAMES)
    service.kill_one("worker")
    service.until(lambda: "copy" in service.json(f"{job}/playback"))
    assert copy() is None
    assert json.loads(service.get(f"{job}/copy.mp4")[1])["code"] == "no_copy"

    service.until(begun)
    service.until(lambda: copy()["state"] != "making")
    assert copy()["state"] == "ready", copy()
    status, blob = service.get(f"{job}/copy.mp4")
    part = service.get(f"{job}/copy.mp4", Range="bytes=100-199")
    service.until(lambda: service.get(f"{job}/index")[0] == 200)
    index = service.get(f"{job}/index")[1]

    assert (status, len(blob)) == (200, copy()["bytes"])
    assert part == (206, blob[100:200])
    (frames,) = struct.unpack_from("<q", index, 16)
    (tmp_path / "copy.mp4").write_bytes(blob)
    with av.open(str(tmp_path / "copy.mp4")) as container:
        stream = container.streams.video[0]
        times = sorted(p.pts * stream.time_base * 1_000_000 for p in container.demux(stream) if p.size)
    assert times == np.frombuffer(index, "<i8", frames, 40).tolist()
    assert service.ask("DELETE", job)[0] == 204
    assert not [*(tmp_path / "data" / "objects").rglob("copy.mp4")]
