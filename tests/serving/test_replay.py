"""`sightline replay` and `verify` on a real service: over HTTP and on its data folder, whatever is killed meanwhile."""

import json

import pytest

from sightline.cli import main
from tests.media import video
from tests.serving.service import Service

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    running = Service(tmp_path_factory.mktemp("service") / "data").start()
    yield running
    running.kill()


@pytest.fixture(scope="module")
def job(service, tmp_path_factory):
    """A job that is ready, of a street of some seconds."""
    clip = video(tmp_path_factory.mktemp("clips") / "street.mp4", 300, size=(320, 192))
    status, answer = service.upload(clip, pipeline="traffic")
    assert status == 200, answer
    return ended(service, answer["event_id"])


@pytest.fixture(autouse=True)
def client(service, monkeypatch, tmp_path):
    """Commands ask this service and find no settings."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))
    monkeypatch.setenv("SIGHTLINE_SERVER", f"http://127.0.0.1:{service.ports['api']}")
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)


def ended(service, job_id):
    assert service.result(job_id)["status"] == "ready"
    return job_id


def files(service, job_id):
    manifest = json.loads(service.get(f"/api/v1/jobs/{job_id}/results/run.json")[1])
    return manifest["files"]


def said(capsys, *words):
    """Exit code, and what was printed."""
    code = main([*words, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_a_service_replays_a_job_and_judges_it(service, job, capsys):
    """Over HTTP. The child has the same files, and both are whole."""
    code, child = said(capsys, "replay", job, "--from", "track")

    assert (code, child["parent_id"]) == (0, job)
    assert files(service, ended(service, child["job_id"])) == files(service, job)
    for job_id in (job, child["job_id"]):
        code, verdict = said(capsys, "verify", job_id)
        (run,) = verdict["runs"]
        assert (code, verdict["ok"], run["problems"]) == (0, True, [])
        assert (run["frames"], run["path"]) == (300, f"job {job_id}")


def test_a_replay_that_is_killed_meanwhile(service, job, capsys):
    """Made on the data folder, beside the service that runs there; its worker dies once it has begun, and goes on."""
    data = str(service.data)
    code, child = said(capsys, "replay", job, "--from", "track", "--data", data)
    child = child["job_id"]
    service.until(lambda: service.json(f"/api/v1/jobs/{child}")["progress"].get("track", {"done": 0})["done"])
    service.kill_one("worker")

    assert code == 0
    assert files(service, ended(service, child)) == files(service, job)
    assert said(capsys, "verify", child, "--data", data)[0] == 0


def test_a_replay_from_detect_on_finds_the_same(service, job, capsys):
    """With the model that the service has."""
    code, child = said(capsys, "replay", job, "--from", "detect")

    assert code == 0
    assert files(service, ended(service, child["job_id"])) == files(service, job)


def test_a_result_that_was_changed(service, job, capsys):
    """Over HTTP as on the folder: exit code 1, and which file it is."""
    _, child = said(capsys, "replay", job, "--from", "track", "--tracker", "bytetrack")
    child = ended(service, child["job_id"])
    folder = service.data / "objects/sightline/jobs" / child
    for path in ("segments/tracks-cars/000000000128.seg", "run.json", "tracks.csv"):
        (folder / path).write_bytes((folder / path).read_bytes() + b"\n")

    found = [said(capsys, "verify", child), said(capsys, "verify", child, "--data", str(service.data))]

    assert found[0] == found[1]
    code, verdict = found[0]
    problems = "\n".join(verdict["runs"][0]["problems"])
    assert (code, verdict["ok"]) == (1, False)
    for path in ("segments/tracks-cars/000000000128.seg", "run.json", "tracks.csv"):
        assert path in problems


@pytest.mark.parametrize("where", [(), ("--data",)])
def test_a_job_that_is_not_there(service, where, capsys):
    """Exit code 3, as for a folder that is not there."""
    nobody = "00000000-0000-4000-8000-00000000beef"
    words = [*where, *([str(service.data)] if where else [])]

    assert said(capsys, "verify", nobody, *words)[0] == 3
    assert said(capsys, "replay", nobody, "--from", "track", *words)[0] == 3


def test_a_job_that_has_not_ended(service, job, tmp_path, capsys):
    """It is not verified and not replayed: the commands say where it stands."""
    clip = video(tmp_path / "long.mp4", 2000, size=(320, 192))
    running = service.upload(clip, pipeline="traffic")[1]["event_id"]
    for words in ((), ("--data", str(service.data))):
        assert said(capsys, "verify", running, *words)[0] == 3
        code, error = said(capsys, "replay", running, "--from", "track", *words)
        assert (code, error["error"]["code"]) == (2, "not_ended")
    service.ask("POST", f"/api/v1/jobs/{running}/cancel")

    code, error = said(capsys, "replay", running, "--from", "track")
    assert (code, error["error"]["code"]) == (2, "nothing_stored")


def test_a_server_and_its_stores_are_not_named_at_once(service, job, capsys):
    """One of them is meant."""
    words = ("--server", "http://127.0.0.1:1", "--data", str(service.data))
    assert said(capsys, "verify", job, *words)[1]["error"]["code"] == "usage"
