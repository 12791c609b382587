"""`sl.track`, `sl.load` and what a `Run` can do."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import sightline as sl
from sightline.app.track import track
from sightline.errors import Misconfigured, NotFound, Rejected, Unavailable
from sightline.settings import DetectOptions, TrackOptions
from sightline.telemetry import Finished, Planned, Progress, Started
from tests.media import number_of, video
from tests.unit.scene import BROKEN, FRAMES, LABELS, images, see


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Path:
    return images(tmp_path_factory.mktemp("small") / "small", 6)


# --- a finished run


def test_counts_are_unique_objects_by_label(finished):
    """Labels without an object are left out, and labels of no group."""
    assert finished.counts == {"car": 2, "person": 1}


def test_frames_come_with_their_time_and_the_tracks_of_each_group(finished):
    """Every sampled frame, failed ones too."""
    frames = list(finished.frames())

    assert [pts for pts, _ in frames] == [n * 40_000 for n in range(FRAMES)]
    assert {tuple(groups) for _, groups in frames} == {("cars", "people")}
    shown = sum(len(tracks) for _, groups in frames for tracks in groups.values())
    assert shown == sum(len(group.tracks) for group in finished.result.groups)
    assert len(frames[BROKEN][1]["cars"]) == 0
    cars = frames[100][1]["cars"]
    assert cars.track_id.tolist() == [1, 2]
    assert np.allclose(cars.xyxy[0], [80, 50, 110, 70], atol=1 / 64)


def test_count_is_count_run(finished, tmp_path):
    """Bins in words, files where they are asked for."""
    line = sl.Line("middle", (0.5, 1.0), (0.5, 0.0))

    recount = finished.count(lines=[line], bins="2s", out=str(tmp_path / "out"))

    assert [row.count for row in recount.bins if row.name == "middle" and row.count] == [1]
    assert sorted(path.name for path in recount.files) == ["counts.csv", "events.csv"]
    with pytest.raises(Misconfigured, match="bins"):
        finished.count(bins="soon")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("csv", {"tracks.csv", "detections.csv"}),
        ("mot", {"mot/cars/street.txt", "mot/people/street.txt"}),
        ("parquet", {"tracks.parquet"}),
        ("video", {"annotated.mp4"}),
        ("visdrone", None),
        ("coco", None),
    ],
)
def test_a_run_is_saved_in_any_format(finished, tmp_path, name, expected):
    """What a run has already is saved as it is there."""
    written = finished.save(tmp_path / "a" / "b", formats=[name])

    names = {path.relative_to(tmp_path / "a" / "b").as_posix() for path in written}
    assert names == {p.relative_to(tmp_path / "a" / "b").as_posix() for p in (tmp_path / "a").rglob("*.*")}
    assert expected is None or names == expected
    assert all(path.stat().st_size > 0 for path in written)
    for path in written:
        own = finished.path / path.relative_to(tmp_path / "a" / "b")
        assert not own.exists() or own.read_bytes() == path.read_bytes()


def test_csv_is_saved_where_nothing_is_named(finished, tmp_path):
    """Two tables."""
    assert [path.name for path in finished.save(tmp_path)] == ["detections.csv", "tracks.csv"]


def test_saving_in_an_unknown_format_or_place_is_said(finished, tmp_path):
    """Nothing is written then."""
    (tmp_path / "file").write_text("")

    with pytest.raises(Misconfigured, match="no format 'xml'"):
        finished.save(tmp_path / "out", formats=["csv", "xml"])
    assert not (tmp_path / "out").exists()
    with pytest.raises(Unavailable, match="choose another folder"):
        finished.save(tmp_path / "file" / "out")


def run_python(program: str, *path: Path, **variables: str) -> str:
    places = os.pathsep.join([*map(str, path), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": places, **variables},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_pandas_that_is_not_there_is_named(finished, tmp_path):
    """The message says how to get it. A module that fails to import stands for one that is missing."""
    (tmp_path / "pandas.py").write_text("raise ImportError('no pandas here')\n")
    program = f"""
import sightline as sl
from sightline.errors import Misconfigured
try:
    sl.load({str(finished.path)!r}).to_pandas()
except Misconfigured as error:
    print(error.code, error)
