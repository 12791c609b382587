"""Boxes of which two are one object."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sightline.vision.doubles import doubled, merged, strongest
from tests.laws.tracker_scenes import found

CAR, TRUCK = 0, 7


def test_a_car_and_a_truck_in_one_place_are_one_vehicle():
    """Suppression in a detector is by class; the surer box stays."""
    boxes = found((0, 0, 40, 30, 0.4, TRUCK), (1, 0, 41, 30, 0.7, CAR), (100, 0, 140, 30, 0.5, CAR))

    kept = merged(boxes)

    assert kept.class_id.tolist() == [CAR, CAR]
    assert kept.confidence.tolist() == [0.7, 0.5]


def test_a_cab_within_a_truck_is_no_second_vehicle():
    """It overlaps little of the truck, but lies in it."""
    boxes = found((0, 0, 100, 60, 0.6, TRUCK), (60, 10, 99, 58, 0.5, CAR))

    assert merged(boxes).class_id.tolist() == [TRUCK]


def test_of_one_class_the_detector_has_spoken():
    """Two people close together stay two."""
    boxes = found((0, 0, 20, 60, 0.9), (6, 0, 26, 60, 0.8))

    assert merged(boxes) is boxes


def test_who_goes_takes_nobody_along():
    """B is a double of A and C one of B, but not of A: A and C stay."""
    xyxy = np.array([[0.0, 0, 10, 10], [3, 0, 13, 10], [6, 0, 16, 10]])

    assert strongest(xyxy, np.array([0.9, 0.8, 0.7])).tolist() == [True, False, True]


def test_doubles_of_others():
    """Which of these boxes are one object with one of those."""
    xyxy = np.array([[0.0, 0, 10, 10], [50, 50, 60, 60]])

    assert doubled(xyxy, np.array([[1.0, 0, 11, 10]])).tolist() == [True, False]
    assert doubled(xyxy, np.empty((0, 4))).tolist() == [False, False]


@given(
    st.lists(
        st.tuples(
            st.integers(0, 30), st.integers(0, 30), st.integers(1, 20), st.integers(1, 20), st.floats(0, 1)
        ),
        max_size=8,
    )
)
def test_every_box_that_goes_is_a_double_of_a_surer_one_that_stays(rows):
    """And no two that stay are doubles."""
    xyxy = np.array([[x, y, x + w, y + h] for x, y, w, h, _ in rows], float).reshape(-1, 4)
    confidence = np.array([row[4] for row in rows])

    keep = strongest(xyxy, confidence)

    for at in (~keep).nonzero()[0]:
        others = keep & (confidence >= confidence[at])
        assert doubled(xyxy[at : at + 1], xyxy[others]).all()
    for at in keep.nonzero()[0]:
        others = keep.copy()
        others[at] = False
        assert not doubled(xyxy[at : at + 1], xyxy[others]).any()
