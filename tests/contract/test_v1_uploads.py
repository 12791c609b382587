"""Uploads that go on where they were cut (tus 1.0)."""

import base64
import hashlib
import socket
import threading
import time
from contextlib import suppress

import httpx
import pytest

from sightline.api.claims import UPLOAD, reap
from sightline.api.partial import KEPT_US, PARTIAL
from sightline.api.settings import ApiSettings
from sightline.errors import InvalidVideo, Unavailable
from sightline.jobs.requests import input_key
from sightline.testing import AtCall, Faults
from tests.contract.serving import MP4, World, is_problem, served, wait_for

pytestmark = pytest.mark.contract

TUS = {"Tus-Resumable": "1.0.0"}
BYTES = {"Content-Type": "application/offset+octet-stream"}
UNKNOWN = "00000000-0000-4000-8000-0000000000ff"
SIZE = len(MP4)


def metadata(**values):
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in values.items())


def begin(client, length=SIZE, content=None, headers=None, **values):
    """The answer to the creation of an upload."""
    given = {**TUS, "Upload-Length": str(length), "Upload-Metadata": metadata(**values), **(headers or {})}
    return client.ask("POST", "/api/v1/uploads", headers=given, content=content)


def begun(client, **options):
    answer = begin(client, **options)
    assert answer.status_code == 201, answer.text
    return answer.headers["location"]


def add(client, path, offset, blob, **headers):
    given = {**TUS, **BYTES, "Upload-Offset": str(offset), **headers}
    return client.ask("PATCH", path, headers=given, content=blob)


def head(client, path):
    return client.ask("HEAD", path, headers=TUS)


def offset(client, path):
    return int(head(client, path).headers["upload-offset"])


def test_an_upload_in_pieces_becomes_a_job(client, world):
    """Its id is the upload's; the answer to the last byte says where it is; nothing else stays."""
    path = begun(client, filename="street.mp4", pipeline="visdrone", name="north", filetype="video/mp4")

    first = add(client, path, 0, MP4[:1000])
    assert (first.status_code, first.headers["upload-offset"]) == (204, "1000")
    assert "location" not in first.headers
    assert offset(client, path) == 1000
    last = add(client, path, 1000, MP4[1000:])

    job = client.get(last.headers["location"]).json()
    assert last.headers["location"] == path.replace("uploads", "jobs")
    assert (job["name"], job["pipeline"], job["source"]["name"]) == ("north", "visdrone", "street.mp4")
    assert world.contents()[input_key("videos", job["job_id"])] == MP4
    assert len(world.stored()) == 2  # and the index
    assert world.notes.list(PARTIAL) == world.notes.list(UPLOAD) == []
    assert offset(client, path) == len(MP4)
    assert head(client, path).headers["location"] == last.headers["location"]


def test_what_the_protocol_says_of_itself(client):
    """Version, extensions, and the largest file."""
    told = client.ask("OPTIONS", "/api/v1/uploads")

    assert told.status_code == 204
    assert told.headers["tus-version"] == told.headers["tus-resumable"] == "1.0.0"
    assert {"creation", "termination", "checksum"} <= {*told.headers["tus-extension"].split(",")}
    assert told.headers["tus-max-size"] == str(2 * 2**30)


@pytest.mark.parametrize("version", [None, "0.9.0"])
def test_another_version(client, version):
    """412, with the one that is known."""
    headers = {"Upload-Length": "10"} | ({} if version is None else {"Tus-Resumable": version})
    answer = client.ask("POST", "/api/v1/uploads", headers=headers)

    is_problem(answer, 412, "tus_version")
    assert answer.headers["tus-version"] == "1.0.0"


def test_bytes_that_come_with_the_creation(client, world):
    """All of them, or the first."""
    some = begin(client, content=MP4[:500], headers=BYTES)
    whole = begin(client, content=MP4, headers=BYTES)

    assert (some.headers["upload-offset"], whole.headers["upload-offset"]) == ("500", str(len(MP4)))
    assert head(client, whole.headers["location"]).headers["location"].startswith("/api/v1/jobs/")
    add(client, some.headers["location"], 500, MP4[500:])
    assert len(world.store.list().jobs) == 2


@pytest.mark.parametrize("text", ["-1", "1.5", "x", "", str(2**63), "١", "1 ", "0x1", None])
def test_numbers_that_are_none(client, text):
    """Row 16."""
    path = begun(client)
    length = {} if text is None else {"Upload-Length": text}
    place = {} if text is None else {"Upload-Offset": text.encode() if text == "١" else text}
    if text == "١":
        length = {"Upload-Length": text.encode()}

    is_problem(client.ask("POST", "/api/v1/uploads", headers={**TUS, **length}), 400, "offset")
    answer = client.ask("PATCH", path, headers={**TUS, **BYTES, **place}, content=b"x")
    is_problem(answer, 400, "offset")
    assert offset(client, path) == 0


@pytest.mark.parametrize(
    ("length", "status", "code"), [(0, 422, "invalid"), (2 * 2**30 + 1, 413, "too_large")]
)
def test_files_that_cannot_be(client, length, status, code):
    """Empty, or over the limit by a byte."""
    is_problem(begin(client, length=length), status, code)


