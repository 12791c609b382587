"""`sightline backup` and `restore`: a data folder as it is at one moment, while the service works, and again elsewhere."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from sightline.adapters.files.deletes import deleting, undeleted
from sightline.cli import main
from tests.media import video
from tests.serving.service import OURS, Service

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return video(tmp_path_factory.mktemp("clips") / "street.mp4", 400, size=(320, 192))


@pytest.fixture(autouse=True)
def alone(monkeypatch, tmp_path):
    """Commands find no settings."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))
    for name in OURS:
        monkeypatch.delenv(name, raising=False)


def said(capsys, *words):
    """Exit code, and what was printed."""
    code = main([*map(str, words), "--json"])
    return code, json.loads(capsys.readouterr().out)


def submitted(service, clip):
    status, answer = service.upload(clip, pipeline="traffic")
    assert status == 200, answer
    return answer["event_id"]


def files(service, job_id):
    return json.loads(service.get(f"/api/v1/jobs/{job_id}/results/run.json")[1])["files"]


def test_a_job_under_way_ends_where_its_copy_is_restored_with_the_same_bytes(clip, tmp_path, capsys):
    """The copy has one job that is ready and one that is in the middle; both services end it alike."""
    service = Service(tmp_path / "data").start()
    try:
        first = submitted(service, clip)
        assert service.result(first)["status"] == "ready"
        second = submitted(service, clip)
        service.until(
            lambda: service.json(f"/api/v1/jobs/{second}")["progress"].get("track", {"done": 0})["done"]
        )
        code, taken = said(capsys, "backup", tmp_path / "copies", "--data", service.data)
        state = service.json(f"/api/v1/jobs/{second}")["state"]
        assert service.result(second)["status"] == "ready"
        wanted = {job_id: files(service, job_id) for job_id in (first, second)}
    finally:
        service.kill()
    assert (code, state) == (0, "processing")
    assert taken["objects"] > 2

    code, restored = said(capsys, "restore", tmp_path / "copies", "--data", tmp_path / "again")
    other = Service(tmp_path / "again").start()
    try:
        assert other.result(second)["status"] == "ready"
        found = {job_id: files(other, job_id) for job_id in (first, second)}
    finally:
        other.kill()

    assert (code, restored["verified"], restored["wrong"]) == (0, 1, [])
    assert found == wanted


@pytest.fixture(scope="module")
def folder(clip, tmp_path_factory):
    """A data folder in which nobody works any more, and its job."""
    service = Service(tmp_path_factory.mktemp("service") / "data").start()
    job_id = submitted(service, clip)
    assert service.result(job_id)["status"] == "ready"
    service.kill()
    return service.data, job_id


def test_a_second_copy_writes_only_what_is_new(folder, tmp_path, capsys):
    data, _ = folder
    _, first = said(capsys, "backup", "copies", "--data", data)
    _, second = said(capsys, "backup", "copies", "--data", data)

    assert 0.9 * first["size"] < first["written"] <= first["size"]  # some files have the same bytes
    assert (second["size"], second["written"]) == (first["size"], 0)
    assert len(list(Path("copies").glob("backup-*.json"))) == 2


def test_older_copies_go_with_what_only_they_had(folder, tmp_path, capsys):
    data, _ = folder
    objects = Path("objects")
    said(capsys, "backup", "copies", "--data", data)
    blobs = sorted(path for path in Path("copies/blobs").rglob("*") if path.is_file())
    (data / "objects" / "videos").mkdir(exist_ok=True)
    late = data / "objects" / "videos" / "late.bin"
    late.write_bytes(b"late")
    _, second = said(capsys, "backup", "copies", "--keep", "1", "--data", data)
    more = sorted(path for path in Path("copies/blobs").rglob("*") if path.is_file())
    late.unlink()
    _, third = said(capsys, "backup", "copies", "--keep", "1", "--data", data)

    assert (second["dropped"], third["dropped"]) == (1, 1)
    assert len(more) == len(blobs) + 1
    assert sorted(path for path in Path("copies/blobs").rglob("*") if path.is_file()) == blobs
    assert not objects.exists()


