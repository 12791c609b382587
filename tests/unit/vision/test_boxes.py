"""Overlap of boxes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sightline.vision.boxes import DENSE_PAIRS, area, iou, overlaps

NO_BOXES = np.empty((0, 4))


def boxes(least: int = 0, most: int = 12):
    """Valid boxes on a coarse grid, so that equal, touching and flat ones are common."""
    corners = hnp.arrays(
        np.float64, st.tuples(st.integers(least, most), st.just(4)), elements=st.integers(0, 12)
    )
    return corners.map(lambda c: np.hstack([np.minimum(c[:, :2], c[:, 2:]), np.maximum(c[:, :2], c[:, 2:])]))


def crowd(rng: np.random.Generator, n: int, width: float = 1000.0) -> np.ndarray:
    corner = rng.uniform(0, width, (n, 2))
    return np.hstack([corner, corner + rng.uniform(0, 60, (n, 2))])


def test_half_shifted_squares_share_a_third():
    """Two 2 x 2 squares one pixel apart share 2 of 6 square pixels."""
    assert iou(np.array([[0.0, 0, 2, 2]]), np.array([[1.0, 0, 3, 2]])) == pytest.approx(1 / 3)


def test_inclusive_pixels_are_one_wider():
    """With a margin of 1 the same squares are 3 x 3 and share 6 of 12."""
    assert iou(np.array([[0.0, 0, 2, 2]]), np.array([[1.0, 0, 3, 2]]), margin=1) == pytest.approx(0.5)


def test_flat_boxes_overlap_nothing():
    """A box without area has no overlap, not even with itself, and nothing divides by zero."""
    flat = np.array([[1.0, 1, 1, 5], [1, 1, 5, 1], [3, 3, 3, 3]])

    assert not iou(flat, flat).any()
    assert len(overlaps(flat, flat)[0]) == 0


@pytest.mark.parametrize(("a", "b"), [(0, 0), (0, 3), (3, 0)])
def test_no_boxes_give_an_empty_matrix(a, b):
    """The shape holds where a side is empty."""
    some = np.array([[0.0, 0, 1, 1]] * 3)

    assert iou(some[:a], some[:b]).shape == (a, b)
    assert [len(column) for column in overlaps(some[:a], some[:b])] == [0, 0, 0]


@given(boxes(), boxes(), st.sampled_from([0.0, 1.0]))
def test_overlap_is_symmetric_and_at_most_one(a, b, margin):
    """IoU lies in 0..1 and does not depend on the order of its arguments."""
    one, other = iou(a, b, margin), iou(b, a, margin)

    assert np.array_equal(one, other.T)
    assert ((one >= 0) & (one <= 1)).all()


@given(boxes(1))
def test_a_box_with_area_is_itself(a):
    """IoU with itself is 1."""
    assert (iou(a, a).diagonal()[area(a) > 0] == 1).all()


@given(boxes(), boxes(), st.sampled_from([0.0, 1.0]))
def test_pairs_are_the_non_zero_entries(a, b, margin):
    """The list of pairs says what the matrix says, in its order."""
    rows, columns, shared = overlaps(a, b, margin)

    matrix = iou(a, b, margin)
    total = area(a, margin)[rows] + area(b, margin)[columns] - shared
    assert np.array_equal(np.argwhere(matrix), np.column_stack([rows, columns]))
    assert np.array_equal(matrix[rows, columns], shared / total)


@pytest.mark.parametrize("margin", [0.0, 1.0])
@pytest.mark.parametrize("wide", [0, 5])
def test_sorting_one_axis_finds_the_same_pairs(margin, wide):
    """Above the limit for the matrix the same pairs come in the same order, also around very wide boxes."""
    rng = np.random.default_rng(3)
    a, b = crowd(rng, 120), crowd(rng, 130)
    b[:wide, 2] += 800
    assert len(a) * len(b) > DENSE_PAIRS

    rows, columns, _ = overlaps(a, b, margin)

    assert np.array_equal(np.argwhere(iou(a, b, margin)), np.column_stack([rows, columns]))
