"""`sightline serve`: uploads in, results out, whatever of it dies meanwhile."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from sightline.app.track import track
from sightline.jobs.upgrades import successor_id
from sightline.runs.verify import verify
from sightline.settings import TrackOptions
from sightline.vision.bytetrack import TRACKER_VERSION
from tests.integration import bad_files
from tests.media import video
from tests.serving.service import PORTS, Service

FREE_PORTS = [word for name in PORTS for word in (f"--{name}-port", "0")]


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


@pytest.fixture
def service(tmp_path):
    service = Service(tmp_path / "data").start()
    yield service
    if service.process is not None and service.process.poll() is None:
        service.kill()


def test_a_video_that_is_uploaded_has_the_result_that_track_gives(service, clip, expected):
    """By the contract's calls alone; then the service is stopped, and started again with everything there."""
    status, answer = service.upload(clip)
    assert (status, list(answer), answer["status"]) == (200, ["status", "event_id"], "ok")
    job_id = answer["event_id"]

    result = service.result(job_id)
    listed = service.json("/api/status/all")

    assert result == {"status": "ready", "event_id": job_id, "prediction": expected}
    assert listed["total"] == 1
    assert (listed["operations"][0]["video_id"], listed["operations"][0]["status_code"]) == (job_id, "ready")
    (verdict,) = verify(service.data / "objects" / "sightline" / "jobs" / job_id)
    assert verdict.problems == ()
    assert json.loads(service.get("/health", "runner")[1]) == {"status": "ok"}
    assert json.loads(service.get("/health", "inference")[1]) == {"status": "ok", "service": "inference"}
    assert service.stop() == 0
    again = Service(service.data).start()
    try:
        assert again.result(job_id)["prediction"] == expected
    finally:
        assert again.stop() == 0


def test_a_job_that_was_begun_with_another_model_is_done_anew(tmp_path):
    """No result is half of one model and half of another: its successor has the new one's, and the old id answers for it."""
    clip = video(tmp_path / "long.mp4", 4000, size=(320, 192))
    model = bad_files.car_model(tmp_path / "car.onnx")
    before = Service(tmp_path / "data", model=str(model)).start()
    job_id = before.upload(clip)[1]["event_id"]
    before.until(lambda: before.json(f"/api/v1/jobs/{job_id}")["state"] == "processing")
    before.kill()
    after = Service(tmp_path / "data").start()
    try:
        result = after.result(job_id)
        again = after.result(after.upload(clip)[1]["event_id"])
        old = after.json(f"/api/v1/jobs/{job_id}")
    finally:
        after.kill()

    assert (old["state"], old["code"]) == ("failed", "upgraded")
    assert (result["status"], result["event_id"]) == ("ready", job_id)
    assert result["prediction"] == again["prediction"]


def test_a_job_that_was_begun_by_another_tracker_is_done_anew(tmp_path):
    """An upgrade of the program: no result is half of one tracker and half of another."""
    clip = video(tmp_path / "long.mp4", 2000, size=(320, 192))
    before = Service(tmp_path / "data").start()
    posted = before.ask("POST", "/api/v1/jobs", clip.read_bytes(), headers={"Content-Type": "video/mp4"})
    job_id = json.loads(posted[1])["job_id"]
    before.until(lambda: before.json(f"/api/v1/jobs/{job_id}")["state"] == "processing")
    before.kill()
    store = apsw.Connection(str(tmp_path / "data" / "store.sqlite"))
    here, older = (f'"version":{version}' for version in (TRACKER_VERSION, TRACKER_VERSION - 1))
    store.execute("UPDATE jobs SET facts = replace(facts, ?, ?)", (here, older))
    assert store.changes() == 1
    store.close()
    after = Service(tmp_path / "data").start()
    try:
        after.until(lambda: after.json(f"/api/v1/jobs/{job_id}")["state"] == "failed")
        old = after.json(f"/api/v1/jobs/{job_id}")
        after.until(lambda: after.get(f"/api/v1/jobs/{successor_id(job_id)}")[0] == 200)
    finally:
        after.kill()

    assert old["code"] == "upgraded"
    assert f"tracker {TRACKER_VERSION - 1}, now {TRACKER_VERSION}" in str(old)


