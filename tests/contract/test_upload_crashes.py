"""An upload whose process dies at any call of any port: a job with its object, or nothing once it was reaped."""

from contextlib import suppress

import httpx
import pytest

from sightline.api.claims import UPLOAD, reap
from sightline.errors import InvalidVideo, Unavailable
from sightline.jobs import requests
from sightline.jobs.purge import purge
from sightline.jobs.shared import SOURCE
from sightline.jobs.topology import JOB_TOPIC
from sightline.testing import AtCall, Faults
from tests.contract.serving import BOUNDARY, MP4, World, form_of

pytestmark = pytest.mark.contract

CALLS = 18  # more than an upload makes
KEY = {"Idempotency-Key": "k"}


class Died(BaseException):
    """The process is gone."""


def die():
    raise Died


def dying(world: World, when: str, n: int) -> tuple[World, AtCall]:
    """The same stores, seen by a process that dies at its n-th call and does nothing afterwards."""
    fault = AtCall("*", when, n, die)
    ports = {name: Faults(getattr(world, name), fault) for name in ("store", "objects", "notes")}
    return World(settings=world.settings, ids=world.ids, **ports), fault


def is_whole(world: World) -> None:
    """Every job has its object and its event; every object its job."""
    jobs = world.store.list().jobs
    sources = [requests.decode(job.request).source for job in jobs]
    assert set(world.stored()) == {key for source in sources for key in (source.key, source.index_key)}
    assert [entry.key for entry in world.store.read(JOB_TOPIC, 0, 0, 10)] == [job.job_id for job in jobs]
    assert world.notes.list(UPLOAD) == []


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("n", range(1, CALLS + 1))
@pytest.mark.parametrize("bucket", ["videos", "other"], ids=["plain", "moved"])
def test_an_upload_that_dies(world, when, n, bucket):
    """The next process reaps, and the same request again makes one job."""
    mortal, fault = dying(world, when, n)
    body = form_of() if bucket == "videos" else form_of(after={"bucket": bucket})

    def send(asked: World) -> httpx.Response:
        kind = f"multipart/form-data; boundary={BOUNDARY.decode()}"
        return asked.client().ask(
            "POST", "/api/upload_video", content=body, headers={**KEY, "Content-Type": kind}
        )

    try:
        send(mortal)
    except Died:
        assert fault.fired
    reap(world.notes, world.store, world.objects)
    is_whole(world)
    assert len(world.store.list().jobs) <= 1

    assert send(world).status_code == 200
    (job,) = world.store.list().jobs
    assert world.contents()[f"{bucket}/input/{job.job_id}.mp4"] == MP4
    assert len(world.stored()) == 2
    assert world.notes.list(UPLOAD) == []


def test_the_calls_are_enough(world):
    """An upload that dies at none of them comes to its end."""
    mortal, fault = dying(world, "after", CALLS)
    mortal.client().upload(headers=KEY, data={"bucket": "other"})

    assert not fault.fired
    is_whole(world)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("n", range(1, CALLS + 1))
def test_running_a_job_again_that_dies(world, when, n):
    """A child that is there has its source, whoever goes first; at the end nothing is left."""
    client = world.client()
    parent = client.job()
    world.store.advance(parent, "failed", code="crashed")
    mortal, fault = dying(world, when, n)

    try:
        mortal.client().ask("POST", f"/api/v1/jobs/{parent}/retry")
    except Died:
        assert fault.fired
    assert n < CALLS or not fault.fired  # more calls than it makes
    reap(world.notes, world.store, world.objects)
    client.ask("DELETE", f"/api/v1/jobs/{parent}")

    for job in world.store.list().jobs:
        assert f"videos/input/{parent}.mp4" in world.stored()
        client.ask("DELETE", f"/api/v1/jobs/{job.job_id}")
    assert world.stored() == []
    assert world.notes.list(UPLOAD) == []


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("n", range(1, CALLS + 8))
def test_removing_a_job_of_two_that_dies(world, when, n):
    """Said again it is gone, and what the other needs is there."""
    client = world.client()
    parent = client.job()
    world.store.advance(parent, "failed", code="crashed")
    child = client.ask("POST", f"/api/v1/jobs/{parent}/retry").json()["job_id"]
    mortal, fault = dying(world, when, n)

    with suppress(Died):
        purge(parent, mortal.store, mortal.objects, mortal.notes, 0)
    assert n < CALLS + 7 or not fault.fired  # more calls than it makes
    assert client.ask("DELETE", f"/api/v1/jobs/{parent}").status_code == 204

    assert f"videos/input/{parent}.mp4" in world.stored()
    assert client.ask("DELETE", f"/api/v1/jobs/{child}").status_code == 204
    assert world.stored() == []
    assert world.notes.list(SOURCE) == []


def test_a_claim_that_could_not_be_taken_away_keeps_nobody(world):
    """As on a disk that is full: the same request again is no request that is still running."""

    def full():
        raise Unavailable("no room", code="disk_full")

    world.notes = Faults(world.notes, AtCall("delete", "before", 1, full, dead=False))
    world.refuses = InvalidVideo("v", reason="broken", code="no_video")
    client = world.client()
    assert client.upload(headers=KEY).status_code == 507
    assert len(world.notes.list(UPLOAD)) == 1

    world.refuses = None
    assert client.upload(headers=KEY).status_code == 200
    is_whole(world)
