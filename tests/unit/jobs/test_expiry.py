"""Jobs that ended long ago go; those that ended lately, that run, or that are read, stay."""

import pytest

from sightline.jobs import requests
from sightline.jobs.expiry import expire
from sightline.jobs.purge import PURGE
from sightline.jobs.requests import Request, SourceRef
from sightline.ports import Job
from sightline.testing import MemoryNotes, MemoryObjects, MemoryStore

DAY = 24 * 3600 * 1_000_000
KEEP = 30 * DAY


class World:
    def __init__(self):
        self.now = 0
        self.store = MemoryStore(clock=lambda: self.now)
        self.objects, self.notes = MemoryObjects(), MemoryNotes()

    def job(self, name, day, state, ended=None, parent=None):
        """A job of a day, which came to a state on that day or later."""
        job_id = f"00000000-0000-4000-8000-{name:0>12}"
        source = SourceRef(
            kind="video", name=name, key=f"videos/input/{job_id}.mp4", index_key="", bytes=1, sha256="0" * 64
        )
        self.now = day * DAY
        request = requests.encode(Request(pipeline="traffic", source=source))
        self.store.create(Job(job_id, name, self.now, "sent", request=request, parent_id=parent), [])
        self.objects.put_new(source.key, [b"x"])
        if state != "sent":
            self.now = (day if ended is None else ended) * DAY
            self.store.advance(job_id, state)
        return job_id

    def expire(self, day, **more):
        return expire(self.store, self.objects, self.notes, day * DAY, KEEP, **more)

    def there(self):
        return [job.video_id for job in self.store.list().jobs]


@pytest.fixture
def world():
    return World()


def test_what_ended_long_ago_is_gone_with_its_files(world):
    old = world.job("1", 0, "failed")
    young = world.job("2", 40, "failed")

    assert world.expire(60) == (old,)
    assert world.there() == ["2"]
    assert world.objects.contents() == {f"videos/input/{young}.mp4": b"x"}


@pytest.mark.parametrize("state", ["ready", "failed", "cancelled"])
def test_the_day_on_which_it_ended_counts(world, state):
    """To the microsecond; not the one on which it was made."""
    job = world.job("1", 0, state, ended=29)

    assert world.expire(58) == ()
    assert expire(world.store, world.objects, world.notes, 59 * DAY - 1, KEEP) == ()
    assert world.expire(59) == (job,)


def test_what_runs_or_waits_stays_however_old_it_is(world):
    world.job("1", 0, "sent")
    world.job("2", 0, "processing")

    assert world.expire(1000) == ()


def test_a_job_whose_child_is_at_work_stays_until_that_one_has_ended(world):
    """A replay reads what its parent has stored."""
    parent = world.job("1", 0, "ready")
    child = world.job("2", 50, "processing", parent=parent)

    assert world.expire(100) == ()
    world.now = 100 * DAY
    world.store.advance(child, "ready")
    assert world.expire(100) == (parent,)


def test_the_oldest_go_first_some_at_once(world):
    """Whoever looks after a service has other things to do as well."""
    jobs = [world.job(str(number), number, "failed") for number in range(70)]

    assert world.expire(1000, most=3) == tuple(jobs[:3])
    assert world.expire(1000, most=60) == tuple(jobs[3:63])
    assert world.expire(1000, most=60) == tuple(jobs[63:])


def test_a_job_whose_note_is_damaged_stays_and_stops_no_other(world):
    """An operator hears which one it is."""
    heard = []
    spoiled, old = world.job("1", 0, "failed"), world.job("2", 1, "failed")
    world.notes.put(PURGE, spoiled, {"v": 1, "at_us": "soon"})

    gone = world.expire(100, stays=lambda job_id, error: heard.append((job_id, error.code)))

    assert gone == (old,)
    assert heard == [(spoiled, "corrupt")]
