"""What a finished job looks like in each format."""

import csv
import io
import json
import re
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given

from sightline.errors import Misconfigured
from sightline.events import Native
from sightline.formats import coco, csv_a, json_b, mot, ndjson, tables, visdrone
from sightline.formats.registry import FORMATS, WRITERS, writer
from sightline.types import FrameTable, GroupResult, Origin, TrackTable
from tests.unit.formats.jobs import FOUND_CARS, LABELS, job, jobs, written


def test_mot_has_a_folder_per_group_and_frames_from_1():
    """There is no class column, so each group has its own file; a frame without tracks has no row."""
    assert written(mot.files(job())) == {
        "mot/cars/street.txt": "1,2,10.500,20.000,19.500,20.000,0.9000,-1,-1,-1\n"
        "1,5,-1.500,0.000,9.500,8.250,0.5000,-1,-1,-1\n"
        "11,2,12.000,20.000,20.000,20.000,0.8000,-1,-1,-1\n",
        "mot/people/street.txt": "11,1,0.000,0.000,1.000,2.000,0.7000,-1,-1,-1\n",
    }


def test_mot_is_for_tracked_runs_only():
    """Without a tracker there is nothing that MOT could hold."""
    assert written(mot.files(job(tracked=False))) == {}


def test_visdrone_makes_ids_unique_over_groups():
    """One file for all groups: id = track id times number of groups plus place; categories by label."""
    assert written(visdrone.files(job())) == {
        "visdrone/street.txt": "1,4,10.500,20.000,19.500,20.000,0.9000,4,-1,-1\n"
        "1,10,-1.500,0.000,9.500,8.250,0.5000,9,-1,-1\n"
        "11,4,12.000,20.000,20.000,20.000,0.8000,4,-1,-1\n"
        "11,3,0.000,0.000,1.000,2.000,0.7000,1,-1,-1\n"
    }


def test_visdrone_gives_detections_the_id_minus_1():
    """A job without a tracker is written as detections."""
    lines = written(visdrone.files(job(tracked=False)))["visdrone/street.txt"].splitlines()

    assert [line.split(",")[1] for line in lines] == ["-1"] * 4


def test_csv_tables_have_the_columns_of_parquet():
    """Detections leave id and origin empty; tracks say how each box came about."""
    files = written(tables.files(job()))

    assert files == {
        "detections.csv": "video_id,frame,seq,pts_us,group,track_id,class_id,label,x1,y1,x2,y2,confidence,origin\n"
        "street,0,0,0,cars,,1,car,10.500,20.000,30.000,40.000,0.9000,\n"
        "street,0,0,0,cars,,2,bus,-1.500,0.000,8.000,8.250,0.2000,\n"
        "street,10,2,400000,cars,,1,car,12.000,20.000,32.000,40.000,0.8000,\n"
        "street,10,2,400000,people,,0,person,0.000,0.000,1.000,2.000,0.7000,\n",
        "tracks.csv": "video_id,frame,seq,pts_us,group,track_id,class_id,label,x1,y1,x2,y2,confidence,origin\n"
        "street,0,0,0,cars,2,1,car,10.500,20.000,30.000,40.000,0.9000,high\n"
        "street,0,0,0,cars,5,2,bus,-1.500,0.000,8.000,8.250,0.5000,low\n"
        "street,10,2,400000,cars,2,1,car,12.000,20.000,32.000,40.000,0.8000,interpolated\n"
        "street,10,2,400000,people,1,0,person,0.000,0.000,1.000,2.000,0.7000,birth\n",
    }


def test_csv_of_a_job_without_tracker_has_detections_only():
    """No empty table of tracks claims that there were none."""
    assert list(written(tables.files(job(tracked=False)))) == ["detections.csv"]


