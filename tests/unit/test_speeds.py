"""The plane that tells metres: four points, or the lengths between them."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.errors import Misconfigured
from sightline.speeds import Plane, corners_of

SQUARE = ((0, 0), (10, 0), (10, 10), (0, 10))


def test_points_are_floats_and_in_pixels_of_any_picture():
    """In parts of the picture by themselves."""
    plane = Plane(((0.1, 0.2), (0.9, 0.2), (0.9, 0.8), (0.1, 0.8)), SQUARE)

    assert plane.pixels(100, 50)[0] == (10.0, 10.0)
    assert plane.metres[1] == (10.0, 0.0)
    assert Plane(SQUARE, SQUARE, "px").pixels(100, 50) == plane.metres


@pytest.mark.parametrize(
    ("points", "says"),
    [
        (SQUARE[:3], "3 (points|metres), expected four"),
        (((0, 0), (1, 0), (2, 0), (0, 2)), r"\(0.0, 0.0\), \(1.0, 0.0\) and \(2.0, 0.0\) lie in a line"),
        (((0, 0), (0, 0), (2, 2), (0, 2)), "lie in a line"),
        ((SQUARE[0], SQUARE[2], SQUARE[1], SQUARE[3]), "not in the order of a quadrangle"),
        (((0, 0), (10, 0), (2, 2), (0, 10)), "without a dent"),
        (((0, 0), (10, 0), (math.nan, 2), (0, 10)), "not four pairs of numbers"),
        (((0, 0), (10, 0), (2, 2, 2), (0, 10)), "not four pairs of numbers"),
        (((0, 0), (1e300, 0), (1e300, 10), (0, 10)), "too far away: 10,000,000 at most"),
        (((0, 0), (1e-9, 0), (1e-9, 1e-9), (0, 1e-9)), "as good as one point"),
    ],
)
@pytest.mark.parametrize("kind", ["points", "metres"])
def test_four_points_that_tell_no_plane(kind, points, says):
    """In the picture or in metres; the message says which and what to do."""
    given = {"points": SQUARE, "metres": SQUARE} | {kind: points}

    with pytest.raises(Misconfigured, match=f"{kind}.*{says}|{says}"):
        Plane(**given, unit="px")


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"unit": "feet"}, "unit 'feet', expected norm"),
        ({"frame": -1}, "frame -1; give the number"),
        ({"error_px": -1}, "error_px -1; give pixels"),
        ({"error_px": "2"}, "error_px '2'"),
    ],
)
def test_what_else_makes_no_plane(more, says):
    with pytest.raises(Misconfigured, match=says):
        Plane(SQUARE, SQUARE, **more)


def test_order_may_go_round_either_way():
    """Metres have y up, pictures down; who mirrors one of them gets the same speeds."""
    assert Plane(SQUARE, SQUARE[::-1], "px").metres == tuple((float(x), float(y)) for x, y in SQUARE[::-1])


TIPS = st.tuples(st.floats(-1, 2), st.floats(0.1, 2))


@given(st.floats(1, 500), TIPS, TIPS)
def test_five_lengths_are_those_of_the_corners(e, second, fourth):
    """Whatever quadrangle they make over its diagonal."""
    (x, y), (u, v) = second, fourth
    a, b, c, d = (e * math.hypot(*side) for side in ((x, y), (1 - x, y), (1 - u, v), (u, v)))

    corners = corners_of([a, b, c, d], e)

    sides = [math.dist(*each) for each in pairwise((*corners, corners[0]))]
    assert sides == pytest.approx([a, b, c, d], rel=1e-6)
    assert math.dist(corners[0], corners[2]) == pytest.approx(e)


@pytest.mark.parametrize(
    ("sides", "diagonal", "says"),
    [
        ([3, 4, 3], None, "expected four lengths"),
        ([3, 4, 3, 0], None, "each more than 0"),
        ([3, 4, 3.5, 4], None, "no rectangle: measure the diagonal from the first point to the third"),
        ([3, 4, 3, 4], 8, "sides of 3 and 4 m do not meet over a diagonal of 8 m"),
        ([3, 4, 3, 4], 0, "diagonal of 0 m"),
        ([3, 9, 3, 9], 2, "sides of 3 and 9 m do not meet"),
    ],
)
def test_lengths_that_make_no_quadrangle(sides, diagonal, says):
    with pytest.raises(Misconfigured, match=says):
        corners_of(sides, diagonal)
