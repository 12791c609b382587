"""Motion of the camera, seen in boxes."""

import numpy as np
import pytest

from sightline.vision.motion import MIN_PAIRS, common_shift


def crowd(n: int) -> np.ndarray:
    """n boxes of 20 x 40 px, well apart."""
    corner = np.array([[150.0 * (i % 6), 150.0 * (i // 6)] for i in range(n)])
    return np.hstack([corner, corner + np.array([20, 40])])


def test_a_pan_is_found():
    """When every box moved by (15, -3) px, that is the shift."""
    boxes = crowd(12)

    assert common_shift(boxes, boxes + np.array([15, -3, 15, -3])) == pytest.approx([15, -3])


def test_one_object_of_its_own_does_not_disturb_a_pan():
    """The median carries."""
    boxes = crowd(13)
    moved = boxes + np.array([15, 0, 15, 0])
    moved[4] += [-20, 0, -20, 0]

    assert common_shift(boxes, moved) == pytest.approx([15, 0])


def test_objects_that_move_apart_are_no_pan():
    """Half to the left and half to the right: the spread is above the median."""
    boxes = crowd(12)
    way = np.where(np.arange(12) % 2, 8.0, -8.0)[:, None] * [1, 0, 1, 0]

    assert common_shift(boxes, boxes + way) is None


def test_a_tenth_of_a_box_is_left_to_overlap():
    """A shift of 2 px of 20 is not worth it, 2.1 px is."""
    boxes = crowd(12)

    assert common_shift(boxes, boxes + np.array([2, 0, 2, 0])) is None
    assert common_shift(boxes, boxes + np.array([2.1, 0, 2.1, 0])) == pytest.approx([2.1, 0])


@pytest.mark.parametrize(("tracks", "found"), [(0, 0), (MIN_PAIRS - 1, 20), (20, MIN_PAIRS - 1)])
def test_few_objects_prove_nothing(tracks, found):
    """Fewer than ten matches are no evidence."""
    boxes = crowd(20)

    assert common_shift(boxes[:tracks], boxes[:found] + 15) is None
