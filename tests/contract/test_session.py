"""What the service says of itself to whom, and the cookie that holds the token of a browser."""

from dataclasses import replace
from http.cookies import SimpleCookie

import pytest

from sightline.api.app import build
from sightline.api.backend import Vitals
from sightline.api.settings import ApiSettings
from sightline.sources.roots import Roots
from tests.contract.serving import MP4, Client, is_problem
from tests.contract.test_access import DAY_US, bearer, token
from tests.contract.test_results import ID, stored, url

pytestmark = pytest.mark.contract

FRESH = ApiSettings(tokens_s=-1)  # tokens are looked at anew for each request
SESSION = "/api/v1/session"
OWN = {"Origin": "http://localhost:8080"}


@pytest.fixture
def world(world):
    """Over memory, and over the file and the folder that `serve` has."""
    world.settings = FRESH
    return world


def cookie(text):
    return {"Cookie": f"theme=dark; sightline_session={text}"}


def enter(client, text, **headers):
    return client.ask("POST", SESSION, json={"token": text}, headers={**OWN, **headers})


def kept(answer):
    """The one cookie that an answer sets."""
    (header,) = answer.headers.get_list("set-cookie")
    return SimpleCookie(header)["sightline_session"]


# --- the service


def test_where_no_token_is_asked_for_anybody_hears_what_the_service_is(world, tmp_path):
    """Its model is named by the worker."""
    world.roots = Roots({"files": tmp_path})
    client = Client(world)
    vitals = Vitals(confinement="rlimits, seccomp", model="yolox-nano")
    client.app = build(replace(world.backend(), vitals=lambda: vitals), world.settings)

    said = client.get("/api/v1/service").json()

    assert said.pop("version")
    assert said == {
        "tokens": False,
        "caller": {"name": "", "scope": "admin"},
        "model": "yolox-nano",
        "pipelines": ["detect", "traffic", "visdrone"],
        "max_bytes": 2 * 2**30,
        "paths": True,
        "confinement": "rlimits, seccomp",
    }


@pytest.mark.parametrize("headers", [{}, bearer("slt_" + "A" * 43), cookie("slt_" + "A" * 43)])
def test_who_is_not_known_hears_only_that_a_token_is_needed(world, client, headers):
    """Neither the release nor what it may do: nothing that helps who has none."""
    token(world)
    answer = client.get("/api/v1/service", headers=headers)

    assert answer.status_code == 200
    assert answer.json() == {
        "tokens": True,
        "caller": None,
        "version": "",
        "model": "",
        "pipelines": [],
        "max_bytes": 0,
        "paths": False,
        "confinement": "",
    }


@pytest.mark.parametrize(("scope", "paths"), [("read", False), ("write", True), ("admin", True)])
def test_who_is_known_hears_who_it_is_and_what_it_may_do(world, tmp_path, scope, paths):
    """Files of the server's own are for those who may make a job of them."""
    world.roots = Roots({"files": tmp_path})
    said = world.client().get("/api/v1/service", headers=bearer(token(world, "anna", scope))).json()

    assert (said["tokens"], said["caller"]) == (True, {"name": "anna", "scope": scope})
    assert said["paths"] is paths


# --- the cookie


def test_a_token_becomes_a_cookie_that_no_script_reads_and_no_other_site_sends(world, client):
    """For the whole service, for a month."""
    text = token(world, scope="read")
    answer = enter(client, text)
    found = kept(answer)

    assert (answer.status_code, answer.content, found.value) == (204, b"", text)
    assert (found["httponly"], found["samesite"], found["path"]) == (True, "strict", "/")
    assert (found["secure"], found["domain"], found["max-age"]) == ("", "", str(30 * 86_400))
    assert answer.headers["cache-control"] == "no-store"


def test_a_browser_that_came_by_https_keeps_it_to_https(world, client):
    """TLS ends at a proxy in front; the origin of the page says that there is one."""
    found = kept(enter(client, token(world), Origin="https://localhost:8080"))

    assert found["secure"] is True