def test_csv_a_keeps_the_five_files_and_says_what_their_columns_say():
    """Integers truncated towards zero, detections from the job's threshold, a timestamp from the frame's time."""
    files = written(csv_a.files(job(created_at_us=1_700_000_000_000_000)))

    assert files == {
        "csv-a/car_detections.csv": "frame_id,video_id,timestamp,label,confidence,x1,y1,x2,y2\n"
        "frame_00000,street,2023-11-14T22:13:20.000000+00:00,car,0.9000,10,20,30,40\n"
        "frame_00010,street,2023-11-14T22:13:20.400000+00:00,car,0.8000,12,20,32,40\n",
        "csv-a/people_detections.csv": "frame_id,video_id,timestamp,label,confidence,x1,y1,x2,y2\n"
        "frame_00010,street,2023-11-14T22:13:20.400000+00:00,person,0.7000,0,0,1,2\n",
        "csv-a/car_tracks.csv": "frame_id,video_id,timestamp,track_id,x1,y1,x2,y2,confidence,class_id\n"
        "frame_00000,street,2023-11-14T22:13:20.000000+00:00,2,10,20,30,40,0.9000,1\n"
        "frame_00000,street,2023-11-14T22:13:20.000000+00:00,5,-1,0,8,8,0.5000,2\n"
        "frame_00010,street,2023-11-14T22:13:20.400000+00:00,2,12,20,32,40,0.8000,1\n",
        "csv-a/people_tracks.csv": "frame_id,video_id,timestamp,track_id,x1,y1,x2,y2,confidence,class_id\n"
        "frame_00010,street,2023-11-14T22:13:20.400000+00:00,1,0,0,1,2,0.7000,0\n",
        "csv-a/stats.csv": "timestamp,num_cars,num_people\n"
        "2023-11-14T22:13:20.000000+00:00,0,0\n"
        "2023-11-14T22:13:20.200000+00:00,1,0\n"
        "2023-11-14T22:13:20.400000+00:00,2,1\n",
    }


def test_csv_a_is_for_cars_and_people_only():
    """Other groups have no place in these files; a group that is missing has no file and counts 0."""
    objects = GroupResult("objects", (0, 1, 2), FOUND_CARS)

    cars = written(csv_a.files(job(only=("cars",))))

    assert written(csv_a.files(job(groups=(objects,)))) == {}
    assert list(cars) == ["csv-a/car_detections.csv", "csv-a/car_tracks.csv", "csv-a/stats.csv"]
    assert cars["csv-a/stats.csv"].endswith(",2,0\n")


def test_csv_a_of_a_job_without_tracker_has_detections_only():
    """Nobody was counted, so nothing says 0."""
    files = written(csv_a.files(job(tracked=False)))

    assert list(files) == ["csv-a/car_detections.csv", "csv-a/people_detections.csv"]


def test_json_b_has_an_item_per_sampled_frame():
    """Empty and failed frames are items too; objects by falling confidence, ids unique over groups."""
    text = written(json_b.files(job()))["result.json"]

    assert text == (
        '[{"frame":0,"objects":[{"class":"car","box":[10,20,30,40],"conf":0.9000,"track_id":4},'
        '{"class":"bus","box":[-1,0,8,8],"conf":0.5000,"track_id":10}]},'
        '{"frame":5,"objects":[],"outcome":"failed","reason":"truncated"},'
        '{"frame":10,"objects":[{"class":"car","box":[12,20,32,40],"conf":0.8000,"track_id":4},'
        '{"class":"person","box":[0,0,1,2],"conf":0.7000,"track_id":3}]}]'
    )


def test_json_b_of_a_job_without_tracker_holds_detections_above_the_threshold():
    """The bus of confidence 0.2 is below 0.25; nobody has a track id."""
    frames = json.loads(written(json_b.files(job(tracked=False)))["result.json"])

    assert frames[0] == {"frame": 0, "objects": [{"class": "car", "box": [10, 20, 30, 40], "conf": 0.9}]}
    assert [item["class"] for item in frames[2]["objects"]] == ["car", "person"]


