"""Text of detections in, a whole run folder out, through the real stages: parity with the official tracker."""

import gzip

import numpy as np
import pytest

import sightline as sl
from sightline.app.track import track
from sightline.errors import InvalidFile, Misconfigured
from sightline.run import load
from sightline.runs.verify import verify
from sightline.settings import TrackOptions

# Frame of the whole sequence at which the validation half begins, and ByteTrack's buffer for it.
MOT17 = {"MOT17-02": (302, 30), "MOT17-05": (420, 14), "MOT17-09": (264, 30)}


def read_tracks(text: bytes) -> np.ndarray:
    return np.array([[float(field) for field in line.split(b",")] for line in text.splitlines()])


def mot_of(report, group: str = "objects") -> bytes:
    return (report.path / "mot" / group / f"{report.video_id}.txt").read_bytes()


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

    mine, theirs = read_tracks(mot_of(report)), read_tracks(golden)
    mine[:, 0] -= start - 1
    order = np.lexsort((theirs[:, 1], theirs[:, 0]))
    assert np.array_equal(mine[:, :2], theirs[order][:, :2])
    assert np.abs(mine[:, 2:6] - theirs[order][:, 2:6]).max() <= 0.001


def test_kitti_labels_are_split_into_the_groups_of_the_pipeline(shared, tmp_path):
    """One file per group, labels in any case, frames and decimals as in the input."""
    source = shared / "data/real/kitti-tracking-train/0000/det_permatrack.txt.gz"

    report = track([source], options(out=tmp_path, fps=10))[0]

    assert sorted(path.name for path in (report.path / "mot").iterdir()) == ["cars", "people", "two-wheelers"]
    assert set(report.groups) == {"cars", "people", "two-wheelers"}
    assert mot_of(report, "cars").splitlines()[0].startswith(b"0,1,")


def test_classes_filter_groups(shared, tmp_path):
    """`--classes Car` keeps cars."""
    source = shared / "data/real/kitti-tracking-train/0000/det_permatrack.txt.gz"

    report = track([source], options(out=tmp_path, fps=10, classes=["Car"]))[0]

    assert set(report.groups) == {"cars"}
    assert set(report.counts) == {"Car"}


def test_the_quality_tracker_is_refined_and_counts(shared, tmp_path):
    """Refined tracks hold filled gaps: more rows than without."""
    source = shared / "data/real/mot17-val-half/MOT17-09/det_yolox_x_ablation.txt.gz"
    plain = {"fps": 30, "start_frame": 264}

    rows = {}
    for refine in (True, False):
        chosen = TrackOptions.model_validate(plain | {"refine": refine, "out": tmp_path / str(refine)})
        report = track([source], chosen)[0]
        rows[refine] = len(mot_of(report).splitlines())
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
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["good"]


def test_boxes_are_not_rounded_on_their_way(tmp_path):
    """Detections made elsewhere keep their float64; the quality tracker gives them back."""
    (tmp_path / "d.txt").write_text(
        "".join(f"{f},-1,{f / 3:.9f},0.123456789,10,20,0.87654321\n" for f in range(1, 5))
    )

    report = track(
        [tmp_path / "d.txt"],
        TrackOptions.model_validate({"fps": 30, "out": tmp_path / "out", "refine": False}),
    )[0]

    assert report.path == tmp_path / "out" / "d"
    assert mot_of(report).splitlines()[-1] == b"4,1,1.333333,0.123457,10.000000,20.000000,0.876543"
    assert load(report.path).result.groups[0].tracks.xyxy[-1, 0] == 1.333333333


def walking(path, frames: int = 60, start: int = 1):
    """One object that walks to the right for `frames` frames, in MOT text."""
    rows = (f"{n},-1,{20 + 5 * n},200,40,80,0.9,-1,-1,-1\n" for n in range(start, start + frames))
    path.write_text("".join(rows))
    return path


