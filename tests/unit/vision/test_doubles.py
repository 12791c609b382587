"""Boxes of which two are one object."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sightline.vision.doubles import merged, same

CAR, TRUCK = 0, 7


def kept(*rows):
    """Which of rows x1, y1, x2, y2, confidence, class stay."""
    table = np.array(rows, float).reshape(-1, 6)
    keep, _ = merged(table[:, :4], table[:, 4], table[:, 5].astype(np.int64))
    return [True] * len(table) if keep is None else keep.tolist()


def test_a_car_and_a_truck_in_one_place_are_one_vehicle():
    """Suppression in a detector is by class; the surer box stays."""
    boxes = (0, 0, 40, 30, 0.4, TRUCK), (1, 0, 41, 30, 0.7, CAR), (100, 0, 140, 30, 0.5, CAR)

    assert kept(*boxes) == [False, True, True]


def test_a_cab_within_a_truck_is_no_second_vehicle():
    """It overlaps little of the truck, but lies in it."""
    assert kept((0, 0, 100, 60, 0.6, TRUCK), (60, 10, 99, 58, 0.5, CAR)) == [True, False]


def test_of_one_class_the_detector_has_spoken():
    """Two people close together stay two."""
    assert kept((0, 0, 20, 60, 0.9, 0), (6, 0, 26, 60, 0.8, 0)) == [True, True]


def test_who_goes_takes_nobody_along():
    """B is a double of A and C one of B, but not of A: A and C stay."""
    boxes = (0, 0, 10, 10, 0.9, CAR), (3, 0, 13, 10, 0.8, TRUCK), (6, 0, 16, 10, 0.7, CAR)

    assert kept(*boxes) == [True, False, True]


def test_pairs_of_doubles():
    """Which of these boxes are one object with which of those."""
    xyxy = np.array([[0.0, 0, 10, 10], [50, 50, 60, 60]])

    assert [each.tolist() for each in same(xyxy, np.array([[1.0, 0, 11, 10]]))] == [[0], [0]]
    assert [each.tolist() for each in same(xyxy, np.empty((0, 4)))] == [[], []]


@given(
    st.lists(
        st.tuples(
            st.integers(0, 30),
            st.integers(0, 30),
            st.integers(1, 20),
            st.integers(1, 20),
            st.floats(0, 1),
            st.sampled_from([CAR, TRUCK]),
        ),
        max_size=8,
    )
)
def test_every_box_that_goes_is_a_double_of_a_surer_one_that_stays(rows):
    """And no two of different classes that stay are doubles."""
    table = np.array([(x, y, x + w, y + h, c, k) for x, y, w, h, c, k in rows], float).reshape(-1, 6)

    keep = np.array(kept(*table.tolist()), bool)

    pairs = set(zip(*(each.tolist() for each in same(table[:, :4], table[:, :4])), strict=True))
    unlike = {(a, b) for a, b in pairs if table[a, 5] != table[b, 5]}
    for at in (~keep).nonzero()[0].tolist():
        assert any(
            (at, other) in unlike and table[other, 4] >= table[at, 4] for other in keep.nonzero()[0].tolist()
        )
    assert not any(keep[a] and keep[b] for a, b in unlike)
