"""Headings and speeds of finished runs, and where they go."""

import csv
import json
import shutil
import sys
from types import SimpleNamespace

import pytest

import sightline as sl
from sightline.errors import InvalidFile, Misconfigured, NotFound
from sightline.formats import speeds_csv
from sightline.runs.load import load_result
from sightline.runs.opened import open_run
from sightline.runs.place import in_folder
from sightline.runs.shapes import ShapeFiles
from sightline.runs.speeds import measure, measure_runs
from sightline.vision.counting import counted_groups
from sightline.vision.speeds import speeds_of
from tests.relisted import panned, relisted

# Ten pixels are a metre.
POINTS = ((10, 10), (100, 10), (100, 90), (10, 90))
PLANE = sl.Plane(POINTS, tuple((x / 10, y / 10) for x, y in POINTS), "px", error_px=0.1)
LINE = sl.Line("middle", (0.5, 1.0), (0.5, 0.0))


def test_objects_of_a_run(finished):
    """A car to the right at 2 m/s, one upwards at 1.25 m/s, a person who stands."""
    speeds = finished.speeds(PLANE)

    right, up, person = speeds.ways
    assert (right.group, right.label, right.heading) == ("cars", "car", pytest.approx(90, abs=0.5))
    assert right.speed_kmh == pytest.approx(7.2, abs=right.error_kmh)
    assert up.heading == pytest.approx(0, abs=0.5)
    assert up.speed_kmh == pytest.approx(4.5, abs=up.error_kmh)
    assert (person.heading, person.speed_kmh) == (None, None)
    assert speeds.groups[0].median_kmh == pytest.approx((right.speed_kmh + up.speed_kmh) / 2)
    assert repr(speeds) == "Speeds(street: cars 5.8 km/h, people no speed)"
    assert "<td>5.8 km/h</td>" in speeds._repr_html_()


def test_without_a_plane_there_are_headings(finished):
    """And no speeds."""
    speeds = finished.speeds()

    assert [way.speed_kmh for way in speeds.ways] == [None] * 3
    assert [round(way.heading) for way in speeds.ways[:2]] == [90, 0]


def test_anchors_tell_what_tracks_tell(finished, run_copy):
    """Also in a run of a release that wrote none."""
    result, _ = load_result(in_folder(finished.path))
    groups = [group for group in counted_groups(result) if group is not None]
    size = result.width, result.height
    of_tracks = speeds_of(groups, result.frames.pts_us, size, result.labels, PLANE)
    for group in ("cars", "people"):
        relisted(run_copy, f"segments/anchors-{group}.bin")

    assert finished.speeds(PLANE).ways == of_tracks.ways
    assert sl.load(run_copy).speeds(PLANE).ways == of_tracks.ways


def test_speeds_at_lines(finished, tmp_path):
    """The CSV has crossings then, the JSON has all; the run stays as it is."""
    before = sorted(path.name for path in finished.path.rglob("*"))

    speeds = finished.speeds(PLANE, [LINE], out=tmp_path / "new" / "crossings.csv")
    finished.speeds(PLANE, [LINE], out=tmp_path / "speeds.json")

    (crossing,) = speeds.crossings
    assert (crossing.line, crossing.track_id) == ("middle", 1)
    assert crossing.speed_kmh == pytest.approx(7.2, abs=crossing.error_kmh)
    with speeds.files[0].open() as file:
        (row,) = csv.DictReader(file)
    assert (row["name"], float(row["speed_kmh"])) == ("middle", round(crossing.speed_kmh, 2))
    (run,) = json.loads((tmp_path / "speeds.json").read_text())["runs"]
    assert (len(run["objects"]), len(run["crossings"]), len(run["lines"])) == (3, 1, 1)
    assert [row.line for row in speeds.lines] == ["middle"]
    assert sorted(path.name for path in finished.path.rglob("*")) == before


def test_several_runs_in_one_file(finished, run_copy, tmp_path):
    """Told apart by their folders where they have one name."""
    found = measure_runs([finished.path, run_copy], PLANE, out=tmp_path / "all.csv")

    assert len(found) == 2
    with (tmp_path / "all.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6
    assert len({row["video_id"] for row in rows}) == 2


def test_lines_of_files_go_to_their_videos(finished, tmp_path):
    lines = tmp_path / "lines.json"
    lines.write_text('[{"name": "middle", "a": [0.5, 1], "b": [0.5, 0]}]')

    (found,) = measure_runs([finished.path], PLANE, ShapeFiles([str(lines)], []))

    assert found.measured.lines == (LINE,)
    assert len(found.crossings) == 1


def test_a_plane_of_a_file(finished, tmp_path):
    path = tmp_path / "plane.json"
    path.write_text(json.dumps({"points": POINTS, "unit": "px", "sides": [9, 8, 9, 8], "error_px": 0.1}))

    speeds = finished.speeds(path)

    assert speeds.ways[0].speed_kmh == pytest.approx(finished.speeds(PLANE).ways[0].speed_kmh)
    assert finished.speeds(str(path)).ways == speeds.ways
    with pytest.raises(NotFound):
        finished.speeds(tmp_path / "none.json")
    path.write_text("[]")
    with pytest.raises(InvalidFile, match="expected an object"):
        finished.speeds(path)


def test_a_camera_that_moved_is_followed(run_copy):
    """Boxes that stayed in the picture while the camera panned were carried along over the ground."""
    still = sl.load(run_copy).speeds(PLANE)
    panned(run_copy)

    moved = measure(open_run(in_folder(run_copy)), PLANE)

    assert [way.heading for way in moved.ways] != [way.heading for way in still.ways]
    with pytest.raises(Misconfigured, match="headings are asked for as seen in frame 999"):
        sl.load(run_copy).speeds(frame=999)


@pytest.mark.parametrize(
    ("out", "says"), [("speeds.txt", "written as .csv or .json"), ("speeds", "written as .csv or .json")]
)
def test_another_kind_of_file_is_refused(finished, tmp_path, out, says):
    with pytest.raises(Misconfigured, match=says):
        finished.speeds(PLANE, out=tmp_path / out)


def test_no_run_is_written_into(run_copy):
    with pytest.raises(Misconfigured, match="is the folder of a run"):
        measure_runs([run_copy], out=run_copy / "speeds.csv")


def test_tables_for_pandas(finished, monkeypatch):
    """The rows of the files, a column each. A dict stands for pandas here."""
    monkeypatch.setitem(sys.modules, "pandas", SimpleNamespace(DataFrame=dict))

    speeds = finished.speeds(PLANE, [LINE])
    ways, crossings = speeds.to_pandas(), speeds.crossings_to_pandas()

    assert tuple(ways) == speeds_csv.COLUMNS
    assert (ways["track_id"], ways["heading"][2]) == ([1, 2, 1], None)
    assert tuple(crossings) == speeds_csv.CROSSING_COLUMNS
    assert (crossings["video_id"], crossings["name"]) == (["street"], ["middle"])


def test_a_folder_of_runs_is_all_of_them(finished, tmp_path):
    for name in ("a", "b"):
        shutil.copytree(finished.path, tmp_path / "runs" / name)

    assert len(measure_runs([tmp_path / "runs"])) == 2
