"""System B's HTTP contract, a row of its table at a time: bodies, keys, their order, texts."""

import json
import re

import pytest

from sightline.errors import InvalidVideo, Unavailable
from sightline.events import JobEvent, Native
from sightline.jobs import requests
from sightline.jobs.requests import detection_key
from sightline.jobs.topology import JOB_TOPIC
from sightline.jobs.upgrades import succeed, successor_id
from sightline.ports import Entry
from sightline.testing import Faults, MemoryObjects
from tests.contract.serving import MP4, PNG, UNKNOWN, OffLoop, World, form_of, is_problem

pytestmark = pytest.mark.contract

ID = "00000000-0000-4000-8000-000000000001"
UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
RUSSIAN = {
    "new": "Новое событие создано, ожидает отправки в очередь",
    "sent": "Событие отправлено в очередь обработки",
    "ready": "Результат сохранён в S3 и готов к забору",
    "failed": "Обработка завершилась ошибкой",
    "cancelled": "Обработка отменена",
}


def moved(world, job_id, state, **how):
    """Bring a job to a state."""
    if state == "ready":
        result = {"key": f"sightline/jobs/{job_id}/run.json", "bytes": 2, "sha256": "ab" * 32}
        world.objects.put_new(f"videos/detection/{job_id}.json", [b'[{"frame":0,', b'"objects":[]}]'])
        how = {"result": result, **how}
    assert world.store.advance(job_id, state, **how)


# --- health


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/health"])
def test_health_of_the_api(client, path):
    """`{"status":"ok","service":"api_checkout"}`, to the byte."""
    assert client.get(path).content == b'{"status":"ok","service":"api_checkout"}'
    assert client.ask("HEAD", path).status_code == 200


def test_health_of_the_api_when_the_store_is_away(world):
    """503, the same keys, another status."""

    def down(name, when):
        raise Unavailable("no")

    world.store = Faults(world.store, down)
    answer = world.client().get("/api/health")

    assert answer.status_code == 503
    assert answer.json() == {"status": "unavailable", "service": "api_checkout"}
    assert world.client().get("/ready").json() == {
        "status": "unavailable",
        "missing": ["jobs"],
        "confinement": "unknown",
    }


@pytest.mark.parametrize(
    ("port", "path", "body"),
    [
        (8002, "/health", b'{"status":"ok"}'),
        (8003, "/health", b'{"status":"ok","service":"inference"}'),
        (8003, "/data", b'{"status":"ok","service":"inference"}'),
        (8003, "/api/data", b'{"status":"ok","service":"inference"}'),
        (8080, "/health", b'{"status":"ok","confinement":"unknown"}'),
        (8080, "/ready", b'{"status":"ready","confinement":"unknown"}'),
    ],
)
def test_health_by_port(client, port, path, body):
    """The port says which service is asked."""
    assert client.ask("GET", path, port).content == body


@pytest.mark.parametrize(("port", "path"), [(8002, "/data"), (8002, "/api"), (8003, "/api/status/all")])
def test_a_port_answers_for_its_role_only(client, port, path):
    """The runner takes no uploads."""
    is_problem(client.ask("GET", path, port), 404, "not_found")


# --- upload


def test_api_upload_answers_two_keys(world, client):
    """`{"status":"ok","event_id":"<uuid4>"}`."""
    answer = client.upload(data={"bucket": "videos"})

    assert answer.content == b'{"status":"ok","event_id":"%s"}' % ID.encode()
    assert UUID4.fullmatch(answer.json()["event_id"])


def test_api_upload_is_object_row_and_event(world, client):
    """The object first; the row is `sent` and its event lies in the log: a relay has nothing to do."""
    client.upload(name="street.mp4")

    job = world.store.get(ID)
    asked = requests.decode(job.request)
    assert world.contents()[f"videos/input/{ID}.mp4"] == MP4
    assert (job.state, job.video_id, job.created_at_us) == ("sent", "street.mp4", world.now_us)
    assert (asked.pipeline, asked.bucket, asked.media_type) == ("detect", "videos", "video")
    assert (asked.source.key, asked.source.bytes) == (f"videos/input/{ID}.mp4", len(MP4))
    assert asked.source.index_key in world.stored()
    (entry,) = world.store.read(JOB_TOPIC, 0, 0, 10)
    assert entry == Entry(0, ID, Native().encode(JobEvent(ID)))
    assert world.notes.list("upload") == []


