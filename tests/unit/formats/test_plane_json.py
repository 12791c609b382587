"""JSON files of the plane that tells metres."""

import json

import pytest

from sightline.errors import InvalidFile
from sightline.formats.plane_json import read_plane
from sightline.speeds import Plane

POINTS = [[412, 300], [868, 300], [1180, 690], [100, 690]]
METRES = [[0, 40], [10.5, 40], [10.5, 0], [0, 0]]


def text(**changes):
    """A file with places in metres; keys of None are left out."""
    whole = {"points": POINTS, "unit": "px", "metres": METRES} | changes
    return json.dumps({key: value for key, value in whole.items() if value is not None})


def test_places_of_four_points():
    """The frame and the error of the points are optional, the unit is that of lines."""
    points, metres = (tuple((float(x), float(y)) for x, y in part) for part in (POINTS, METRES))

    assert read_plane(text(), "f") == Plane(points, metres, "px")
    assert read_plane(text(frame=120, error_px=0.5), "f") == Plane(points, metres, "px", 120, 0.5)
    assert read_plane(text(unit=None, points=[[0, 0], [1, 0], [1, 1], [0, 1]]), "f").unit == "norm"


def test_lengths_of_the_sides():
    """A rectangle by four of them, any quadrangle with its diagonal."""
    rectangle = read_plane(text(metres=None, sides=[10.5, 40, 10.5, 40]), "f")
    other = read_plane(text(metres=None, sides=[10, 40, 11, 41], diagonal=42), "f")

    assert rectangle.metres == ((0.0, 0.0), (10.5, 0.0), (10.5, 40.0), (0.0, 40.0))
    assert other.metres[2] == (42.0, 0.0)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("{", "not JSON"),
        ("[]", 'expected an object with "points"'),
        (text(color="red"), "unknown key 'color', expected points, unit, metres"),
        (text(points=None), "points None: expected four points"),
        (text(points=POINTS[:3]), "3 points, expected four"),
        (text(points=[*POINTS[:3], [1, "2"]]), "expected four points"),
        (text(points=[*POINTS[:3], [1, True]]), "expected four points"),
        (text(metres=None), "expected either metres, places of the four points, or sides"),
        (text(sides=[1, 1, 1, 1]), "expected either metres"),
        (text(diagonal=3), "diagonal belongs to sides"),
        (text(metres=[[0, 0], [1, 0], [2, 0], [0, 9]]), r"metres \(0.0, 0.0\), .* lie in a line"),
        (text(points=[POINTS[at] for at in (0, 2, 1, 3)]), "not in the order of a quadrangle"),
        (text(metres=None, sides=[1, 2, 3, 4]), "measure the diagonal"),
        (text(metres=None, sides=5), "expected lengths in metres"),
        (text(metres=None, sides=[1, 2, 1, "2"]), "expected lengths in metres"),
        (text(metres=None, sides=[1, 2, 1, 2], diagonal="3"), "expected lengths in metres"),
        (text(frame=1.5), "frame 1.5"),
        (text(unit="feet"), "unit 'feet'"),
        (text(error_px=-1), "error_px -1"),
    ],
)
def test_what_is_no_plane_says_what_it_should_be(given, says):
    with pytest.raises(InvalidFile, match=says) as error:
        read_plane(given, "plane.json")

    assert "plane.json" in str(error.value)
