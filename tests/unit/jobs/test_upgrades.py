"""A job that an upgrade has ended has one successor, whoever is killed while it is made."""

from dataclasses import replace

import msgspec
import pytest

from sightline.errors import Unavailable
from sightline.jobs import requests
from sightline.jobs.purge import purge
from sightline.jobs.requests import Request, SourceRef, event_of
from sightline.jobs.shared import SOURCE, UPLOAD
from sightline.jobs.upgrades import UPGRADED, latest, replaced, succeed, successor_id
from sightline.ports import Job
from sightline.testing import AtCall, Faults, MemoryNotes, MemoryObjects, MemoryStore

ID = "00000000-0000-4000-8000-000000000001"
INDEX = requests.index_key(ID)
UPLOADED = requests.input_key("videos", ID)
REQUEST = Request(
    pipeline="detect",
    source=SourceRef(kind="video", name="v", key=UPLOADED, index_key=INDEX, bytes=1, sha256="0" * 64),
)


class World:
    def __init__(self):
        self.store, self.objects, self.notes = MemoryStore(), MemoryObjects(), MemoryNotes()
        self.objects.put_new(UPLOADED, [b"v"])
        self.objects.put_new(INDEX, [b"index"])
        job = Job(ID, "street", 1, state="sent", owner="anna", clock_start="2026-05-04T07:00:00+00:00")
        job = replace(job, request=requests.encode(REQUEST))
        self.store.create(job, [event_of(job)])

    def end(self, code=UPGRADED):
        self.store.advance(ID, "failed", code=code)

    def succeed(self, **ports):
        using = {"jobs": self.store, "objects": self.objects, "notes": self.notes, **ports}
        return succeed(ID, **using, now_us=7)

    def purge(self, job_id=ID):
        return purge(job_id, self.store, self.objects, self.notes, 0)

    def children(self):
        return [job for job in self.store.list().jobs if job.parent_id == ID]


@pytest.fixture
def world():
    return World()


def test_the_successor_asks_for_the_same(world):
    """Of the same source, under the same name, on the same clock, for the same owner; nothing is left of making it."""
    world.end()

    assert world.succeed()

    (child,) = world.children()
    assert (child.job_id, child.state, child.created_at_us) == (successor_id(ID), "sent", 7)
    assert (child.video_id, child.owner, child.clock_start) == ("street", "anna", "2026-05-04T07:00:00+00:00")
    asked = requests.decode(child.request)
    index = requests.index_key(child.job_id)
    assert asked == msgspec.structs.replace(
        REQUEST, source=msgspec.structs.replace(REQUEST.source, index_key=index), origin=ID
    )
    assert world.objects.contents()[index] == b"index"
    assert world.notes.list(UPLOAD) == []


def test_repeating_makes_no_other(world):
    """Nor does a job that has not ended, ended otherwise, or is gone, have one."""
    assert not world.succeed()
    world.end()
    assert world.succeed()
    assert not world.succeed()
    assert len(world.children()) == 1

    other = World()
    other.end("crashed")
    assert not other.succeed()
    assert list(replaced(other.store)) == []
    assert list(replaced(world.store)) == [ID]
    other.purge()
    assert not other.succeed()


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("at", range(6))
@pytest.mark.parametrize("port", ["jobs", "objects", "notes"])
def test_whoever_is_killed_on_the_way_the_next_one_makes_it(world, port, at, when):
    """One job, and all that its source needs."""
    world.end()
    whole = {"jobs": world.store, "objects": world.objects, "notes": world.notes}
    calls = {"jobs": "create", "objects": "put_new", "notes": "put"}
    broken = Faults(whole[port], AtCall(calls[port], at, when, Unavailable("killed")))
    try:
        world.succeed(**{port: broken})
    except Unavailable:
        world.succeed()

    assert [job.job_id for job in world.children()] == [successor_id(ID)]
    assert world.notes.list(UPLOAD) == []
    assert {UPLOADED, requests.index_key(successor_id(ID))} <= world.objects.contents().keys()


def test_a_source_that_is_gone_is_the_successors_to_say(world):
    """An old client hears of it, instead of waiting for ever."""
    world.end()
    world.objects.delete(INDEX)

    assert world.succeed()

    assert [job.job_id for job in world.children()] == [successor_id(ID)]
    assert requests.index_key(successor_id(ID)) not in world.objects.contents()


def test_the_source_goes_with_the_last_of_both(world):
    """Whichever is removed first."""
    world.end()
    world.succeed()

    world.purge()
    assert UPLOADED in world.objects.contents()
    world.store.advance(successor_id(ID), "cancelled")
    world.purge(successor_id(ID))

    assert world.objects.contents() == {}
    assert world.notes.list(SOURCE) == []


def test_the_latest_is_what_an_old_client_is_told(world):
    """On its way while there is no successor yet; then where that one is."""
    assert latest(world.store, world.store.get(ID)).state == "sent"
    world.end()
    assert (latest(world.store, world.store.get(ID)).state, world.store.get(ID).state) == ("sent", "failed")
    world.succeed()
    world.store.advance(successor_id(ID), "failed", code="no_frame")

    found = latest(world.store, world.store.get(ID))

    assert (found.job_id, found.code) == (successor_id(ID), "no_frame")