def test_what_is_no_video_is_refused_and_leaves_nothing(service, tmp_path):
    """The worker looked into it before it was accepted."""
    (tmp_path / "a.mp4").write_bytes(b"no video" * 1000)

    status, answer = service.upload(tmp_path / "a.mp4")

    assert status in (415, 422)
    assert answer["code"]
    assert service.json("/api/status/all")["total"] == 0
    assert [path for path in (service.data / "objects").rglob("*") if path.is_file()] == []


def test_a_second_service_on_the_folder_is_refused(service):
    """It says what to do."""
    second = [sys.executable, "-m", "sightline", "serve", "--data", str(service.data)]

    done = subprocess.run([*second, *FREE_PORTS], capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert "another sightline serve works in this folder" in done.stderr
    assert "--data" in done.stderr


@pytest.mark.parametrize("name", PORTS)
def test_a_port_that_is_taken_names_its_flag(tmp_path, name):
    """Nothing was started."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = str(taken.getsockname()[1])
        ports = [*FREE_PORTS]
        ports[ports.index(f"--{name}-port") + 1] = number
        done = subprocess.run(
            [sys.executable, "-m", "sightline", "serve", "--data", str(tmp_path / "data"), *ports],
            capture_output=True,
            text=True,
            check=False,
        )

    assert done.returncode == 2
    assert f"--{name}-port" in done.stderr
    assert number in done.stderr


@pytest.mark.parametrize("flag", ["--data", "--csv-path", "--frame-store"])
def test_nothing_is_written_where_jobs_may_name_files(tmp_path, flag):
    """Whoever may send jobs could read the uploads of others there."""
    places = {"--data": tmp_path / "data", "--files": tmp_path / "files"} | {flag: tmp_path / "files" / "x"}
    words = [str(word) for pair in places.items() for word in pair]

    done = subprocess.run(
        [sys.executable, "-m", "sightline", "serve", *words, *FREE_PORTS],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert flag in done.stderr
    assert "--files" in done.stderr
    assert not (tmp_path / "files").exists()


def test_without_a_model_nothing_is_served(tmp_path):
    """Else every video would be taken in and fail."""
    command = [
        sys.executable,
        "-m",
        "sightline",
        "serve",
        "--data",
        str(tmp_path / "data"),
        "--model",
        "none.onnx",
    ]

    done = subprocess.run(
        [*command, *FREE_PORTS],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert "none.onnx" in done.stderr


@pytest.mark.parametrize(
    ("flag", "value", "says"),
    [
        ("--device", "gpu", "one of auto, cpu, cuda:0"),
        ("--device", "cuda:0", "built for processors"),
        ("--batch", "4", "--batch 1"),
        ("--engine", "ultralytics", "--engine openvino"),
        ("--precision", "int8", "--precision f32"),
    ],
)
def test_what_no_job_could_be_done_with_is_refused_at_the_start(tmp_path, flag, value, says):
    """Else every video would be taken in and fail, or the worker end again and again."""
    command = [sys.executable, "-m", "sightline", "serve", "--data", str(tmp_path / "data"), flag, value]

    done = subprocess.run(
        [*command, "--model", "sightline-tiny", *FREE_PORTS],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert done.returncode == 2
    assert says in done.stderr


def test_a_worker_that_does_not_answer_shows(service):
    """`/ready` names it and the health of the services says so, until another one does its work."""
    service.until(lambda: service.get("/ready")[0] == 200)
    worker = service.children()["worker"]

    os.kill(worker, signal.SIGSTOP)
    service.until(lambda: "State:\tT" in Path(f"/proc/{worker}/status").read_text())
    status, said = service.get("/ready")
    stopped = [service.get("/api/health")[0], *(service.get("/health", port)[0] for port in service.ports)]
    os.kill(worker, signal.SIGKILL)

    assert (status, json.loads(said)["missing"]) == (503, ["worker"])
    assert stopped == [503] * 5
    service.until(lambda: service.get("/ready")[0] == 200)
    assert service.children()["worker"] != worker
    assert service.get("/health", "inference")[0] == 200


def test_cleanup_removes_everything(service, clip):
    """Jobs that run are stopped, and nothing of them is left."""
    service.upload(clip)
    service.upload(clip)

    status, answer = service.ask("DELETE", "/api/cleanup/all")

    assert status == 200
    assert json.loads(answer)["results"]["mongodb"]["outbox_deleted"] == 2
    assert service.json("/api/status/all") == {"operations": [], "total": 0}