def test_api_upload_is_noted_before_its_first_byte(world):
    """What a crash leaves is known by a note."""
    seen = []
    world.before_probe = lambda: seen.extend(world.notes.list("upload"))
    world.client().upload()

    assert [(job_id, f"videos/input/{ID}.mp4" in note.value["keys"]) for job_id, note in seen] == [(ID, True)]


@pytest.mark.parametrize("where", ["query", "before", "after"])
def test_api_upload_bucket_from_form_or_query(world, client, where):
    """As a field in front of the file or behind it, or in the query; the object lies where it says."""
    body = form_of(
        before={"bucket": "other"} if where == "before" else None,
        after={"bucket": "other"} if where == "after" else None,
    )
    path = "/api/upload_video" + ("?bucket=other" if where == "query" else "")
    kind = {"Content-Type": f"multipart/form-data; boundary={'X' * 30}"}
    answer = client.ask("POST", path, content=body, headers=kind)

    assert answer.status_code == 200
    assert world.stored() == [f"other/input/{ID}.mp4", f"sightline/jobs/{ID}/index.bin"]
    assert requests.decode(world.store.get(ID).request).source.key == f"other/input/{ID}.mp4"


def test_api_upload_form_and_query_differ(world, client):
    """422, and nothing stays."""
    answer = client.upload(data={"bucket": "a-bucket"}, params={"bucket": "b-bucket"})

    is_problem(answer, 422, "invalid")
    assert answer.json()["errors"] == [{"field": "bucket", "detail": "form and query differ"}]
    assert world.stored() == [] == world.notes.list("upload")


@pytest.mark.parametrize("bucket", ["frames", "sightline", "a", "A-bucket", "a..b", "-ab", "../x", "a" * 64])
def test_api_upload_bucket_names(world, client, bucket):
    """`[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]`, no `..`, not `frames` or `sightline`."""
    is_problem(client.upload(params={"bucket": bucket}), 422, "invalid")
    assert world.stored() == []


@pytest.mark.parametrize("how", ["nothing", "no file", "no type"])
def test_api_upload_without_a_file(client, how):
    """422, also without body or type."""
    options = {
        "nothing": {},
        "no file": {"files": {"bucket": (None, "videos")}},
        "no type": {"content": b"abc"},
    }[how]

    is_problem(client.ask("POST", "/api/upload_video", **options), 422, "invalid")


def test_api_upload_of_a_wrong_type(client):
    """415: a type that is given and wrong."""
    answer = client.ask("POST", "/api/upload_video", content=MP4, headers={"Content-Type": "video/mp4"})

    is_problem(answer, 415, "content_type")


def test_api_upload_over_the_limit():
    """413 for one byte more; the very limit is taken."""
    world = World()
    world.settings = type(world.settings)(max_bytes=len(MP4))
    client = world.client()

    assert client.upload().status_code == 200
    before = world.stored()
    is_problem(client.upload(MP4 + b"x"), 413, "too_large")
    assert world.stored() == before


def test_api_upload_of_an_image(world, client):
    """A video of one frame, by its bytes."""
    assert client.upload(PNG, "x.mp4", data={"media_type": "image"}).status_code == 200
    assert requests.decode(world.store.get(ID).request).source.kind == "images"
    assert world.probed[0][2] == "image"


@pytest.mark.parametrize(
    ("blob", "media_type"),
    [
        (b"x", "video"),
        (PNG, "video"),
        (MP4, "image"),
        (b"GIF89a" + bytes(99), "image"),
        (b"#EXTM3U\n", "video"),
    ],
)
def test_api_upload_of_another_kind(world, client, blob, media_type):
    """415 by the bytes, whatever name and field say; nothing stays."""
    is_problem(client.upload(blob, "v.mp4", data={"media_type": media_type}), 415, "media_type")
    assert world.stored() == [] == world.notes.list("upload")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InvalidVideo("v.mp4", reason="no video stream"), 422),
        (InvalidVideo("v.mp4", reason="a GIF", code="container"), 415),
        (Unavailable("the child is gone"), 503),
        (Unavailable("full", code="disk_full"), 507),
    ],
)
def test_api_upload_that_the_probe_refuses(world, client, error, status):
    """Said with its code; nothing stays."""
    world.refuses = error

    is_problem(client.upload(), status, error.code)
    assert world.stored() == [] == world.notes.list("upload")


