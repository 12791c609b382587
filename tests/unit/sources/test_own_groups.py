"""Labels in no group of the pipeline: groups of their own, from the flag to the files."""

import json

import pytest

import sightline as sl
from tests.unit.scene import LABELS, images, see


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return images(tmp_path_factory.mktemp("source") / "street", 40)


def run(source, out, labels=LABELS, **options):
    return sl.track(source, detector=see, labels=labels, fps=25, out=out, workers=1, **options)


def test_a_label_that_is_asked_for_is_tracked_and_counted(source, tmp_path):
    """Beside the groups of the pipeline; its tracks are in the files of every format."""
    found = run(source, tmp_path, classes=["dog", "cars"], formats=["mot", "csv"])

    assert found.counts == {"car": 2, "dog": 1}
    assert [group.name for group in found.result.groups] == ["cars", "dog"]
    assert (found.path / "mot" / "dog" / "street.txt").read_text().count("\n") >= 30
    settings = json.loads((found.path / "run.json").read_bytes())["settings"]
    assert settings["groups"][1] == {"name": "dog", "labels": ["dog"]}


def test_a_function_with_labels_of_its_own_needs_no_pipeline_file(source, tmp_path):
    """Each label is a group, called so that it can name a folder; a loaded run is the same."""
    found = run(source, tmp_path, labels=["Hard hat", "вест", "x"])

    assert found.counts == {"Hard hat": 2, "x": 1}
    assert [group.name for group in found.result.groups] == ["hard-hat", "class-1", "x"]
    assert sl.load(found.path).counts == found.counts


def test_a_group_without_a_label_is_left_out_for_a_function(source, tmp_path):
    """A function of cars alone has no people to count."""
    found = run(source, tmp_path, labels=["car", "van", "truck"])

    assert [group.name for group in found.result.groups] == ["cars"]
