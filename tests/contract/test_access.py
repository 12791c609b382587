"""Who may ask for what: rows 30 and 59 to 65 of the bad inputs, and what an address off the loopback changes."""

import asyncio
import re
import socket
import threading
from contextlib import suppress
from dataclasses import replace

import pytest

from sightline.api import tokens
from sightline.api.settings import ApiSettings
from sightline.errors import NotFound, Unavailable
from sightline.testing import Faults
from tests.contract.serving import MP4, UNKNOWN, is_problem, served

pytestmark = pytest.mark.contract

DAY_US = 86_400_000_000
FRESH = ApiSettings(tokens_s=-1)  # tokens are looked at anew for each request
JWT = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJzY29wZSI6ImFkbWluIn0."
OPEN = [("api", path) for path in ("/health", "/ready", "/api", "/api/", "/api/health")] + [
    ("runner", "/health"),
    ("inference", "/health"),
    ("inference", "/data"),
    ("inference", "/api/data"),
]
PORTS = {"api": 8080, "runner": 8002, "inference": 8003}


@pytest.fixture
def world(world):
    """Over memory, and over the file and the folder that `serve` has."""
    world.settings = FRESH
    return world


def token(world, name="anna", scope="write", expires_us=None):
    return tokens.add(world.notes, name, scope, world.now_us, expires_us)


def bearer(text):
    return {"Authorization": f"Bearer {text}"}


def is_unauthorized(answer):
    is_problem(answer, 401, "unauthorized")
    assert answer.headers["www-authenticate"].startswith('Bearer realm="sightline"')


# --- tokens


def test_without_a_token_anybody_on_this_machine_may_do_everything(client):
    """As the contracts' examples do."""
    client.job()

    assert client.get("/api/status/all").json()["total"] == 1
    assert client.ask("DELETE", "/api/cleanup/all").status_code == 200


def test_as_soon_as_there_is_a_token_it_is_asked_for_and_no_longer_than_that(world, client):
    """Also by a service that runs."""
    assert client.get("/api/status/all").status_code == 200
    text = token(world)

    is_unauthorized(client.get("/api/status/all"))
    assert client.get("/api/status/all", headers=bearer(text)).status_code == 200
    tokens.remove(world.notes, "anna")
    assert client.get("/api/status/all").status_code == 200


@pytest.mark.parametrize(("role", "path"), OPEN)
def test_whoever_watches_the_service_needs_none(world, client, role, path):
    """On each of its ports."""
    token(world)

    assert client.get(path, port=PORTS[role]).status_code == 200


@pytest.mark.parametrize("role", PORTS)
def test_every_other_path_of_every_port_needs_one(world, client, role):
    """Also those that are not there: who asks learns nothing. The files of the page are the same for all, and open."""
    token(world)

    for path in ("/docs", "/nothing", "/api/status/all", "/api/result_video/x", "/metrics"):
        is_unauthorized(client.get(path, port=PORTS[role]))
    is_unauthorized(client.ask("POST", "/health", port=PORTS[role]))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic YW5uYTpwYXNzd29yZA=="},
        bearer("anna"),
        bearer(JWT),
        bearer("slt_" + "A" * 43),
        bearer("slt_" + "A" * 5000),
        bearer("null"),
        {"Cookie": "token=slt_" + "A" * 43},
        {"X-Forwarded-User": "anna"},
    ],
)
def test_59_no_token_or_a_wrong_one(world, client, headers):
    """401, whatever form it has, and nothing happened."""
    token(world)
    answer = client.ask("POST", "/api/upload_video", files={"file": ("v.mp4", MP4)}, headers=headers)

    is_unauthorized(answer)
    assert world.stored() == []


def test_59_a_token_in_the_address_is_none(world, client):
    """Addresses are logged and sent on."""
    text = token(world)

    is_unauthorized(client.get("/api/status/all", params={"token": text, "access_token": text}))


def test_59_two_tokens_are_none(world, client):
    """Which of them would it be."""
    text = token(world)

    is_unauthorized(client.get("/api/status/all", headers=[("Authorization", f"Bearer {text}")] * 2))


