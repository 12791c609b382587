"""Detect: what was found in a picture becomes one record a group, in source pixels."""

import numpy as np
import pytest

from sightline.events import Detected, End, Native, Sampled
from sightline.stages.detect import Detect
from sightline.types import Detections, ImageSpec
from sightline.vision.letterbox import Letterbox

FRAME = Sampled("j", "frames:main", 3, 6, 240_000)
GROUPS = {"people": (1,), "cars": (0, 2)}


def found(*rows) -> Detections:
    """Rows x1, y1, x2, y2, confidence, class."""
    table = np.array(rows, float).reshape(-1, 6)
    return Detections(table[:, :4], table[:, 4], table[:, 5].astype(int))


def test_every_group_has_its_record_in_the_pipelines_order():
    """Boxes of its classes in the detector's order; classes of no group are not kept."""
    stage = Detect(None, GROUPS)

    people, cars = stage.found(
        FRAME, found((0, 0, 4, 4, 0.9, 2), (1, 0, 5, 4, 0.8, 1), (2, 0, 6, 4, 0.7, 0), (3, 0, 7, 4, 0.6, 9))
    )

    assert (people.stream, cars.stream) == ("detections:people", "detections:cars")
    assert people.detections.xyxy[:, 0].tolist() == [1]
    assert cars.detections.class_id.tolist() == [2, 0]
    assert (cars.seq, cars.frame, cars.pts_us, cars.outcome) == (3, 6, 240_000, "ok")


def test_a_frame_without_detections_is_a_record_too():
    """Nothing seen is an answer."""
    records = Detect(None, GROUPS).found(FRAME, Detections.empty())

    assert [len(record.detections) for record in records] == [0, 0]
    assert {record.outcome for record in records} == {"ok"}


def test_a_lost_frame_fails_in_every_group_with_its_reason():
    """So that no stream waits for it."""
    assert Detect(None, GROUPS).lost(FRAME, "undecodable") == [
        Detected("j", f"detections:{group}", 3, 6, 240_000, "failed", "undecodable") for group in GROUPS
    ]


def test_the_end_is_copied_to_every_group():
    """With the number of frames."""
    ends = Detect(None, GROUPS).ended(End("j", "frames:main", 7))

    assert ends == [End("j", "detections:people", 7), End("j", "detections:cars", 7)]


def test_boxes_are_rounded_to_a_64th_pixel_and_confidences_to_a_10000th():
    """Once: what is rounded stays as it is, in JSON too; no confidence falls to 0 or rises above 1."""
    stage = Detect(None, {"cars": (0,)})

    (record,) = stage.found(FRAME, found((0.1, 0.2, 9.99, 9.49, 0.87654321, 0), (0, 0, 2, 2, 1e-9, 0)))
    (again,) = stage.found(FRAME, record.detections)

    assert record.detections.xyxy[0].tolist() == [6 / 64, 13 / 64, 639 / 64, 607 / 64]
    assert record.detections.confidence.tolist() == [0.8765, 0.0001]
    assert again == record
    assert Native().decode(Native().encode(record)) == record


def test_detections_made_elsewhere_keep_every_bit():
    """Off for text of detections."""
    (record,) = Detect(None, {"cars": (0,)}, quantised=False).found(
        FRAME, found((0.1, 0.2, 9.99, 9.49, 0.87654321, 0))
    )

    assert record.detections.xyxy[0].tolist() == [0.1, 0.2, 9.99, 9.49]
    assert record.detections.confidence.tolist() == [0.87654321]


def test_boxes_come_back_from_the_picture_to_the_source_and_stay_inside():
    """A frame of 640 x 360 in a picture of 320 x 320 was halved and padded by 70 pixels."""
    stage = Detect(Letterbox.fit(640, 360, ImageSpec(320, 320)), {"cars": (0,)})

    (record,) = stage.found(FRAME, found((10, 80, 20, 90, 0.9, 0), (-5, 60, 330, 300, 0.8, 0)))

    assert record.detections.xyxy.tolist() == [[20, 20, 40, 40], [0, 0, 640, 360]]


@pytest.mark.parametrize("box", [(4, 4, 4, 9), (4, 4, 9, 4), (4, 4, 4.001, 9)])
def test_a_box_without_area_is_no_detection(box):
    """Also where rounding took the area."""
    (record,) = Detect(None, {"cars": (0,)}).found(FRAME, found((*box, 0.9, 0), (0, 0, 1, 1, 0.8, 0)))

    assert record.detections.confidence.tolist() == [0.8]


def test_a_remark_travels_with_an_ok_frame():
    """Where the picture changed its size, the result must say so."""
    (record,) = Detect(None, {"cars": (0,)}).found(FRAME, Detections.empty(), "size_change")

    assert (record.outcome, record.reason) == ("ok", "size_change")
