"""One format to another."""

import json
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.disk import read_text
from sightline.errors import InvalidFile, Misconfigured
from sightline.formats.convert import Conversion, convert, job_of, read
from sightline.formats.registry import FORMATS
from tests.unit.formats.jobs import written

TRACKS = "1,7,10,20,30,40,0.5,4,-1,-1\n3,7,12,20,30,40,0.75,4,-1,-1\n3,8,0,0,5,5,0.9,1,-1,-1\n"
KITTI = (
    "0 7 Car -1 -1 -10 10.000 20.000 40.000 60.000 -1 -1 -1 -1000 -1000 -1000 -10 0.5000\n"
    "2 7 Car -1 -1 -10 12.000 20.000 42.000 60.000 -1 -1 -1 -1000 -1000 -1000 -10 0.7500\n"
    "2 8 Pedestrian -1 -1 -10 0.000 0.000 5.000 5.000 -1 -1 -1 -1000 -1000 -1000 -10 0.9000\n"
)


def test_visdrone_becomes_mot_and_kitti():
    """Frames begin at the target's own first number; MOT has no place for the category."""
    assert written(convert(TRACKS, "uav.txt", "kitti")) == {"uav.txt": KITTI}
    assert written(convert(TRACKS, "uav.txt.gz", "mot"))["uav.txt"].splitlines() == [
        "1,7,10.000,20.000,30.000,40.000,0.5000,-1,-1,-1",
        "3,7,12.000,20.000,30.000,40.000,0.7500,-1,-1,-1",
        "3,8,0.000,0.000,5.000,5.000,0.9000,-1,-1,-1",
    ]


def test_kitti_and_visdrone_turn_into_each_other():
    """There and back is the same text, where both have the class."""
    there = written(convert(KITTI, "0000.txt", "visdrone"))["0000.txt"]
    back = written(convert(there, "0000.txt", "kitti"))["0000.txt"]

    assert back == KITTI


def test_a_class_that_visdrone_lacks_becomes_others():
    """Category 11."""
    text = written(convert(KITTI.replace("Car", "Tram"), "a.txt", "visdrone"))["a.txt"]

    assert [line.split(",")[7] for line in text.splitlines()] == ["11", "11", "1"]


def test_ground_truth_stays_ground_truth():
    """Considered, and the classes by name."""
    text = "1,1,0,0,9,9,0,7,0.25\n1,2,1,2,3,4,1,3,1\n"

    visdrone = written(convert(text, "gt.txt", "visdrone", Conversion(source="mot", truth=True)))["gt.txt"]
    back = written(convert(visdrone, "gt.txt", "mot", Conversion(source="visdrone", truth=True)))["gt.txt"]

    assert visdrone.splitlines()[1] == "1,2,1.000,2.000,3.000,4.000,1,4,-1,-1"
    assert back.splitlines()[1] == "1,2,1.000,2.000,3.000,4.000,1,3,-1.000000"
    assert back.splitlines()[0].split(",")[6] == "0"


def test_text_becomes_the_formats_of_a_job():
    """Times come from the rate, empty frames are frames, ids are kept."""
    how = Conversion(rate=Fraction(25), width=100, height=50)

    table = written(convert(TRACKS, "uav.txt", "csv", how))["tracks.csv"].splitlines()
    frames = json.loads(written(convert(TRACKS, "uav.txt", "json-b", how))["result.json"])
    dataset = json.loads(written(convert(TRACKS, "uav.txt", "coco-dataset", how))["coco-dataset.json"])

    assert table[2] == "uav,2,2,80000,objects,7,4,car,12.000,20.000,42.000,60.000,0.7500,high"
    assert [len(frame["objects"]) for frame in frames] == [1, 0, 2]
    assert dataset["images"][2]["width"] == 100
    assert dataset["annotations"][0]["category_id"] == 5


def test_groups_can_be_named():
    """System A's files need cars and people."""
    how = Conversion(groups={"cars": ["Car", "Van"], "people": ["pedestrian"]})

    files = written(convert(TRACKS, "uav.txt", "csv-a", how))

    assert len(files["csv-a/car_tracks.csv"].splitlines()) == 3
    assert len(files["csv-a/people_tracks.csv"].splitlines()) == 2


def test_what_a_format_cannot_hold_is_an_error():
    """No empty success: MOT text has no groups, a group has no label, a format does not exist."""
    text = "1,7,10,20,30,40"

    with pytest.raises(InvalidFile, match="nothing in it that format csv-a can hold"):
        convert(text, "a.txt", "csv-a")
    with pytest.raises(Misconfigured, match="group cars: none of car in objects"):
        convert(text, "a.txt", "csv", Conversion(groups={"cars": ["car"]}))
    with pytest.raises(Misconfigured, match=r"no format 'xml'; there are .*kitti"):
        convert(text, "a.txt", "xml")