def test_59_an_expired_token(world, client):
    """It holds until its last microsecond; that it was there keeps the service closed."""
    text = token(world, expires_us=world.now_us + DAY_US)
    assert client.get("/api/status/all", headers=bearer(text)).status_code == 200

    world.now_us += DAY_US

    is_unauthorized(client.get("/api/status/all", headers=bearer(text)))
    is_unauthorized(client.get("/api/status/all"))


def test_59_a_token_that_was_removed(world, client):
    """While another one is there."""
    text = token(world)
    token(world, "bert")
    tokens.remove(world.notes, "anna")

    is_unauthorized(client.get("/api/status/all", headers=bearer(text)))


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [("read", {"GET"}), ("write", {"GET", "POST"}), ("admin", {"GET", "POST", "DELETE"})],
)
def test_60_what_a_scope_may_do(world, client, scope, allowed):
    """Look; make and change; clean up."""
    headers = bearer(token(world, scope=scope))
    answers = {
        "GET": client.get("/api/status/all", headers=headers),
        "POST": client.upload(headers=headers),
        "DELETE": client.ask("DELETE", "/api/cleanup/all", headers=headers),
    }

    assert {method for method, answer in answers.items() if answer.status_code == 200} == allowed
    for method in answers.keys() - allowed:
        is_problem(answers[method], 403, "forbidden")


