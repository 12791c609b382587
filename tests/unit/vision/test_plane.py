"""From the picture to metres by four points."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sightline.speeds import Plane
from sightline.vision.plane import PICTURE, homographies

ROAD = Plane(((500, 200), (780, 200), (1100, 650), (200, 650)), ((0, 60), (10, 60), (10, 8), (0, 8)), "px")
PLACES = st.tuples(st.floats(-5, 15), st.floats(8, 200))


def test_the_four_points_are_where_they_were_said_to_be():
    exact, _ = homographies(ROAD, 1280, 720)

    np.testing.assert_allclose(exact.to_metres(np.array(ROAD.points)), ROAD.metres, atol=1e-9)
    assert exact.before(np.array(ROAD.points)).all()


@given(st.lists(PLACES, min_size=1, max_size=9))
def test_what_lies_before_the_camera_goes_there_and_back(places):
    """And the slope says where a step of a hundredth of a pixel leads."""
    exact, _ = homographies(ROAD, 1280, 720)
    metres = np.array(places)
    pixels = exact.to_pixels(metres)

    np.testing.assert_allclose(exact.to_metres(pixels), metres, rtol=1e-6, atol=1e-6)
    assert exact.before(pixels).all()
    step = np.array((0.01, -0.005))
    here, there = exact.to_metres(pixels), exact.to_metres(pixels + step)
    np.testing.assert_allclose(exact.slope(pixels) @ step, there - here, rtol=1e-2, atol=1e-6)


def test_the_sky_is_not_before_the_camera():
    """Above the horizon, where the road's edges meet."""
    exact, _ = homographies(ROAD, 1280, 720)

    assert not exact.before(np.array([(640.0, -10.0), (100.0, -500.0)])).any()


def test_each_coordinate_of_the_points_may_be_off():
    """Eight pairs, each off by as much to either side; none where points are exact."""
    exact, near = homographies(ROAD, 1280, 720)
    points = np.array(ROAD.points)

    assert len(near) == 8
    for number, (less, more) in enumerate(near):
        wrong = np.zeros(8)
        wrong[number] = ROAD.error_px
        for each, sign in ((less, -1), (more, 1)):
            np.testing.assert_allclose(
                each.to_metres(points + sign * wrong.reshape(4, 2)), ROAD.metres, atol=1e-9
            )
    sure = Plane(ROAD.points, ROAD.metres, "px", error_px=0)
    assert homographies(sure, 1280, 720)[1] == []
    np.testing.assert_array_equal(homographies(sure, 1280, 720)[0].matrix, exact.matrix)


def test_without_a_plane_everything_stays_in_pixels():
    points = np.array([(3.0, 4.0), (-1.0, 900.0)])

    assert PICTURE.before(points).all()
    np.testing.assert_array_equal(PICTURE.to_metres(points), points)
    np.testing.assert_array_equal(PICTURE.slope(points), [np.eye(2)] * 2)