def test_a_text_gives_all_that_a_video_gives(tmp_path):
    """Load, count, verify: lines in pixels and in parts of the picture of `--size`."""
    source = walking(tmp_path / "det.txt")

    run = sl.track(source, out=tmp_path / "runs", size="640x480", fps=30)
    counted = run.count(
        [sl.Line("middle", (0.3, 0.9), (0.3, 0.1)), sl.Line("px", (250, 479), (250, 0), "px")]
    )

    assert run.counts == {"objects": 1}
    assert [(event.name, event.direction) for event in counted.counts.events] == [
        ("middle", "in"),
        ("px", "in"),
    ]
    assert [verdict.problems for verdict in verify(run.path)] == [()]
    assert (run.result.width, run.result.height) == (640, 480)
    assert run.result.rate == 30


def test_without_a_size_the_largest_box_gives_it_and_the_run_says_so(tmp_path):
    """The last box ends at 20 + 5 * 60 + 40; its lower side is at 280."""
    report = track([walking(tmp_path / "det.txt")], options(out=tmp_path / "out"))[0]

    assert (load(report.path).result.width, load(report.path).result.height) == (360, 280)
    assert [code for code, _ in report.warnings] == ["size_guessed"]
    assert "360x280" in report.warnings[0][1]


def test_boxes_in_parts_of_the_picture_are_refused(tmp_path):
    """They would all lie in the first pixel."""
    source = tmp_path / "det.txt"
    source.write_text("".join(f"{f},-1,{0.01 * f},0.2,0.2,0.3,0.9,-1,-1,-1\n" for f in range(1, 50)))

    report = track([source], options(out=tmp_path / "out", size="640x360"))[0]

    assert isinstance(report.error, InvalidFile)
    assert "all boxes lie in 0..1" in str(report.error)


def test_boxes_that_no_picture_holds_are_refused(tmp_path):
    """Their area is no number, so that no result could be written, however often the command is repeated."""
    source = tmp_path / "det.txt"
    source.write_text("".join(f"{f},-1,0,0,1e200,{f}e200,0.9,-1,-1,-1\n" for f in range(1, 50)))

    report = track([source], options(out=tmp_path / "out", size="640x360"))[0]

    assert isinstance(report.error, InvalidFile)
    assert "det.txt: box [0.0, 0.0, 1e+200, 1e+200] in frame 1 lies in no picture" in str(report.error)


def test_labels_in_no_group_are_said_with_the_flag_that_tracks_them(tmp_path):
    """A Tram is neither a car nor one of the people; asked for, it is tracked."""
    source = tmp_path / "0001.txt"
    line = "{f} -1 {type} -1 -1 -10 {x} 100 {x2} 160 -1 -1 -1 -1000 -1000 -1000 -10 0.9\n"
    source.write_text(
        "".join(
            line.format(f=f, type=word, x=x + f, x2=x + f + 50)
            for f in range(30)
            for word, x in (("Car", 0), ("Tram", 300))
        )
    )

    said = track([source], options(out=tmp_path / "a", size="640x360"))[0]
    asked = track([source], options(out=tmp_path / "b", size="640x360", classes="cars,tram"))[0]

    assert said.groups == {"cars": 1, "people": 0, "two-wheelers": 0}
    assert [warning for code, warning in said.warnings if code == "no_group"] == [
        "boxes in no group, which are not tracked: 30 of Tram; --classes cars,people,two-wheelers,tram"
    ]
    assert asked.groups == {"cars": 1, "tram": 1}
    assert not any(code == "no_group" for code, _ in asked.warnings)


def test_the_same_command_again_finds_the_finished_run(tmp_path):
    """And other options are another run, in a folder that must not be replaced by accident."""
    source = walking(tmp_path / "det.txt")

    states = [track([source], options(out=tmp_path / "out"))[0].state for _ in range(2)]

    assert states == ["done", "finished"]
    with pytest.raises(Misconfigured, match="another run"):
        track([source], options(out=tmp_path / "out", size="640x480"))


