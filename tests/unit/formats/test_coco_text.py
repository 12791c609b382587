"""COCO JSON in: datasets and lists of results."""

import json

import pytest

from sightline.errors import InvalidFile
from sightline.formats import coco, coco_text
from sightline.formats.convert import Conversion, convert
from tests.unit.formats.jobs import job, written

DATASET = {
    "images": [
        {"id": 70, "file_name": "b.jpg", "width": 64, "height": 48},
        {"id": 20, "file_name": "a.jpg", "width": 64, "height": 48},
        {"id": 90, "file_name": "c.jpg", "width": 64, "height": 48},
    ],
    "categories": [{"id": 3, "name": "car"}, {"id": 1, "name": "person"}],
    "annotations": [
        {"id": 1, "image_id": 70, "category_id": 3, "bbox": [1, 2, 3, 4], "track_id": 7, "iscrowd": 0},
        {"id": 2, "image_id": 20, "category_id": 1, "bbox": [0.5, 0, 1, 1], "iscrowd": 1},
    ],
}


def changed(**changes):
    return json.dumps(DATASET | changes)


def test_pictures_without_a_number_are_frames_by_rank_of_their_id():
    """Names of categories are labels, a crowd is not judged, an id is an id where there is one."""
    found = coco_text.read(changed(), "a.json")

    assert found.frame.tolist() == [0, 1]
    assert found.label == ("person", "car")
    assert found.object_id.tolist() == [-1, 7]
    assert found.considered.tolist() == [False, True]
    assert found.xyxy.tolist() == [[0.5, 0, 1.5, 1], [1, 2, 4, 6]]


@pytest.mark.parametrize(("key", "first"), [("frame_id", 1), ("frame_index", 0)])
def test_numbers_of_frames_win_over_ranks(key, first):
    """As datasets of videos have them, from 1 or, where it is said, from 0."""
    images = [each | {key: number + first} for each, number in zip(DATASET["images"], (4, 0, 9), strict=True)]

    found = coco_text.read(changed(images=images), "a.json", first_frame=first)

    assert found.frame.tolist() == [0, 4]
    assert coco_text.pictures(changed(images=images), "a.json", first).frames == 10


@pytest.mark.parametrize("how", [Conversion(truth=True), Conversion(truth=True, width=64, height=48)])
def test_pictures_of_several_sizes_are_no_video(how):
    """Shares of a picture would be those of another one; a table of pixels needs no size."""
    images = [*DATASET["images"][:2], DATASET["images"][2] | {"width": 352}]

    with pytest.raises(InvalidFile, match=r"2 sizes \(64x48, 352x48\), yolo of a video has one"):
        convert(changed(images=images), "a.json", "yolo", how)
    assert "detections.csv" in written(convert(changed(images=images), "a.json", "csv", how))


def test_names_of_pictures_are_said_to_be_lost():
    """Labels of a trainer are numbered frames."""
    said = []

    convert(changed(), "a.json", "yolo", Conversion(truth=True), said.append)

    assert "file names of the pictures: yolo numbers them" in said[0]


def test_size_and_number_of_pictures_come_from_the_dataset():
    """The last picture holds nothing, and is a frame all the same."""
    files = written(convert(changed(), "a.json", "yolo", Conversion(truth=True)))

    assert sorted(path for path in files if "/labels/" in path) == [
        f"yolo/labels/a/{number:06d}.txt" for number in (1, 2, 3)
    ]
    assert files["yolo/labels/a/000002.txt"] == "0 0.039062 0.083333 0.046875 0.083333\n"


def test_ids_of_objects_are_found_where_tools_put_them():
    """CVAT keeps them among attributes."""
    annotation = {"image_id": 70, "category_id": 3, "bbox": [1, 2, 3, 4], "attributes": {"track_id": 5}}

    assert coco_text.read(changed(annotations=[annotation]), "a.json").object_id.tolist() == [5]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "not JSON"),
        ('{"a": 1}', "not COCO"),
        ("[1]", "result 1 is not an object"),
        ('[{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3]}]', r"result 1: bbox is \[1, 2, 3\]"),
        ('[{"image_id": 1, "category_id": 1, "bbox": [1, 2, -3, 4]}]', "width and height of 0 or more"),
        ('[{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 1e999]}]', "bbox|JSON"),
        ('[{"image_id": "x", "category_id": 1, "bbox": [1, 2, 3, 4]}]', "image_id is 'x'"),
        ('[{"image_id": 0, "category_id": 1, "bbox": [1, 2, 3, 4]}]', "first_frame=0"),
        ('[{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "score": null}]', "score is None"),
        (changed(categories=[{"id": 1, "name": "person"}]), "category_id 3 is not in its categories"),
        (changed(images=DATASET["images"][:1]), "image_id 20 is not in its images"),
        (changed(images=DATASET["images"] * 2), "two images have one id"),
        (changed(images=[{"id": 20, "video_id": 1}, {"id": 70, "video_id": 2}]), "2 videos"),
    ],
)
def test_what_is_not_coco_is_refused_by_entry(text, reason):
    """Not a traceback, and not silence."""
    with pytest.raises(InvalidFile, match=reason):
        coco_text.read(text, "a.json")


@pytest.mark.parametrize("target", ["coco", "coco-dataset"])
def test_what_we_write_is_read_again(target):
    """Frames with their numbers, ids unique over groups, labels where the format has them."""
    writer = {"coco": coco.files, "coco-dataset": coco.dataset_files}[target]
    [text] = written(writer(job())).values()

    found = coco_text.read(text, "a.json")

    assert found.frame.tolist() == [0, 0, 10, 10]
    assert found.object_id.tolist() == [4, 10, 4, 3]
    if target == "coco-dataset":
        assert found.label == ("car", "bus", "car", "person")
    else:
        assert found.label == ("category 2", "category 3", "category 2", "category 1")


def test_a_dataset_becomes_a_job_of_its_size():
    """So every format can be made of it."""
    [text] = written(coco.dataset_files(job())).values()

    again = written(convert(text, "street.json", "coco-dataset", Conversion(groups={})))["coco-dataset.json"]

    assert [(each["width"], each["height"]) for each in json.loads(again)["images"]] == [(64, 48)] * 11