"""

    assert run_python(program, tmp_path) == "missing_extra to_pandas needs pandas: pip install pandas\n"


def test_a_table_for_pandas_has_the_columns_of_the_csv(finished, street, tmp_path):
    """A row per box, numbers unrounded; a run without tracks is an empty table. A dict stands for pandas here."""
    (tmp_path / "pandas.py").write_text("DataFrame = dict\n")
    empty = sl.track(
        street, detector=see, labels=LABELS, out=tmp_path / "out", pipeline="detect", vid_stride=50
    )
    program = f"""
import sightline as sl
table = sl.load({str(finished.path)!r}).to_pandas()
print(",".join(table))
print({{len(column) for name, column in table.items() if name != "video_id"}}, table["video_id"])
print(table["group"][0], table["label"][-1], table["origin"][-1], table["frame"][-1])
empty = sl.load({str(empty.path)!r}).to_pandas()
print(",".join(empty), {{len(column) for name, column in empty.items() if name != "video_id"}})
"""

    columns, sizes, row, none = run_python(program, tmp_path).splitlines()

    header, *lines = (finished.path / "tracks.csv").read_text().splitlines()
    assert columns == header
    assert sizes == f"{{{len(lines)}}} street"
    last = dict(zip(header.split(","), lines[-1].split(","), strict=True))
    assert row == f"cars {last['label']} {last['origin']} {FRAMES - 1}"
    assert none == f"{header} {{0}}"


# --- how it looks


def test_a_run_is_short_in_a_console(finished):
    """Its name, its length, its counts and its place; never its arrays."""
    assert repr(finished) == f"Run(street: 140 frames, car 2, person 1; {finished.path})"
    table = finished.result.groups[0].tracks
    assert repr(table) == f"TrackTable({len(table)} rows, track_id 1, 2)"
    assert repr(finished.result.frames) == "FrameTable(140 frames)"
    (_, groups) = list(finished.frames())[100]
    assert repr(groups["cars"]) == "Tracks(2 boxes, track_id 1, 2)"
    assert repr(sl.Tracks.empty()) == "Tracks(no boxes)"


def test_detections_are_short_in_a_console():
    """However many there are."""
    found = sl.Detections([[0, 0, 9, 9]] * 40, np.linspace(0.25, 0.9, 40), np.arange(40))

    assert repr(found) == "Detections(40 boxes, confidence 0.25 to 0.90, classes 0, 1, 2, 3, 4, 5, 6, 7, ...)"
    assert repr(sl.Detections.empty()) == "Detections(no boxes)"


def test_counts_are_short_in_a_console_and_a_table_in_a_notebook(finished):
    """Totals over all bins; what never happened is left out."""
    line = sl.Line("a < b", (0.5, 1.0), (0.5, 0.0))

    recount = finished.count(lines=[line], bins="1s")

    assert repr(recount) == "Recount(street: unique car 2, unique person 1, line a < b in car 1)"
    shown = recount._repr_html_()
    assert '<td>line</td><td>a &lt; b</td><td>in</td><td>car</td><td style="text-align:right">1</td>' in shown
    assert shown.count("<tr>") == 4


def test_a_run_is_a_table_in_a_notebook(finished):
    """A row a label."""
    shown = finished._repr_html_()

    assert "<caption>street: 140 frames, " in shown
    assert '<td>car</td><td style="text-align:right">2</td>' in shown


def test_counts_and_events_are_tables_for_pandas(finished, tmp_path):
    """The rows of the two files, with times in microseconds. A dict stands for pandas here."""
    (tmp_path / "pandas.py").write_text("DataFrame = dict\n")
    program = f"""
import sightline as sl
recount = sl.load({str(finished.path)!r}).count(lines=[sl.Line("m", (0.5, 1), (0.5, 0))], bins="2s", out={str(tmp_path / "out")!r})
counts, events = recount.to_pandas(), recount.events_to_pandas()
print([row for row in zip(*counts.values()) if row[-1] and "line" in row])
print(list(events)[:3], [len(column) for column in events.values()])
print(events["video_id"], events["frame"], events["pts_us"], events["kind"], events["direction"], events["label"])
"""

    counts, columns, event = run_python(program, tmp_path).splitlines()

    lines = (tmp_path / "out" / "events.csv").read_text().splitlines()
    assert "'line', 'm', 'in', 'cars', 'car', 1)" in counts
    assert columns.startswith("['video_id', 'frame', 'pts_us']")
    assert len(lines) == 2
    row = dict(zip(lines[0].split(","), lines[1].split(","), strict=True))
    pts_us = round(float(row["pts_s"]) * 1e6)
    assert event == f"['street'] [{row['frame']}] [{pts_us}] ['line'] ['in'] ['car']"


def test_supervision_gets_its_own_detections(tmp_path):
    """With ids and names. A stand-in that keeps what it is given stands for the library, which brings OpenCV along."""
    (tmp_path / "supervision.py").write_text("def Detections(**given): return given\n")
    program = """