def test_no_path_of_this_machine_in_an_answer(world, client):
    """What a probe says may name files."""
    world.refuses = InvalidVideo("v.mp4", reason="cannot open /srv/data/objects/videos/v.mp4: moov not found")

    assert client.upload().json()["detail"] == "cannot open …: moov not found"


def test_api_upload_to_a_full_disk(world):
    """507; nothing stays."""

    class Full(MemoryObjects):
        def put_new(self, key, chunks):
            next(iter(chunks))
            raise Unavailable("full", code="disk_full")

    world.objects = Full()
    is_problem(world.client().upload(MP4 * 2000), 507, "disk_full")
    assert world.notes.list("upload") == []


def test_more_uploads_than_allowed():
    """429 with `Retry-After`."""
    world = World()
    world.settings = type(world.settings)(uploads=0)

    is_problem(world.client().upload(), 429, "busy")


def test_api_pipeline_can_be_chosen(world, client):
    """One that is known; else 422."""
    client.upload(data={"pipeline": "traffic"})

    assert requests.decode(world.store.get(ID).request).pipeline == "traffic"
    is_problem(client.upload(data={"pipeline": "../x"}), 422, "invalid")


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "..%2f..%2fetc",
        "/etc/passwd",
        "a\x00b",
        "a" * 300,
        "a" * 3000,
        'a"\r\nb',
        "\u202egpj.mp4",
        "x.mp4.php",
        "CON",
        "#1",
    ],
)
def test_names_are_inert_text(world, client, name):
    """200; the key is the id's, the name is text of at most 255 printable characters."""
    assert client.upload(name=name).status_code == 200
    job = world.store.get(ID)
    assert world.stored() == [f"sightline/jobs/{ID}/index.bin", f"videos/input/{ID}.mp4"]
    assert job.video_id.isprintable()
    assert 0 < len(job.video_id) <= 255


def test_a_file_without_a_name(world, client):
    """It is called by its id."""
    body = form_of().replace(b'filename="v.mp4"', b'filename=""')
    kind = {"Content-Type": f"multipart/form-data; boundary={'X' * 30}"}

    assert client.ask("POST", "/api/upload_video", content=body, headers=kind).status_code == 200
    assert world.store.get(ID).video_id == ID


# --- Idempotency-Key


def test_api_idempotency_gives_the_first_answer_again(world, client):
    """The id follows from the key, in the shape of a UUID4."""
    first, again = (client.upload(headers={"Idempotency-Key": "k"}) for _ in range(2))

    assert first.content == again.content
    assert UUID4.fullmatch(first.json()["event_id"])
    assert len(world.probed) == 1
    assert len(world.store.list().jobs) == 1


@pytest.mark.parametrize("other", [{"blob": MP4 + b"x"}, {"data": {"bucket": "other"}}])
def test_api_idempotency_with_another_body(client, other):
    """422."""
    headers = {"Idempotency-Key": "k"}
    client.upload(headers=headers)

    is_problem(client.upload(headers=headers, **other), 422, "key_reused")


def test_api_idempotency_while_the_first_runs(world, client):
    """409 with `Retry-After`: the note of the first is the lock."""
    headers = {"Idempotency-Key": "k"}
    answers = []
    second = world.client()
    world.before_probe = lambda: answers.append(second.upload(headers=headers))

    assert client.upload(headers=headers).status_code == 200
    is_problem(answers[0], 409, "in_progress")


def test_api_idempotency_of_a_removed_job(world, client):
    """409 until its row is gone; what was uploaded goes again."""
    headers = {"Idempotency-Key": "k"}
    client.upload(headers=headers)
    client.ask("DELETE", "/api/cleanup/all")

    is_problem(client.upload(headers=headers), 409, "job_removed")
    assert world.stored() == []