def test_every_format_is_written(tmp_path):
    """The same formats as of a video; the MOT text has the frames of the input, where a birth is no row."""
    formats = ["mot", "csv", "json-b", "visdrone", "ndjson", "coco", "coco-dataset"]

    report = track([walking(tmp_path / "det.txt", start=7)], options(out=tmp_path / "out", formats=formats))[
        0
    ]

    assert report.state == "done"
    assert mot_of(report).splitlines()[0].split(b",")[:2] == [b"8", b"1"]
    assert (report.path / "tracks.csv").read_text().splitlines()[1].startswith("det,7,")
    assert {path.name for path in report.path.iterdir()} >= {
        "mot",
        "visdrone",
        "tracks.csv",
        "run.json",
    }


def test_a_format_that_would_have_no_file_is_refused(tmp_path):
    """`csv-a` knows cars and people, MOT text neither; a video needs pictures."""
    source = walking(tmp_path / "det.txt")

    with pytest.raises(
        Misconfigured, match="csv-a holds the groups cars and people alone, here there are objects"
    ):
        track([source], options(out=tmp_path / "out", formats="csv-a"))
    with pytest.raises(Misconfigured, match="sightline render RUN"):
        track([source], options(out=tmp_path / "out", formats="video"))
    assert not (tmp_path / "out").exists()


def test_texts_and_videos_share_a_command(tmp_path):
    """A folder each; an unreadable text does no harm."""
    walking(tmp_path / "a.txt")
    walking(tmp_path / "b.txt", 30)
    (tmp_path / "c.txt").write_text("1,-1,0,0,10,20,1.9\n")

    reports = track([tmp_path / f"{name}.txt" for name in "abc"], options(out=tmp_path / "out"))

    assert [(report.video_id, report.state, report.frames) for report in reports] == [
        ("a", "done", 60),
        ("b", "done", 30),
        ("c", "failed", 0),
    ]


def test_the_input_stays_beside_its_run(tmp_path):
    """A run folder has the name of the text without its ending."""
    source = walking(tmp_path / "d.txt")
    before = source.read_bytes()

    report = track([source], options(out=tmp_path))[0]

    assert report.path == tmp_path / "d"
    assert source.read_bytes() == before


def test_more_boxes_than_a_record_holds_are_refused(tmp_path):
    """With the frame's number in the file."""
    rows = (f"5,-1,{n},10,20,20,0.9,-1,-1,-1\n" for n in range(2001))
    (tmp_path / "crowd.txt").write_text("".join(rows))

    report = track([tmp_path / "crowd.txt"], options(out=tmp_path / "out"))[0]

    assert "crowd.txt: 2001 boxes in frame 5, at most 2000" in str(report.error)


def test_as_many_boxes_as_a_record_holds_are_tracked(tmp_path):
    """With all the decimals that a number can have."""
    rows = (
        f"{frame},-1,{(n % 50) * 41 + frame / 7!r},{(n // 50) * 41 + frame / 3!r},29.123456789012345,"
        f"29.123456789012345,0.98765432109876543,-1,-1,-1\n"
        for frame in range(1, 6)
        for n in range(2000)
    )
    (tmp_path / "crowd.txt").write_text("".join(rows))

    report = track([tmp_path / "crowd.txt"], options(out=tmp_path / "out", fps=10))[0]

    assert (report.error, report.groups) == (None, {"objects": 2000})


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

    with pytest.raises(Misconfigured, match=f"leave out {next(iter(ignored))}="):
        track([source], options(out=tmp_path / "out", **ignored))


def test_a_class_that_no_text_knows_is_refused(tmp_path):
    """A typo beside a label that is there: as for a video, it is named, with what was meant."""
    source = tmp_path / "kitti.txt"
    source.write_text("".join(f"{frame} -1 Car 0 0 0 10 10 50 50 {'-1 ' * 7}0.9\n" for frame in range(3)))

    with pytest.raises(Misconfigured, match=r"persn: no such class; did you mean Person\?"):
        track([source], options(out=tmp_path / "out", fps=10, size="640x360", classes="car,persn"))
