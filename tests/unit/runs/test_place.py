"""A run in an object store: loaded, counted, verified, exported and drawn as the same run in a folder."""

import json
from dataclasses import replace

import pytest

from sightline.adapters.drawing.overlays import Look
from sightline.counts import Line, Zone
from sightline.errors import Corrupt, NotFound
from sightline.formats import csv_a
from sightline.ports import Job
from sightline.rendering.render import render_place
from sightline.runs.doubtful import doubtful_in
from sightline.runs.load import load_result
from sightline.runs.opened import open_run
from sightline.runs.place import Place, in_folder, of_job
from sightline.runs.recount import count_opened
from sightline.runs.verify import verify_place
from sightline.testing import MemoryObjects
from tests.crash.jobs import files_below

PREFIX = "jobs/7/results/"
LINES = (Line("middle", (0.5, 0.0), (0.5, 1.0)),)
ZONES = (Zone("left", ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))),)


@pytest.fixture
def objects(finished):
    """A store that holds the run, and the run of another job beside it."""
    objects = MemoryObjects()
    for name, blob in files_below(finished.path).items():
        if name not in ("timing.json", "log.ndjson"):
            objects.put_new(PREFIX + name, [blob])
    objects.put_new("jobs/77/results/run.json", [b"{}"])
    return objects


@pytest.fixture
def place(objects):
    return Place(objects, PREFIX, "job 7")


def test_the_pointer_in_a_job_s_row_leads_to_its_run(objects):
    """Its key is that of `run.json`; a job that has not ended well has none."""
    job = Job("7", "street", 0, state="ready", result={"key": f"{PREFIX}run.json", "bytes": 1, "sha256": ""})

    assert load_result(of_job(objects, job))[1]["video_id"] == "street"
    for state in ("new", "processing", "failed", "cancelled"):
        with pytest.raises(NotFound, match=f"job 7 is {state}"):
            of_job(objects, replace(job, state=state, result={}))


def test_it_is_loaded(finished, place):
    """The same tables."""
    result, run = load_result(place)
    expected, again = load_result(in_folder(finished.path))

    assert run == again
    for mine, other in zip(result.groups, expected.groups, strict=True):
        assert mine.tracks.xyxy.tobytes() == other.tracks.xyxy.tobytes()
        assert mine.unique.tolist() == other.unique.tolist()
    assert b"".join(chunk for _, file in csv_a.files(result) for chunk in file) == b"".join(
        chunk for _, file in csv_a.files(expected) for chunk in file
    )


def test_it_is_counted(finished, place):
    """The same events and bins, and its name."""
    (mine,) = count_opened([open_run(place)], lambda videos: [(LINES, ZONES)] * len(videos))
    (other,) = count_opened([open_run(in_folder(finished.path))], lambda videos: [(LINES, ZONES)])

    assert mine.events == other.events
    assert mine.bins == other.bins
    assert mine.events


def test_it_is_verified(objects, place):
    """Whole; and what is damaged or missing is said."""
    whole = verify_place(place)
    name = next(name for name in json.loads(place.read("run.json"))["files"] if name.endswith(".seg"))
    objects.delete(PREFIX + name)

    assert (whole.name, whole.problems) == ("job 7", ())
    assert whole.files > 5
    assert verify_place(place).problems[0] == f"{name}: missing"
    objects.put_new(PREFIX + name, [b"other bytes"])
    assert "bytes, run.json says" in verify_place(place).problems[0]
    with pytest.raises(Corrupt):
        load_result(place)


def test_what_is_doubtful_is_listed(finished, place):
    """By its `summary.json`."""
    assert doubtful_in(place) == doubtful_in(in_folder(finished.path))


def test_it_is_drawn_where_somebody_says_where_the_source_is(place, street, tmp_path):
    """A store does not know where a user's files lie."""
    with pytest.raises(NotFound, match="say it with"):
        render_place(place, tmp_path / "a.mp4", None, Look())

    render_place(place, tmp_path / "a.mp4", street, Look())

    assert (tmp_path / "a.mp4").stat().st_size > 1000


def test_what_is_no_run_is_not_made_one(tmp_path):
    """Asking for a folder does not make it."""
    with pytest.raises(NotFound):
        in_folder(tmp_path / "nowhere")

    assert list(tmp_path.iterdir()) == []
