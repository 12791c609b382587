"""Motion of the camera, seen in boxes."""

import numpy as np
import pytest

from sightline.camera import IDENTITY, Motion
from sightline.vision.motion import MIN_TRACKS, common_shift, felt


def crowd(n: int) -> np.ndarray:
    """n boxes of 20 x 40 px, well apart and in no pattern."""
    corner = np.array(
        [[150.0 * (i % 6) + 11 * (i * i % 7), 150.0 * (i // 6) + 7 * (i * i % 5)] for i in range(n)]
    )
    return np.hstack([corner, corner + np.array([20, 40])])


def moved(boxes: np.ndarray, x: float, y: float) -> np.ndarray:
    return boxes + np.array([x, y, x, y])


@pytest.mark.parametrize("far", [15, 40, 90])
def test_a_pan_is_found(far):
    """Also one of several boxes, past which no box overlaps itself."""
    boxes = crowd(12)

    assert common_shift(boxes, moved(boxes, far, -3)) == pytest.approx([far, -3])


def test_nobody_looks_farther_than_four_sides():
    """28 px here."""
    boxes = crowd(12)

    assert common_shift(boxes, moved(boxes, 115, 0)) is None


def test_objects_of_their_own_do_not_disturb_a_pan():
    """Half of them may go elsewhere, come anew or be missed."""
    boxes = crowd(24)
    now = moved(boxes, 30, 0)
    now[1::4] += [-25, 9, -25, 9]

    assert common_shift(boxes[:22], now[2:]) == pytest.approx([30, 0])


def test_objects_that_go_two_ways_are_no_pan():
    """Neither way is that of more than half."""
    boxes = crowd(24)
    now = boxes.copy()
    now[:11], now[11:22] = moved(boxes[:11], 13, 0), moved(boxes[11:22], -13, 0)

    assert common_shift(boxes, now) is None


def test_where_many_stay_the_camera_stays():
    """More than two thirds of those that went one way are enough for that."""
    boxes = crowd(20)
    now = boxes.copy()
    now[:11] = moved(boxes[:11], 13, 0)

    assert common_shift(boxes, now) is None
    now[11] = moved(boxes[11], 13, 0)
    assert common_shift(boxes, now) == pytest.approx([13, 0])


def test_boxes_of_other_sizes_are_others():
    """They do not vote."""
    boxes = crowd(12)
    now = moved(boxes, 30, 0)
    now[:, 2:] += 8

    assert common_shift(boxes, now) is None


def test_a_tenth_of_a_box_is_left_to_overlap():
    """Whoever is predicted so well stayed."""
    boxes = crowd(12)

    assert common_shift(boxes, moved(boxes, 2, 0)) is None


@pytest.mark.parametrize(
    ("tracks", "found"), [(0, 0), (0, 20), (20, 0), (MIN_TRACKS - 1, 20), (20, MIN_TRACKS - 1)]
)
def test_few_objects_prove_nothing(tracks, found):
    """Fewer than ten of either."""
    boxes = crowd(20)

    assert common_shift(boxes[:tracks], moved(boxes[:found], 15, 15)) is None


def test_order_does_not_matter():
    """Of either."""
    boxes, order = crowd(20), np.random.default_rng(0).permutation(20)
    now = moved(boxes, 21, 5)
    now[::5] += [9, 0, 9, 0]

    assert common_shift(boxes[order], now[order[::-1]]) == pytest.approx(common_shift(boxes, now))


@pytest.mark.parametrize(
    ("motion", "is_felt"),
    [
        (Motion(1.0, 0.0, 2.5, 0.0), True),
        (Motion(1.0, 0.0, 0.0, -2.3), False),
        (Motion(1.003, 0.0, 0.0, 0.0), True),  # the far corner goes 3.6 px
        (Motion(1.0, 0.0015, 0.0, 0.0), False),
    ],
)
def test_what_is_felt_moves_a_corner(motion, is_felt):
    """At least 0.2 % of 960 px, 1.92 px, in 1/30 s: 2.4 px in 1/24 s."""
    assert felt(motion, 960, 720, 41_667) == (motion if is_felt else IDENTITY)
    assert felt(motion, 960, 720, 4_166_700) == IDENTITY


def test_what_is_not_known_stays_unknown():
    """Then boxes are asked."""
    assert felt(None, 960, 720, 40_000) is None
