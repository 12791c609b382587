"""Motions of a camera as maps of points."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.camera import IDENTITY, CameraPath, Motion, numbers_of

NEAR = {"rtol": 1e-9, "atol": 1e-6}
POINTS = np.array([[0.0, 0.0], [160.0, 0.0], [33.25, 71.5], [-20.0, 400.0]])
small = st.floats(-0.3, 0.3)
far = st.floats(-200, 200)
motions = st.builds(lambda a, b, x, y: Motion(1 + a, b, x, y), small, small, far, far)


def test_a_quarter_turn_goes_clockwise_as_seen():
    """Right becomes down, since y points down."""
    turn = Motion(0.0, 1.0, 0.0, 0.0)

    assert turn.apply(np.array([[1.0, 0.0], [0.0, 1.0]])).tolist() == [[0, 1], [-1, 0]]


def test_points_of_any_shape_are_moved():
    """None, one, or a table of corners."""
    shift = Motion(1.0, 0.0, 2.0, -1.0)

    assert shift.apply(np.empty((0, 2))).shape == (0, 2)
    assert shift.apply(np.array([5.0, 5.0])).tolist() == [7, 4]
    assert shift.apply(np.zeros((3, 4, 2))).shape == (3, 4, 2)


@given(motions, motions)
def test_one_motion_after_another_is_a_motion(first, second):
    """Its points are those of both in turn."""
    np.testing.assert_allclose(first.then(second).apply(POINTS), second.apply(first.apply(POINTS)), **NEAR)


@given(motions)
def test_the_inverse_leads_back(motion):
    """From either side."""
    np.testing.assert_allclose(motion.inverse().apply(motion.apply(POINTS)), POINTS, **NEAR)
    np.testing.assert_allclose(motion.apply(motion.inverse().apply(POINTS)), POINTS, **NEAR)


@given(motions, motions, motions)
def test_it_does_not_matter_which_two_are_joined_first(one, two, three):
    """So motions may be kept for several frames."""
    left, right = one.then(two).then(three), one.then(two.then(three))

    np.testing.assert_allclose(left.apply(POINTS), right.apply(POINTS), **NEAR)


@given(motions, st.sampled_from([0.5, 3.0, 4.0, 12.8]))
def test_in_a_larger_picture_the_same_points_are_moved(motion, factor):
    """Pixels of the look to pixels of the source."""
    np.testing.assert_allclose(
        motion.scaled(factor).apply(POINTS * factor), motion.apply(POINTS) * factor, **NEAR
    )


@pytest.mark.parametrize(
    ("motion", "scale", "farthest"),
    [
        (IDENTITY, 1.0, 0.0),
        (Motion(1.0, 0.0, 3.0, -4.0), 1.0, 5.0),
        (Motion(1.1, 0.0, 0.0, 0.0), 1.1, 0.1 * np.hypot(160, 90)),
        (Motion(0.0, 2.0, 0.0, 0.0), 2.0, np.sqrt(5) * np.hypot(160, 90)),
    ],
)
def test_scale_and_the_longest_way_of_a_corner(motion, scale, farthest):
    """What a tracker needs of a motion to know whether it matters."""
    assert motion.scale == pytest.approx(scale)
    assert motion.farthest(160, 90) == pytest.approx(farthest)


def test_only_the_identity_is_the_identity():
    """Not what comes near it."""
    assert IDENTITY.is_identity
    assert IDENTITY.then(IDENTITY).is_identity
    assert IDENTITY.inverse().is_identity
    assert IDENTITY.scaled(4).is_identity
    assert not Motion(1.0, 0.0, 2.0**-8, 0.0).is_identity


@given(st.lists(motions, min_size=1, max_size=4))
def test_the_farthest_of_a_path_is_that_of_its_places(places):
    path = CameraPath(np.array([numbers_of(place) for place in places]), np.zeros(len(places), np.int64))

    assert path.farthest(64, 36) == pytest.approx(max(place.farthest(64, 36) for place in places))