def test_a_cookie_ends_with_its_token(world, client):
    """Nobody keeps what is worth nothing."""
    found = kept(enter(client, token(world, expires_us=world.now_us + DAY_US)))

    assert found["max-age"] == "86400"


@pytest.mark.parametrize("text", ["slt_" + "A" * 43, "anna", "x" * 256])
def test_a_wrong_token_sets_nothing(world, client, text):
    """401, as everywhere."""
    token(world)
    answer = enter(client, text)

    is_problem(answer, 401, "unauthorized")
    assert "set-cookie" not in answer.headers


def test_a_token_that_has_expired_is_a_wrong_one(world, client):
    """To the microsecond."""
    text = token(world, expires_us=world.now_us)

    is_problem(enter(client, text), 401, "unauthorized")


def test_leaving_forgets_the_cookie_whoever_asks(world, client):
    """Also one whose token is gone: the browser would send it for ever."""
    token(world)
    answer = client.ask("DELETE", SESSION, headers=OWN | cookie("slt_" + "A" * 43))
    found = kept(answer)

    assert (answer.status_code, found.value, found["max-age"]) == (204, "", "0")
    assert (found["httponly"], found["samesite"], found["path"]) == (True, "strict", "/")


@pytest.mark.parametrize("path", ["", "events", "results", "results/tracks.csv", "video", "geometry"])
def test_what_a_browser_opens_by_itself_is_open_with_the_cookie(world, client, path):
    """Events, videos, downloads: none of them has a header of ours."""
    text = token(world, "root", "admin")
    stored(world, ID)
    where = url(path).rstrip("/")

    assert client.get(where, headers=cookie(text)).status_code == 200
    is_problem(client.get(where), 401, "unauthorized")
    is_problem(client.get(where, headers=cookie("slt_" + "A" * 43)), 401, "unauthorized")


def test_a_player_reads_a_part_of_the_video_with_the_cookie(world, client):
    """206, as with a token."""
    stored(world, ID)
    headers = cookie(token(world, "root", "admin")) | {"Range": "bytes=10-19"}
    answer = client.get(url("video"), headers=headers)

    assert (answer.status_code, answer.content) == (206, MP4[10:20])


def test_a_page_changes_something_with_the_cookie_only_from_our_own_origin(world, client):
    """A page of a stranger on the same site, another port say, would send the cookie too."""
    headers = cookie(token(world))
    body = {"files": {"file": ("v.mp4", MP4)}}
    foreign = [
        client.ask("POST", "/api/v1/jobs", headers=headers | {"Origin": origin}, **body)
        for origin in ("https://evil.example", "http://localhost:9999", "null")
    ]

    for answer in foreign:
        is_problem(answer, 403, "origin")
    is_problem(enter(client, token(world, "bert"), Origin="https://evil.example"), 403, "origin")
    assert world.stored() == []
    assert client.ask("POST", "/api/v1/jobs", headers=headers | OWN, **body).status_code == 202


def test_a_cookie_may_do_what_its_scope_may(world, client):
    """As the token in a header."""
    headers = cookie(token(world, scope="read")) | OWN
    answer = client.ask("POST", "/api/v1/jobs", headers=headers, files={"file": ("v.mp4", MP4)})

    is_problem(answer, 403, "forbidden")


def test_a_header_counts_before_the_cookie(world, client):
    """Whoever names a token means that one, and a wrong one is not made good by another."""
    text = token(world)

    is_problem(
        client.get("/api/v1/jobs", headers=cookie(text) | bearer("slt_" + "A" * 43)), 401, "unauthorized"
    )
    said = client.get("/api/v1/service", headers=cookie(text) | bearer(token(world, "bert"))).json()
    assert said["caller"]["name"] == "bert"


def test_a_cookie_from_before_locks_nobody_out_where_no_token_is_needed(world, client):
    """Tokens may be removed again, and a browser still sends what it has."""
    assert client.get("/api/v1/jobs", headers=cookie("slt_" + "A" * 43)).status_code == 200
    token(world)
    world.settings = replace(FRESH, no_auth=True)

    assert world.client().get("/api/v1/jobs", headers=cookie("slt_" + "A" * 43)).status_code == 200
