"""One job away with all that was written for it, and once more when nobody can be writing."""

from contextlib import suppress
from dataclasses import replace

import msgspec
import pytest

from sightline.counts import Line
from sightline.errors import Unavailable
from sightline.formats import run_folder
from sightline.formats.evidence_json import Verdict
from sightline.jobs import recipe as recipes
from sightline.jobs import requests
from sightline.jobs.audits import geometry_of, put_geometry, say, verdicts_of
from sightline.jobs.edits import EDITS, Edits, edit
from sightline.jobs.purge import GRACE_US, PURGE, Purged, purge, purge_again
from sightline.jobs.requests import Request, SourceRef
from sightline.ports import Job
from sightline.stages.collect import segment_keys
from sightline.testing import AtCall, Faults, MemoryNotes, MemoryObjects, MemoryStore, scripted_recipe
from sightline.vision.bytetrack import TrackerSettings

ID = "00000000-0000-4000-8000-000000000001"
PREFIX = f"sightline/jobs/{ID}/"
SOURCE = SourceRef(
    kind="video",
    name="v",
    key=f"videos/input/{ID}.mp4",
    index_key=PREFIX + "index.bin",
    bytes=1,
    sha256="0" * 64,
)


class World:
    def __init__(self):
        self.store, self.objects, self.notes = MemoryStore(), MemoryObjects(), MemoryNotes()

    def put(self, *keys):
        for key in keys:
            self.objects.put_new(key, [key.encode()])

    def purge(self, now_us=0, **ports):
        using = {"jobs": self.store, "objects": self.objects, "notes": self.notes, **ports}
        return purge(ID, **using, now_us=now_us)


@pytest.fixture
def world():
    """A job of an upload, and objects of others."""
    made = World()
    request = requests.encode(Request(pipeline="traffic", source=SOURCE))
    made.store.create(Job(ID, "v", 0, "sent", request=request), [])
    made.put(SOURCE.key, SOURCE.index_key, "videos/input/other.mp4", "sightline/jobs/other/run.json")
    return made


OTHERS = {"videos/input/other.mp4", "sightline/jobs/other/run.json"}


def begun(world, frames=300):
    """Feed has found what it is, collect has written segments."""
    recipe = scripted_recipe(ID, frames, tracker=TrackerSettings(), prefix=PREFIX)
    world.store.advance(ID, "processing", facts=recipes.encode(recipe))
    for stream in recipe.streams:
        world.put(*segment_keys(PREFIX, stream, frames))
    return recipe


def test_a_job_that_waits(world):
    """Upload and index go; nothing of others."""
    assert world.purge() == Purged(2, 1)
    assert world.objects.contents().keys() == OTHERS
    assert world.purge() == Purged(0, 0)


def test_a_job_that_runs(world):
    """It is cancelled; segments of every stream go, those that came without a commit too."""
    begun(world)

    assert world.purge() == Purged(2 + 6 * 3, 1)
    assert world.objects.contents().keys() == OTHERS


def test_what_people_drew_and_said_goes_with_the_job(world):
    """Notes of other jobs stay."""
    for job_id in (ID, "other"):
        put_geometry(world.notes, job_id, (Line("n", (0, 0.5), (1, 0.5)),), (), 0)
        say(world.notes, job_id, "a", Verdict(said="accepted", event={}, by="", at=""))

    world.purge()

    assert (geometry_of(world.notes, ID).revision, verdicts_of(world.notes, ID)) == (0, {})
    assert geometry_of(world.notes, "other").lines
    assert verdicts_of(world.notes, "other")


def test_a_job_that_is_ready(world):
    """All that its manifest lists, published segments, anchors, the result of old clients."""
    begun(world)
    files = {"result.json": "r", "segments/anchors-cars.bin": "a", "csv-a/stats.csv": "s"}
    for path in files:
        world.put(PREFIX + path)
    world.put(*segment_keys(PREFIX, "published:cars", 300), f"videos/detection/{ID}.json")
    key = PREFIX + "run.json"
    world.objects.put_new(key, [manifest(files)])
    world.store.advance(ID, "ready", result={"key": key})

    world.purge()
    assert world.objects.contents().keys() == OTHERS


def manifest(files):
    """Only `files` of it matter here."""
    entries = {path: run_folder.FileEntry(1, "0" * 64) for path in files}
    return run_folder.encode(
        run_folder.RunFile(
            run_key="k",
            job_id=ID,
            video_id="v",
            clock_start=None,
            versions={},
            pipeline="p",
            settings={},
            model=run_folder.Model("m", "0", ()),
            engine=run_folder.Engine("e", "1", "fp32", (1, 1)),
            source=run_folder.Source("v", 1, "0", "video", "h264", 1, 1, 0, 0, 1, "25", False, None, ()),
            frames=run_folder.Frames(0, 0, 0, 0, 0, {}, ()),
            warnings=(),
            files=entries,
        )
    )