import numpy as np, sightline as sl
found = sl.Detections([[0, 1, 2, 3]], [0.5], [1]).to_supervision(["car", "van"])
print({n: (v.dtype.name, v.tolist()) for n, v in found.items() if n in ("xyxy", "confidence", "class_id")})
print(found["tracker_id"], found["data"]["class_name"].tolist())
shown = sl.Tracks([[0, 1, 2, 3]], [0.5], [1], [7], [0]).to_supervision()
print(shown["tracker_id"].tolist(), shown["data"], sl.Detections.empty().to_supervision(["car"])["data"]["class_name"].shape)
"""

    found, names, shown = run_python(program, tmp_path).splitlines()

    assert found == str(
        {
            "xyxy": ("float32", [[0.0, 1.0, 2.0, 3.0]]),
            "confidence": ("float32", [0.5]),
            "class_id": ("int64", [1]),
        }
    )
    assert names == "None ['van']"
    assert shown == "[7] {} (0,)"


def test_supervision_that_is_not_there_is_named(tmp_path):
    """The message says how to get it."""
    (tmp_path / "supervision.py").write_text("raise ImportError('not here')\n")
    program = """
import sightline as sl
from sightline.errors import Misconfigured
try:
    sl.Tracks.empty().to_supervision()
except Misconfigured as error:
    print(error.code, error)
"""

    assert run_python(program, tmp_path) == (
        "missing_extra to_supervision needs supervision: pip install supervision\n"
    )


# --- track and load


def test_a_video_is_tracked_like_a_folder_of_images(tmp_path):
    """At its own times; a range and a stride are the source's."""
    clip = video(tmp_path / "clip.mp4", 50, rate=10, size=(320, 192))

    run = sl.track(clip, detector=see, labels=LABELS, out=tmp_path / "out", start="1s", end=4, vid_stride=5)

    assert run.result.frames.frame.tolist() == [10, 15, 20, 25, 30, 35]
    assert run.result.frames.pts_us.tolist() == [n * 100_000 for n in (10, 15, 20, 25, 30, 35)]
    dets = run.result.groups[0].detections
    assert dets.xyxy[dets.seq == 0][0].tolist() == [8, 50, 38, 70]


def test_load_gives_the_run_of_its_folder_or_of_the_command(finished):
    """The same object, later."""
    for path in (finished.path, finished.path.parent, str(finished.path)):
        assert sl.load(path).path == finished.path
        assert sl.load(path).counts == finished.counts


