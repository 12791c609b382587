"""Lines and zones. The first cases are those of the page's own counting: both must agree."""

import math

import numpy as np
import pytest

from sightline.errors import Misconfigured
from sightline.types import TrackTable
from sightline.vision.geometry import Line, Zone

from .crossed import crossed, events, standing
from .made_tracks import rows, table

LINE = Line("gate", (10, 10), (20, 10), unit="px")
SQUARE = Zone("square", ((10, 10), (20, 10), (20, 20), (10, 20)), unit="px")


def offset(points):
    """The page's cases have the line at the origin."""
    return [(x + 10, y + 10) for x, y in points]


# --- lines -------------------------------------------------------------------------------------------------------

CASES = {
    "to the positive side is in": ([(5, -4), (5, -2), (5, 2), (5, 4)], [(2, "in")]),
    "to the negative side is out": ([(5, 4), (5, 2), (5, -2), (5, -4)], [(2, "out")]),
    "beyond the end of the segment counts nothing": ([(15, -4), (15, -2), (15, 2), (15, 4)], []),
    "within two frames": ([(5, -9), (5, 9)], [(1, "in")]),
    "one noisy frame counts nothing": ([(5, -4), (5, -2), (5, 2), (5, -2), (5, -3)], []),
    "four noisy frames count nothing": ([(5, -4), *[(5, 3)] * 4, (5, -2)], []),
    "counts again only after a return": (
        [(5, -4), (5, -2), *[(5, 3)] * 5, *[(5, -3)] * 5, (5, 3)],
        [(2, "in"), (7, "out"), (12, "in")],
    ),
    "standing on the line is neither side": (
        [(5, -4), (5, -2), (5, 0), (5, 0), (5, 2), (5, 3)],
        [(4, "in")],
    ),
    "trembling on the line is neither side": (
        [(5, -4), *[(5, 1), (5, -1)] * 9, (5, 3)],
        [(19, "in")],
    ),
    "trembling on the line and turning back": ([(5, -4), *[(5, 1), (5, -1)] * 9, (5, -3)], []),
    "over the line by less than the box may tremble": ([(5, -4), *[(5, 1)] * 20], []),
    "around the end, then across": (
        [(5, -4), (15, -2), *[(15, 3)] * 3, (5, 3), (5, 4), (5, -2), (5, -3)],
        [(7, "out")],
    ),
    "a track of one frame": ([(5, 0)], []),
    "a noisy frame before the crossing": (
        [(5, -4), (5, -2), (5, 1), (5, -1), (5, 2), (5, 3)],
        [(4, "in")],
    ),
    "begins on the line": ([(5, -1), (5, 1), (5, 3)], []),
    "ends on the line": ([(5, -3), (5, -1), (5, 1)], []),
    "touching the line and turning back": ([(5, -2), (5, -1), (5, 0), (5, -1), (5, -2)], []),
    "through the very end of the segment": ([(10, -4), (10, -1), (10, 1), (10, 4)], [(2, "in")]),
}


@pytest.mark.parametrize(("points", "expected"), CASES.values(), ids=CASES)
def test_crossing_a_line(points, expected):
    """Settled on one side, then on the other, through the segment."""
    found = events(offset(points), [LINE])

    assert [(event.seq, event.direction) for event in found] == expected


def test_in_is_to_the_right_of_the_line_as_seen_on_the_screen():
    """The line leads to the right, so its right hand side is below; y grows downwards."""
    down = events([(15, 6), (15, 8), (15, 12), (15, 14)], [LINE])
    # The line leads down: its right hand side is the left of the picture.
    leftwards = events([(14, 15), (12, 15), (8, 15), (6, 15)], [Line("gate", (10, 10), (10, 20), unit="px")])

    assert [event.direction for event in down + leftwards] == ["in", "in"]


@pytest.mark.parametrize(("points", "expected"), CASES.values(), ids=CASES)
def test_reversing_a_line_swaps_in_and_out(points, expected):
    """And changes nothing else."""
    found = events(offset(points), [Line("gate", LINE.b, LINE.a, unit="px")])

    swap = {"in": "out", "out": "in"}
    assert [(event.seq, swap[event.direction]) for event in found] == expected


def test_a_crossing_says_where():
    """The point where the step meets the line, in pixels; the first frame on the new side; kind, name, label."""
    (event,) = events([(10, 6), (12, 8), (16, 12), (17, 14)], [LINE])

    assert (event.x, event.y) == (14.0, 10.0)
    assert (event.kind, event.name, event.group, event.track_id, event.label, event.seq) == (
        "line", "gate", "cars", 1, "car", 2,
    )  # fmt: skip


def test_the_middle_of_the_lower_edge_is_where_an_object_stands():
    """A tall box that overlaps the line has not crossed it while its foot has not."""
    tracks = table(rows(1, range(6), lambda seq: (15, 4), size=(8, 11.9)))

    assert crossed(tracks, [LINE]) == []