def test_api_idempotency_after_a_crash_with_other_bytes(world, client):
    """An orphan that no row names is replaced."""
    headers = {"Idempotency-Key": "k"}
    job_id = World().client().job(headers=headers)
    world.objects.put_new(f"videos/input/{job_id}.mp4", [b"half"])

    assert client.job(headers=headers) == job_id
    assert world.contents()[f"videos/input/{job_id}.mp4"] == MP4


def test_a_commit_whose_answer_was_lost_has_happened(world):
    """The row is there, so its object stays, though the client sees 503; its key gives the id."""

    def lost(name, when):
        if (name, when) == ("create", "after"):
            raise Unavailable("connection lost in COMMIT")

    kept, world.store = world.store, Faults(world.store, lost)
    headers = {"Idempotency-Key": "k"}
    is_problem(world.client().upload(headers=headers), 503, "unavailable")

    (job,) = kept.list().jobs
    assert f"videos/input/{job.job_id}.mp4" in world.stored()
    assert world.client().job(headers=headers) == job.job_id


# --- request


def ask_for(client, **fields):
    return client.ask("POST", "/api/request", json=fields)


def test_api_request_of_a_stored_object(world, client):
    """The payload as it was; id and object name are independent."""
    world.objects.put_new("videos/input/mine.mp4", [MP4])
    answer = ask_for(client, bucket="videos", object="input/mine.mp4", media_type="video")

    assert answer.content == b'{"status":"ok","event_id":"%s"}' % ID.encode()
    source = requests.decode(world.store.get(ID).request).source
    assert (source.key, source.name, source.bytes) == ("videos/input/mine.mp4", "mine.mp4", len(MP4))
    assert world.store.get(ID).state == "sent"


@pytest.mark.parametrize(
    "name", ["input/none.mp4", "../x", "/etc/passwd", "a//b", "a\0b", "x" * 600, "x.part", "..", "a/../b"]
)
def test_api_request_of_an_unknown_object(client, name):
    """404, whatever its shape."""
    is_problem(ask_for(client, bucket="videos", object=name, media_type="video"), 404, "not_found")


@pytest.mark.parametrize(
    "fields", [{}, {"object": 1}, {"object": "a", "bucket": "frames"}, {"object": "a", "media_type": "x"}]
)
def test_api_request_that_is_wrong(client, fields):
    """422 with the fields."""
    is_problem(ask_for(client, **fields), 422, "invalid")


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 50_000, b"[]", b'"a"', b"\xff", b"null"])
def test_api_request_that_is_no_json(client, content):
    """422."""
    kind = {"Content-Type": "application/json"}
    is_problem(client.ask("POST", "/api/request", content=content, headers=kind), 422, "invalid")


def test_api_request_types_and_size(client):
    """415 for a wrong type, 422 for none, 413 above 64 KiB."""
    post = lambda **how: client.ask("POST", "/api/request", **how)  # noqa: E731

    is_problem(post(content=b"{}", headers={"Content-Type": "text/plain"}), 415, "content_type")
    is_problem(post(content=b"{}"), 422, "invalid")
    is_problem(post(json={"object": "x" * 70_000}), 413, "too_large")


def test_api_request_idempotency(world, client):
    """The first answer again; another object 422."""
    for name in "ab":
        world.objects.put_new(f"videos/{name}", [MP4])
    send = lambda name: client.ask(  # noqa: E731
        "POST", "/api/request", json={"object": name}, headers={"Idempotency-Key": "k"}
    )

    assert send("a").content == send("a").content
    is_problem(send("b"), 422, "key_reused")


def test_an_object_that_a_request_named_outlives_its_job(world, client):
    """Cleanup removes what Sightline wrote."""
    world.objects.put_new("videos/mine.mp4", [MP4])
    ask_for(client, object="mine.mp4")
    client.ask("DELETE", "/api/cleanup/all")

    assert world.stored() == ["videos/mine.mp4"]


# --- status