def test_progress_is_told_to_a_hook(small, tmp_path):
    """Begin and end once; the numbers in between never fall."""
    heard = []

    class Hears:
        def emit(self, event) -> None:
            heard.append(event)

    sl.track(small, detector=see, labels=LABELS, out=tmp_path, hook=Hears())

    assert heard[:2] == [Planned(1, 6), Started("small", 6)]
    assert heard[-1] == Finished("small", "done", 6, 0)
    done = [event.done for event in heard if isinstance(event, Progress)]
    assert done == sorted(done)
    assert done[-1] == 6


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"conf": 3}, "conf = 3"),
        ({"stride": 2}, "stride: unknown key; did you mean"),
        ({"tracker": {"mode": "sort"}}, "tracker.mode"),
        ({"workers": 0}, "workers = 0"),
        ({"pipeline": "trafic"}, "did you mean traffic"),
        ({"formats": ["cvs"]}, "no format 'cvs'"),
        ({"classes": ["zebra"]}, "no such class"),
        ({"start": "5m"}, "no frame between"),
    ],
)
def test_a_wrong_option_is_named(small, tmp_path, options, says):
    """As an error of ours, before any work is done."""
    with pytest.raises(Misconfigured, match=says):
        sl.track(small, detector=see, labels=LABELS, out=tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("named", ["list", "tuple", "patterns", "root", "pattern"])
def test_several_sources_give_a_list_of_runs_in_their_order(tmp_path, named):
    """A list of any length does, and one name behind which there are several."""
    folders = [images(tmp_path / "root" / "sequences" / name, 2) for name in ("b", "a")]
    root = tmp_path / "root"
    pattern = str(root / "sequences" / "*")
    sources = {
        "list": folders,
        "tuple": (str(folders[0]), folders[1]),
        "patterns": [str(folders[0]), pattern],
        "root": root,
        "pattern": pattern,
    }

    runs = sl.track(sources[named], detector=see, labels=LABELS, out=tmp_path / "out")

    expected = ["a", "b"] if named in ("root", "pattern") else ["b", "a"]
    assert [run.result.video_id for run in runs] == expected
    assert [len(run.result.frames) for run in runs] == [2, 2]


def test_a_list_of_one_gives_a_list(small, tmp_path):
    """The type of what comes back is that of what was named."""
    (run,) = sl.track([small], detector=see, labels=LABELS, out=tmp_path)

    assert run.path == sl.track(small, detector=see, labels=LABELS, out=tmp_path).path


def test_one_of_several_sources_that_fails_is_raised_after_the_others_were_done(small, tmp_path):
    """Its note names the runs that are there."""
    (tmp_path / "bad.mp4").write_bytes(b"")

    with pytest.raises(Rejected, match="bad") as raised:
        sl.track([tmp_path / "bad.mp4", small], detector=see, labels=LABELS, out=tmp_path / "out")

    assert any("1 of 2 sources failed" in note and "small" in note for note in raised.value.__notes__)
    assert len(sl.load(tmp_path / "out").result.frames) == 6


def test_format_and_formats_are_the_same(small, tmp_path):
    """One or several, in words or as a list; both at once are refused."""
    for number, option in enumerate(
        [{"format": "csv"}, {"formats": "csv"}, {"format": ["csv"]}, {"formats": ("csv",)}]
    ):
        run = sl.track(small, detector=see, labels=LABELS, out=tmp_path / str(number), **option)
        assert (run.path / "tracks.csv").exists()
        assert not (run.path / "mot").exists()
    assert [path.name for path in run.save(tmp_path / "x", format="csv")] == ["detections.csv", "tracks.csv"]
    assert len(run.save(tmp_path / "y", "csv,mot")) == len(run.save(tmp_path / "z", ["csv", "mot"])) > 2
    with pytest.raises(Misconfigured, match="format and formats are the same"):
        sl.track(small, detector=see, labels=LABELS, out=tmp_path / "no", format="csv", formats="mot")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"labels": ["car"]}, "labels belong to a detector"),
        ({"detector": see, "model": "x"}, "model is an option of models"),
        ({"detector": see, "precision": "f32"}, "precision is an option of models"),
        ({"detector": see, "imgsz": 640}, "imgsz is an option of models"),
        ({"detector": 5, "labels": ["car"]}, "detector is a int, expected a function"),
    ],
)
def test_what_does_not_go_together_is_said(small, tmp_path, options, says):
    """Instead of leaving one of them out silently."""
    with pytest.raises(Misconfigured, match=says):
        sl.track(small, out=tmp_path / "out", **options)


def test_the_lowest_confidence_holds_for_a_function_too(small, tmp_path):
    """As `run.json` says it."""
    run = sl.track(small, detector=see, labels=LABELS, out=tmp_path, conf=0.85)

    (cars, _) = run.result.groups
    assert set(cars.detections.confidence.tolist()) == {0.9}


@pytest.mark.parametrize("labels", [["helmet"], ["Hard hat", "vest"], ["car", "helmet"]])
def test_a_detector_of_ones_own_may_have_any_labels(small, tmp_path, labels):
    """Without a pipeline file: each label is a group where none fits one of the pipeline."""

    def find(frames):
        x = 2 * number_of(frames[0])
        return [sl.Detections([[x, 40, x + 60, 90]], [0.9], [0])]

    run = sl.track(small, detector=find, labels=labels, out=tmp_path, fps=2)

    assert run.counts == {labels[0]: 1}


def test_a_source_that_is_not_there_is_said(tmp_path):
    """As the command line says it."""
    with pytest.raises(NotFound, match=r"no\.mp4"):
        sl.track(tmp_path / "no.mp4", detector=see, labels=LABELS, out=tmp_path / "out")


def test_text_of_detections_gives_a_run(tmp_path):
    """As a video does."""
    text = tmp_path / "det.txt"
    text.write_text("1,-1,10,20,30,40,0.9,-1,-1,-1\n2,-1,11,20,30,40,0.9,-1,-1,-1\n")

    run = sl.track(text, out=tmp_path / "out")

    assert run.path == tmp_path / "out" / "det"
    assert (run.result.width, run.result.height, len(run.result.frames)) == (41, 60, 2)