def test_json_b_of_no_frames_is_an_empty_array():
    """It is still JSON."""
    empty = job(frames=FrameTable([], [], (), ()), groups=())

    assert written(json_b.files(empty)) == {"result.json": "[]"}


def test_ndjson_lines_are_records_of_the_log():
    """A line per frame and group, failed frames too, that the native codec reads."""
    lines = written(ndjson.files(job()))["tracks.ndjson"].splitlines()

    records = [Native().decode(line.encode()) for line in lines]
    assert [(record.seq, record.stream) for record in records] == [
        (seq, stream) for seq in range(3) for stream in ("tracks:cars", "tracks:people")
    ]
    assert [len(record.tracks) for record in records] == [2, 0, 0, 0, 1, 1]
    assert (records[2].outcome, records[2].reason) == ("failed", "truncated")
    assert records[0].tracks.xyxy.tolist() == [[10.5, 20, 30, 40], [-1.5, 0, 8, 8.25]]


def test_coco_results_count_images_from_1():
    """Boxes are x, y, width, height; categories class_id + 1."""
    found = json.loads(written(coco.files(job()))["coco.json"])

    assert found[0] == {
        "image_id": 1,
        "category_id": 2,
        "bbox": [10.5, 20, 19.5, 20],
        "score": 0.9,
        "track_id": 4,
    }
    assert [item["image_id"] for item in found] == [1, 1, 11, 11]
    assert "track_id" not in json.loads(written(coco.files(job(tracked=False)))["coco.json"])[0]


def test_coco_dataset_is_whole():
    """Every frame is an image, every annotation has an area and a number from 1, every category a name."""
    dataset = json.loads(written(coco.dataset_files(job()))["coco-dataset.json"])

    assert [image["id"] for image in dataset["images"]] == [1, 6, 11]
    assert dataset["images"][0] == {
        "id": 1,
        "file_name": "street/000001.jpg",
        "width": 64,
        "height": 48,
        "frame_id": 1,
    }
    assert dataset["categories"] == [{"id": n + 1, "name": label} for n, label in enumerate(LABELS)]
    assert [item["id"] for item in dataset["annotations"]] == [1, 2, 3, 4]
    assert dataset["annotations"][0] == {
        "id": 1,
        "image_id": 1,
        "category_id": 2,
        "bbox": [10.5, 20, 19.5, 20],
        "area": 390,
        "iscrowd": 0,
        "track_id": 4,
    }


def test_models_of_coco_get_its_official_category_ids():
    """80 classes, numbers 1 to 90 with the gaps of the published annotations."""
    official = coco.category_ids(coco.COCO_LABELS)

    assert len(set(official)) == 80
    assert {
        label: official[coco.COCO_LABELS.index(label)]
        for label in ("person", "car", "stop sign", "bench", "cat")
    } == {"person": 1, "car": 3, "stop sign": 13, "bench": 15, "cat": 17}
    assert official[coco.COCO_LABELS.index("toothbrush")] == 90
    darknet = tuple(
        {"motorcycle": "motorbike", "tv": "tvmonitor"}.get(word, word) for word in coco.COCO_LABELS
    )
    assert coco.category_ids(darknet) == official


def test_an_unknown_format_is_named_with_those_there_are():
    """The message is the way out."""
    with pytest.raises(Misconfigured, match="no format 'xml'; there are mot, csv"):
        writer("xml")


def test_names_of_videos_become_single_parts_of_a_path():
    """A video id with slashes cannot leave the run folder."""
    paths = [path for name in FORMATS for path in written(WRITERS[name](job(video_id="../../etc/x")))]

    assert not [path for path in paths if ".." in path.split("/")]
    assert "visdrone/_._.._etc_x.txt" in paths


@given(jobs())
def test_writers_repeat_their_bytes_and_never_write_a_negative_zero(result):
    """The same job gives the same bytes, however often it is asked; no two formats write the same path."""
    once, again = (
        [file for name in FORMATS for file in written(WRITERS[name](result)).items()] for _ in "12"
    )

    assert once == again
    assert len({path for path, _ in once}) == len(once)
    once = dict(once)
    assert not [text for text in once.values() if re.search(r"(?<![\d.])-0(\.0*)?(?![\d.])", text)]


