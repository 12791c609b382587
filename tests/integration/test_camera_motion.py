"""Runs of a video whose camera moves in a known way: told from its pictures, taken from a file, or neither."""

import csv
import json
import shutil

import numpy as np
import pytest
from PIL import Image

import sightline as sl
from sightline.cli import main
from sightline.errors import InvalidFile, Misconfigured, NotFound
from sightline.formats import camera_bin
from tests import media
from tests.flights import SIZE, fly, ground

FRAMES = 90
CORNERS = np.array([(0.0, 0.0), (SIZE[0], 0.0), (0.0, SIZE[1]), SIZE], float)


def see(frames):
    """One car that stays where it is in the picture."""
    return [sl.Detections([[300, 150, 340, 190]], [0.9], [0]) for _ in frames]


@pytest.fixture(scope="module")
def flight():
    return fly(ground("town"), "all", FRAMES, vehicles=6)


@pytest.fixture(scope="module")
def clip(flight, tmp_path_factory):
    """H.264, three groups of pictures."""
    images = [np.repeat(frame[..., None], 3, axis=2) for frame in flight.frames]
    return media.mux(tmp_path_factory.mktemp("clip") / "flight.mp4", media.encode(images, gop=30))


@pytest.fixture(scope="module")
def steps(flight, tmp_path_factory):
    """The truth as a file of GMC."""
    path = tmp_path_factory.mktemp("steps") / "gmc.txt"
    rows = []
    for frame in range(1, FRAMES):
        step = flight.motion(frame - 1, frame)
        rows.append((frame, step.a, -step.b, step.x, step.b, step.a, step.y))
    path.write_text("\n".join("\t".join(map(str, row)) for row in rows))
    return path


def tracked(clip, out, **options):
    return sl.track(clip, detector=see, labels=["car"], out=out, **options)


def settings_of(run):
    return json.loads((run.path / "run.json").read_bytes())["settings"]


def path_of(run):
    return camera_bin.decode((run.path / "segments" / "camera.bin").read_bytes())


def table(path):
    return list(csv.DictReader(path.read_text().splitlines()))


def farthest(path, flight) -> float:
    """The largest distance of a corner of a frame from where it truly is, in pixels of the first frame."""
    off = [0.0]
    for seq in range(len(path)):
        true = flight.motion(seq, 0).apply(CORNERS)
        off.append(float(np.linalg.norm(path.in_frame(seq).inverse().apply(CORNERS) - true, axis=1).max()))
    return max(off)


def test_the_pictures_tell_where_the_camera_looked(clip, flight, tmp_path):
    """All of the way, from the first frame on."""
    run = tracked(clip, tmp_path / "run")

    path = path_of(run)
    assert len(path) == FRAMES
    assert set(path.stretch.tolist()) == {0}
    assert farthest(path, flight) < 4
    assert settings_of(run)["camera"]["motion"] == "auto"


def test_a_file_is_taken_at_its_word(clip, flight, steps, tmp_path):
    """And its content is part of the run key, however it is written."""
    run = tracked(clip, tmp_path / "run", camera_motion=steps)
    (tmp_path / "gmc.csv").write_text("# the same\n" + steps.read_text().replace("\t", ", "))
    (tmp_path / "other.txt").write_text(steps.read_text().rpartition("\n")[0])

    same = tracked(clip, tmp_path / "same", camera_motion=tmp_path / "gmc.csv")
    other = tracked(clip, tmp_path / "other", camera_motion=tmp_path / "other.txt")

    assert farthest(path_of(run), flight) < 2
    assert settings_of(run)["camera"]["motion"] == "file"
    assert settings_of(same) == settings_of(run) != settings_of(other)


def test_a_frame_that_cannot_be_decoded_does_not_end_what_a_file_says(flight, steps, tmp_path):
    """It is known how the camera moved to it, and on from there."""
    folder = tmp_path / "street"
    folder.mkdir()
    for number, frame in enumerate(flight.frames[:20]):
        Image.fromarray(frame).save(folder / f"{number:04d}.png")
    (folder / "0007.png").write_bytes(b"no picture")

    run = tracked(folder, tmp_path / "run", camera_motion=steps)

    assert set(path_of(run).stretch.tolist()) == {0}
    assert farthest(path_of(run), flight) < 2


def test_nobody_asks(clip, tmp_path):
    """Then nothing is known, and nothing is said."""
    run = tracked(clip, tmp_path / "run", camera_motion="off")

    assert "camera" not in settings_of(run)
    assert not (run.path / "segments" / "camera.bin").exists()


def test_text_of_detections_moves_by_a_file_alone(flight, steps, tmp_path):
    """It has no pictures."""
    text = tmp_path / "det.txt"
    text.write_text("\n".join(f"{frame + 1},-1,300,150,40,40,0.9,-1,-1,-1" for frame in range(FRAMES)))

    told = sl.track(text, out=tmp_path / "told", size="640x360", camera_motion=steps)
    plain = sl.track(text, out=tmp_path / "plain", size="640x360")

    assert farthest(path_of(told), flight) < 2
    assert not (plain.path / "segments" / "camera.bin").exists()


