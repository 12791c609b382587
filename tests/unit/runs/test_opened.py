"""Runs held open: what is counted from anchors is what is counted from tracks, and nothing else is read."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

import sightline as sl
from sightline.camera import CameraPath
from sightline.disk import mapped
from sightline.errors import Corrupt, InvalidFile, Misconfigured, NotFound
from sightline.formats import anchors, camera_bin
from sightline.formats.unplaced import unplaced
from sightline.runs.load import load_result
from sightline.runs.opened import open_run
from sightline.runs.place import in_folder
from sightline.runs.recount import count_again, count_run
from sightline.runs.verify import verify
from sightline.stages.publish import published_camera
from sightline.testing import MemoryObjects
from sightline.vision import foot_paths
from sightline.vision.counting import count_job
from tests.anchored import told
from tests.relisted import CAMERA, panned, relisted
from tests.unit.scene import LABELS, see

LINES = (
    sl.Line("middle", (0.5, 1.0), (0.5, 0.0), directions=("east", "west")),
    sl.Line("across", (0.0, 0.5), (1.0, 0.6)),
    sl.Line("short", (70, 40), (90, 60), unit="px"),
)
ZONES = (
    sl.Zone("top", ((0, 0), (1, 0), (1, 0.5), (0, 0.5))),
    sl.Zone("centre", ((0.3, 0.3), (0.7, 0.35), (0.6, 0.9))),
)


def older(folder):
    """As a release without anchors left it."""
    for group in ("cars", "people"):
        relisted(folder, f"segments/anchors-{group}.bin")
    return folder


@pytest.mark.parametrize(
    ("lines", "zones"), [((), ()), (LINES, ()), ((), ZONES), (LINES, ZONES), (LINES[:1], ZONES[1:])]
)
def test_anchors_count_what_tracks_count(finished, lines, zones):
    """Every field of every track, every event, in the same order."""
    result, _ = load_result(in_folder(finished.path))

    counts = open_run(in_folder(finished.path)).count(lines, zones)

    assert told(counts) == told(count_job(result, lines, zones))
    assert bool(counts.events) == bool(lines or zones)


def test_parts_change_nothing(finished, monkeypatch):
    """However few rows are looked at together."""
    whole = told(open_run(in_folder(finished.path)).count(LINES, ZONES))

    monkeypatch.setattr(foot_paths, "PART", 5)

    assert told(open_run(in_folder(finished.path)).count(LINES, ZONES)) == whole


def test_an_older_run_counts_the_same(finished, run_copy):
    """From its segments; it is whole without anchors."""
    opened = open_run(in_folder(older(run_copy)))

    assert told(opened.count(LINES, ZONES)) == told(open_run(in_folder(finished.path)).count(LINES, ZONES))
    assert (opened.video.frames.frame == open_run(in_folder(finished.path)).video.frames.frame).all()
    assert verify(run_copy)[0].problems == ()


def test_the_same_files_are_written_either_way(finished, run_copy, tmp_path):
    """Events and counts, byte for byte."""
    older(run_copy)
    for name, path in (("new", finished.path), ("old", run_copy)):
        count_run(path, LINES, ZONES, bin_us=1_000_000, out=tmp_path / name)

    for file in ("events.csv", "counts.csv"):
        assert (tmp_path / "new" / file).read_bytes() == (tmp_path / "old" / file).read_bytes()


def test_nothing_but_run_json_and_anchors_is_read(finished, run_copy):
    """Everything else may be gone."""
    for path in run_copy.rglob("*"):
        if path.is_file() and path.name != "run.json" and not path.name.startswith("anchors-"):
            path.unlink()

    assert told(open_run(in_folder(run_copy)).count(LINES, ZONES)) == told(
        open_run(in_folder(finished.path)).count(LINES, ZONES)
    )


def test_an_open_run_outlives_its_folder(run_copy):
    """A line moves while somebody removes the run: it counts on what it opened."""
    run, opened = sl.load(run_copy), open_run(in_folder(run_copy))
    first = run.count(LINES).events
    shutil.rmtree(run_copy)

    assert opened.count(LINES).events == run.count(LINES).events == first
    assert count_again(opened, LINES, bin_us=1_000_000).events == first
    with pytest.raises(NotFound):
        open_run(in_folder(run_copy))


def test_lines_of_a_camera_that_moved_stay_on_its_ground(finished, run_copy):
    """From anchors and the path of the camera, as from tracks; an older run knows of none."""
    path = panned(run_copy)
    still = open_run(in_folder(finished.path)).count(LINES, ZONES)
    result, _ = load_result(in_folder(run_copy))

    counts = open_run(in_folder(run_copy)).count(LINES, ZONES)

    assert np.array_equal(result.camera.maps, path.maps)
    assert told(counts) == told(count_job(result, LINES, ZONES))
    assert told(counts) != told(still)
    assert verify(run_copy)[0].problems == ()


def test_what_a_run_writes_of_its_camera_is_what_it_reads(run_copy):
    """Where it moved; nothing where it stood still, is not known, or nothing was tracked."""
    path = panned(run_copy)
    result, _ = load_result(in_folder(run_copy))
    still = CameraPath(np.tile((1.0, 0.0, 0.0, 0.0), (len(path), 1)), path.stretch)
    groups = tuple(replace(group, tracks=None) for group in result.groups)

    ((key, chunks),) = published_camera(result)

    assert (key, b"".join(chunks)) == (CAMERA, (run_copy / CAMERA).read_bytes())
    for changed in ({"camera": still}, {"camera": None}, {"groups": groups}):
        assert list(published_camera(replace(result, **changed))) == []


def test_counts_say_where_the_camera_was_lost(run_copy):
    """For people and for programs."""
    panned(run_copy, stretch=1)
    run = open_run(in_folder(run_copy))
    half = len(run.video.frames.frame) // 2

    recount = count_again(run, LINES[:1])

    (span,) = unplaced(recount.timeline)
    assert (span.names, span.frame) == (("middle",), int(run.video.frames.frame[half]))
    assert all(event.seq < half for event in recount.events)


@pytest.mark.parametrize(
    ("blob", "said"),
    [
        (None, "the run folder is incomplete"),
        (b"", "no path of a camera"),
        (camera_bin.encode(CameraPath(np.ones((1, 4)), np.zeros(1, int))), "is of another video"),
    ],
    ids=["missing", "damaged", "of another video"],
)
def test_a_path_that_is_not_the_runs_is_refused(run_copy, blob, said):
    """A line that lies elsewhere would count, and nobody would see it."""
    panned(run_copy)
    if blob is None:
        (run_copy / CAMERA).unlink()
    else:
        relisted(run_copy, CAMERA, blob)

    for read in (open_run, load_result):
        with pytest.raises(Corrupt, match=rf"segments/camera\.bin.*{said}"):
            read(in_folder(run_copy))


def test_anchors_can_lie_in_any_store(finished):
    """Where a store lends a copy for a moment, what was mapped stays."""
    store, key = MemoryObjects(), "segments/anchors-cars.bin"
    store.put_new(key, [(finished.path / key).read_bytes()])

    with store.open_local(key) as path:
        file = anchors.decode(mapped(path), "cars", key)

    assert not path.exists()
    assert file.group.anchors.x.sum() > 0
    assert not file.group.anchors.x.flags.writeable


def test_missing_anchors_are_no_older_run(run_copy):
    """A file that run.json lists must be there."""
    (run_copy / "segments/anchors-people.bin").unlink()

    with pytest.raises(
        Corrupt, match=r"no object segments/anchors-people\.bin; the run folder is incomplete"
    ):
        open_run(in_folder(run_copy))


@pytest.mark.parametrize("blob", [b"", b"SLANCHOR"])
def test_damaged_anchors_are_no_older_run(run_copy, blob):
    """They are named, and verify finds them."""
    (run_copy / "segments/anchors-cars.bin").write_bytes(blob)

    with pytest.raises(Corrupt, match=r"segments/anchors-cars\.bin: "):
        open_run(in_folder(run_copy))
    assert "segments/anchors-cars.bin" in "\n".join(verify(run_copy)[0].problems)


def test_anchors_of_another_video_are_refused(run_copy):
    """A group's frames must be those of the others."""
    key = "segments/anchors-people.bin"
    file = anchors.decode((run_copy / key).read_bytes(), "people")
    other = anchors.AnchorFile(file.width, file.height, file.frame, file.pts_us + 1, file.group)
    relisted(run_copy, key, b"".join(anchors.encode(other)))

    with pytest.raises(Corrupt, match=r"segments/anchors-people\.bin is of another video"):
        open_run(in_folder(run_copy))