@given(jobs())
def test_csv_rows_hold_what_the_job_holds(result):
    """Every row of every group is there, in order, with its box to 3 decimals."""
    files = written(tables.files(result))
    for path, which in (("detections.csv", "detections"), ("tracks.csv", "tracks")):
        if path not in files:
            assert all(group.tracks is None for group in result.groups)
            continue
        rows = list(csv.DictReader(io.StringIO(files[path])))

        keys = [
            (int(r["seq"]), [g.name for g in result.groups].index(r["group"]), int(r["track_id"] or 0))
            for r in rows
        ]
        assert keys == sorted(keys)
        for group in result.groups:
            mine = [r for r in rows if r["group"] == group.name]
            held = getattr(group, which)
            assert [int(r["seq"]) for r in mine] == held.seq.tolist()
            assert [r["label"] for r in mine] == [result.labels[k] for k in held.class_id.tolist()]
            boxes = np.array([[float(r[c]) for c in ("x1", "y1", "x2", "y2")] for r in mine]).reshape(-1, 4)
            assert np.allclose(boxes, held.xyxy, atol=0.000_501, rtol=0)
        assert {r["video_id"] for r in rows} <= {result.video_id}


@given(jobs())
def test_json_formats_are_json_with_falling_confidence(result):
    """Whatever the labels and reasons are."""
    frames = json.loads(written(json_b.files(result))["result.json"])
    dataset = json.loads(written(coco.dataset_files(result))["coco-dataset.json"])
    found = json.loads(written(coco.files(result))["coco.json"])

    assert [item["frame"] for item in frames] == result.frames.frame.tolist()
    assert [item.get("outcome", "ok") for item in frames] == list(result.frames.outcome)
    for item in frames:
        confidences = [thing["conf"] for thing in item["objects"]]
        assert confidences == sorted(confidences, reverse=True)
    assert len(dataset["annotations"]) == len(found)


@given(jobs())
def test_ids_of_result_files_can_be_turned_back(result):
    """id // G is the track id, id % G the group."""
    text = written(visdrone.files(result))[f"visdrone/{visdrone.file_name(result.video_id)}.txt"]
    ids = [int(line.split(",")[1]) for line in text.splitlines()]
    groups = len(result.groups)
    if result.groups[0].tracks is None:
        assert set(ids) <= {-1}
        return

    back = sorted((number % groups, number // groups) for number in ids)

    assert back == sorted(
        (g, i) for g, group in enumerate(result.groups) for i in group.tracks.track_id.tolist()
    )


def test_a_long_job_is_written_in_bounded_chunks():
    """Chunks stay near 1 MiB, so memory does not grow with the job."""
    n = 40_000
    rows = TrackTable(
        np.arange(n) // 10,
        np.arange(n) % 10 + 1,
        np.zeros(n, np.int64),
        np.tile([1.0, 2, 3, 4], (n, 1)),
        np.full(n, 0.5),
        np.full(n, Origin.HIGH),
    )
    frame = np.arange(n // 10)
    long = job(
        frames=FrameTable(frame, frame * 1000, ("ok",) * len(frame), ("",) * len(frame)),
        groups=(GroupResult("people", (0,), rows, rows, len(rows), frame),),
        rate=Fraction(30),
    )

    sizes = {
        name: [len(chunk) for _, content in WRITERS[name](long) for chunk in content] for name in FORMATS
    }

    assert max(max(found) for found in sizes.values()) < 3 << 20
    assert len(sizes["csv"]) > 2


def test_births_are_rows_like_others():
    """A refined track has its first box."""
    text = written(tables.files(job(only=("people",))))["tracks.csv"]

    assert text.splitlines()[1].endswith(",birth")
