"""How a source can be played: as it is, or by a copy that the worker makes; what the API says and serves of it."""

import json

import pytest

from sightline.api.settings import ApiSettings
from sightline.errors import Unavailable
from sightline.jobs import copies
from sightline.jobs.copies import copy_key
from tests.contract.serving import MP4, is_problem
from tests.contract.test_access import bearer, token
from tests.contract.test_results import ID, NOBODY, stored, url

pytestmark = pytest.mark.contract

MAKING = {"state": "making", "done": 3, "total": 10, "how": "encode", "detail": ""}
FAILED = {"state": "failed", "done": 3, "total": 10, "how": None, "detail": "no room in /data/objects/x.mp4"}


def says(world, call, copy, start=40_000):
    """What the worker answers."""
    said = json.dumps({"copy": copy, "media_start_us": start}).encode()
    world.answers[call] = {"type": "application/json", "bytes": len(said)}, [said]


def make(client, **options):
    return client.ask("POST", url("playback"), **options)


@pytest.fixture
def client(world):
    """Of a service with a job whose source is there."""
    stored(world, ID, "processing")
    return world.client()


def test_the_original_is_what_it_is(world, client):
    """Its type by its first bytes, and when a player shows its first frame; whether it plays the page knows."""
    says(world, "playback", None)

    assert client.get(url("playback")).json() == {
        "original": {
            "link": url("video"),
            "type": "video/mp4",
            "codec": None,
            "media_start_us": 40_000,
        },
        "copy": None,
    }


def test_a_copy_is_begun_and_asked_about(world, client):
    """202; how far it is."""
    says(world, "make_copy", MAKING)
    answer = make(client)
    copy = answer.json()["copy"]

    assert answer.status_code == 202
    assert (copy["state"], copy["done"], copy["total"], copy["how"]) == ("making", 3, 10, "encode")
    assert (copy["link"], copy["media_start_us"]) == (url("copy.mp4"), 0)
    assert world.asked == [("make_copy", {"job_id": ID})]


def test_one_that_failed_says_why_without_a_path_of_this_machine(world, client):
    """As every error."""
    says(world, "playback", FAILED)
    copy = client.get(url("playback")).json()["copy"]

    assert (copy["state"], copy["detail"]) == ("failed", "no room in …")


def test_one_that_is_ready_is_served_with_ranges(world, client):
    """With a tag; a player reads a part, and a browser that has it is told so."""
    stat = world.objects.put_new(copy_key(ID), [MP4])
    copies.keep(world.notes, ID, stat, "remux")
    whole = client.get(url("copy.mp4"))
    part = client.get(url("copy.mp4"), headers={"Range": "bytes=4-7"})
    again = client.get(url("copy.mp4"), headers={"If-None-Match": whole.headers["etag"]})

    assert (whole.status_code, whole.content, whole.headers["content-type"]) == (200, MP4, "video/mp4")
    assert (part.status_code, part.content) == (206, MP4[4:8])
    assert part.headers["content-range"] == f"bytes 4-7/{len(MP4)}"
    assert again.status_code == 304
    assert client.ask("HEAD", url("copy.mp4")).headers["content-length"] == str(len(MP4))


def test_one_that_is_not_whole_is_not_served(world, client):
    """An object without a note is what somebody who was killed left."""
    world.objects.put_new(copy_key(ID), [MP4])

    is_problem(client.get(url("copy.mp4")), 404, "no_copy")


def test_where_the_source_is_gone_there_is_nothing_to_play_or_to_copy(world, client):
    """The worker is not even asked."""
    world.objects.delete(f"videos/input/{ID}.mp4")
    says(world, "playback", None, None)

    is_problem(make(client), 404, "source_gone")
    assert client.get(url("playback")).json() == {"original": None, "copy": None}
    assert [call for call, _ in world.asked] == ["playback"]


def test_a_worker_that_is_away(world, client):
    """503, and when to ask again."""
    world.answers["playback"] = Unavailable("away", code="worker_down")

    is_problem(client.get(url("playback")), 503, "worker_down")


def test_the_copy_of_another_is_as_unknown_as_none(world, client):
    """404, always the same; whoever may only read may not have one made."""
    world.settings = ApiSettings(tokens_s=-1)
    client = world.client()
    bert, reads = bearer(token(world, "bert")), bearer(token(world, "reads", "read"))

    for path in ("playback", "copy.mp4"):
        is_problem(client.get(url(path), headers=bert), 404, "not_found")
        is_problem(client.get(url(path, NOBODY), headers=bert), 404, "not_found")
    is_problem(make(client, headers=bert), 404, "not_found")
    is_problem(make(client, headers=reads), 403, "forbidden")
    assert world.asked == []
