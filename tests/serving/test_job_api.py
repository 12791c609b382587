"""`/api/v1` on a real service: an upload that goes on after everything was killed, events until the end, run again, removed."""

import base64
import json
import socket

import pytest

from sightline.app.track import track
from sightline.client.events import watch
from sightline.client.server import Server
from sightline.settings import TrackOptions
from tests.media import video
from tests.serving.service import Service

TUS = {"Tus-Resumable": "1.0.0"}
BYTES = {**TUS, "Content-Type": "application/offset+octet-stream"}


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return video(tmp_path_factory.mktemp("clips") / "street.mp4", 200, size=(320, 192))


@pytest.fixture(scope="module")
def expected(clip, tmp_path_factory):
    """What `track` makes of it with the same pipeline."""
    out = tmp_path_factory.mktemp("tracked")
    options = TrackOptions(
        pipeline="detect", model="sightline-tiny", precision="f32", out=out, formats=("json-b",), workers=1
    )
    (report,) = track([clip], options)
    return json.loads((report.path / "result.json").read_bytes())


def at(service):
    return Server(f"http://127.0.0.1:{service.ports['api']}")


def add(server, path, offset, blob):
    return server.ask("PATCH", path, blob, {**BYTES, "Upload-Offset": str(offset)}).headers


def test_an_upload_goes_on_whatever_was_killed_and_its_job_lives(clip, expected, tmp_path):
    """Nothing that was acknowledged is sent again; the job has the result of `track`, its child too, and nothing stays."""
    blob = clip.read_bytes()
    third = len(blob) // 3
    service = Service(tmp_path / "data").start()
    try:
        metadata = f"pipeline {base64.b64encode(b'detect').decode()},filename YS5tcDQ="
        begun = {**TUS, "Upload-Length": str(len(blob)), "Upload-Metadata": metadata}
        path = at(service).ask("POST", "/api/v1/uploads", headers=begun).headers["location"]
        add(at(service), path, 0, blob[:third])
        with socket.create_connection(("127.0.0.1", service.ports["api"]), 10) as line:
            head = f"PATCH {path} HTTP/1.1\r\nHost: localhost\r\nUpload-Offset: {third}\r\n"
            head += "".join(f"{name}: {value}\r\n" for name, value in BYTES.items())
            line.sendall(
                f"{head}Content-Length: {len(blob) - third}\r\n\r\n".encode() + blob[third : 2 * third]
            )
            service.kill()
        service = Service(service.data).start()

        there = int(at(service).ask("HEAD", path, headers=TUS).headers["upload-offset"])
        assert third <= there <= 2 * third
        service.until(lambda: service.get("/ready")[0] == 200)
        job_id = add(at(service), path, there, blob[there:])["location"].rpartition("/")[2]
        events = [*watch(at(service), job_id)]

        assert events[-1].name == "done"
        assert events[-1].data["state"] == "ready"
        ids = [int(event.event_id) for event in events]
        assert ids == sorted(ids)
        assert service.result(job_id)["prediction"] == expected
        job = at(service).job(job_id)
        assert job["progress"]["detect"] == {"done": 40, "total": 40}
        assert job["counts"]["frames"] == {"total": 200, "sampled": 40, "ok": 40, "failed": 0, "skipped": 0}

        child_id = at(service).ask("POST", f"/api/v1/jobs/{job_id}/retry").json()["job_id"]
        at(service).ask("DELETE", f"/api/v1/jobs/{job_id}")
        assert [*watch(at(service), child_id)][-1].data["state"] == "ready"
        assert service.result(child_id)["prediction"] == expected
        at(service).ask("DELETE", f"/api/v1/jobs/{child_id}")
        assert [each for each in (service.data / "objects").rglob("*") if each.is_file()] == []
    finally:
        service.kill()