def test_an_object_that_was_only_named_stays(world):
    """Somebody else stored it."""
    request = requests.encode(Request(pipeline="p", source=SOURCE))
    request["source"]["key"] = "videos/input/other.mp4"
    job = replace(world.store.get(ID), request=request)
    world.store = MemoryStore()
    world.store.create(job, [])

    world.purge()
    assert world.objects.contents().keys() == {*OTHERS, SOURCE.key}


def test_what_comes_late_goes_after_the_grace(world):
    """A writer that was under way puts once more; ten minutes later nobody can."""
    begun(world)
    world.purge(now_us=1000)
    late = segment_keys(PREFIX, "tracks:cars", 300)[1]
    world.put(late)

    assert purge_again(world.notes, world.objects, 999 + GRACE_US) == 0
    assert late in world.objects.contents()
    assert purge_again(world.notes, world.objects, 1000 + GRACE_US) == 1
    assert world.objects.contents().keys() == OTHERS
    assert world.notes.list(PURGE) == []


def test_a_note_of_an_hour_is_small(world):
    """Ten thousand segments are told by their number."""
    recipe = scripted_recipe(ID, 500_000, tracker=TrackerSettings(), prefix=PREFIX)
    world.store.advance(ID, "processing", facts=recipes.encode(recipe))
    world.purge()

    ((_, note),) = world.notes.list(PURGE)
    assert len(str(note.value)) < 4000


class Died(BaseException):
    """The process is gone."""


def die():
    raise Died


@pytest.mark.parametrize("n", range(1, 60))
def test_a_purge_that_is_killed_can_be_repeated(world, n):
    """At whichever call of any port: again, and all is gone."""
    begun(world)
    fault = AtCall("*", "before" if n % 2 else "after", (n + 1) // 2, die)
    ports = {name: Faults(port, fault) for name, port in vars(world).items() if name != "store"}
    try:
        world.purge(jobs=Faults(world.store, fault), **ports)
    except Died:
        world.purge()

    assert world.objects.contents().keys() == OTHERS
    assert world.store.list().jobs == ()


@pytest.mark.parametrize("n", range(1, 40))
def test_a_purge_of_a_job_that_is_ready_can_be_repeated(world, n):
    """The manifest may be among what is away already: what it listed is not forgotten."""
    begun(world)
    files = ["csv-a/stats.csv", "summary.json", "tracks.csv"]
    world.put(*[PREFIX + path for path in files])
    key = PREFIX + "run.json"
    world.objects.put_new(key, [manifest(files)])
    world.store.advance(ID, "ready", result={"key": key})
    fault = AtCall("delete", "after", n, die)
    with suppress(Died):
        world.purge(objects=Faults(world.objects, fault))

    world.purge()
    assert world.objects.contents().keys() == OTHERS


def test_two_at_once_remove_it(world):
    """Whoever comes second is told no conflict, and nothing stays, whatever was changed in between."""
    edit(world.notes, ID, Edits(name="a"))
    at_once = {
        PURGE: lambda: world.purge(),
        EDITS: lambda: edit(world.notes, ID, Edits(name="b")),
    }

    class Racing:
        def __getattr__(self, name):
            def call(*args):
                if name in ("put", "delete") and args[0] in at_once:
                    at_once.pop(args[0])()
                return getattr(world.notes, name)(*args)

            return call

    assert world.purge(notes=Racing()).jobs in (0, 1)
    assert world.store.list().jobs == ()
    assert world.objects.contents().keys() == OTHERS
    assert world.notes.list(EDITS) == []
    assert len(world.notes.list(PURGE)) == 1


def test_a_store_that_is_away_is_said(world):
    """And nothing is forgotten."""

    def down():
        raise Unavailable("no")

    with pytest.raises(Unavailable):
        world.purge(objects=Faults(world.objects, AtCall("delete", "before", 1, down)))
    assert world.purge() == Purged(2, 1)


def test_nothing_below_a_root_is_deleted():
    """Its key may look like an upload's: it is a path in a folder of the user's own."""
    made = World()
    source = msgspec.structs.replace(SOURCE, root="files", sha256="", times="t")
    request = requests.encode(Request(pipeline="traffic", source=source))
    made.store.create(Job(ID, "v", 0, "sent", request=request), [])
    made.put(SOURCE.key, SOURCE.index_key)

    purged = made.purge()

    assert purged == Purged(1, 1)
    assert list(made.objects.contents()) == [SOURCE.key]
