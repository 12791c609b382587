"""What benchmarks judge, and what they leave out."""

import numpy as np
import pytest

from sightline.evaluation import VISDRONE_GROUPS, Boxes, Sequence, evaluate, mot_challenge, plain, visdrone
from tests.unit.evaluation.scenes import boxes

CARS, PEOPLE = (visdrone(VISDRONE_GROUPS[name]) for name in ("cars", "people"))


def sequence(truth, prediction):
    return Sequence("scene", truth, prediction)


def test_plain_judges_every_prediction_against_the_considered_truth():
    """A true box that is not considered is no truth, and finding it is wrong."""
    truth = boxes((0, 1, 0), (0, 2, 50), considered=[True, False])

    found = evaluate([sequence(truth, boxes((0, 1, 0), (0, 2, 50)))], plain).combined.figures()

    assert (found["FN"], found["FP"], found["true"]) == (0, 1, 1)


@pytest.mark.parametrize(
    ("benchmark", "class_id", "wrong"), [("MOT17", 6, 1), ("MOT20", 6, 0), ("MOT17", 8, 0)]
)
def test_finding_a_distractor_is_neither_right_nor_wrong(benchmark, class_id, wrong):
    """Vehicles without a motor are distractors in MOT20 only; the id was spent all the same."""
    truth = boxes((0, 1, 0), (0, 2, 50), class_id=[1, class_id], considered=[True, False])

    found = evaluate(
        [sequence(truth, boxes((0, 1, 0), (0, 2, 51)))], mot_challenge(benchmark)
    ).combined.figures()

    assert (found["FN"], found["FP"]) == (0, wrong)
    assert (found["true"], found["ids"]) == (1, 2)


def test_a_pedestrian_in_front_of_a_distractor_keeps_its_box():
    """The assignment looks at all true boxes: the better pair wins."""
    truth = boxes((0, 1, 0), (0, 2, 2), class_id=[1, 12], considered=[True, False])

    found = evaluate([sequence(truth, boxes((0, 1, 0)))], mot_challenge("MOT17")).combined.figures()

    assert (found["FN"], found["FP"]) == (0, 0)


def visdrone_scene(prediction, truth_rows=()):
    """A car at 0, an ignored region from 100 to 200, a person at 300."""
    base = [(0, 1, 0, 4, True), (0, 2, 300, 1, True), *truth_rows]
    frame, object_id, left, category, considered = zip(*base, strict=True)
    truth = boxes(*zip(frame, object_id, left, strict=True), class_id=category, considered=considered)
    region = Boxes.of([0], [0], [(100, 0, 200, 50)], [0], [False])
    whole = Boxes(
        *(np.concatenate([getattr(part, name) for part in (truth, region)]) for name in Boxes.__slots__)
    )
    return sequence(whole, prediction)


def test_visdrone_judges_a_group_at_a_time():
    """Predictions of other categories are left out; without categories they belong to the group."""
    known = boxes((0, 1, 0), (0, 2, 300), class_id=[5, 2])
    unknown = boxes((0, 1, 0))

    for prediction in (known, unknown):
        found = evaluate([visdrone_scene(prediction)], CARS).combined.figures()

        assert (found["FN"], found["FP"], found["MOTA"], found["true"], found["counted"]) == (0, 0, 1, 1, 1)
    assert evaluate([visdrone_scene(known)], PEOPLE).combined.figures()["MOTA"] == 1


def test_boxes_in_ignored_regions_are_left_out_on_both_sides():
    """Half of the area or more lies inside; the id is not counted as an object."""
    prediction = boxes((0, 1, 0), (0, 8, 95), (0, 9, 92), class_id=[4, 4, 4])
    scene = visdrone_scene(prediction, [(0, 5, 150, 4, True)])

    found = evaluate([scene], CARS).combined.figures()

    assert (found["FN"], found["FP"]) == (0, 1)
    assert (found["true"], found["counted"]) == (1, 2)


@pytest.mark.parametrize(("category", "considered"), [(4, False), (11, True), (11, False)])
def test_ignored_truth_and_others_are_neither_missed_nor_wrong(category, considered):
    """Score 0, or category 11."""
    extra = [(0, 7, 500, category, considered)]

    missed = evaluate([visdrone_scene(boxes((0, 1, 0)), extra)], CARS).combined.figures()
    found = evaluate([visdrone_scene(boxes((0, 1, 0), (0, 3, 501)), extra)], CARS).combined.figures()

    for figures in (missed, found):
        assert (figures["FN"], figures["FP"], figures["true"], figures["counted"]) == (0, 0, 1, 1)


def test_truth_of_another_group_does_not_excuse_a_prediction():
    """A car reported on a person is wrong."""
    found = evaluate(
        [visdrone_scene(boxes((0, 1, 0), (0, 2, 300), class_id=[4, 4]))], CARS
    ).combined.figures()

    assert found["FP"] == 1
