"""The commands that ask a service, against the API on a real socket."""

import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from sightline.api import tokens
from sightline.api.settings import ApiSettings
from sightline.cli import main
from sightline.client.events import watch
from sightline.client.files import fetch
from sightline.client.server import Server
from sightline.client.uploads import submit
from sightline.errors import Corrupt, NotFound, Rejected, Unavailable
from sightline.jobs.requests import input_key
from sightline.testing import Recorded
from tests.contract.serving import MP4, PNG, World, served
from tests.contract.test_results import FILES, ID, stored, url

pytestmark = pytest.mark.contract

UNKNOWN = "00000000-0000-4000-8000-0000000000ff"


@pytest.fixture
def world():
    return World(ApiSettings(watch_s=0.05, tokens_s=-1))


@pytest.fixture
def port(world, tmp_path, monkeypatch):
    """A service, and a folder of this user's."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "street.mp4").write_bytes(MP4)
    with served(world) as (number,):
        monkeypatch.setenv("SIGHTLINE_SERVER", f"http://127.0.0.1:{number}")
        yield number


def run(capsys, *words):
    """Exit code, what it printed as JSON a line, and what it said besides."""
    capsys.readouterr()
    code = main([*words, "--json"])
    out, err = capsys.readouterr()
    return code, [json.loads(line) for line in out.splitlines()], err


def sent(capsys, *words):
    code, (job,), _ = run(capsys, "submit", "street.mp4", *words)
    assert code == 0
    return job


def test_a_video_is_sent(world, port, capsys):
    """The job as JSON, or its id alone; its bytes are there."""
    job = sent(capsys, "--pipeline", "visdrone", "--name", "north", "--clock-start", "2026-11-21T08:00:00Z")

    assert (job["name"], job["pipeline"]) == ("north", "visdrone")
    assert job["source"]["name"] == "street.mp4"
    assert world.contents()[input_key("videos", job["job_id"])] == MP4
    assert main(["submit", "street.mp4"]) == 0
    assert capsys.readouterr().out.strip() == world.store.list().jobs[0].job_id
    assert [*Path("cache/sightline/uploads").iterdir()] == []


def test_several_and_an_image(world, port, capsys, tmp_path):
    """A line each."""
    Path("b.mp4").write_bytes(MP4 + b"b")
    Path("c.png").write_bytes(PNG)

    code, found, _ = run(capsys, "submit", "street.mp4", "b.mp4")
    image_code, (image,), _ = run(capsys, "submit", "c.png", "--image")

    assert (code, image_code) == (0, 0)
    assert [job["name"] for job in found] == ["street.mp4", "b.mp4"]
    assert image["source"]["kind"] == "images"


def test_one_of_several_that_is_refused_is_named_and_the_others_are_sent(world, port, capsys):
    """Else whoever sends a folder begins again, and makes jobs of the first ones anew."""
    Path("text.mp4").write_text("no video" * 100)

    code, found, err = run(capsys, "submit", "text.mp4", "street.mp4", "missing.mp4")

    assert code == 4
    assert [job["name"] for job in found if "name" in job] == ["street.mp4"]
    assert "text.mp4: This is no MP4" in err
    assert "missing.mp4: No such file" in err


def test_a_job_that_cannot_be_removed_is_named(port, capsys):
    """Of several it would not be known which."""
    job_id = sent(capsys)["job_id"]

    assert UNKNOWN in run(capsys, "rm", job_id, UNKNOWN)[2]


def test_who_needs_a_token_is_told_where_the_command_has_it_from(world, port, capsys):
    """The service speaks of a header."""
    tokens.add(world.notes, "anna", "read", world.now_us)

    code, (told,), err = run(capsys, "jobs")

    assert (code, told["error"]["code"]) == (2, "unauthorized")
    assert "SIGHTLINE_TOKEN" in err


@pytest.mark.parametrize("text", ["slt_a\n", "slt a", "ключ"])
def test_what_can_be_no_token_is_not_sent(port, capsys, monkeypatch, text):
    """A header could not hold it."""
    monkeypatch.setenv("SIGHTLINE_TOKEN", text)

    code, (told,), err = run(capsys, "jobs")

    assert (code, told["error"]["code"]) == (2, "unauthorized")
    assert "SIGHTLINE_TOKEN" in err
    assert text not in err


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (["submit", "missing.mp4"], 3, "not_found"),
        (["submit"], 2, "usage"),
        (["submit", "street.mp4", "b.mp4", "--name", "x"], 2, "usage"),
        (["submit", "street.mp4", "--pipeline", "x"], 2, "invalid"),
        (["submit", "text.mp4"], 3, "media_type"),
        (["show", UNKNOWN], 3, "not_found"),
        (["show", "../.."], 3, "not_found"),
        (["watch", UNKNOWN], 3, "not_found"),
        (["get", UNKNOWN], 3, "not_found"),
        (["cancel", UNKNOWN], 3, "not_found"),
        (["retry", UNKNOWN], 3, "not_found"),
        (["rm", UNKNOWN], 3, "not_found"),
        (["rm"], 2, "usage"),
        (["jobs", "--limit", "0"], 2, "usage"),
        (["jobs", "--server", "localhost:1"], 2, "server"),
        (["jobs", "--server", "http://127.0.0.1:1"], 5, "no_service"),
    ],
)
def test_what_goes_wrong(port, capsys, words, code, error):
    """The code says whose turn it is: the command, the input, or the service."""
    Path("text.mp4").write_text("no video" * 100)

    found, out, _ = run(capsys, *words)

    assert (found, out[-1]["error"]["code"]) == (code, error)


def test_jobs_are_listed(world, port, capsys):
    """Newest first; filters; as a table too."""
    ids = [sent(capsys, "--name", f"job {n}")["job_id"] for n in range(3)]
    world.store.advance(ids[0], "cancelled")

    _, every, _ = run(capsys, "jobs")
    _, some, _ = run(capsys, "jobs", "--state", "sent", "--name", "JOB 2")

    assert [job["job_id"] for job in every] == ids[::-1]
    assert [job["job_id"] for job in some] == [ids[2]]
    assert main(["jobs", "--limit", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["job_id", "name", "state", "pipeline", "created_at"]
    assert len(lines) == 3


def test_a_job_is_shown_cancelled_run_again_and_removed(world, port, capsys):
    """Each says what came of it."""
    job_id = sent(capsys)["job_id"]

    assert run(capsys, "show", job_id)[1][0]["state"] == "sent"
    assert main(["show", job_id]) == 0
    assert f"job       {job_id}" in capsys.readouterr().out
    assert run(capsys, "cancel", job_id)[1] == [{"job_id": job_id, "state": "cancelled", "cancelled": True}]
    child = run(capsys, "retry", job_id)[1][0]
    assert child["parent_id"] == job_id
    assert main(["rm", job_id, child["job_id"]]) == 0
    assert world.stored() == []


def test_cancelling_what_had_ended_is_said(world, port, capsys):
    """It is no failure."""
    job_id = sent(capsys)["job_id"]
    world.store.advance(job_id, "failed", code="crashed")

    code, (told,), err = run(capsys, "cancel", job_id)

    assert (code, told["state"], told["cancelled"]) == (0, "failed", False)
    assert "it had ended before" in err


@pytest.mark.parametrize(("end", "code"), [("ready", 0), ("failed", 1), ("cancelled", 1)])
def test_a_job_is_followed_until_it_ends(world, port, capsys, end, code):
    """The exit code says how."""
    job_id = sent(capsys)["job_id"]
    timer = threading.Timer(0.3, world.store.advance, (job_id, end))
    timer.start()

    found, events, _ = run(capsys, "watch", job_id)
    timer.join()

    assert found == code
    assert [event["event"] for event in events] == ["state", "state", "done"]
    assert events[-1]["state"] == end


def test_waiting_for_the_end_of_what_was_sent(world, port, capsys):
    """As `watch`, in one command."""

    def fail():
        while not (jobs := world.store.list().jobs):
            time.sleep(0.05)
        world.store.advance(jobs[0].job_id, "failed", code="no_frame", reason="no frame decodes")

    thread = threading.Thread(target=fail)
    thread.start()
    code, (job,), _ = run(capsys, "submit", "street.mp4", "--wait")
    thread.join()

    assert (code, job["state"], job["code"]) == (1, "failed", "no_frame")


def test_the_token_is_sent_and_never_said(port, monkeypatch, capsys):
    """It comes from the environment: who lists processes does not see it."""
    seen = []
    ask = Server.ask

    def asked(self, *words, **more):
        seen.append(self._token)
        return ask(self, *words, **more)

    monkeypatch.setattr(Server, "ask", asked)
    monkeypatch.setenv("SIGHTLINE_TOKEN", "secret")

    assert main(["jobs"]) == 0
    assert seen == ["secret"]
    assert main(["jobs", "--server", "http://127.0.0.1:1"]) == 5
    out, err = capsys.readouterr()
    assert "secret" not in out + err


# --- results

RESULT = FILES["tracks.csv"]
TAG = f'"{hashlib.sha256(RESULT).hexdigest()}"'
PATH = url("results/tracks.csv")


def test_a_result_is_brought(world, port, capsys):
    """Whole, with its hash."""
    stored(world, ID)

    code, (told,), _ = run(capsys, "get", ID, "tracks.csv", "-o", "out.csv")

    assert (code, Path("out.csv").read_bytes()) == (0, RESULT)
    assert told == {
        "path": "out.csv",
        "bytes": len(RESULT),
        "sha256": hashlib.sha256(RESULT).hexdigest(),
    }
    assert main(["get", ID]) == 0
    assert Path(capsys.readouterr().out.strip()).read_bytes() == FILES["result.json"]
    assert [*Path().glob("*.part*")] == []
    assert run(capsys, "get", ID, "-o", "-")[0] == 2


def test_a_result_goes_to_stdout(world, port, capfdbinary):
    """Nothing else does."""
    stored(world, ID)

    assert main(["get", ID, "tracks.csv", "-o", "-"]) == 0
    assert capfdbinary.readouterr().out == RESULT


def test_a_format_that_is_made_is_brought(world, port, capsys):
    """Its tag is no hash of its bytes."""
    stored(world, ID)
    world.answers["export"] = {"type": "", "bytes": 4, "path": "coco.json"}, [b"[]", b"\n\n"]

    assert run(capsys, "get", ID, "coco", "-o", "coco.json")[0] == 0
    assert Path("coco.json").read_bytes() == b"[]\n\n"


def test_whoever_has_read_enough_of_stdout_is_no_fault_of_the_service(world, port):
    """As with `head`."""
    stored(world, ID)
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "sightline", "get", ID, "tracks.csv", "-o", "-"]

    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)

    assert (done.returncode, done.stderr) == (0, "")


def test_a_disk_that_is_full_is_no_fault_of_the_service(world, port, capsys):
    """Nobody is asked again and again."""
    stored(world, ID)
    Path("out.csv.part").symlink_to("/dev/full")

    code, (told,), err = run(capsys, "get", ID, "tracks.csv", "-o", "out.csv")

    assert (code, told["error"]["code"]) == (5, "disk_full")
    assert "is the service there" not in err


def test_no_device_is_replaced(world, port, capsys):
    """Root could put a file in the place of `/dev/null`."""
    stored(world, ID)
    os.mkfifo("device")

    code, (told,), _ = run(capsys, "get", ID, "tracks.csv", "-o", "device")

    assert (code, told["error"]["code"]) == (2, "unwritable")
    assert Path("device").is_fifo()


@pytest.mark.parametrize("have", [0, 1, len(RESULT) - 1, len(RESULT)])
def test_a_result_that_was_cut_goes_on(world, port, tmp_path, have):
    """What is there is not brought again; also where nothing is missing."""
    stored(world, ID)
    (tmp_path / "a.part").write_bytes(RESULT[:have])
    (tmp_path / "a.part.etag").write_text(TAG)
    world.objects = asked = Recorded(world.objects)

    with served(world) as (again,):
        fetch(at(again), PATH, tmp_path / "a")

    assert (tmp_path / "a").read_bytes() == RESULT
    starts = [call[1][1] for call in asked.calls if call[0] == "read" and call[1][0].endswith("tracks.csv")]
    assert have in starts or have == len(RESULT)


def test_a_part_of_another_file_is_not_gone_on_with(world, port, tmp_path):
    """The service is asked whether it is still the same."""
    stored(world, ID)
    (tmp_path / "a.part").write_bytes(b"x" * 5)
    (tmp_path / "a.part.etag").write_text('"other"')

    fetch(at(port), PATH, tmp_path / "a")

    assert (tmp_path / "a").read_bytes() == RESULT


def test_a_result_that_is_not_what_was_promised_is_not_kept(world, port, tmp_path):
    """A part was damaged on this machine."""
    stored(world, ID)
    (tmp_path / "a.part").write_bytes(b"x" * 5)
    (tmp_path / "a.part.etag").write_text(TAG)

    with pytest.raises(Corrupt):
        fetch(at(port), PATH, tmp_path / "a")
    assert not (tmp_path / "a").exists()
    assert not (tmp_path / "a.part").exists()


# --- cut


def at(port):
    return Server(f"http://127.0.0.1:{port}")


class Stop(Exception):
    """The user has pressed Ctrl-C."""


def test_an_upload_that_was_stopped_goes_on_with_the_same_command(world, port, tmp_path, monkeypatch):
    """What is there is not sent again; another file, or another wish, is another upload."""
    monkeypatch.setattr("sightline.client.uploads.PIECE", 1000)
    told, cache = [], tmp_path / "kept"

    def stop_at(done, total):
        told.append(done)
        if done > 1000:
            raise Stop

    def send(progress=lambda done, total: told.append(done), **wishes):
        return submit(at(port), tmp_path / "street.mp4", wishes, cache, progress)

    with pytest.raises(Stop):
        send(stop_at)
    keep = [*cache.iterdir()]
    told.clear()
    other = send(pipeline="detect")
    assert told[0] == 0
    told.clear()
    assert [*cache.iterdir()] == keep != []
    job = send()

    assert told[0] == 1000
    assert job["job_id"] != other["job_id"]
    assert world.contents()[input_key("videos", job["job_id"])] == MP4
    assert [*cache.iterdir()] == []


def test_a_worker_that_is_away_is_waited_for(world, port, tmp_path):
    """The bytes are not sent again."""
    world.refuses = Unavailable("no", code="worker_down")
    slept = []

    def back(seconds):
        slept.append(seconds)
        if len(slept) == 2:
            world.refuses = None

    job = submit(at(port), tmp_path / "street.mp4", {}, tmp_path / "kept", sleep=back)

    assert slept == [0.5, 1.0]
    assert job["state"] == "sent"
    assert len(world.store.list().jobs) == 1


def test_a_service_that_stays_away_keeps_what_came(world, port, tmp_path):
    """The command is given again later."""
    world.refuses = Unavailable("no", code="worker_down")
    with pytest.raises(Unavailable):
        submit(at(port), tmp_path / "street.mp4", {}, tmp_path / "kept", sleep=lambda seconds: None)
    world.refuses = None

    assert submit(at(port), tmp_path / "street.mp4", {}, tmp_path / "kept")["state"] == "sent"
    assert len(world.store.list().jobs) == 1


def test_an_upload_that_the_service_has_forgotten_begins_again(world, port, tmp_path):
    """A day has gone by."""
    kept = tmp_path / "kept"
    world.refuses = Unavailable("no", code="worker_down")
    with pytest.raises(Unavailable):
        submit(at(port), tmp_path / "street.mp4", {}, kept, sleep=lambda seconds: None)
    world.refuses = None
    world.now_us += 2 * 24 * 3600 * 1_000_000

    assert submit(at(port), tmp_path / "street.mp4", {}, kept)["state"] == "sent"


def test_what_is_refused_is_not_remembered(world, port, tmp_path):
    """The next try begins anew."""
    (tmp_path / "text.mp4").write_text("no video" * 1000)

    with pytest.raises(Rejected, match="no MP4"):
        submit(at(port), tmp_path / "text.mp4", {}, tmp_path / "kept")
    assert [*(tmp_path / "kept").iterdir()] == []


def test_a_body_that_is_refused_while_it_is_sent_is_said_why(world, port, tmp_path):
    """Not that the pipe broke."""
    world.settings = replace(world.settings, max_bytes=1000)

    with served(world) as (number,), pytest.raises(Rejected, match="1000 bytes"):
        submit(at(number), tmp_path / "street.mp4", {}, tmp_path / "kept")


def test_a_file_that_is_not_there(port, tmp_path):
    """Said before anybody is asked."""
    with pytest.raises(NotFound):
        submit(at(port), tmp_path / "missing.mp4", {}, tmp_path / "kept")


# --- whoever answers there instead


class Odd(BaseHTTPRequestHandler):
    """Something else that speaks HTTP, and says the same to everybody."""

    headers_more: dict[str, str] = {}
    body = b"{}"

    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(200)
        for name, value in {**self.headers_more, "Content-Length": str(len(self.body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.body if self.command != "HEAD" else b"")

    def __getattr__(self, name):
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)

    def log_message(self, *args):
        """Say nothing."""


@contextmanager
def odd(body, **headers):
    kind = type("Kind", (Odd,), {"body": body, "headers_more": headers})
    with HTTPServer(("127.0.0.1", 0), kind) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield Server(f"http://127.0.0.1:{server.server_port}")
        finally:
            server.shutdown()
            thread.join()


class Cut(Odd):
    """Says how much there is, and sends less."""

    def answer(self):
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write(b"half")


def test_a_line_that_is_cut_on_the_way_to_stdout_is_no_success(capfdbinary):
    """What came is there, and the exit code says that it is not all."""
    with HTTPServer(("127.0.0.1", 0), Cut) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}"
        code = main(["get", ID, "tracks.csv", "-o", "-", "--server", address])
        thread.join()

    assert code == 5
    assert capfdbinary.readouterr().out == b"half"


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b"null", b"[" * 100_000, b'{"items": []}'])
def test_whoever_is_no_sightline_is_said_so(body, tmp_path):
    """Not a traceback, and not for ever."""
    (tmp_path / "street.mp4").write_bytes(MP4)
    with odd(body) as server:
        for ask in (
            lambda: server.job(ID),
            lambda: [*server.jobs()],
            lambda: submit(server, tmp_path / "street.mp4", {}, tmp_path / "cache"),
        ):
            with pytest.raises(Corrupt):
                ask()


@pytest.mark.parametrize("offset", ["0", "5", "-1", "x", str(len(MP4)), "99999999"])
def test_an_upload_that_gets_nowhere_ends(offset, tmp_path):
    """Where the service takes bytes and makes no job of them."""
    (tmp_path / "street.mp4").write_bytes(MP4)
    headers = {"Upload-Offset": offset, "X-A": "b"}
    with odd(b"", Location="", **headers) as server, pytest.raises((Corrupt, NotFound)):
        submit(server, tmp_path / "street.mp4", {}, tmp_path / "cache")


@pytest.mark.parametrize("body", [b"<html>", b"", b": ping\n\n"])
def test_whoever_says_nothing_of_a_job_is_left(body):
    """After a minute, as one that does not answer."""
    clock = [0.0]
    with odd(body) as server, pytest.raises(Unavailable, match="says nothing"):
        for _ in watch(server, ID, lambda s: clock.__setitem__(0, clock[0] + 30), lambda: clock[0]):
            pass


def test_an_event_that_is_none():
    """It is said."""
    with odd(b"event: done\ndata: {\n\n") as server, pytest.raises(Corrupt):
        next(watch(server, ID))


def test_the_client_needs_nothing_but_the_standard_library():
    """Asking is quick: no engine, no decoder, no server."""
    code = "import sightline.client.uploads, sightline.client.events, sightline.client.files, sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert {"fastapi", "uvicorn", "httpx", "pydantic", "av", "apsw"}.isdisjoint(done.stdout.split())
