"""What an operator sees: `/health`, `/ready`, `/metrics`, and a line of the log for each request."""

import logging
import threading
from dataclasses import replace

import pytest

from sightline.api import health, tokens
from sightline.api.app import build
from sightline.api.backend import Vitals
from sightline.api.reports import Family, Report, Sample
from sightline.api.settings import ApiSettings
from sightline.errors import Unavailable
from sightline.logs import FACTS
from sightline.testing import Faults
from tests.contract.serving import MP4, Client, is_problem

pytestmark = pytest.mark.contract

LEVEL = "rlimits, seccomp, Landlock 4"


def with_backend(world, **fields):
    """A client of a backend that says so."""
    client = Client(world)
    client.app = build(replace(world.backend(), **fields), world.settings)
    return client


def values(answer):
    """Values of `/metrics` by name and labels."""
    lines = [line for line in answer.text.splitlines() if line and line[0] != "#"]
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


# --- health


def test_health_and_readiness_name_what_confines_uploads(world):
    """Beside what they said before."""
    client = with_backend(world, vitals=lambda: Vitals(confinement=LEVEL))

    assert client.get("/health").json() == {"status": "ok", "confinement": LEVEL}
    assert client.get("/ready").json() == {"status": "ready", "confinement": LEVEL}
    assert client.get("/api/health").json() == {"status": "ok", "service": "api_checkout"}


def test_a_service_that_the_work_waits_for_is_named(world):
    """Requests are served all the same: what is sent meanwhile is worked on later."""
    client = with_backend(world, vitals=lambda: Vitals(confinement=LEVEL, awaits=("kafka_down",)))

    said = {"confinement": LEVEL, "awaits": ["kafka_down"]}
    assert client.get("/health").json() == {"status": "ok", **said}
    assert client.get("/ready").json() == {"status": "ready", **said}


def test_a_store_that_does_not_answer_is_missing(world, monkeypatch):
    """Whoever watches hears so while it is asked: a driver may wait for its server for long."""
    answers = threading.Event()
    monkeypatch.setattr(health, "PATIENCE_S", 0.05)
    monkeypatch.setattr(world.notes, "list", lambda *_, **__: answers.wait())
    client = with_backend(world, vitals=lambda: Vitals(confinement=LEVEL))
    try:
        answer = client.get("/ready")
    finally:
        answers.set()

    assert (answer.status_code, answer.json()["missing"]) == (503, ["notes"])


def test_work_that_waits_and_does_not_move_shows(world):
    """503, and where it stands."""
    client = with_backend(world, vitals=lambda: Vitals(False, "detect", 700.2, LEVEL), moving=lambda: False)
    answer = client.get("/health")

    assert answer.status_code == 503
    assert answer.json() == {"status": "stalled", "stage": "detect", "still_s": 700, "confinement": LEVEL}
    assert client.get("/ready").json()["missing"] == ["worker"]


def test_where_nothing_confines_what_reads_them_no_upload_is_taken_in(world):
    """Before its body is stored, and whoever sends it is told what to do."""
    client = with_backend(world, vitals=lambda: Vitals(confinement="rlimits", confined=False))
    answer = client.upload()

    is_problem(answer, 503, "confinement")
    assert "sightline doctor" in answer.json()["detail"]
    assert world.stored() == []


# --- metrics


def test_metrics_are_text_for_prometheus_and_hold_jobs_by_state(world, client):
    """Also the states that no job is in."""
    client.job()
    answer = client.get("/metrics")

    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert values(answer)['sightline_jobs{state="sent"}'] == 1
    assert values(answer)['sightline_jobs{state="ready"}'] == 0
    assert client.ask("HEAD", "/metrics").status_code == 200


def test_what_processes_report_is_in_them(world):
    """Whatever it is called."""
    samples = [Sample("sightline_frames_total", {"stage": "detect", "outcome": "ok"}, 125)]
    report = Report("1-1", [Family("sightline_frames", "counter", "Frames.", samples)])
    client = with_backend(world, reports=lambda: {"worker": report})

    assert values(client.get("/metrics"))['sightline_frames_total{outcome="ok",stage="detect"}'] == 125


def test_requests_are_counted_by_route_and_never_by_id(world, client):
    """So that there are as many series as there are routes, however many jobs."""
    jobs = [client.job() for _ in range(3)]
    for job in jobs:
        client.get(f"/api/result_video/{job}")
    client.get("/nothing/at/all")
    client.ask("BREW", "/api/status/all")

    text = client.get("/metrics").text
    found = values(client.get("/metrics"))

    assert not [job for job in jobs if job in text]
    assert "nothing" not in text
    assert "BREW" not in text
    route = 'method="GET",port="api",route="/api/result_video/{event_id:anything}"'
    assert found[f'sightline_http_requests_total{{{route},status="200"}}'] == 3
    assert found[f"sightline_http_request_duration_seconds_count{{{route}}}"] == 3
    unknown = 'method="GET",port="api",route="unknown",status="404"'
    assert found[f"sightline_http_requests_total{{{unknown}}}"] == 1


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/api/v1/jobs?limit=1", "/api/v1/jobs"),
        ("/api/v1/jobs/00000000-0000-4000-8000-000000000001/results", "/api/v1/jobs/{job_id}/results"),
        ("/api/v1/openapi.json", "/api/v1/openapi.json"),
        ("/api/status/all", "/api/status/all"),
    ],
)
def test_requests_are_counted_by_the_whole_path_of_their_route(client, path, route):
    """As the document has it."""
    client.get(path)

    found = values(client.get("/metrics"))

    assert any(f'route="{route}"' in name for name in found)


