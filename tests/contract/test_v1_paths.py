"""Files of the server's own, as a page lists them for who may make jobs of them."""

import pytest

from sightline.api.settings import ApiSettings
from sightline.sources.roots import Roots
from tests.contract.serving import is_problem
from tests.contract.test_access import bearer, token

pytestmark = pytest.mark.contract

PATHS = "/api/v1/paths"


@pytest.fixture
def client(world, tmp_path):
    """Of a service with a folder: a video in a folder, and a folder of images."""
    root = tmp_path / "videos"
    for path in (root / "north" / "street.mp4", root / "north" / "uav1" / "0000001.jpg", tmp_path / "no.mp4"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"xyz")
    world.roots = Roots({"files": root})
    world.settings = ApiSettings(tokens_s=-1)
    return world.client()


def test_a_folder_is_listed_and_a_job_is_made_of_an_entry(client):
    """The path of an entry is what a job names it by."""
    top = client.get(PATHS).json()
    below = client.get(PATHS, params={"path": "north"}).json()
    body = {"source": {"path": below["items"][1]["path"]}}

    assert top == {
        "path": "",
        "items": [{"name": "north", "path": "north", "kind": "folder", "bytes": None}],
        "cut": False,
    }
    assert below["items"] == [
        {"name": "uav1", "path": "north/uav1", "kind": "images", "bytes": None},
        {"name": "street.mp4", "path": "north/street.mp4", "kind": "video", "bytes": 3},
    ]
    assert client.ask("POST", "/api/v1/jobs", json=body).status_code == 202
    assert client.get(PATHS, params={"path": "/north/"}).json() == below


@pytest.mark.parametrize("path", ["none", "..", "north/../..", "north/street.mp4", "\0", "%2e%2e"])
def test_nothing_else_is_listed(client, path):
    """404, without a path of this machine."""
    answer = client.get(PATHS, params={"path": path})

    is_problem(answer, 404, "not_found")
    assert "videos" not in answer.text


def test_a_path_is_not_too_long(client):
    """422, as every field."""
    is_problem(client.get(PATHS, params={"path": "n" * 1025}), 422, "invalid")


def test_where_no_folder_is_configured_it_says_so(world):
    """Nobody shows a button then."""
    is_problem(world.client().get(PATHS), 404, "no_folder")


def test_only_who_may_make_jobs_sees_what_there_is(world, client):
    """Others have no use for it."""
    reads, writes = (bearer(token(world, name, name)) for name in ("read", "write"))

    is_problem(client.get(PATHS, headers=reads), 403, "forbidden")
    assert client.get(PATHS, headers=writes).status_code == 200