def test_a_copy_that_is_killed_leaves_the_one_before(folder, capsys):
    """Wherever it dies: there is no list of it, and the next one takes its place."""
    data, _ = folder
    said(capsys, "backup", "copies", "--data", data)
    (before,) = Path("copies").glob("backup-*.json")
    for blob in Path("copies/blobs").rglob("*"):
        if blob.is_file() and blob.stat().st_size < 1000:
            blob.unlink()  # what the second one has to write
    program = (
        "import os, signal, sys; from pathlib import Path; from sightline.adapters.files.objects import FolderObjects\n"
        "put, left = FolderObjects.put_new, [2]\n"
        "def dying(self, key, chunks):\n"
        "    left[0] -= 1\n"
        "    if not left[0]: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return put(self, key, chunks)\n"
        "FolderObjects.put_new = dying\n"
        "from sightline.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    died = subprocess.run([sys.executable, "-c", program, "backup", "copies", "--data", str(data)])
    assert died.returncode == -signal.SIGKILL
    assert list(Path("copies").glob("backup-*.json")) == [before]

    code, taken = said(capsys, "backup", "copies", "--data", data)

    assert (code, taken["written"] > 0) == (0, True)
    assert said(capsys, "restore", "copies", "--copy", before.name, "--data", "again")[0] == 0


def test_a_restore_that_is_interrupted_starts_nothing_and_goes_on(folder, capsys):
    data, job_id = folder
    said(capsys, "backup", "copies", "--data", data)
    (listed,) = Path("copies").glob("backup-*.json")
    blob = max((path for path in Path("copies/blobs").rglob("*") if path.is_file()), key=os.path.getsize)
    away = blob.rename("away")

    code, error = said(capsys, "restore", "copies", "--data", "again")
    refused = said(capsys, "serve", "--data", "again", "--api-port", "0")
    token = said(capsys, "tokens", "add", "anna", "--scope", "read", "--data", "again")
    other = said(capsys, "restore", "copies", "--copy", "backup-1.json", "--data", "again")
    away.rename(blob)
    done = said(capsys, "restore", "copies", "--data", "again")

    assert (code, error["error"]["code"]) == (1, "backup_damaged")
    assert refused[1]["error"]["code"] == token[1]["error"]["code"] == "half_restored"
    assert other[1]["error"]["code"] == "not_found"
    assert listed.name in other[1]["error"]["message"]
    assert (done[0], done[1]["verified"]) == (0, 1)
    assert said(capsys, "verify", job_id, "--data", "again")[0] == 0


def test_one_changed_byte_of_a_copy_is_found(folder, capsys):
    data, _ = folder
    said(capsys, "backup", "copies", "--data", data)
    blob = max((path for path in Path("copies/blobs").rglob("*") if path.is_file()), key=os.path.getsize)
    blob.write_bytes(b"x" + blob.read_bytes()[1:])

    code, error = said(capsys, "restore", "copies", "--data", "again")

    assert (code, error["error"]["code"]) == (1, "backup_damaged")


def test_a_job_whose_file_was_lost_before_the_copy_is_named(folder, tmp_path, capsys):
    """The copy is as good as what was copied: the restore says what is not whole."""
    data, job_id = folder
    said(capsys, "backup", "copies", "--data", data)
    said(capsys, "restore", "copies", "--data", "worn")
    lost = next(path for path in Path("worn/objects").rglob("tracks.csv"))
    lost.unlink()
    said(capsys, "backup", "worn-copies", "--data", "worn")

    code, restored = said(capsys, "restore", "worn-copies", "--data", "again")

    assert (code, restored["verified"]) == (1, 1)
    (wrong,) = restored["wrong"]
    assert job_id in wrong["job"]
    assert "tracks.csv" in wrong["problems"][0]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("backup", "copies", "--data", "nothing"), "not_found"),
        (("backup", "{data}/copies", "--data", "{data}"), "usage"),
        (("backup", "{data}/objects/copies", "--data", "{data}"), "usage"),
        (("backup", "other", "--data", "{data}"), "not_empty"),
        (("backup", "copies", "--keep", "0", "--data", "{data}"), "usage"),
        (("backup", "copies", "--data", "{data}", "--ledger", "postgres"), "usage"),
        (("backup", "copies", "--data", "{data}", "--objects", "s3"), "usage"),
        (("restore", "nothing", "--data", "again"), "not_found"),
        (("restore", "made", "--data", "{data}"), "not_empty"),
        (("restore", "made", "--data", "other"), "not_empty"),
    ],
)
def test_what_is_refused_harms_nothing(folder, capsys, words, code):
    data, _ = folder
    Path("other").mkdir()
    Path("other/mine.txt").write_text("mine")
    said(capsys, "backup", "made", "--data", data)
    before = {path: path.stat().st_mtime_ns for path in data.rglob("*") if path.is_file()}

    exit_code, error = said(capsys, *(word.format(data=data) for word in words))

    assert (exit_code > 0, error["error"]["code"]) == (True, code)
    assert {path: path.stat().st_mtime_ns for path in data.rglob("*") if path.is_file()} == before
    assert Path("other/mine.txt").read_text() == "mine"


def test_two_copies_at_once_are_refused(folder, capsys):
    data, _ = folder
    said(capsys, "backup", "copies", "--data", data)
    program = (
        "import sys; from contextlib import ExitStack; from pathlib import Path; from sightline.serving.folder import hold\n"
        "with ExitStack() as rest: hold(Path('copies'), rest); print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout.readline() == b"held\n"
        code, error = said(capsys, "backup", "copies", "--data", data)
        other.stdin.close()

    assert (code > 0, error["error"]["code"]) == (True, "locked")


def test_nothing_is_deleted_between_the_store_and_the_objects(tmp_path):
    """Who deletes waits for who copies, and the other way round; deletions do not wait for each other."""
    lock, order = tmp_path / "lock", []
    with undeleted(lock):
        late = threading.Thread(target=lambda: _deletes(lock, order))
        late.start()
        late.join(0.2)
        order.append("copied")
    late.join()
    with deleting(lock), deleting(lock):
        order.append("both")

    assert order == ["copied", "deleted", "both"]


def _deletes(lock, order):
    with deleting(lock):
        order.append("deleted")
