"""A job runs another one again on what that has stored: the same bytes, or those of other settings, and no video is opened."""

import json
import shutil

import pytest

from sightline.adapters.files.objects import FolderObjects
from sightline.adapters.sqlite.store import SqliteStore
from sightline.app.track import track
from sightline.errors import Misconfigured
from sightline.jobs.purge import purge
from sightline.jobs.replays import begin
from sightline.jobs.requests import input_key
from sightline.pipeline import TrackerOverrides, replay_of
from sightline.runs.place import of_job
from sightline.runs.verify import verify_job
from sightline.settings import TrackOptions
from tests.media import video
from tests.stored_job import Stored, opened

PARENT, CHILD, OTHER = (f"00000000-0000-4000-8000-00000000000{n}" for n in (1, 2, 3))
FRAMES = 150  # two segments
PIPELINES = ("traffic", "visdrone", "detect")


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return video(tmp_path_factory.mktemp("clips") / "street.mp4", FRAMES, size=(320, 192))


@pytest.fixture(scope="module")
def finished(tmp_path_factory, clip):
    """A data folder for each pipeline, with a job that is ready."""
    folders = {}
    for pipeline in PIPELINES:
        stored = opened(tmp_path_factory.mktemp(pipeline))
        stored.add(PARENT, clip, pipeline)
        stored.work(PARENT)
        stored.store.close()
        folders[pipeline] = stored.root
    return folders


@pytest.fixture
def stored(finished, tmp_path):
    """Opens a copy of one of these folders."""

    def opens(pipeline="traffic"):
        shutil.copytree(finished[pipeline], tmp_path / pipeline)
        root = tmp_path / pipeline
        return Stored(root, SqliteStore(root / "store.sqlite"), FolderObjects(root / "objects"))

    return opens


def begun(stored, stage="track", job_id=PARENT, child=CHILD, refine=None, **changes):
    store = stored.store
    assert begin(
        store.get(job_id),
        child,
        stage,
        lambda recipe: replay_of(recipe, stage, TrackerOverrides(**changes), refine),
        jobs=store,
        ledger=store,
        objects=stored.objects,
        notes=store.notes,
        now_us=7,
    )


def replayed(stored, stage="track", child=CHILD, **more):
    begun(stored, stage, child=child, **more)
    stored.work(child)
    return stored.store.get(child)


def manifest(stored, job_id):
    job = stored.store.get(job_id)
    assert job.state == "ready", (job.code, job.reason)
    assert verify_job(stored.objects, job).problems == ()
    return json.loads(of_job(stored.objects, job).read("run.json"))


@pytest.mark.parametrize("stage", ["track", "detect"])
@pytest.mark.parametrize("pipeline", PIPELINES)
def test_what_is_replayed_has_the_same_bytes(stored, pipeline, stage):
    """Every file, and of the manifest all but the id; the account of the frames is whole."""
    folder = stored(pipeline)

    child = replayed(folder, stage)

    assert manifest(folder, CHILD) == manifest(folder, PARENT) | {"job_id": CHILD}
    assert child.parent_id == PARENT


def test_no_video_is_opened_from_track_on(stored):
    """It is gone, and what was found in it is not. Without it nothing can be detected, which is said before there is a job."""
    folder = stored()
    folder.objects.delete(input_key("videos", PARENT))

    replayed(folder, "track")

    assert manifest(folder, CHILD)["files"] == manifest(folder, PARENT)["files"]
    with pytest.raises(Misconfigured, match="its video was removed; replay it from track on") as error:
        begun(folder, "detect", child=OTHER)
    assert error.value.code == "nothing_stored"


def test_settings_of_the_tracker_are_changed(stored, clip, tmp_path):
    """What comes of it is what `track` makes of the video with them."""
    folder = stored()
    options = TrackOptions(
        model="sightline-tiny",
        precision="f32",
        workers=1,
        out=tmp_path / "out",
        tracker={"mode": "bytetrack", "track_buffer": 60},
    )
    (report,) = track([clip], options)
    expected = json.loads((report.path / "run.json").read_bytes())

    replayed(folder, mode="bytetrack", track_buffer=60)

    made = manifest(folder, CHILD)
    assert (made["settings"], made["run_key"]) == (expected["settings"], expected["run_key"])
    assert made["run_key"] != manifest(folder, PARENT)["run_key"]
    same = [path for path in expected["files"] if path.startswith("segments/")]
    assert {path: made["files"][path] for path in same} == {path: expected["files"][path] for path in same}


def test_a_replay_is_replayed(stored):
    """With what it changed itself, after the first job is gone; what is named now changes, the rest stays."""
    folder = stored()
    replayed(folder, mode="bytetrack", track_buffer=60)
    purge(PARENT, folder.store, folder.objects, folder.store.notes, 0)

    replayed(folder, job_id=CHILD, child=OTHER)

    assert manifest(folder, OTHER) == manifest(folder, CHILD) | {"job_id": OTHER}


def test_a_job_that_is_removed_before_it_is_taken_up(stored):
    """The other one ends, and says why and what to do."""
    folder = stored()
    begun(folder)
    purge(PARENT, folder.store, folder.objects, folder.store.notes, 0)

    folder.work(CHILD)

    child = folder.store.get(CHILD)
    assert (child.state, child.code) == ("failed", "records_gone")
    assert "retry" in child.reason


def test_everything_of_a_replay_goes_with_it(stored):
    """And nothing of the job that it replayed."""
    folder = stored()
    before = sorted(path for path in (folder.root / "objects").rglob("*") if path.is_file())
    replayed(folder)

    purge(CHILD, folder.store, folder.objects, folder.store.notes, 0)

    assert sorted(path for path in (folder.root / "objects").rglob("*") if path.is_file()) == before
