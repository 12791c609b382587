"""Files of lines and zones for several runs."""

import json

import pytest

from sightline.errors import InvalidFile, Misconfigured, NotFound
from sightline.runs.load import names_of
from sightline.runs.shapes import ShapeFiles

RUNS = [("north", "north", "north.mp4"), ("south", "south", "south.avi")]


@pytest.fixture
def shapes(tmp_path):
    """Writes a file with a line and a zone; its path."""

    def write(name, line="stop", **video):
        path = tmp_path / name
        zone = {"name": line, "points": [[0, 0], [1, 0], [1, 1]]}
        path.write_text(
            json.dumps({**video, "lines": [{"name": line, "a": [0, 0.5], "b": [1, 0.5]}], "zones": [zone]})
        )
        return str(path)

    return write


def names(found):
    return [([line.name for line in lines], [zone.name for zone in zones]) for lines, zones in found]


def test_a_file_each_by_its_video(shapes):
    """The name of a video, or of its file; the same name of a line in both."""
    files = [shapes("a.json", video="north"), shapes("b.json", video="south.avi")]

    assert names(ShapeFiles(files, files[:1])(RUNS)) == [(["stop"], ["stop"]), (["stop"], [])]


def test_a_video_is_named_with_or_without_its_ending():
    """Of two files with one stem too; the folder of images has no ending."""
    run = {"video_id": "b1.mp4", "source": {"name": "b1.mp4", "kind": "video"}}
    images = {"video_id": "cam.north", "source": {"name": "cam.north", "kind": "images"}}

    assert names_of(run) == ("b1.mp4", "b1.mp4", "b1")
    assert names_of(images) == ("cam.north", "cam.north")


def test_a_file_without_a_video_is_for_all(shapes):
    """Beside that of one of them."""
    files = [shapes("a.json", "all"), shapes("b.json", video="so*")]

    assert names(ShapeFiles(files, [])(RUNS)) == [(["all"], []), (["all", "stop"], [])]


def test_what_says_no_frame_was_drawn_on_the_one_that_is_named(shapes):
    """For all files of a command; what says one keeps it."""
    files = [shapes("a.json"), shapes("b.json", "other", frame=7)]

    (((first, other), (zone,)),) = ShapeFiles(files, files[:1], drawn_on=30)(RUNS[:1])
    (((unsaid, _), _),) = ShapeFiles(files, [])(RUNS[:1])

    assert (first.frame, other.frame, zone.frame, unsaid.frame) == (30, 7, 30, None)


def test_a_file_for_none_of_the_runs_is_refused(shapes):
    """A name that was misspelled would count nothing, and nobody would see it."""
    with pytest.raises(Misconfigured, match="its video is nrth, which is none of north, south"):
        ShapeFiles([shapes("a.json", video="nrth")], [])(RUNS)


def test_one_name_twice_for_one_run_is_refused(shapes):
    """Their counts could not be told apart."""
    with pytest.raises(InvalidFile, match=r"b\.json: 'stop' is in another file too"):
        ShapeFiles([shapes("a.json"), shapes("b.json", video="north")], [])(RUNS)


def test_a_file_that_is_not_there_is_named(tmp_path):
    """Before any run is counted."""
    with pytest.raises(NotFound, match=r"no\.json"):
        ShapeFiles([], [str(tmp_path / "no.json")])