@pytest.mark.parametrize("scope", ["read", "admin"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_60_cleanup_by_another_method(world, client, scope, method):
    """405, and nothing is removed."""
    client.job()
    headers = bearer(token(world, scope=scope)) | {
        "X-HTTP-Method-Override": "DELETE",
        "X-Method-Override": "DELETE",
    }
    answer = client.ask(method, "/api/cleanup/all?_method=DELETE", headers=headers)

    assert answer.status_code == 405
    assert answer.headers["allow"] == "DELETE"
    assert len(world.store.list().jobs) == 1


def test_60_cleanup_by_an_override(world, client):
    """Whoever may write may not remove everything, by whatever name."""
    client.job()
    headers = bearer(token(world)) | {"X-HTTP-Method-Override": "DELETE"}

    is_problem(client.ask("POST", "/api/cleanup/all", headers=headers), 405, "method")
    assert len(world.store.list().jobs) == 1


def test_where_tokens_cannot_be_looked_up_nobody_is_let_in(world):
    """503 for everybody: a service that knew of none would ask for none."""
    world.notes.put("token", "anna", {"scope": "everything"})
    damaged = world.client().get("/api/status/all")

    def down(name, when):
        raise Unavailable("no")

    world.notes = Faults(world.notes, down)
    away = world.client().get("/api/status/all")

    is_problem(damaged, 503, "corrupt")
    is_problem(away, 503, "unavailable")


# --- whose job it is


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_30_the_job_of_another_is_as_unknown_as_none(world, client, method):
    """The same answer, to the byte."""
    anna, bert = bearer(token(world)), bearer(token(world, "bert", "write"))
    job_id = client.job(headers=anna)
    paths = [f"/api/result_video/{job_id}", f"/result_video/{job_id}", f"/jobs/{job_id}/result.json"]

    for path in paths:
        theirs = client.ask(method, path, headers=bert)
        nobodys = client.ask(method, path.replace(job_id, world.new_id()), headers=bert)
        assert (theirs.status_code, theirs.content) == (nobodys.status_code, nobodys.content)
        assert theirs.status_code == 404
    assert client.get(paths[0], headers=bert).json() == UNKNOWN
    assert client.get(paths[0], headers=anna).status_code == 200


def test_lists_have_the_jobs_of_who_asks_alone(world, client):
    """Whoever administers sees all, those from before there were tokens as well."""
    client.job(name="before.mp4")
    anna, bert = bearer(token(world)), bearer(token(world, "bert", "read"))
    root = bearer(token(world, "root", "admin"))
    client.job(headers=anna, name="annas.mp4")

    totals = [client.get("/api/status/all", headers=each).json()["total"] for each in (anna, bert, root)]
    lists = [client.get("/api/v1/jobs", headers=each).text for each in (anna, bert, root)]

    assert totals == [1, 0, 2]
    assert ["annas.mp4" in each for each in lists] == [True, False, True]
    assert ["before.mp4" in each for each in lists] == [False, False, True]


def test_the_same_key_of_two_callers_means_two_jobs(world, client):
    """A key belongs to whoever sends it."""
    anna, bert = bearer(token(world)), bearer(token(world, "bert"))
    key = {"Idempotency-Key": "first"}

    jobs = [client.job(headers=each | key) for each in (anna, bert, anna)]

    assert jobs[0] == jobs[2] != jobs[1]


def test_63_a_thousand_equal_requests_are_one_job(world, client):
    """Fifty at a time: who comes while the first is under way is told to come again."""
    world.settings = replace(FRESH, rate=0)
    client = world.client()
    anna = bearer(token(world))
    client.job(headers=anna)
    [name] = [key.removeprefix("videos/") for key in world.stored() if key.startswith("videos/")]
    asked = {"headers": anna | {"Idempotency-Key": "again"}, "json": {"bucket": "videos", "object": name}}

    async def fifty():
        return await asyncio.gather(*(client.aask("POST", "/api/request", **asked) for _ in range(50)))

    answers = [answer for _ in range(20) for answer in client.runner.run(fifty())]

    assert {answer.status_code for answer in answers} <= {200, 409}
    assert len({answer.json()["event_id"] for answer in answers if answer.status_code == 200}) == 1
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} <= {"in_progress"}
    assert len(world.store.list().jobs) == 2


def test_63_a_key_with_another_body(world, client):
    """422, and the first job stays what it was."""
    anna = bearer(token(world)) | {"Idempotency-Key": "again"}
    job_id = client.job(headers=anna)

    is_problem(client.upload(MP4 + b"more", headers=anna), 422, "key_reused")
    assert client.job(headers=anna) == job_id


@pytest.mark.parametrize("end", ["ready", "failed", "cancelled"])
def test_64_whoever_ends_a_job_while_it_is_removed(world, client, end):
    """It is gone, counted once, and who comes again finds nothing."""
    root = bearer(token(world, "root", "admin"))
    for _ in range(10):
        job_id = client.job(headers=root)
        world.store.advance(job_id, "processing", facts={})
        worker = threading.Thread(target=ended, args=(world.store, job_id, end))
        worker.start()
        answer = client.ask("DELETE", "/api/cleanup/all", headers=root)
        again = client.ask("DELETE", "/api/cleanup/all", headers=root)
        worker.join()

        deleted = [each.json()["results"]["mongodb"]["outbox_deleted"] for each in (answer, again)]
        assert deleted == [1, 0]
        assert client.get(f"/api/result_video/{job_id}", headers=root).status_code == 404
        assert world.stored() == []


def ended(store, job_id, end):
    """What a worker, or whoever cancels, does; the job may be gone."""
    with suppress(NotFound):
        store.advance(job_id, end)


# --- how often


def test_61_a_forged_address_is_ignored(world, client):
    """Whoever asks too often is told so, whoever it says it is."""
    world.settings = replace(FRESH, rate=1)
    client = world.client()
    forged = [
        {name: f"10.0.0.{n}"} for n, name in enumerate(("X-Forwarded-For", "X-Real-IP", "Forwarded", "Via"))
    ]

    answers = [client.get("/api/status/all", headers=headers) for headers in forged]

    assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
    is_problem(answers[3], 429, "rate")
    assert int(answers[3].headers["retry-after"]) >= 1


def test_61_each_token_has_a_rate_of_its_own_and_guessing_has_one_too(world):
    """Whoever is slow does not pay for others."""
    world.settings = replace(FRESH, rate=1)
    client = world.client()
    anna, bert = bearer(token(world)), bearer(token(world, "bert"))

    def statuses(headers):
        return [client.get("/api/status/all", headers=headers).status_code for _ in range(3)]

    assert [statuses(anna), statuses(bert)] == [[200, 200, 429]] * 2
    assert statuses(bearer("slt_" + "A" * 43)) == [401, 401, 429]


def test_whoever_watches_is_never_told_to_come_later(world):
    """A probe that fails would restart a service that is only busy."""
    world.settings = replace(FRESH, rate=1)
    client = world.client()

    assert {client.get("/health").status_code for _ in range(20)} == {200}


def test_uploads_of_one_token_at_the_same_time(world):
    """One 429, and another token's upload goes on."""
    world.settings = replace(FRESH, uploads_per_token=1)
    client = world.client()
    anna, bert = bearer(token(world)), bearer(token(world, "bert"))

    answers = together(client, [anna, anna, bert])

    assert sorted(answer.status_code for answer in answers[:2]) == [200, 429]
    assert answers[2].status_code == 200


def test_65_a_quota_that_is_raced(world):
    """One 200, one 429, and of the one that was refused nothing is left."""
    world.settings = replace(FRESH, quota=len(MP4) + 100)
    client = world.client()
    anna = bearer(token(world))

    answers = together(client, [anna, anna])

    assert sorted(answer.status_code for answer in answers) == [200, 429]
    is_problem(next(each for each in answers if each.status_code == 429), 429, "quota")
    assert len(world.store.list().jobs) == 1
    assert len(world.stored()) == 2  # the upload and its index


def test_a_quota_has_room_again_once_jobs_are_gone(world):
    """And it is of one token: another has one of its own."""
    world.settings = replace(FRESH, quota=len(MP4))
    client = world.client()
    anna, bert = bearer(token(world)), bearer(token(world, "bert"))
    root = bearer(token(world, "root", "admin"))
    client.job(headers=anna)

    is_problem(client.upload(headers=anna), 429, "quota")
    assert client.upload(headers=bert).status_code == 200
    client.ask("DELETE", "/api/cleanup/all", headers=root)
    assert client.upload(headers=anna).status_code == 200


def test_who_listens_is_left_when_its_token_goes(world):
    """A token that is removed counts at once, also for an answer that would go on."""
    text = token(world)
    token(world, "root", "admin")
    job = world.client().job(headers=bearer(text))
    head = (
        f"GET /api/v1/jobs/{job}/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {text}\r\n\r\n"
    )
    with served(world) as (port,), socket.create_connection(("127.0.0.1", port), 10) as line:
        line.sendall(head.encode())
        heard = b""
        while b"event: state" not in heard:
            heard += line.recv(4096)
        tokens.remove(world.notes, "anna")
        while more := line.recv(4096):
            heard += more
            if heard.endswith(b"0\r\n\r\n"):
                break
    assert heard.endswith(b"0\r\n\r\n")
    assert b"event: done" not in heard


def test_a_quota_counts_a_file_for_as_long_as_a_job_works_on_it(world):
    """Run again, then the first job removed: the file is there, and there once."""
    world.settings = replace(FRESH, quota=len(MP4) + 100)
    client = world.client()
    anna = bearer(token(world))
    parent = client.job(headers=anna)
    world.store.advance(parent, "failed", code="crashed")
    again = client.ask("POST", f"/api/v1/jobs/{parent}/retry", headers=anna)
    assert again.status_code == 201
    client.ask("DELETE", f"/api/v1/jobs/{parent}", headers=anna)

    is_problem(client.upload(headers=anna), 429, "quota")
    client.ask("DELETE", f"/api/v1/jobs/{again.json()['job_id']}", headers=anna)
    assert client.upload(headers=anna).status_code == 200


def test_a_quota_that_is_full_lets_a_job_run_again(world):
    """It keeps no other file."""
    world.settings = replace(FRESH, quota=len(MP4))
    client = world.client()
    anna = bearer(token(world))
    parent = client.job(headers=anna)
    world.store.advance(parent, "failed", code="crashed")

    assert client.ask("POST", f"/api/v1/jobs/{parent}/retry", headers=anna).status_code == 201


TUS = {"Tus-Resumable": "1.0.0"}
BYTES = {**TUS, "Content-Type": "application/offset+octet-stream"}


def test_a_quota_counts_the_parts_of_uploads(world):
    """Those that are under way; one that would not fit is refused before its first byte, one that fits becomes a job."""
    world.settings = replace(FRESH, quota=2 * len(MP4))
    client = world.client()
    anna, bert = bearer(token(world)), bearer(token(world, "bert"))

    def begin(who, length=0):
        return client.ask(
            "POST", "/api/v1/uploads", headers={**TUS, **who, "Upload-Length": str(length or len(MP4))}
        )

    def add(path, offset, blob):
        return client.ask(
            "PATCH", path, content=blob, headers={**BYTES, **anna, "Upload-Offset": str(offset)}
        )

    is_problem(begin(anna, 2 * len(MP4) + 1), 429, "quota")
    first, second, third = (begin(anna).headers["location"] for _ in range(3))
    assert add(first, 0, MP4[:-1]).status_code == 204
    assert add(second, 0, MP4).status_code == 204
    is_problem(add(third, 0, MP4), 429, "quota")
    is_problem(client.upload(headers=anna), 429, "quota")
    is_problem(begin(anna), 429, "quota")
    assert begin(bert).status_code == 201
    assert add(first, len(MP4) - 1, MP4[-1:]).status_code == 204
    assert len(world.store.list().jobs) == 2


def test_a_rate_of_nothing_is_none(world):
    """For who has a limiter of its own in front."""
    world.settings = replace(FRESH, rate=0)
    client = world.client()

    assert {client.get("/api/status/all").status_code for _ in range(30)} == {200}


def together(client, callers):
    """Uploads that are all under way before the first one ends."""

    async def all_of_them():
        asked = [
            client.aask("POST", "/api/upload_video", files={"file": ("v.mp4", MP4)}, headers=headers)
            for headers in callers
        ]
        return await asyncio.gather(*asked)

    return client.runner.run(all_of_them())


# --- off the loopback


def test_off_the_loopback_a_token_is_needed_though_there_is_none(world):
    """Nobody has one, so nobody may do anything."""
    world.settings = replace(FRESH, loopback=False)
    client = world.client()

    is_unauthorized(client.get("/api/status/all"))
    is_unauthorized(client.ask("DELETE", "/api/cleanup/all"))
    assert client.get("/health").status_code == 200


@pytest.mark.parametrize(
    ("loopback", "there_is_a_token", "status"),
    [(True, False, 200), (True, True, 403), (False, False, 403), (False, True, 403)],
)
def test_where_nobody_is_asked_anybody_may_work_and_not_clean_up(world, loopback, there_is_a_token, status):
    """But on this machine alone and without tokens, as the contract has it."""
    world.settings = replace(FRESH, no_auth=True, loopback=loopback)
    client = world.client()
    if there_is_a_token:
        token(world, "root", "admin")

    assert client.upload().status_code == 200
    assert client.get("/api/status/all").json()["total"] == 1
    assert client.ask("DELETE", "/api/cleanup/all").status_code == status


def test_where_nobody_is_asked_a_token_still_says_who_asks(world):
    """One that is wrong is never taken for none."""
    world.settings = replace(FRESH, no_auth=True)
    client = world.client()
    root = bearer(token(world, "root", "admin"))
    client.job()

    is_unauthorized(client.get("/api/status/all", headers=bearer("wrong")))
    assert client.ask("DELETE", "/api/cleanup/all", headers=root).status_code == 200


@pytest.mark.parametrize(
    ("host", "loopback", "status"),
    [
        ("192.168.1.5:8080", False, 200),
        ("[fd00::1]:8080", False, 200),
        ("videos.example", False, 200),
        ("other.example", False, 403),
        ("192.168.1.5:8080", True, 403),
        ("192.168.1.5.evil.example", False, 403),
    ],
)
def test_names_of_a_service(world, host, loopback, status):
    """A name is one that was listed; off the loopback a number is one too, as no page of a stranger has it."""
    world.settings = replace(FRESH, hosts=("videos.example",), loopback=loopback)

    assert world.client().get("/health", headers={"Host": host}).status_code == status


# --- pages of others

LISTED = "https://shop.example"
FOREIGN = [
    "null",
    "https://evil.shop.example",
    "https://shop.example.evil",
    "http://shop.example",
    "https://shop.example:444",
]


@pytest.fixture
def shop(world):
    """A service that lists one origin."""
    world.settings = replace(FRESH, origins=(LISTED,))
    return world.client()


def cors_of(answer):
    return {name: value for name, value in answer.headers.items() if name.startswith("access-control")}


@pytest.mark.parametrize("origin", FOREIGN)
def test_62_pages_of_others(shop, origin):
    """Nothing is changed by them, and nothing is said that lets them read."""
    changed = shop.ask("DELETE", "/api/cleanup/all", headers={"Origin": origin})
    asked = shop.ask(
        "OPTIONS", "/api/status/all", headers={"Origin": origin, "Access-Control-Request-Method": "GET"}
    )

    is_problem(changed, 403, "origin")
    is_problem(asked, 403, "origin")
    assert cors_of(changed) == cors_of(asked) == cors_of(shop.get("/api", headers={"Origin": origin})) == {}


def test_pages_of_a_listed_origin_read_answers(shop):
    """Also those that refuse, so that they can say why; a cache keeps them apart from others."""
    for path in ("/api/status/all", "/nothing"):
        answer = shop.get(path, headers={"Origin": LISTED})
        assert answer.headers["access-control-allow-origin"] == LISTED
        assert "ETag" in answer.headers["access-control-expose-headers"]
        assert "access-control-allow-credentials" not in answer.headers
        assert "Origin" in answer.headers["vary"]
    assert shop.ask("DELETE", "/api/cleanup/all", headers={"Origin": LISTED}).status_code == 200


def test_what_a_browser_asks_before(shop, world):
    """It has no token yet, and is told what it may send."""
    token(world)
    asked = shop.ask(
        "OPTIONS",
        "/api/upload_video",
        headers={
            "Origin": LISTED,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization",
        },
    )

    assert asked.status_code == 204
    assert "POST" in asked.headers["access-control-allow-methods"]
    assert "Authorization" in asked.headers["access-control-allow-headers"]
    assert asked.headers["access-control-allow-origin"] == LISTED


# --- what is kept


def test_a_token_is_kept_as_its_hash(world):
    """Who reads the data folder learns none."""
    text = token(world)

    assert re.fullmatch(r"slt_[A-Za-z0-9_-]{43}", text)
    [(name, note)] = world.notes.list("token")
    assert name == "anna"
    assert text[4:] not in str(note.value)
    assert set(note.value) == {"scope", "sha256", "created_us", "expires_us"}


def test_states_are_the_same_for_who_may_read(world, client):
    """A token changes who is answered and no answer."""
    client.job()
    before = client.get("/api/status/all").content
    text = token(world, "root", "admin")

    assert client.get("/api/status/all", headers=bearer(text)).content == before


def test_who_may_read_may_count_again(world, client):
    """Nothing is kept of it; lines that are kept need more."""
    job_id = client.job()
    read = bearer(token(world, "anna", "read"))
    path = f"/api/v1/jobs/{job_id}"

    counted = client.ask("POST", f"{path}/counts", headers=read, json={})
    kept = client.ask("PUT", f"{path}/geometry", headers=read, json={})
    other = client.ask("POST", f"{path}/counts/x", headers=read, json={})

    assert counted.status_code == 404  # the job is another's
    assert (kept.status_code, other.status_code) == (403, 403)


@pytest.mark.parametrize("path", ["/api/request", "/api/v1/jobs"])
def test_an_upload_of_another_is_no_object_that_can_be_named(world, client, path):
    """Whoever guesses the id of a job cannot have its video processed; its owner and an admin can."""
    anna, bert = bearer(token(world, "anna")), bearer(token(world, "bert"))
    root = bearer(token(world, "root", "admin"))
    job_id = client.upload(headers=anna).json()["event_id"]
    source = {"bucket": "videos", "object": f"input/{job_id}.mp4"}
    body = source if path == "/api/request" else {"source": source}

    answers = [client.ask("POST", path, headers=who, json=body) for who in (anna, root, bert)]
    nothing = client.ask(
        "POST",
        path,
        headers=bert,
        json={**body, **({"object": "x"} if body is source else {"source": {**source, "object": "x"}})},
    )

    assert [answer.status_code < 300 for answer in answers] == [True, True, False]
    is_problem(answers[2], 404, "not_found")
    assert answers[2].json()["detail"] == nothing.json()["detail"]