def test_frames_without_a_box_are_no_frames_of_the_track():
    """The step over the line may be a long one, and half a second may have two boxes."""
    tracks = table(
        *(
            rows(1, [seq], lambda _, y=y: (15, y - 3), size=(4, 6))
            for seq, y in [(0, 6), (7, 8), (30, 12), (55, 13)]
        )
    )

    (event,) = crossed(tracks, [LINE])

    assert event.seq == 30


def test_tracks_are_independent():
    """One ends on the one side, the next begins on the other: nobody crossed."""
    tracks = table(standing(1, [(15, 5)] * 3), standing(2, [(15, 15)] * 3))

    assert crossed(tracks, [LINE], labels={1: "a", 2: "b"}) == []


def test_tracks_without_a_label_are_left_out():
    """Too short to count, too short to cross."""
    path = [(15, 6), (15, 8), (15, 12), (15, 14)]
    tracks = table(standing(1, path), standing(2, path), standing(3, path))

    found = crossed(tracks, [LINE], labels={3: "bus", 1: "car"})

    assert [(event.track_id, event.label) for event in found] == [(1, "car"), (3, "bus")]


def test_lines_are_stored_as_parts_of_the_picture():
    """Normalised or in pixels, the same line counts the same."""
    path = [(15, 6), (15, 8), (15, 12), (15, 14)]
    norm = LINE.normalised(200, 50)

    assert norm == Line("gate", (0.05, 0.2), (0.1, 0.2))
    assert events(path, [norm], size=(200, 50)) == events(path, [LINE], size=(200, 50))


# --- zones -------------------------------------------------------------------------------------------------------


def kinds(points, zone=SQUARE):
    return [(event.seq, event.kind) for event in events(points, zones=[zone])]


VISITS = {
    "half a second on either side": (
        [(5, 15)] * 5 + [(15, 15)] * 5 + [(25, 15)] * 5,
        [(5, "zone_enter"), (10, "zone_exit")],
    ),
    "first seen inside": ([(15, 15)] * 5 + [(25, 15)] * 5, [(0, "zone_enter"), (5, "zone_exit")]),
    "first seen inside, in one frame": ([(15, 15), (25, 15)], [(0, "zone_enter"), (1, "zone_exit")]),
    "last seen inside": ([(5, 15), (15, 15)], [(1, "zone_enter")]),
    "passes through in one frame": (
        [(3, 15), (15, 15), (27, 15)],
        [(1, "zone_enter"), (2, "zone_exit")],
    ),
    "jumps in and back": ([(5, 15)] * 3 + [(12, 15)] * 4 + [(5, 15)] * 3, []),
    "jumps out and back": ([(12, 15)] * 5 + [(6, 15)] * 4 + [(12, 15)] * 5, [(0, "zone_enter")]),
    "trembles on the border, then goes in": (
        [(5, 15), *[(9, 15), (11, 15)] * 9, (14, 15)],
        [(18, "zone_enter")],
    ),
    "trembles on the border, then goes back": ([(5, 15), *[(9, 15), (11, 15)] * 9, (5, 15)], []),
    "stands on the border, mostly inside": ([(11, 15), (11, 15), (9, 15)] * 9, [(0, "zone_enter")]),
    "stands on the border, mostly outside": ([(9, 15), (9, 15), (11, 15)] * 9, []),
}


@pytest.mark.parametrize(("points", "expected"), VISITS.values(), ids=VISITS)
def test_visiting_a_zone(points, expected):
    """By the rule of lines, and by passing through it."""
    assert kinds(points) == expected


def test_a_zone_narrower_than_its_visitors_are_broad_has_an_inside():
    """A strip of ten pixels, a truck that trembles by more than half of that, and one that passes by in an instant."""
    strip = Zone("strip", ((0, 50), (100, 50), (100, 60), (0, 60)), unit="px")

    slow = events([(50, 40.5 + k) for k in range(40)], zones=[strip], box=(60, 60))
    fast = events([(50, 21), (50, 37), (50, 53), (50, 69), (50, 85)], zones=[strip], box=(60, 60))

    assert [(event.seq, event.kind) for event in slow] == [(10, "zone_enter"), (20, "zone_exit")]
    assert [(event.seq, event.kind) for event in fast] == [(2, "zone_enter"), (3, "zone_exit")]


def test_a_track_that_ends_inside_does_not_leave():
    """Its end is the end of its presence, and no event."""
    assert kinds([(5, 15)] * 3 + [(15, 15)] * 5) == [(3, "zone_enter")]


def test_one_ends_inside_and_the_next_begins_outside():
    """Runs do not reach over tracks."""
    tracks = table(standing(1, [(15, 15)] * 3), standing(2, [(30, 30)] * 3), standing(3, [(15, 15)] * 3))

    found = crossed(tracks, zones=[SQUARE], labels={1: "a", 2: "b", 3: "c"})

    assert [(event.track_id, event.kind) for event in found] == [(1, "zone_enter"), (3, "zone_enter")]