@pytest.mark.parametrize(
    "answer", [None, 5, sl.Detections([[0, 0, 9, 9]], [0.9], [0])], ids=["none", "int", "bare"]
)
def test_a_detector_function_that_gives_no_list_is_told_so(small, tmp_path, answer):
    """A forgotten `return` above all."""
    with pytest.raises(Misconfigured, match="expected a list") as raised:
        sl.track(small, detector=lambda frames: answer, labels=["car"], classes=["car"], out=tmp_path)

    assert raised.value.code == "detector_function"


@pytest.mark.parametrize("bad", [0, 3])
@pytest.mark.parametrize(
    ("box", "confidence", "says"),
    [
        ([0, 0, 9, 9], float("nan"), "confidence.*nan: not finite"),
        ([0, 0, 9, float("inf")], 0.9, "inf.*not finite"),
        ([0, 0, 9, 9], 90, "divide percent by 100"),
        ([90, 50, 30, 20], 0.9, "x2 = x \\+ width"),
        ([0.1, 0.2, 0.3, 0.4], 0.9, "multiply x by 160 and y by 96"),
        ([5000, 10, 5100, 80], 0.9, "beside the picture"),
    ],
)
def test_boxes_that_cannot_be_pixels_are_an_error_that_names_the_function(
    small, tmp_path, bad, box, confidence, says
):
    """And the frame, with the values that were seen and what to do; at frame 0 as anywhere else."""

    def find(frames):
        if number_of(frames[0]) != bad:
            return [sl.Detections([[0, 0, 90, 90]], [0.5], [0])]
        return [sl.Detections([box], [confidence], [0])]

    with pytest.raises(Misconfigured, match=says) as raised:
        sl.track(small, detector=find, labels=["car"], classes=["car"], out=tmp_path)

    assert raised.value.code == "detector_function"
    assert str(raised.value).startswith(f"frame {bad} of small: detector tests.unit.test_run.")
    assert ".find: " in str(raised.value)


def test_a_function_gets_each_frame_once_and_in_order(tmp_path):
    """So it may keep a state: through many chunks, and a video at a time."""
    clips = [video(tmp_path / f"{name}.mp4", 120, rate=10, size=(320, 192), gop=5) for name in "ab"]
    seen = []

    def find(frames):
        seen.append(number_of(frames[0]))
        return [sl.Detections.empty()]

    track(
        clips,
        TrackOptions(out=tmp_path / "out", classes=("car",), chunk_frames=5),
        function=find,
        labels=["car"],
    )

    assert seen == [*range(120), *range(120)]


def test_more_workers_are_the_users_choice(tmp_path):
    """Then frames come in any order, each of them once, and the result is the same."""
    clip = video(tmp_path / "a.mp4", 120, rate=10, size=(320, 192), gop=5)
    seen = []

    def find(frames):
        seen.append(number_of(frames[0]))
        return see(frames)

    options = {"detector": find, "labels": LABELS, "chunk_frames": 5}
    one = sl.track(clip, **options, out=tmp_path / "one")
    many = sl.track(clip, **options, out=tmp_path / "many", workers=4)

    assert sorted(seen[120:]) == seen[:120] == list(range(120))
    assert (one.path / "tracks.csv").read_bytes() == (many.path / "tracks.csv").read_bytes()


def test_what_a_detector_function_raises_rises(small, tmp_path):
    """And the run can be gone on with: nothing looks finished."""

    def fails(frames):
        raise RuntimeError("my model broke")

    with pytest.raises(RuntimeError, match="my model broke") as raised:
        sl.track(small, detector=fails, labels=LABELS, out=tmp_path)
    assert raised.value.__notes__ == ["sightline: the detector was looking at frame 0 of small"]
    with pytest.raises(NotFound, match="unfinished"):
        sl.load(tmp_path)


def test_another_body_of_a_function_is_another_run(small, tmp_path):
    """Two functions of one name are told apart by their code; nobody gets the boxes of the other."""

    def made(limit: float):
        if limit:
            return lambda frames, least=limit: [each[each.confidence > least] for each in see(frames)]
        return lambda frames: [sl.Detections.empty() for _ in frames]

    first = sl.track(small, detector=made(0.85), labels=LABELS, out=tmp_path)
    for other in (made(0), made(0.75)):
        with pytest.raises(Misconfigured, match="another run"):
            sl.track(small, detector=other, labels=LABELS, out=tmp_path)

    again = sl.track(small, detector=made(0.85), labels=LABELS, out=tmp_path)
    assert again.result.job_id == first.result.job_id
    assert len(first.result.groups[0].detections) == 6