def test_what_is_refused_is_counted_too(world):
    """A rate that is passed, a token that is wrong."""
    world.settings = ApiSettings(tokens_s=-1)
    client = world.client()
    text = tokens.add(world.notes, "anna", "read", world.now_us)
    client.get("/api/status/all")

    found = values(client.get("/metrics", headers={"Authorization": f"Bearer {text}"}))

    assert found['sightline_http_requests_total{method="GET",port="api",route="unknown",status="401"}'] == 1


def test_metrics_without_a_token_where_they_are_open(world):
    """And nothing else."""
    world.settings = ApiSettings(tokens_s=-1, open_metrics=True)
    client = world.client()
    tokens.add(world.notes, "anna", "read", world.now_us)

    assert client.get("/metrics").status_code == 200
    assert client.get("/metrics", port=8002).status_code == 401
    is_problem(client.get("/api/status/all"), 401, "unauthorized")


@pytest.mark.parametrize("still", [False, True], ids=["away", "standing still"])
def test_metrics_are_there_while_the_store_is_away(world, still):
    """Without its jobs: zeros would be a lie. Whoever watches does not wait as long as a database may be silent."""
    over = threading.Event()

    def down(name, when):
        if name == "counts" and still:
            over.wait(30)
        elif name == "counts":
            raise Unavailable("no")

    world.store = Faults(world.store, down)
    try:
        answer = world.client().get("/metrics")
    finally:
        over.set()

    assert answer.status_code == 200
    assert "process_resident_memory_bytes" in answer.text
    assert "sightline_jobs" not in answer.text


def test_who_watches_is_known_while_tokens_cannot_be_looked_up(world):
    """By those that were seen last: else it would say that the service is down. Everybody else is refused."""
    away = threading.Event()

    def down(name, when):
        if away.is_set():
            raise Unavailable("no")

    world.settings = ApiSettings(tokens_s=-1)
    text = tokens.add(world.notes, "anna", "read", world.now_us)
    world.notes = Faults(world.notes, down)
    client, anna = world.client(), {"Authorization": f"Bearer {text}"}
    seen = client.get("/metrics", headers=anna)
    away.set()

    assert seen.status_code == client.get("/metrics", headers=anna).status_code == 200
    assert client.get("/metrics").status_code == 401
    is_problem(client.get("/api/status/all", headers=anna), 503, "unavailable")


# --- logs


@pytest.fixture
def lines(caplog):
    """What the log says of requests."""
    caplog.set_level(logging.DEBUG, "sightline.api.requests")
    return lambda: [
        (each.levelname, each.getMessage(), getattr(each, FACTS))
        for each in caplog.records
        if each.name == "sightline.api.requests"
    ]


def test_each_request_is_a_line_with_its_route_and_who_asked(world, lines):
    """No address, no query, no token, no name of a file."""
    world.settings = ApiSettings(tokens_s=-1)
    client = world.client()
    text = tokens.add(world.notes, "anna", "write", world.now_us)
    headers = {"Authorization": f"Bearer {text}"}
    client.ask(
        "POST", "/api/upload_video?bucket=secrets", files={"file": ("diary.mp4", MP4)}, headers=headers
    )

    [(level, event, facts)] = lines()

    assert (level, event) == ("INFO", "request")
    assert {name: facts[name] for name in ("port", "method", "route", "status", "caller")} == {
        "port": "api",
        "method": "POST",
        "route": "/api/upload_video",
        "status": 200,
        "caller": "anna",
    }
    assert facts["ms"] >= 0
    assert not [word for word in ("secrets", "diary", text) if word in str(facts)]


def test_what_is_refused_is_a_line_that_says_why(client, lines):
    """By the code of the problem; an answer that went well has none."""
    client.ask("POST", "/api/v1/jobs", content=b"no video" * 100, headers={"Content-Type": "video/mp4"})
    client.get("/api/v1/jobs")

    assert [(facts["status"], facts.get("code")) for _, _, facts in lines()] == [
        (415, "media_type"),
        (200, None),
    ]


def test_who_only_watches_fills_no_log(client, lines):
    """While all is well."""
    client.get("/health")

    assert [level for level, _, _ in lines()] == ["DEBUG"]


def test_who_watches_and_is_told_of_trouble_is_a_line(world, lines):
    """At the level that is written."""
    with_backend(world, vitals=lambda: Vitals(False, "detect", 700)).get("/health")

    assert [(level, facts["status"]) for level, _, facts in lines()] == [("INFO", 503)]