def test_api_status_of_nothing(client):
    """Both keys, always."""
    assert client.get("/api/status/all").content == b'{"operations":[],"total":0}'


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        ("sent", "sent"),
        ("processing", "sent"),
        ("predictable", "sent"),
        ("ready", "ready"),
        ("failed", "failed"),
        ("cancelled", "cancelled"),
    ],
)
def test_api_status_over_the_life_cycle(world, client, state, shown):
    """What is shown, in Russian, or in English for who asks for it."""
    job_id = client.job()
    if state != "sent":
        moved(world, job_id, state)
    answer = client.get("/api/status/all")
    english = client.get("/api/status/all", headers={"Accept-Language": "en-GB, ru;q=0.5"}).json()

    wanted = f'{{"video_id":"{ID}","status_code":"{shown}","status_description":"{RUSSIAN[shown]}"}}'
    assert answer.text == f'{{"operations":[{wanted}],"total":1}}'
    assert answer.headers["content-type"] == "application/json"
    assert english["operations"][0]["status_description"].isascii()


def test_api_status_all_means_all(world, client):
    """More than a page, newest first, each once; pages of them with a cursor that says where they go on."""
    ids = [client.job() for _ in range(5)]
    whole = client.get("/api/status/all").json()
    pages, cursor = [], ""
    while True:
        page = client.get("/api/status/all", params={"limit": 2, "cursor": cursor}).json()
        pages += page["operations"]
        assert page["total"] == 5
        cursor = page["next"]
        if not cursor:
            break

    assert [each["video_id"] for each in whole["operations"]] == ids[::-1]
    assert pages == whole["operations"]
    assert whole["total"] == 5


@pytest.mark.parametrize("shared", [0, 20_000])
def test_api_status_is_read_page_by_page(world, client, monkeypatch, shared):
    """Two jobs a page: commas stand where they belong, in a list that is kept and in one that is too long for that."""
    monkeypatch.setattr("sightline.api.operations.PAGE", 2)
    monkeypatch.setattr("sightline.api.operations.SHARED", shared)
    assert client.get("/api/status/all").json() == {"operations": [], "total": 0}
    ids = [client.job() for _ in range(4)]

    assert [each["video_id"] for each in client.get("/api/status/all").json()["operations"]] == ids[::-1]


@pytest.mark.parametrize("limit", ["0", "-1", "1.5", "x", str(2**63), "1001"])
def test_api_status_limits(client, limit):
    """1 to 1000."""
    is_problem(client.get("/api/status/all", params={"limit": limit}), 422, "invalid")


def test_api_status_cursor_that_is_none(client):
    """400."""
    is_problem(client.get("/api/status/all", params={"cursor": "x'--"}), 400, "cursor")


def test_api_status_of_a_store_that_is_away(world):
    """503, never an empty list."""

    def down(name, when):
        raise Unavailable("no")

    world.store = Faults(world.store, down)
    is_problem(world.client().get("/api/status/all"), 503, "unavailable")


# --- results


def test_api_result_that_is_ready(world, client):
    """Head and stored bytes, to the byte; `bucket` is accepted."""
    moved(world, client.job(), "ready")
    answer = client.get(f"/api/result_video/{ID}", params={"bucket": "x"})

    head = f'{{"status":"ready","event_id":"{ID}","prediction":'
    assert answer.text == head + '[{"frame":0,"objects":[]}]}'
    assert answer.headers["content-type"] == "application/json"
    assert list(answer.json()) == ["status", "event_id", "prediction"]


def test_api_result_is_not_sent_twice(world, client):
    """304 by ETag; HEAD has it too."""
    moved(world, client.job(), "ready")
    etag = client.ask("HEAD", f"/api/result_video/{ID}").headers["etag"]
    again = client.get(f"/api/result_video/{ID}", headers={"If-None-Match": etag})

    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("state", ["sent", "processing", "predictable"])
def test_api_result_that_is_not_ready(world, client, state):
    """200 `{"status","event_id","message","ready":false}`."""
    client.job()
    if state != "sent":
        moved(world, ID, state)
    answer = client.get(f"/api/result_video/{ID}")

    assert answer.status_code == 200
    assert answer.text == f'{{"status":"sent","event_id":"{ID}","message":"{RUSSIAN["sent"]}","ready":false}}'


@pytest.mark.parametrize(("state", "code"), [("failed", "no_video"), ("cancelled", "cancelled")])
def test_api_result_that_never_comes(world, client, state, code):
    """200 and `code`: pollers take 4xx and 5xx for errors of transport, and now they can stop."""
    client.job()
    moved(world, ID, state, code="no_video" if state == "failed" else "")
    answer = client.get(f"/api/result_video/{ID}")

    assert answer.status_code == 200
    assert list(answer.json().items()) == [
        ("status", state),
        ("event_id", ID),
        ("message", RUSSIAN[state]),
        ("ready", False),
        ("code", code),
    ]


