"""What a job must have stored so that another one can run it again from a stage on."""

from dataclasses import replace

import msgspec
import pytest

from sightline.errors import Misconfigured, NotFound
from sightline.jobs import recipe as recipes
from sightline.jobs import requests
from sightline.jobs.again import joined
from sightline.jobs.purge import purge
from sightline.jobs.replays import begin, parent_of
from sightline.jobs.requests import Found, Replay, Request, SourceRef, event_of
from sightline.jobs.shared import SOURCE
from sightline.ports import Commit, Job, Saved
from sightline.testing import MemoryNotes, MemoryObjects, MemoryStore, scripted_recipe

ID, CHILD = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"
FRAMES = 200
FOUND = Found(frames=FRAMES, width=64, height=48, duration_us=8_000_000, codec="h264")
SOURCE_REF = SourceRef(
    kind="video",
    name="v",
    key=requests.input_key("videos", ID),
    index_key=requests.index_key(ID),
    bytes=1,
    sha256="0" * 64,
)


class World:
    def __init__(self):
        self.store, self.objects, self.notes = MemoryStore(), MemoryObjects(), MemoryNotes()
        self.objects.put_new(SOURCE_REF.key, [b"v"])
        self.objects.put_new(SOURCE_REF.index_key, [b"index"])
        request = Request(pipeline="traffic", source=SOURCE_REF, found=FOUND)
        job = Job(ID, "street", 1, state="sent", owner="anna", clock_start="2026-05-04T07:00:00+00:00")
        self.store.create(replace(job, request=requests.encode(request)), [event_of(job)])

    def begun(self):
        facts = recipes.encode(scripted_recipe(ID, FRAMES))
        self.store.advance(ID, "processing", facts=facts)

    def collected(self, frames=FRAMES + 1):
        """Its detections, so many frames of them; the end is one more."""
        at = self.store.claim("collect", "detections-cars", 0)
        for stream in ("detections:cars", "detections:people"):
            at, _ = self.store.commit(Commit(at, at.low_water + 1, ID, stream, Saved(frames, b"")))

    def ended(self):
        self.store.advance(ID, "failed", code="crashed")

    def begin(self, stage="track", replay=None):
        return begin(
            self.store.get(ID),
            CHILD,
            stage,
            lambda recipe: replay or Replay(stage=stage),
            jobs=self.store,
            ledger=self.store,
            objects=self.objects,
            notes=self.notes,
            now_us=7,
        )


@pytest.fixture
def world():
    return World()


@pytest.fixture
def whole(world):
    world.begun()
    world.collected()
    world.ended()
    return world


def test_the_child_has_all_that_its_parent_was_called_and_asked_for(whole):
    """However the parent ended: its detections are whole. Nobody looks into the source."""
    assert whole.begin()

    child = whole.store.get(CHILD)
    asked = requests.decode(child.request)
    assert (child.parent_id, child.state, child.created_at_us) == (ID, "sent", 7)
    assert (child.video_id, child.owner, child.clock_start) == ("street", "anna", "2026-05-04T07:00:00+00:00")
    assert (asked.replay, asked.origin, asked.found) == (Replay(stage="track"), ID, FOUND)
    assert whole.objects.contents()[requests.index_key(CHILD)] == b"index"
    assert parent_of(child, whole.store).sampled == FRAMES
    assert not whole.begin()


@pytest.mark.parametrize("stage", ["detect", "track"])
def test_a_job_that_runs_is_not_replayed(world, stage):
    """Nobody knows yet what it will have stored."""
    with pytest.raises(Misconfigured) as error:
        world.begin(stage)
    assert error.value.code == "not_ended"


@pytest.mark.parametrize("stage", ["detect", "track"])
def test_a_job_that_was_never_begun_has_nothing(world, stage):
    """Which frames there are is not known: it can only be run from the source."""
    world.ended()
    with pytest.raises(Misconfigured, match="retry it") as error:
        world.begin(stage)
    assert error.value.code == "nothing_stored"


def test_a_part_of_the_detections_is_nothing_to_begin_with(world):
    """The message says how many frames there are, and what can be done; from detect on they are found anew."""
    world.begun()
    world.collected(128)
    world.ended()

    with pytest.raises(Misconfigured, match=r"128 of its 200 frames.*from detect on") as error:
        world.begin("track")

    assert error.value.code == "nothing_stored"
    assert world.notes.list(SOURCE) == []
    assert world.begin("detect")


def test_a_parent_that_is_gone(whole):
    """Before there is a child there is none; afterwards the child says what has gone."""
    whole.begin()
    purge(ID, whole.store, whole.objects, whole.notes, 0)

    with pytest.raises(NotFound) as error:
        parent_of(whole.store.get(CHILD), whole.store)
    assert error.value.code == "records_gone"


def test_a_replay_that_is_run_again_begins_with_the_source(whole):
    """What it replayed may be gone."""
    whole.begin(replay=Replay(stage="track", tracker={"mode": "bytetrack"}, refine=False))
    child = whole.store.get(CHILD)

    again = joined(child, "00000000-0000-4000-8000-000000000003", whole.store, whole.notes)

    assert again.replay is msgspec.UNSET
    assert again.origin == ID
