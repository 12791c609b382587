"""Text of detections in, text of tracks out, through the real stages: parity with the official tracker."""

import gzip

import numpy as np
import pytest

from sightline.app.track import track
from sightline.errors import InvalidFile, Misconfigured
from sightline.settings import TrackOptions

# Frame of the whole sequence at which the validation half begins, and ByteTrack's buffer for it.
MOT17 = {"MOT17-02": (302, 30), "MOT17-05": (420, 14), "MOT17-09": (264, 30)}


def read_tracks(text: bytes) -> np.ndarray:
    return np.array([[float(field) for field in line.split(b",")] for line in text.splitlines()])


def options(**changes) -> TrackOptions:
    plain = {"tracker": {"mode": "bytetrack", "track_buffer": 30}, "fps": 30}
    return TrackOptions.model_validate(plain | changes)


@pytest.mark.parametrize("sequence", MOT17)
def test_mot17_detections_give_the_official_tracks(shared, tmp_path, sequence):
    """`--tracker bytetrack`: ids equal, boxes within 0.001 px, in the input's frame numbers."""
    start, buffer = MOT17[sequence]
    source = shared / f"data/real/mot17-val-half/{sequence}/det_yolox_x_ablation.txt.gz"
    golden = gzip.decompress((shared / f"data/real/golden-bytetrack/mot17/{sequence}.txt.gz").read_bytes())

    report = track(
        [source],
        options(out=tmp_path, start_frame=start, tracker={"mode": "bytetrack", "track_buffer": buffer}),
    )[0]

    mine, theirs = read_tracks(report.path.read_bytes()), read_tracks(golden)
    mine[:, 0] -= start - 1
    order = np.lexsort((theirs[:, 1], theirs[:, 0]))
    assert np.array_equal(mine[:, :2], theirs[order][:, :2])
    assert np.abs(mine[:, 2:6] - theirs[order][:, 2:6]).max() <= 0.001


def test_kitti_labels_are_split_into_the_groups_of_the_pipeline(shared, tmp_path):
    """One file per group, labels in any case, frames from 0 as in the input."""
    source = shared / "data/real/kitti-tracking-train/0000/det_permatrack.txt.gz"

    report = track([source], options(out=tmp_path, fps=10))[0]

    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "det_permatrack-cars.txt",
        "det_permatrack-people.txt",
    ]
    assert set(report.groups) == {"cars", "people"}


def test_classes_filter_groups(shared, tmp_path):
    """`--classes Car` keeps cars, in one file without a group in its name."""
    source = shared / "data/real/kitti-tracking-train/0000/det_permatrack.txt.gz"

    report = track([source], options(out=tmp_path, fps=10, classes=["Car"]))[0]

    assert report.path.name == "det_permatrack.txt"
    assert set(report.groups) == {"cars"}


def test_the_quality_tracker_is_refined_and_counts(shared, tmp_path):
    """Refined tracks hold filled gaps: more rows than without."""
    source = shared / "data/real/mot17-val-half/MOT17-09/det_yolox_x_ablation.txt.gz"
    plain = {"fps": 30, "start_frame": 264}

    rows = {}
    for refine in (True, False):
        chosen = TrackOptions.model_validate(plain | {"refine": refine, "out": tmp_path / str(refine)})
        report = track([source], chosen)[0]
        rows[refine] = len(report.path.read_bytes().splitlines())
        assert 15 <= report.groups["objects"] <= 40

    assert rows[True] > rows[False] * 1.02


def test_a_damaged_text_names_file_and_line_and_the_others_are_done(tmp_path):
    """One unreadable source does no harm to the rest, and an older result stays."""
    (tmp_path / "good.txt").write_text("1,-1,0,0,10,20,0.9\n2,-1,1,0,10,20,0.9\n3,-1,2,0,10,20,0.9\n")
    (tmp_path / "bad.txt").write_text("1,-1,0,0,10,20,0.9\n2,-1,x,0,10,20,0.9\n")

    reports = track([tmp_path / "good.txt", tmp_path / "bad.txt"], options(out=tmp_path / "out"))

    assert [report.state for report in reports] == ["done", "failed"]
    assert isinstance(reports[1].error, InvalidFile)
    assert "bad.txt, line 2" in str(reports[1].error)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["good.txt"]


def test_boxes_are_not_rounded_on_their_way(tmp_path):
    """Detections made elsewhere keep their float64; the quality tracker gives them back."""
    (tmp_path / "d.txt").write_text(
        "".join(f"{f},-1,{f / 3:.9f},0.123456789,10,20,0.87654321\n" for f in range(1, 5))
    )

    report = track(
        [tmp_path / "d.txt"],
        TrackOptions.model_validate({"fps": 30, "out": tmp_path / "out", "refine": False}),
    )[0]

    assert report.path == tmp_path / "out" / "d.txt"
    assert report.path.read_text().splitlines()[-1] == "4,1,1.333333,0.123457,10.000000,20.000000,0.876543"


def test_an_older_result_is_replaced_whole(tmp_path):
    """Never half of one and half of the other."""
    source = tmp_path / "in" / "d.txt"
    source.parent.mkdir()
    source.write_text("1,-1,0,0,10,20,0.9\n2,-1,1,0,10,20,0.9\n")
    (tmp_path / "d.txt").write_text("older\n" * 100)

    track([source], options(out=tmp_path))

    assert "older" not in (tmp_path / "d.txt").read_text()
    assert not list(tmp_path.glob(".*"))


def test_the_input_is_never_overwritten(tmp_path):
    """A result that would get the input's own path is refused before anything is written."""
    (tmp_path / "d.txt").write_text("1,-1,0,0,10,20,0.9\n")

    with pytest.raises(Misconfigured, match="itself"):
        track([tmp_path / "d.txt"], options(out=tmp_path))

    assert (tmp_path / "d.txt").read_text() == "1,-1,0,0,10,20,0.9\n"


@pytest.mark.parametrize(
    "ignored",
    [
        {"start": "1s"},
        {"end": "1s"},
        {"vid_stride": 2},
        {"conf": 0.5},
        {"save_video": True},
        {"classes": "car"},
    ],
)
def test_what_a_text_cannot_follow_is_refused(tmp_path, ignored):
    """Better than tracks of another part than the one that was asked for."""
    source = tmp_path / "det.txt"
    source.write_text("".join(f"{frame},-1,{frame},20,30,40,0.9,-1,-1,-1\n" for frame in range(1, 61)))

    with pytest.raises(Misconfigured, match="leave out --" + next(iter(ignored)).replace("_", "-")):
        track([source], options(out=tmp_path / "out", **ignored))
