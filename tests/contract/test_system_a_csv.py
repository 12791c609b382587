"""System A's tables, a row of the contract at a time: five CSV files of pipeline `visdrone`, and the defects that they had."""

import csv
import shutil
from datetime import UTC, datetime, timedelta
from importlib import resources
from itertools import islice, pairwise
from pathlib import Path

import av
import pytest

from sightline.app.track import track
from sightline.runs.load import load_result
from sightline.runs.place import in_folder
from sightline.settings import TrackOptions

pytestmark = pytest.mark.contract

HEADERS = {
    "car_detections.csv": "frame_id,video_id,timestamp,label,confidence,x1,y1,x2,y2",
    "people_detections.csv": "frame_id,video_id,timestamp,label,confidence,x1,y1,x2,y2",
    "car_tracks.csv": "frame_id,video_id,timestamp,track_id,x1,y1,x2,y2,confidence,class_id",
    "people_tracks.csv": "frame_id,video_id,timestamp,track_id,x1,y1,x2,y2,confidence,class_id",
    "stats.csv": "timestamp,num_cars,num_people",
}
SEQUENCE = "uav0000086_00000_v"
FRAMES = 200
EMPTY = range(60, 64)  # frames in which nothing is to be seen
START = datetime(2026, 5, 17, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def sequence(tmp_path_factory):
    """Numbered images of the bundled street; in some of them nothing is to be seen."""
    folder = tmp_path_factory.mktemp("data") / SEQUENCE
    folder.mkdir()
    street = Path(str(resources.files("sightline"))) / "demo" / "street.mp4"
    with av.open(str(street)) as container:
        for number, frame in enumerate(islice(container.decode(video=0), FRAMES)):
            image = frame.to_image()
            if number in EMPTY:
                image.paste((90, 90, 90), (0, 0, *image.size))
            image.save(folder / f"{number + 1:07d}.jpg", quality=95)
    return folder


def tracked(sequence, out, **more):
    options = TrackOptions(
        pipeline="visdrone",
        model="sightline-tiny",
        precision="f32",
        out=out,
        workers=1,
        start_time=START,
        **more,
    )
    (report,) = track([sequence], options)
    return report.path


@pytest.fixture(scope="module")
def run(sequence, tmp_path_factory):
    return tracked(sequence, tmp_path_factory.mktemp("out"))


@pytest.fixture(scope="module")
def result(run):
    return load_result(in_folder(run))[0]


def rows(run, name):
    with (run / "csv-a" / name).open(newline="") as file:
        return list(csv.DictReader(file))


def group_of(result, name):
    return next(group for group in result.groups if group.name == name)


@pytest.mark.parametrize("name", HEADERS)
def test_csv_names_and_columns(run, name):
    """A header line, commas, LF."""
    blob = (run / "csv-a" / name).read_bytes()

    assert blob.splitlines()[0].decode() == HEADERS[name]
    assert blob.endswith(b"\n")
    assert b"\r" not in blob
    assert sorted(path.name for path in (run / "csv-a").iterdir()) == sorted(HEADERS)


def test_csv_of_statistics_has_a_row_for_every_frame(run):
    """Defects A6 and A13: empty frames are rows too, and time is the frame's: `created_at` + pts."""
    found = rows(run, "stats.csv")

    assert len(found) == FRAMES
    times = [datetime.fromisoformat(row["timestamp"]) for row in found]
    assert times == [START + timedelta(microseconds=round(frame * 1e6 / 30)) for frame in range(FRAMES)]
    assert found[1]["timestamp"] == "2026-05-17T12:00:00.033333+00:00"


@pytest.mark.parametrize("column", ["num_cars", "num_people"])
def test_csv_of_statistics_never_falls(run, column):
    """Unique cars and people so far, over the whole video."""
    found = [int(row[column]) for row in rows(run, "stats.csv")]

    assert all(before <= after for before, after in pairwise(found))
    assert found[0] == 0
    assert found[-1] > 0


@pytest.mark.parametrize(("column", "group"), [("num_cars", "cars"), ("num_people", "people")])
def test_csv_statistics_count_confirmed_objects(run, result, column, group):
    """Defect A3: the largest id is no count. An object counts when its track has been seen often enough."""
    last = int(rows(run, "stats.csv")[-1][column])
    table = group_of(result, group).tracks
    seen = {int(n): int((table.track_id == n).sum()) for n in set(table.track_id.tolist())}

    assert last == sum(hits >= result.min_hits for hits in seen.values())
    assert last < max(seen)


@pytest.mark.parametrize(("word", "group"), [("car", "cars"), ("people", "people")])
def test_csv_tracks_are_what_their_columns_say(run, result, word, group):
    """Defects A1 and A2: `track_id` is an id, `confidence` a confidence, and boxes are corners, truncated."""
    table = group_of(result, group).tracks
    found = rows(run, f"{word}_tracks.csv")

    assert len(found) == len(table) > 100
    for row, seq, track_id, box, confidence, class_id in zip(
        found, table.seq, table.track_id, table.xyxy, table.confidence, table.class_id, strict=True
    ):
        assert row["frame_id"] == f"frame_{seq:05d}"
        assert row["video_id"] == SEQUENCE
        assert int(row["track_id"]) == track_id
        assert [int(row[name]) for name in ("x1", "y1", "x2", "y2")] == [int(value) for value in box]
        assert float(row["confidence"]) == pytest.approx(confidence, abs=5e-5)
        assert int(row["class_id"]) == class_id
        assert result.labels[class_id] in {"cars": ("car", "van", "truck"), "people": ("person",)}[group]
    ids = {int(row["track_id"]) for row in found}
    assert min(ids) == 1
    assert len(ids) < len(found)


@pytest.mark.parametrize(("word", "group"), [("car", "cars"), ("people", "people")])
def test_csv_detections_begin_at_a_quarter(run, result, word, group):
    """The detector's threshold of system A; boxes from 0.1 reach the tracker alone (defect A7)."""
    table = group_of(result, group).detections
    found = rows(run, f"{word}_detections.csv")

    assert min(float(row["confidence"]) for row in found) >= 0.25
    assert len(found) == int((table.confidence >= 0.25).sum())
    assert 0.1 <= float(table.confidence.min()) < 0.25
    assert {row["label"] for row in found} <= {"car", "van", "truck", "person"}


def test_csv_tracks_hold_what_the_second_association_found(run):
    """Defect A7: it never fired."""
    weak = [
        row
        for word in ("car", "people")
        for row in rows(run, f"{word}_tracks.csv")
        if float(row["confidence"]) < 0.25
    ]

    assert len(weak) > 0


def test_csv_of_the_same_video_twice_is_the_same(sequence, run, tmp_path):
    """Defects A4 and A5: the second video works as the first, and its ids begin at 1 again."""
    second = tmp_path / "second" / SEQUENCE
    second.parent.mkdir()
    shutil.copytree(sequence, second)
    again = tracked(second, tmp_path / "out")

    for name in HEADERS:
        assert (again / "csv-a" / name).read_bytes() == (run / "csv-a" / name).read_bytes()


def test_csv_of_images_goes_by_frame_rate(sequence, tmp_path):
    """`FRAME_RATE`: pts_us = round(frame * 1e6 / FRAME_RATE)."""
    short = tmp_path / SEQUENCE
    short.mkdir()
    for path in sorted(sequence.iterdir())[:5]:
        shutil.copy(path, short)
    run = tracked(short, tmp_path / "out", fps="12.5")

    assert [row["timestamp"][17:26] for row in rows(run, "stats.csv")] == [
        f"{number * 0.08:09.6f}" for number in range(5)
    ]