@pytest.mark.parametrize("text", ["filename", "filename x", "name =", "filename YQ==,name b"])
def test_metadata(client, text):
    """Base64, or a key alone."""
    answer = begin(client, headers={"Upload-Metadata": text})

    if text == "filename":
        assert answer.status_code == 201
    else:
        is_problem(answer, 400, "metadata")


def test_metadata_that_asks_for_what_there_is_not(client, world):
    """Before a byte is sent."""
    is_problem(begin(client, pipeline="x"), 422, "invalid")
    is_problem(begin(client, clock_start="noon"), 422, "invalid")
    assert world.notes.list(PARTIAL) == []


def test_an_offset_that_is_not_where_the_upload_is(client):
    """409, and nothing is added."""
    path = begun(client)
    add(client, path, 0, MP4[:100])

    for place in (0, 99, 101):
        is_problem(add(client, path, place, MP4[place:]), 409, "offset")
    assert offset(client, path) == 100


def test_more_than_was_announced(client, world):
    """Nothing of it is kept, whether it is known from the head or not."""
    path = begun(client, length=100)

    async def unsized():
        yield MP4[:60]
        yield MP4[60:200]

    is_problem(add(client, path, 0, MP4[:101]), 413, "too_large")
    is_problem(add(client, path, 0, unsized()), 413, "too_large")
    assert offset(client, path) == 0
    assert world.stored() == []


@pytest.mark.parametrize("job_id", [UNKNOWN, "x", "..%2f..%2fetc", "'"])
@pytest.mark.parametrize("method", ["HEAD", "PATCH", "DELETE"])
def test_an_upload_that_is_not_there(client, method, job_id):
    """Row 17."""
    headers = {**TUS, **BYTES, "Upload-Offset": "0"}

    assert client.ask(method, f"/api/v1/uploads/{job_id}", headers=headers).status_code == 404


def test_a_body_of_another_type(client):
    """415, as the protocol has it."""
    path = begun(client)
    headers = {"Content-Type": "application/octet-stream"}

    is_problem(add(client, path, 0, MP4, **headers), 415, "content_type")


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_a_checksum(client, world, algorithm):
    """460 where it does not fit: then nothing of the body is kept."""
    path = begun(client)
    right = base64.b64encode(hashlib.new(algorithm, MP4[:1000]).digest()).decode()
    wrong = base64.b64encode(hashlib.new(algorithm, b"x").digest()).decode()

    is_problem(
        add(client, path, 0, MP4[:1000], **{"Upload-Checksum": f"{algorithm} {wrong}"}), 460, "checksum"
    )
    assert offset(client, path) == 0
    assert world.stored() == []
    assert add(client, path, 0, MP4[:1000], **{"Upload-Checksum": f"{algorithm} {right}"}).status_code == 204
    assert offset(client, path) == 1000


@pytest.mark.parametrize("said", ["md4 YQ==", "sha1", "sha1 ???", ""])
def test_a_checksum_that_is_none(client, said):
    """Nobody knows what to compare."""
    path = begun(client)

    is_problem(add(client, path, 0, MP4, **{"Upload-Checksum": said}), 400, "checksum")


def test_an_upload_that_is_given_up(client, world):
    """Nothing of it stays; the id is unknown from then on."""
    path = begun(client)
    add(client, path, 0, MP4[:1000])

    assert client.ask("DELETE", path, headers=TUS).status_code == 204
    assert world.stored() == []
    assert world.notes.list(PARTIAL) == []
    assert head(client, path).status_code == 404
    is_problem(client.ask("DELETE", path, headers=TUS), 404, "not_found")


def test_an_upload_that_became_a_job_is_given_up_as_a_job(client):
    """Its bytes are the job's."""
    path = begun(client)
    add(client, path, 0, MP4)

    is_problem(client.ask("DELETE", path, headers=TUS), 404, "not_found")


@pytest.mark.parametrize(("blob", "status"), [(b"x" * 1000, 415), (MP4, 422)])
def test_what_is_refused_is_forgotten(client, world, blob, status):
    """It is no video, or has no frame."""
    world.refuses = InvalidVideo("v", reason="it has no frame", code="no_frame")
    path = begun(client, length=len(blob))

    assert add(client, path, 0, blob).status_code == status
    assert world.stored() == []
    assert world.notes.list(PARTIAL) == []
    assert head(client, path).status_code == 404


def test_a_job_that_could_not_be_made_is_made_later(client, world):
    """The worker was away when the last byte came: nothing has to be sent again."""
    world.refuses = Unavailable("no", code="worker_down")
    path = begun(client)
    is_problem(add(client, path, 0, MP4), 503, "worker_down")
    assert head(client, path).status_code == 503
    world.refuses = None

    found = head(client, path)

    assert (found.headers["upload-offset"], found.status_code) == (str(len(MP4)), 200)
    assert client.get(found.headers["location"]).json()["state"] == "sent"
    assert len(world.stored()) == 2


