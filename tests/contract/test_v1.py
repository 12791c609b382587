"""`/api/v1` in common: its document, its errors, HEAD beside GET."""

import pytest

from sightline.api.v1.openapi import operations
from tests.contract.serving import is_problem

pytestmark = pytest.mark.contract


@pytest.fixture
def document(client):
    return client.get("/api/v1/openapi.json").json()


def test_every_operation_has_a_name_a_summary_and_its_errors(document):
    """By which clients are generated; an error is a problem, of one form."""
    names = []
    for path, method, operation in operations(document):
        names.append(operation["operationId"])
        assert operation["summary"], (path, method)
        for status, answer in operation["responses"].items():
            if status[0] in "45" and path.startswith("/api/v1"):
                assert [*answer["content"]] == ["application/problem+json"], (path, method, status)

    assert len(names) == len({*names}) > 8
    assert document["openapi"] == "3.1.0"


def test_a_client_that_is_generated_can_send_its_token(document):
    """Where the service asks for none, none is needed."""
    schemes = document["components"]["securitySchemes"]

    assert (schemes["token"]["type"], schemes["token"]["scheme"]) == ("http", "bearer")
    assert (schemes["session"]["in"], schemes["session"]["name"]) == ("cookie", "sightline_session")
    assert document["security"] == [{}, {"token": []}, {"session": []}]


def test_where_a_job_is_that_was_made_is_documented(document):
    """As it is sent."""
    paths = document["paths"]

    assert "Location" in paths["/api/v1/jobs"]["post"]["responses"]["202"]["headers"]
    assert "Location" in paths["/api/v1/jobs/{job_id}/retry"]["post"]["responses"]["201"]["headers"]


def test_the_page_of_the_document_needs_nothing_else(client):
    """No script, no style, no address of another host."""
    page = client.get("/docs")

    assert page.status_code == 200
    assert "GET /api/v1/jobs/{job_id}" in page.text
    for word in ("<script", "<style", "style=", "http://", "https://"):
        assert word not in page.text


def test_what_fastapi_finds_wrong_is_a_problem_as_every_other(client):
    """With the fields, each by its place."""
    answer = client.get("/api/v1/jobs?limit=0&state=done")

    is_problem(answer, 422, "invalid")
    assert [error["field"] for error in answer.json()["errors"]] == ["query.state.0", "query.limit"]


def test_every_get_has_its_head(client, document):
    """No 405, and the same type; results are not there yet, and some paths name nothing."""
    job_id = client.job()
    client.ask("POST", f"/api/v1/jobs/{job_id}/cancel")  # events of one that goes on have no end
    gets = {path for path, method, _ in operations(document) if method == "get"}
    for path in sorted(gets - {"/api/v1/events"}):  # which have no end at all
        filled = path.replace("{job_id}", job_id).replace("{event_id}", job_id)
        head, got = client.ask("HEAD", filled), client.get(filled)
        assert head.status_code == got.status_code, path
        nothing = path in ("/api/v1/paths", "/api/v1/jobs/{job_id}/copy.mp4")
        may = {404} if nothing else {409, 422, 503} if path.startswith("/api/v1/jobs/") else set()
        assert got.status_code in {200, *may}, path
        assert head.headers["content-type"] == got.headers["content-type"], path


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/api/v1/openapi.json", "GET, HEAD"),
        ("PUT", "/api/upload_video", "POST"),
        ("POST", "/api/status/all", "GET, HEAD"),
    ],
)
def test_another_method_is_told_which_ones_there_are(client, method, path, allowed):
    """`Allow` names all of the path, not those of one route."""
    answer = client.ask(method, path)

    is_problem(answer, 405, "method")
    assert answer.headers["allow"] == allowed