def test_anchors_of_a_class_that_the_run_does_not_know_are_refused(run_copy):
    """Its label is in no `run.json`: they are of another run, though every hash fits."""
    key = "segments/anchors-cars.bin"
    file = anchors.decode((run_copy / key).read_bytes(), "cars")
    counts = replace(file.group.counts, class_id=file.group.counts.class_id + len(LABELS))
    group = type(file.group)("cars", counts, file.group.anchors)
    other = anchors.AnchorFile(file.width, file.height, file.frame, file.pts_us, group)
    relisted(run_copy, key, b"".join(anchors.encode(other)))

    with pytest.raises(Corrupt, match=r"segments/anchors-cars\.bin is of another video"):
        open_run(in_folder(run_copy))


def test_anchors_that_are_not_those_of_the_tracks_are_found(run_copy):
    """Even where every hash fits."""
    key = "segments/anchors-cars.bin"
    file = anchors.decode((run_copy / key).read_bytes(), "cars")
    rows = file.group.anchors
    moved = replace(rows, x=rows.x + np.pi)
    group = type(file.group)("cars", file.group.counts, moved)
    other = anchors.AnchorFile(file.width, file.height, file.frame, file.pts_us, group)
    relisted(run_copy, key, b"".join(anchors.encode(other)))

    assert [each.partition(":")[0] for each in verify(run_copy)[0].problems] == [key]


def test_a_run_without_tracks_is_told_so(street, tmp_path):
    """There is nothing to count."""
    run = sl.track(street, detector=see, labels=LABELS, fps=25, out=tmp_path, pipeline="detect")

    with pytest.raises(Misconfigured, match="has no tracks"):
        open_run(in_folder(run.path))


def test_settings_of_no_run_are_refused(run_copy):
    """As where its tracks are loaded."""
    run = json.loads((run_copy / "run.json").read_bytes())
    del run["settings"]["groups"]
    (run_copy / "run.json").write_text(json.dumps(run))

    with pytest.raises(InvalidFile, match="not those of a run"):
        open_run(in_folder(run_copy))
