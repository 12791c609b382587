"""Verify: whatever was changed in a finished run is found, and a whole run has no problem."""

import hashlib
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

import sightline as sl
from sightline.errors import NotFound
from sightline.formats import segments
from sightline.rendering.render import render_run
from sightline.runs.verify import verify
from sightline.types import FrameTable
from tests.unit.scene import FRAMES, LABELS, images, see


def problems(path) -> str:
    return "\n".join(verify(path)[0].problems)


def test_a_finished_run_is_whole(finished):
    """Every frame and every listed file was checked."""
    (verdict,) = verify(finished.path)

    listed = json.loads((finished.path / "run.json").read_bytes())["files"]
    assert verdict.problems == ()
    assert (verdict.name, verdict.frames, verdict.files) == (str(finished.path), FRAMES, len(listed))
    assert verdict.files > 20


def test_every_run_of_a_folder_is_checked(run_copy):
    """Each has its verdict."""
    shutil.copytree(run_copy, run_copy.parent / "other")
    (run_copy / "tracks.csv").unlink()

    other, street = verify(run_copy.parent)

    assert (other.problems, street.problems) == ((), ("tracks.csv: missing",))


def test_a_missing_file_is_found(run_copy):
    """By its name."""
    (run_copy / "mot" / "cars" / "street.txt").unlink()

    assert problems(run_copy) == "mot/cars/street.txt: missing"


@pytest.mark.parametrize("place", [0, 100, -1])
def test_a_flipped_bit_in_a_segment_is_found(run_copy, place):
    """By the hash, and because the segment does not load."""
    path = run_copy / "segments" / "published-cars" / "000000000000.seg"
    blob = bytearray(path.read_bytes())
    blob[place] ^= 1
    path.write_bytes(blob)

    found = problems(run_copy)
    assert "segments/published-cars/000000000000.seg: its sha256" in found
    assert len(found.splitlines()) == 2


@pytest.mark.parametrize("kind", ["detections", "tracks", "totals", "published"])
def test_a_missing_segment_of_any_stream_is_found(run_copy, kind):
    """The run cannot be loaded then, which is said too."""
    (run_copy / "segments" / f"{kind}-people" / "000000000128.seg").unlink()

    assert f"segments/{kind}-people/000000000128.seg: missing" in problems(run_copy)
    assert "incomplete" in problems(run_copy)


def test_a_changed_table_is_found(run_copy):
    """One letter is enough; another length is said in bytes."""
    path = run_copy / "counts.csv"
    text = path.read_text()
    path.write_text(text.replace("2", "3", 1))
    assert problems(run_copy) == "counts.csv: its sha256 is not the one in run.json; it was changed"

    path.write_text(text + "\n")
    assert problems(run_copy).startswith(f"counts.csv: {len(text) + 1} bytes, run.json says {len(text)}")


def test_a_file_that_nobody_listed_is_found(run_copy):
    """Also deep in a folder; what belongs to no result is left alone."""
    (run_copy / "mot" / "notes.txt").write_text("mine")
    (run_copy / ".partial").mkdir()
    for name in ("log.ndjson", ".lock", ".partial/store.sqlite"):
        (run_copy / name).write_text("")
    (run_copy / "timing.json").unlink()

    assert problems(run_copy) == "mot/notes.txt: not in run.json"


@pytest.mark.parametrize(("name", "value"), [("sampled", 139), ("ok", 140), ("failed", 0), ("skipped", 1)])
def test_an_edited_account_of_frames_is_found(run_copy, name, value):
    """The frames are counted again from the segments."""
    path = run_copy / "run.json"
    run = json.loads(path.read_bytes())
    run["frames"][name] = value
    path.write_text(json.dumps(run))

    assert f"{value}" in problems(run_copy)
    assert problems(run_copy)


def rewritten(folder, stream, change):
    """Replace the segments of a stream by changed ones and make run.json agree, as a careful forger would."""
    run = json.loads((folder / "run.json").read_bytes())
    for path in sorted((folder / "segments" / stream).iterdir()):
        name = f"segments/{stream}/{path.name}"
        blob = segments.encode(change(segments.decode((folder / name).read_bytes())))
        (folder / name).write_bytes(blob)
        run["files"][name] = {"bytes": len(blob), "sha256": hashlib.sha256(blob).hexdigest()}
    (folder / "run.json").write_text(json.dumps(run))


def test_a_stream_that_lost_a_failed_frame_is_found(run_copy):
    """Even where every hash fits: all streams must tell the same of every frame."""

    def all_ok(segment):
        table = segment.frames
        n = len(table)
        return replace(segment, frames=FrameTable(table.frame, table.pts_us, ("ok",) * n, ("",) * n))

    rewritten(run_copy, "tracks-cars", all_ok)

    assert "disagree about their frames" in problems(run_copy)


def test_a_track_with_two_boxes_in_a_frame_is_found(run_copy):
    """Nobody is in two places."""

    def one_track(segment):
        rows = segment.rows
        return replace(segment, rows=replace(rows, track_id=np.ones(len(rows), np.int64)))

    rewritten(run_copy, "published-cars", one_track)

    assert "cars: a track has two boxes in one frame" in problems(run_copy)


def test_a_count_that_the_tracks_do_not_give_is_found(tmp_path):
    """Unrefined, the count is the one that was made while the job ran; here it was forged."""
    small = images(tmp_path / "small", 12)
    run = sl.track(small, detector=see, labels=LABELS, fps=25, out=tmp_path / "out", refine=False)
    assert verify(run.path)[0].problems == ()

    rewritten(run.path, "totals-cars", lambda segment: replace(segment, unique=segment.unique + 1))

    assert problems(run.path) == "cars: 3 counted, 2 when counted again"


def test_a_run_json_that_cannot_be_read_is_a_problem_of_the_run(run_copy):
    """Other runs are still checked."""
    (run_copy / "run.json").write_text('{"v": 1}')

    (verdict,) = verify(run_copy)

    assert (verdict.frames, verdict.files) == (0, 0)
    assert "not the run.json of a run" in verdict.problems[0]


def test_a_folder_without_a_run_cannot_be_checked(tmp_path):
    """That is not `whole`."""
    with pytest.raises(NotFound):
        verify(tmp_path)


def test_a_video_drawn_later_does_not_break_the_run(run_copy):
    """`sightline render` adds a file and changes none."""
    render_run(run_copy)

    assert (run_copy / "annotated.mp4").stat().st_size > 1000
    assert verify(run_copy)[0].problems == ()


def test_a_video_of_which_half_was_drawn_does_not_break_the_run(run_copy):
    """`sightline render` was killed; the run is as whole as before."""
    (run_copy / ".annotated.mp4.part").write_bytes(b"half")

    assert verify(run_copy)[0].problems == ()


def test_tracks_that_have_no_anchors_are_a_problem_and_no_error(run_copy):
    """A box so large that its area is no number was written by nobody; whoever forged it gets a line, not a traceback."""

    def endless(segment):
        rows = segment.rows
        return replace(segment, rows=replace(rows, xyxy=rows.xyxy * 1e200))

    rewritten(run_copy, "published-cars", endless)

    with np.errstate(over="ignore"):
        assert "segments/anchors-cars.bin: not where its published tracks stood" in problems(run_copy)