def test_detections_are_not_tracks():
    """Without ids, or where the second column is only a running number, there is no track."""
    numbered = "1,1,10,20,30,40,0.5\n1,2,10,20,30,40,0.5\n"
    how = Conversion(tracked=False)

    assert list(written(convert("1,-1,10,20,30,40,0.5", "a.txt", "csv"))) == ["detections.csv"]
    assert list(written(convert(numbered, "a.txt", "csv", how))) == ["detections.csv"]
    assert written(convert(numbered, "a.txt", "mot", how))["a.txt"].startswith("1,-1,")


def test_rows_that_truth_does_not_consider_are_no_objects():
    """`DontCare` areas of KITTI have no place in a table of tracks."""
    how = Conversion(truth=True)
    rows = read("0 -1 DontCare -1 -1 -10 1 2 3 4\n0 5 Car 0 0 0 1 2 3 4", "a.txt", how)

    result = job_of(rows, "a", how)

    assert result.groups[0].tracks.track_id.tolist() == [5]
    assert len(result.groups[0].detections) == 1


@pytest.mark.parametrize(
    ("target", "lost"),
    [
        ("csv", ["1 boxes that are not judged (DontCare)", "occlusion: csv"]),
        ("yolo", ["1 boxes that are not judged (DontCare)", "ids: yolo", "occlusion: yolo"]),
        ("coco-dataset", ["1 boxes that are not judged (DontCare)", "occlusion: coco-dataset"]),
    ],
)
def test_what_a_format_of_a_job_loses_is_said(target, lost):
    """An empty label file says that nothing is there: whoever trains on it must know better."""
    said = []
    text = "0 -1 DontCare -1 -1 -10 1 2 3 4\n0 5 Car 0 1 0 1 2 3 4"

    convert(text, "a.txt", target, Conversion(truth=True, width=64, height=48), said.append)

    assert len(said) == len(lost)
    assert all(each in line for each, line in zip(lost, said, strict=True))


def test_confidences_that_are_lost_are_said():
    """A format of truth has none; one of results keeps them."""
    said = []
    for target in ("coco-dataset", "coco"):
        convert("1,-1,10,20,30,40,0.5", "a.txt", target, Conversion(width=64, height=48), said.append)

    assert said == ["a.txt: lost: confidences: coco-dataset has none"]


def test_other_first_numbers_are_read():
    """MOT from 0 with a shifted origin comes out from 1, unshifted or shifted as asked."""
    how = Conversion(source="mot", first_frame=0, mot_origin=1)

    assert written(convert("0,7,11,21,30,40", "a.txt", "visdrone", how))["a.txt"].startswith(
        "1,7,10.000,20.000,30"
    )
    assert written(convert("0,7,11,21,30,40", "a.txt", "mot", how))["a.txt"].startswith(
        "1,7,11.000,21.000,30"
    )


rows = st.tuples(
    st.integers(1, 9),
    st.integers(1, 5),
    st.integers(-999, 999),
    st.integers(0, 999),
    st.integers(1, 99),
    st.integers(1, 11),
)


@given(
    st.lists(rows, min_size=1, max_size=8, unique_by=lambda row: row[:2]),
    st.sampled_from(["mot", "visdrone", "kitti"]),
)
def test_a_conversion_and_a_second_one_agree_with_one(found, between):
    """Through another format or directly: the same MOT text."""
    lines = [f"{f},{i},{x},{y},{w},{w + 1},0.5,{c},-1,-1" for f, i, x, y, w, c in sorted(found)]
    text = "\n".join(lines)
    how = Conversion(source="visdrone")

    step = written(convert(text, "a.txt", between, how))["a.txt"]

    direct = written(convert(text, "a.txt", "mot", how))["a.txt"]
    assert written(convert(step, "a.txt", "mot", Conversion(source=between)))["a.txt"] == direct


@pytest.mark.parametrize("target", [name for name in FORMATS if name != "csv-a"])
def test_real_tracks_become_every_format(shared, target):
    """A published result turns into each format, with as many boxes as lines."""
    path = shared / "data" / "real" / "mot15" / "TUD-Campus" / "tracker_result_sample.txt.gz"
    text = read_text(path)

    files = written(convert(text, path.name, target, Conversion(width=640, height=480)))

    assert sum(len(content) for content in files.values()) > 20 * text.count("\n")