def test_a_zone_event_has_no_direction_and_says_where_the_object_stood():
    """The place is that of the first frame on the new side."""
    (event,) = events([(7, 15), (11, 15), (12, 15), (13, 15)], zones=[SQUARE])

    assert (event.direction, event.x, event.y, event.name) == ("", 11.0, 15.0, "square")


def test_a_hollow_polygon_has_an_outside_within():
    """A horseshoe: its gap is outside though it lies within its bounds."""
    shoe = Zone(
        "shoe", ((0, 0), (30, 0), (30, 30), (20, 30), (20, 10), (10, 10), (10, 30), (0, 30)), unit="px"
    )

    assert kinds([(15, 20)] * 5 + [(5, 20)] * 5 + [(15, 20)] * 5 + [(25, 20)] * 5, shoe) == [
        (5, "zone_enter"),
        (10, "zone_exit"),
        (15, "zone_enter"),
    ]


# --- together ----------------------------------------------------------------------------------------------------


def test_events_come_by_frame_then_track_then_as_lines_and_zones_were_given():
    """One order for everyone who reads them."""
    path = [(15, 6), (15, 8), (15, 12), (15, 14), (15, 15)]
    tracks = table(standing(2, path), standing(1, path))
    lines = [Line("b", (10, 10), (20, 10), unit="px"), Line("a", (20, 10), (10, 10), unit="px")]

    found = crossed(tracks, lines, [SQUARE], {1: "car", 2: "car"})

    assert [(e.seq, e.track_id, e.name) for e in found] == [
        (2, 1, "b"), (2, 1, "a"), (2, 1, "square"), (2, 2, "b"), (2, 2, "a"), (2, 2, "square"),
    ]  # fmt: skip


def test_no_tracks_or_nothing_drawn():
    """Both give no events."""
    tracks = table(standing(1, [(15, 6)]))

    assert crossed(TrackTable.empty(), [LINE], [SQUARE]) == []
    assert crossed(tracks) == []
    assert crossed(tracks, [LINE], [SQUARE], labels={}) == []


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Line("", (0, 0), (1, 1)), "has no name"),
        (lambda: Line("n", (0, 0), (0, 0)), "line 'n': both ends are"),
        (
            lambda: Line("n", (0, 0), (640, 0)),
            r"line 'n': point \(640, 0\) is far from the picture.*unit \"px\"",
        ),
        (
            lambda: Zone("z", ((0, 0), (640, 0), (640, 480), (0, 480))),
            r"zone 'z': point \(640, 0\) is far from",
        ),
        (
            lambda: Line("n", (0.99, 0.5), (math.nextafter(0.99, 1), 0.5)).pixels(1280, 720),
            r"line 'n': both ends are pixel \(1267.2, 360.0\)",
        ),
        (lambda: Line("n", (-1e200, 3), (1e200, 3), "px"), "far from any picture"),
        (lambda: Zone("z", ((0, 0), (1e200, 0), (5, 1e200)), "px"), "far from any picture"),
        (lambda: Line("n", (0, 0), (0, float("nan"))), "no pair of numbers"),
        (lambda: Line("n", (0, 0), (0, 1, 2)), "no pair of numbers"),
        (lambda: Line("n", (0, 1.1), (1, 1.1)), r"line 'n': .* lies outside the picture of 0..1; draw it"),
        (lambda: Line("n", (-0.1, 0), (0, -0.2)), "lies outside the picture"),
        (lambda: Zone("z", ((1.1, 0), (1.2, 0), (1.2, 1))), "zone 'z': .* lies outside the picture"),
        (lambda: Line("n", (0, 0), (1, 1), unit="cm"), "unit 'cm', expected norm .* or px"),
        (lambda: Zone("z", ((0, 0), (1, 1))), "zone 'z': 2 different points, needs 3"),
        (lambda: Zone("z", ((0, 0), (1, 1), (0, 0))), "2 different points"),
        (lambda: Zone("z", ((0.1, 0.1), (0.5, 0.1), (0.9, 0.1))), "all points lie on one line"),
        (lambda: Zone("z", ((0, 0), (20, 10), (60, 30), (20, 10)), "px"), "all points lie on one line"),
        (
            lambda: LINE.normalised(9, 100),
            r"line 'gate': \(10.0, 10.0\), \(20.0, 10.0\) lies outside .* 9 x 100",
        ),
        (lambda: SQUARE.normalised(100, 9), "lies outside .* 100 x 9 pixels"),
    ],
)
def test_what_cannot_be_drawn_is_refused(make, message):
    """The message names the line or zone, the point, and what to do."""
    with pytest.raises(Misconfigured, match=message):
        make()


def test_coordinates_may_be_any_numbers():
    """Lists and NumPy numbers become floats, so that equal lines are equal."""
    assert Line("n", [np.float32(0), 0], (1, np.int64(1))) == Line("n", (0.0, 0.0), (1.0, 1.0))