@pytest.mark.parametrize(
    "event_id",
    [
        ID,
        "x",
        ID.upper().replace("0", "A"),
        "{%22$gt%22:%22%22}",
        "1' OR '1'='1",
        "..%2f..%2fetc%2fpasswd",
        "%00",
        "a/b",
        "",
        ID + "%20",
        "00000000000040008000000000000001",
        "%ff%fe",
        "%0A",
        "a%0Ab",
    ],
)
def test_api_result_of_an_unknown_id(client, event_id):
    """404 `{"detail":"Event not found."}`, whatever its shape."""
    answer = client.get(f"/api/result_video/{event_id}")

    assert answer.status_code == 404
    assert answer.content == b'{"detail":"Event not found."}'


def test_api_result_object_that_is_gone(world, client):
    """503: it is promised, and not there."""
    moved(world, client.job(), "ready")
    world.objects.delete(f"videos/detection/{ID}.json")

    is_problem(client.get(f"/api/result_video/{ID}"), 503, "result_missing")


def test_results_as_a_download(world, client):
    """The stored array with ETag, 304, one range, always an attachment."""
    moved(world, client.job(), "ready")
    path, whole = f"/jobs/{ID}/result.json", b'[{"frame":0,"objects":[]}]'
    get = lambda **headers: client.get(path, headers={k.replace("_", "-"): v for k, v in headers.items()})  # noqa: E731

    answer = get()
    etag = answer.headers["etag"]
    assert (answer.status_code, answer.content) == (200, whole)
    assert answer.headers["content-disposition"].startswith("attachment")
    assert get(if_none_match=f'W/"x", {etag}').status_code == 304
    assert get(if_match="garbage").status_code == 412
    assert get(if_match=etag).status_code == 200
    for header, status, body in [
        ("bytes=0-", 206, whole),
        ("bytes=2-5", 206, whole[2:6]),
        ("bytes=-3", 206, whole[-3:]),
        ("bytes=5-2", 200, whole),
        ("lines=1-2", 200, whole),
        ("bytes=" + ",".join(f"{i}-{i}" for i in range(1000)), 200, whole),
    ]:
        answer = get(range=header)
        assert (answer.status_code, answer.content) == (status, body), header
    for header in ("bytes=-0", "bytes=999-"):
        is_problem(get(range=header), 416, "range")
    assert get(range="bytes=1-2", if_range='"old"').status_code == 200
    head = client.ask("HEAD", path)
    assert (head.headers["content-length"], head.content) == (str(len(whole)), b"")


def test_a_download_of_an_unknown_job(client):
    """The same 404."""
    assert client.get(f"/jobs/{ID}/result.json").json() == UNKNOWN


# --- cleanup


def test_api_cleanup_counts_what_it_deleted(world, client):
    """Every key of the documented answer, in its order; jobs that run are stopped; their ids are unknown then."""
    for _ in range(3):
        client.job()
    moved(world, ID, "ready")
    answer = client.ask("DELETE", "/api/cleanup/all")

    results = {
        "mongodb": {"outbox_deleted": 3, "runner_predictions_deleted": 0},
        "minio": {"objects_deleted": 7, "buckets_cleaned": ["videos", "frames"], "errors": []},
    }
    assert json.dumps(answer.json()) == json.dumps(
        {"status": "ok", "message": "Cleanup completed", "results": results}
    )
    assert world.stored() == []
    assert client.get("/api/status/all").json()["total"] == 0
    assert client.get(f"/api/result_video/{ID}").status_code == 404


def test_api_cleanup_of_a_bucket(world, client):
    """Other buckets stay."""
    client.job()
    kept = client.job(data={"bucket": "other"})
    answer = client.ask("DELETE", "/api/cleanup/all", params={"bucket": "videos"})

    assert answer.json()["results"]["mongodb"]["outbox_deleted"] == 1
    assert [job.job_id for job in world.store.list().jobs] == [kept]
    is_problem(client.ask("DELETE", "/api/cleanup/all", params={"bucket": "frames"}), 422, "invalid")