def test_the_code_of_a_function_is_the_same_in_every_process(tmp_path):
    """Whatever the seed of hashes; an object that is called has none."""
    (tmp_path / "mine.py").write_text(
        "def find(frames, least=0.5):\n"
        "    return [f for f in frames if f in {'a', 'b', 'c'} or f == ('d', 1)]\n"
    )
    program = "import mine; from sightline.adapters.engines.function import version_of; print(version_of(mine.find), version_of(dict))"

    versions = {run_python(program, tmp_path, PYTHONHASHSEED=seed) for seed in ("1", "2")}

    (version,) = versions
    assert len(version.strip()) == 16


def test_another_run_is_never_overwritten_unasked(small, tmp_path):
    """Another setting in the same folder needs overwrite=True."""
    first = sl.track(small, detector=see, labels=LABELS, out=tmp_path)
    with pytest.raises(Misconfigured, match="overwrite="):
        sl.track(small, detector=see, labels=LABELS, out=tmp_path, conf=0.5)

    other = sl.track(small, detector=see, labels=LABELS, out=tmp_path, conf=0.5, overwrite=True)

    assert other.path == first.path
    assert other.result.job_id != first.result.job_id


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_source_in_the_place_of_its_results_stays(tmp_path, overwrite):
    """A folder of images beside which the results go has the name of their run."""
    source = images(tmp_path / "street", 3)

    with pytest.raises(Misconfigured, match="source itself"):
        sl.track(source, detector=see, labels=LABELS, out=tmp_path, overwrite=overwrite)

    assert len(list(source.iterdir())) == 3


def test_a_finished_run_says_what_it_does_not_bring(tmp_path):
    """Formats and video are no part of the run key: nothing is done, and that is said."""
    source, out = images(tmp_path / "street", 3), tmp_path / "out"
    options = {"pipeline": "detect", "model": "sightline-tiny", "workers": 1, "out": out}
    (first,) = track([source], DetectOptions(**options), command="detect")
    (again,) = track([source], DetectOptions(**options, formats=("csv",)), command="detect")
    (more,) = track(
        [source], DetectOptions(**options, formats=("csv", "coco"), save_video=True), command="detect"
    )

    assert (first.state, again.state, more.state) == ("done", "finished", "finished")
    assert [code for code, _ in first.warnings] == ["nothing_found"]
    assert again.warnings == first.warnings
    assert [code for code, _ in more.warnings] == ["nothing_found", "not_written", "not_written"]
    assert "coco" in more.warnings[1][1]
    assert "render" in more.warnings[2][1]


@pytest.mark.parametrize("labels", ["car", ["car"], {0: "car"}, ("car",)])
def test_labels_may_be_a_text_a_list_or_ultralytics_names(small, tmp_path, labels):
    """One text is one label, not a label a letter."""
    run = sl.track(small, detector=lambda frames: [sl.Detections.empty()], labels=labels, out=tmp_path)

    assert run.result.labels == ("car",)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([1], "expected a text for each class id"),
        ({1: "car"}, r"class ids \[1\], expected 0 to 0"),
        ([], "detector= needs labels="),
        (None, "detector= needs labels="),
    ],
)
def test_labels_that_are_none_are_refused(small, tmp_path, labels, message):
    """Before anything is opened."""
    with pytest.raises(Misconfigured, match=message):
        sl.track(small, detector=see, labels=labels, out=tmp_path)


def test_a_label_in_no_group_is_said(small, tmp_path):
    """With the words that keep it."""
    run = sl.track(small, detector=see, labels=LABELS, out=tmp_path)

    assert [
        each["detail"]
        for each in json.loads((run.path / "run.json").read_text())["warnings"]
        if each["code"] == "no_group"
    ] == ["boxes in no group, which are not tracked: dog; --classes cars,people,dog"]


def test_a_function_out_of_answers_names_the_frame(small, tmp_path):
    """`next` of what was stored ends in StopIteration, which must end no loop of ours."""
    stored = iter([[sl.Detections.empty()]])

    with pytest.raises(
        Misconfigured, match=r"frame 1 of small: .*StopIteration: it has no answer for this frame"
    ):
        sl.track(small, detector=lambda frames: next(stored), labels=["car"], out=tmp_path)