def test_what_nobody_goes_on_with_is_forgotten(client, world):
    """A day after the last byte; when it is, stands in the answer."""
    old = begun(client)
    add(client, old, 0, MP4[:1000])
    assert head(client, old).headers["upload-expires"].endswith("GMT")
    world.now_us += KEPT_US + 1

    assert head(client, old).status_code == 404
    new = begun(client)

    assert [upload_id for upload_id, _ in world.notes.list(PARTIAL)] == [new.rpartition("/")[2]]
    assert world.stored() == []


# --- cut, doubled, killed


def raw_patch(port, path, offset, length, blob):
    line = socket.create_connection(("127.0.0.1", port), 10)
    head = f"PATCH {path} HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: {offset}\r\n"
    head += f"Content-Type: application/offset+octet-stream\r\nContent-Length: {length}\r\n\r\n"
    line.sendall(head.encode() + blob)
    return line


def test_a_body_that_is_cut_is_kept_as_far_as_it_came(world):
    """The next request goes on there."""
    client = world.client()
    path = begun(client)
    with served(world) as (port,):
        line = raw_patch(port, path, 0, len(MP4), MP4[:1500])
        time.sleep(0.3)  # what was not read before the end of the line is lost
        line.close()
        url = f"http://127.0.0.1:{port}{path}"
        wait_for(lambda: httpx.head(url, headers=TUS).headers["upload-offset"] == "1500")
        done = httpx.patch(url, headers={**TUS, **BYTES, "Upload-Offset": "1500"}, content=MP4[1500:])

    assert done.status_code == 204
    (job,) = world.store.list().jobs
    assert world.contents()[input_key("videos", job.job_id)] == MP4


def test_two_at_a_time_are_one_and_a_409(world):
    """Row 18; whoever was first goes on."""
    client = world.client()
    path = begun(client)
    with served(world) as (port,):
        line = raw_patch(port, path, 0, len(MP4), MP4[:600])
        url = f"http://127.0.0.1:{port}{path}"

        def refused():
            answer = httpx.patch(url, headers={**TUS, **BYTES, "Upload-Offset": "0"}, content=b"")
            return answer.status_code == 409 and answer.json()["code"] == "in_progress"

        wait_for(refused)
        line.sendall(MP4[600:])
        assert b" 204 " in line.recv(4096)
        line.close()

    assert len(world.store.list().jobs) == 1


def test_many_who_send_the_same_piece(world):
    """One adds it, the others are told; the file is whole."""
    client = world.client()
    path = begun(client)
    statuses = []
    with served(world) as (port,):
        url = f"http://127.0.0.1:{port}{path}"

        def send():
            answer = httpx.patch(url, headers={**TUS, **BYTES, "Upload-Offset": "0"}, content=MP4)
            statuses.append(answer.status_code)

        threads = [threading.Thread(target=send) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert sorted(statuses) == [204] + [409] * 7
    assert len(world.store.list().jobs) == 1


class Died(BaseException):
    """The process is gone."""


def die():
    raise Died


CALLS = 24  # more than the last request makes


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("n", range(1, CALLS + 1))
def test_an_upload_whose_process_dies_goes_on(world, when, n):
    """At any call of any port of the request with the last byte: the next process asks where it is, and goes on; one job,
    its bytes, nothing else.
    """
    client = world.client()
    path = begun(client, filename="v.mp4")
    add(client, path, 0, MP4[:1000])
    fault = AtCall("*", when, n, die)
    ports = {name: Faults(getattr(world, name), fault) for name in ("store", "objects", "notes")}
    mortal = World(ids=world.ids, **ports)
    with suppress(Died):
        add(mortal.client(), path, 1000, MP4[1000:])
    assert n < CALLS or not fault.fired

    reap(world.notes, world.store, world.objects)
    there = offset(client, path)
    if there < len(MP4):
        add(client, path, there, MP4[there:])

    (job,) = world.store.list().jobs
    assert path.endswith(job.job_id)
    assert world.contents()[input_key("videos", job.job_id)] == MP4
    assert len(world.stored()) == 2
    assert world.notes.list(PARTIAL) == world.notes.list(UPLOAD) == []


def test_a_large_body_is_kept_piece_by_piece(world, monkeypatch):
    """A kill costs one piece of it, not all."""
    monkeypatch.setattr("sightline.api.v1.tus.PART", 2 * 2**20)
    blob = MP4 + bytes(7 * 2**20)
    world.settings = ApiSettings()
    client = world.client()
    path = begun(client, length=len(blob))
    fault = AtCall("put_new", "before", 3, die)
    mortal = World(ids=world.ids, store=world.store, notes=world.notes, objects=Faults(world.objects, fault))

    async def pieces():
        for start in range(0, len(blob), 65536):
            yield blob[start : start + 65536]

    with suppress(Died):
        add(mortal.client(), path, 0, pieces())
    there = offset(client, path)
    assert there >= 4 * 2**20
    add(client, path, there, blob[there:])

    (job,) = world.store.list().jobs
    assert world.contents()[input_key("videos", job.job_id)] == blob
    assert len(world.stored()) == 2