def test_api_cleanup_where_it_needs_a_right():
    """403, and all stays."""
    world = World()
    world.settings = type(world.settings)(no_auth=True, loopback=False)
    client = world.client()
    client.job()

    is_problem(client.ask("DELETE", "/api/cleanup/all"), 403, "forbidden")
    assert len(world.store.list().jobs) == 1


# --- around


@pytest.mark.parametrize("path", ["/status/all", "/result_video/x"])
def test_hidden_aliases(client, path):
    """As the diagrams write them, without `/api`."""
    assert client.get(path).content == client.get(f"/api{path}").content


def test_hidden_alias_of_the_upload(client):
    """`POST /upload_video`."""
    assert client.ask("POST", "/upload_video", files={"file": ("v.mp4", MP4)}).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/api/upload_video", "POST"),
        ("POST", "/api/status/all", "GET, HEAD"),
        ("GET", "/api/cleanup/all", "DELETE"),
    ],
)
def test_other_methods(client, method, path, allow):
    """405 with `Allow`."""
    answer = client.ask(method, path)

    is_problem(answer, 405, "method")
    assert {each.strip() for each in answer.headers["allow"].split(",")} == {*allow.split(", ")}


def test_a_method_cannot_be_overridden(world, client):
    """60: DELETE by another method."""
    client.job()
    answer = client.ask("POST", "/api/cleanup/all", headers={"X-HTTP-Method-Override": "DELETE"})

    is_problem(answer, 405, "method")
    assert len(world.store.list().jobs) == 1


@pytest.mark.parametrize(
    ("host", "status"), [("localhost:1", 200), ("[::1]:8080", 200), ("evil.example", 403)]
)
def test_hosts(client, host, status):
    """Those of the loopback, and names that were set."""
    assert client.get("/api", headers={"Host": host}).status_code == status


def test_hosts_that_were_set():
    """A name of a compose service."""
    world = World()
    world.settings = type(world.settings)(hosts=("api_checkout",))

    assert world.client().get("/api", headers={"Host": "api_checkout:8080"}).status_code == 200


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://localhost:8080", 200),
        ("null", 403),
        ("http://localhost.evil.example", 403),
        ("http://localhost:3000", 403),
    ],
)
def test_origins(client, origin, status):
    """Pages of others change nothing, and nothing is said about CORS."""
    answer = client.ask("DELETE", "/api/cleanup/all", headers={"Origin": origin})

    assert answer.status_code == status
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert client.get("/api", headers={"Origin": origin}).status_code == 200


@pytest.mark.parametrize("path", ["/api", "/", "/nothing", "/api/status/all", "/api/result_video/x"])
def test_security_headers(client, path):
    """On every answer."""
    headers = client.get(path).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"].startswith("default-src 'self'")
    assert "unsafe" not in headers["content-security-policy"]


def test_an_unknown_path(client):
    """A problem; only ids are answered in system B's words."""
    is_problem(client.get("/nothing/here"), 404, "not_found")


def test_ports_are_never_called_in_the_event_loop(world):
    """The test of the test: the wrapper sees it."""
    import asyncio

    async def wrong():
        OffLoop(world.store).counts()

    with pytest.raises(AssertionError, match="event loop"):
        asyncio.run(wrong())


def test_api_result_of_a_job_that_an_upgrade_replaced(world, client):
    """It answers for its successor, under the id that the client knows; so does the list."""
    job_id = client.job()
    world.store.advance(job_id, "failed", code="upgraded")
    before = client.get(f"/api/result_video/{job_id}").json()
    succeed(job_id, world.store, world.objects, world.notes, 0)
    child = world.store.get(successor_id(job_id))
    key = detection_key("videos", child.job_id)
    world.objects.put_new(key, [b"[]"])
    world.store.advance(child.job_id, "ready", result={"key": "run.json", "sha256": "0" * 64})

    after = client.get(f"/api/result_video/{job_id}").json()
    listed = {
        each["video_id"]: each["status_code"] for each in client.get("/api/status/all").json()["operations"]
    }

    assert (before["status"], before["event_id"], before["ready"]) == ("sent", job_id, False)
    assert after == {"status": "ready", "event_id": job_id, "prediction": []}
    assert listed == {job_id: "ready", child.job_id: "ready"}