def test_a_file_that_is_none_says_where(clip, steps, tmp_path):
    """Before anything is done."""
    bad = tmp_path / "bad.txt"
    bad.write_text("1 1 0 0 0 1\n")

    with pytest.raises(InvalidFile, match=r"bad\.txt.*line 1"):
        tracked(clip, tmp_path / "run", camera_motion=bad)
    with pytest.raises(InvalidFile, match="cannot be read: Is a directory"):
        tracked(clip, tmp_path / "run", camera_motion=tmp_path)
    with pytest.raises(Misconfigured, match=r"camera_motion.*should be auto, off or a file"):
        tracked(clip, tmp_path / "run", camera_motion=5)
    with pytest.raises(NotFound, match=r"no such file: none\.txt"):
        tracked(clip, tmp_path / "run", camera_motion=tmp_path / "none.txt")
    with pytest.raises(Misconfigured, match=r"one video, and 2 are named"):
        tracked([clip, shutil.copy(clip, tmp_path / "again.mp4")], tmp_path / "run", camera_motion=steps)


def test_a_mast_in_the_wind_stands_still(flight, tmp_path):
    """It sways by four pixels of 640, and the edges of its picture stay those of what it sees."""
    image = flight.frames[0]
    folder = tmp_path / "street"
    folder.mkdir()
    for number in range(20):
        swayed = np.roll(image, 4 * (number % 2), axis=1)
        Image.fromarray(swayed).save(folder / f"{number:04d}.png")

    run = tracked(folder, tmp_path / "run")

    assert not (run.path / "segments" / "camera.bin").exists()


def test_the_summary_says_that_it_moves(clip, tmp_path):
    run = tracked(clip, tmp_path / "run")

    summary = json.loads((run.path / "summary.json").read_bytes())

    assert summary["groups"]["cars"]["camera"] == "moves"


def test_a_table_is_to_be_had_as_seen_from_one_frame(clip, flight, tmp_path, capsys):
    """What stands in the picture of a camera that moves drives on the ground; and back."""
    run = tracked(clip, tmp_path / "run")
    words = ["convert", str(run.path), "--to", "csv", "--seen-from", "30"]
    assert main([*words, str(tmp_path / "made")]) == 0
    assert capsys.readouterr().err == ""
    run.save(tmp_path / "saved", seen_from=30)

    rows = table(tmp_path / "made" / "tracks.csv")
    assert (tmp_path / "made" / "tracks.csv").read_bytes() == (tmp_path / "saved" / "tracks.csv").read_bytes()
    foot = np.array([(320.0, 190.0)])
    for row in rows:
        x1, x2, y2 = (float(row[name]) for name in ("x1", "x2", "y2"))
        true = flight.motion(int(row["frame"]), 30).apply(foot)[0]
        assert (
            np.hypot((x1 + x2) / 2 - true[0], y2 - true[1]) < 8
        )  # the side that is below turns with the picture
    (there,) = (row for row in rows if row["frame"] == "30")
    assert [float(there[side]) for side in ("x1", "y1", "x2", "y2")] == pytest.approx(
        [300, 150, 340, 190], abs=2
    )


def test_frames_from_which_nothing_leads_there_are_left_out_and_said(flight, tmp_path, capsys):
    """A cut: what lies behind it has no place on that picture."""
    images = [*flight.frames[:30], *fly(ground("roads"), "pan", 30).frames]
    clip = media.mux(
        tmp_path / "cut.mp4", media.encode([np.repeat(each[..., None], 3, axis=2) for each in images])
    )
    run = tracked(clip, tmp_path / "run")

    assert main(["convert", str(run.path), str(tmp_path / "made"), "--to", "csv", "--seen-from", "3"]) == 0

    said = capsys.readouterr().err
    frames = {int(row["frame"]) for row in table(tmp_path / "made" / "tracks.csv")}
    assert frames == set(range(30))
    assert "between frame 3 and frames 30 to 59" in said


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--to", "yolo", "--seen-from", "0"], "csv, mot, ndjson, parquet"),
        (["--to", "csv", "--seen-from", "500"], "the nearest: 89"),
    ],
)
def test_what_cannot_be_seen_from_a_frame_is_refused(clip, tmp_path, words, reason, capsys):
    run = tracked(clip, tmp_path / "run")

    assert main(["convert", str(run.path), str(tmp_path / "made"), *words]) == 2
    assert reason in capsys.readouterr().err
    with pytest.raises(Misconfigured):
        run.save(tmp_path / "saved", words[1], seen_from=int(words[3]))
    assert not (tmp_path / "saved").exists()
