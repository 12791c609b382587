"""YOLO labels of a job."""

import pytest

from sightline.errors import Misconfigured
from sightline.formats import yolo
from tests.unit.formats.jobs import job, written


def test_every_frame_that_was_looked_at_has_labels():
    """Shares of the picture, numbers of frames from 1, boxes cut at its edge; a frame that failed has none."""
    files = written(yolo.files(job()))

    assert files["yolo/labels/street/000001.txt"] == (
        "1 0.316406 0.625000 0.304688 0.416667\n2 0.062500 0.085938 0.125000 0.171875\n"
    )
    assert "yolo/labels/street/000006.txt" not in files
    assert len(files["yolo/labels/street/000011.txt"].splitlines()) == 2


def test_classes_are_the_models():
    """By class id, in both files that trainers read."""
    files = written(yolo.files(job()))

    assert files["yolo/classes.txt"] == "person\ncar\nbus\n"
    assert files["yolo/data.yaml"].splitlines()[-3:] == ['  0: "person"', '  1: "car"', '  2: "bus"']


def test_detections_below_the_jobs_confidence_are_no_objects():
    """Where nothing was tracked."""
    files = written(yolo.files(job(tracked=False)))

    assert files["yolo/labels/street/000001.txt"].count("\n") == 1


def test_a_frame_without_objects_has_an_empty_file():
    """Trainers take it for a picture of nothing, one without a file for a mistake."""
    files = written(yolo.files(job(only=("people",))))

    assert files["yolo/labels/street/000001.txt"] == ""


def test_shares_need_the_size_of_the_picture():
    """A text of boxes does not say it."""
    with pytest.raises(Misconfigured, match="size="):
        list(yolo.files(job(width=0, height=0)))
