"""Lines and zones. The first cases are those of the page's own counting: both must agree."""

import numpy as np
import pytest

from sightline.errors import Misconfigured
from sightline.types import TrackTable
from sightline.vision.geometry import Line, Zone, crossings

from .made_tracks import rows, table

LINE = Line("gate", (10, 10), (20, 10), unit="px")
SQUARE = Zone("square", ((10, 10), (20, 10), (20, 20), (10, 20)), unit="px")


def standing(track_id, points):
    """A track of boxes that stand on these points (the middle of the lower edge), frame by frame."""
    made = []
    for seq, (x, y) in enumerate(points):
        made += rows(track_id, [seq], lambda _, x=x, y=y: (x, y - 3), size=(4, 6))
    return made


def events(points, lines=(), zones=(), size=(100, 100)):
    """Events of one track that stands on these points."""
    return crossings(table(standing(1, points)), lines, zones, *size, {1: "car"}, "cars")


def offset(points):
    """The page's cases have the line at the origin."""
    return [(x + 10, y + 10) for x, y in points]


# --- lines -------------------------------------------------------------------------------------------------------

CASES = {
    "to the positive side is in": ([(5, -4), (5, -2), (5, 2), (5, 4)], [(2, "in")]),
    "to the negative side is out": ([(5, 4), (5, 2), (5, -2), (5, -4)], [(2, "out")]),
    "beyond the end of the segment counts nothing": ([(15, -4), (15, -2), (15, 2), (15, 4)], []),
    "one noisy frame counts nothing": ([(5, -4), (5, -2), (5, 2), (5, -2), (5, -3)], []),
    "counts again only after a return": (
        [(5, -4), (5, -2), (5, 2), (5, 3), (5, -2), (5, -3), (5, 2), (5, 3)],
        [(2, "in"), (4, "out"), (6, "in")],
    ),
    "standing on the line is neither side": (
        [(5, -4), (5, -2), (5, 0), (5, 0), (5, 2), (5, 3)],
        [(4, "in")],
    ),
    "around the end, then across": (
        [(5, -4), (5, -2), (15, -2), (15, 2), (15, 3), (5, 3), (5, -2), (5, -3)],
        [(6, "out")],
    ),
    "a track of one frame": ([(5, 0)], []),
    "a noisy frame before the crossing": (
        [(5, -4), (5, -2), (5, 1), (5, -1), (5, 2), (5, 3)],
        [(4, "in")],
    ),
    "one frame on the first side is not settled": ([(5, -1), (5, 1), (5, 3)], []),
    "touching the line and turning back": ([(5, -2), (5, -1), (5, 0), (5, -1), (5, -2)], []),
    "through the very end of the segment": ([(10, -2), (10, -1), (10, 1), (10, 2)], [(2, "in")]),
}


@pytest.mark.parametrize(("points", "expected"), CASES.values(), ids=CASES)
def test_crossing_a_line(points, expected):
    """Settled on one side for two frames, then on the other, through the segment."""
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

    assert crossings(tracks, [LINE], [], 100, 100, {1: "car"}, "cars") == []


def test_frames_without_a_box_are_no_frames_of_the_track():
    """Two boxes on each side settle, however far apart they are."""
    tracks = table(
        *(
            rows(1, [seq], lambda _, y=y: (15, y - 3), size=(4, 6))
            for seq, y in [(0, 6), (7, 8), (30, 12), (55, 13)]
        )
    )

    (event,) = crossings(tracks, [LINE], [], 100, 100, {1: "car"}, "cars")

    assert event.seq == 30


def test_tracks_are_independent():
    """One ends on the one side, the next begins on the other: nobody crossed."""
    tracks = table(standing(1, [(15, 5)] * 3), standing(2, [(15, 15)] * 3))

    assert crossings(tracks, [LINE], [], 100, 100, {1: "a", 2: "b"}, "g") == []


def test_tracks_without_a_label_are_left_out():
    """Too short to count, too short to cross."""
    path = [(15, 6), (15, 8), (15, 12), (15, 14)]
    tracks = table(standing(1, path), standing(2, path), standing(3, path))

    found = crossings(tracks, [LINE], [], 100, 100, {3: "bus", 1: "car"}, "cars")

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


def test_a_zone_is_entered_and_left_with_inertia_at_both_ends():
    """Three frames settle; one frame outside counts nothing. The page's own case."""
    path = [(-5, 5), (-1, 5), (1, 5), (3, 5), (5, 5), (12, 5), (9, 5), (12, 5), (13, 5), (14, 5)]

    assert kinds(offset(path)) == [(2, "zone_enter"), (7, "zone_exit")]


def test_first_seen_inside_has_entered():
    """In its first frame."""
    assert kinds([(15, 15)] * 3 + [(25, 15)] * 3) == [(0, "zone_enter"), (3, "zone_exit")]


def test_two_frames_inside_are_not_settled():
    """Passing a corner is no visit."""
    assert kinds([(5, 5)] * 3 + [(12, 12)] * 2 + [(5, 30)] * 3) == []


def test_a_track_that_ends_inside_does_not_leave():
    """Its end is the end of its presence, and no event."""
    assert kinds([(5, 15)] * 3 + [(15, 15)] * 5) == [(3, "zone_enter")]


def test_one_ends_inside_and_the_next_begins_outside():
    """Runs do not reach over tracks."""
    tracks = table(standing(1, [(15, 15)] * 3), standing(2, [(30, 30)] * 3), standing(3, [(15, 15)] * 3))

    found = crossings(tracks, [], [SQUARE], 100, 100, {1: "a", 2: "b", 3: "c"}, "g")

    assert [(event.track_id, event.kind) for event in found] == [(1, "zone_enter"), (3, "zone_enter")]


def test_a_zone_event_has_no_direction_and_says_where_the_object_stood():
    """The place is that of the first frame on the new side."""
    (event,) = events([(8, 15), (11, 15), (12, 15), (13, 15)], zones=[SQUARE])

    assert (event.direction, event.x, event.y, event.name) == ("", 11.0, 15.0, "square")


def test_a_hollow_polygon_has_an_outside_within():
    """A horseshoe: its gap is outside though it lies within its bounds."""
    shoe = Zone(
        "shoe", ((0, 0), (30, 0), (30, 30), (20, 30), (20, 10), (10, 10), (10, 30), (0, 30)), unit="px"
    )

    assert kinds([(15, 20)] * 3 + [(5, 20)] * 3 + [(15, 20)] * 3 + [(25, 20)] * 3, shoe) == [
        (3, "zone_enter"),
        (6, "zone_exit"),
        (9, "zone_enter"),
    ]


# --- the picture's edge ------------------------------------------------------------------------------------------

WHOLE = {
    "0 to 1": Zone("all", ((0, 0), (1, 0), (1, 1), (0, 1))),
    "pixels": Zone("all", ((0, 0), (320, 0), (320, 240), (0, 240)), unit="px"),
    "the last pixels": Zone("all", ((0, 0), (319, 0), (319, 239), (0, 239)), unit="px"),
    "beyond the picture": Zone("all", ((-0.1, -0.1), (1.1, -0.1), (1.1, 1.1), (-0.1, 1.1))),
    "by hand": Zone("all", ((0.005, 0), (0.995, 0.004), (1, 0.996), (0, 0.995))),
}
CUT = {
    "inside": (140, 60, 180, 200),
    "at the lower edge": (20, 100, 120, 240),
    "beyond the lower edge": (200, 100, 280, 240.6),
    "far beyond the lower edge": (200, 100, 280, 300),
    "almost at the lower edge": (200, 100, 280, 239.7),
    "at the left edge": (0, 50, 6, 100),
    "beyond the left edge": (-60, 50, 6, 100),
    "beyond the right edge": (310, 50, 400, 100),
    "at the upper edge": (100, 0, 140, 1),
    "beyond the upper edge": (100, -40, 140, 1),
    "in a corner": (-40, 200, 10, 260),
}


@pytest.mark.parametrize("zone", WHOLE.values(), ids=WHOLE)
@pytest.mark.parametrize("box", CUT.values(), ids=CUT)
def test_a_zone_that_covers_the_picture_holds_everything_that_can_be_seen(zone, box):
    """An object that the edge cuts stands on the edge, and the zone goes on beyond it."""
    tracks = table([(seq, 1, 0, box, 0.9, 0) for seq in range(12)])

    found = crossings(tracks, [], [zone], 320, 240, {1: "car"}, "cars")

    assert [(event.kind, event.seq) for event in found] == [("zone_enter", 0)]


def test_a_zone_at_the_edge_holds_what_its_own_part_of_the_edge_cuts():
    """The lower left quarter: neither who is cut further right nor who is above."""
    quarter = Zone("quarter", ((0, 0.5), (0.5, 0.5), (0.5, 1), (0, 1)))
    boxes = [(20, 100, 80, 240), (200, 100, 280, 240), (-20, 0, 30, 60)]
    tracks = table([(seq, track, 0, box, 0.9, 0) for seq in range(12) for track, box in enumerate(boxes)])

    found = crossings(tracks, [], [quarter], 320, 240, dict.fromkeys(range(3), "car"), "cars")

    assert [(event.kind, event.track_id) for event in found] == [("zone_enter", 0)]


@pytest.mark.parametrize("end", [1, 1.2, 0.996], ids=["at the edge", "beyond", "by hand"])
def test_a_line_that_reaches_the_edge_is_crossed_by_those_whom_the_edge_cuts(end):
    """They drive along the lower edge, which hides where they stand."""
    line = Line("gate", (0.5, 0.5), (0.5, end))
    tracks = table([(seq, 1, 0, (20 * seq, 200, 20 * seq + 40, 241), 0.9, 0) for seq in range(16)])

    (event,) = crossings(tracks, [line], [], 320, 240, {1: "car"}, "cars")

    assert (event.direction, event.x) == ("out", 160)


def test_a_line_along_the_edge_ends_where_it_ends():
    """Being near the lower edge does not make it reach the left and the right one."""
    line = Line("gate", (0.3, 0.998), (0.7, 0.998))
    tracks = table([(seq, 1, 0, (20, 10 * seq, 60, 100 + 10 * seq), 0.9, 0) for seq in range(20)])

    assert crossings(tracks, [line], [], 320, 240, {1: "car"}, "cars") == []


def test_lines_and_zones_may_reach_beyond_the_picture():
    """Below 0, above 1 or beyond its size, as long as some part lies on it."""
    line = Line("l", (-0.5, 0.5), (1.5, 0.5))
    pixels = Line("p", (-160, 120), (480, 120), unit="px")
    zone = Zone("z", ((-1, 0.8), (2, 0.8), (2, 1.5), (-1, 1.5)))
    around = Zone("around", ((-5, -5), (5, -5), (5, 5), (-5, 5)))

    assert pixels.normalised(320, 240) == Line("p", line.a, line.b)
    assert zone.pixels(320, 240) == ((-320, 192), (640, 192), (640, 360), (-320, 360))
    assert around.normalised(320, 240) == around


# --- together ----------------------------------------------------------------------------------------------------


def test_events_come_by_frame_then_track_then_as_lines_and_zones_were_given():
    """One order for everyone who reads them."""
    path = [(15, 6), (15, 8), (15, 12), (15, 14), (15, 15)]
    tracks = table(standing(2, path), standing(1, path))
    lines = [Line("b", (10, 10), (20, 10), unit="px"), Line("a", (20, 10), (10, 10), unit="px")]

    found = crossings(tracks, lines, [SQUARE], 100, 100, {1: "car", 2: "car"}, "cars")

    assert [(e.seq, e.track_id, e.name) for e in found] == [
        (2, 1, "b"), (2, 1, "a"), (2, 1, "square"), (2, 2, "b"), (2, 2, "a"), (2, 2, "square"),
    ]  # fmt: skip


def test_no_tracks_or_nothing_drawn():
    """Both give no events."""
    tracks = table(standing(1, [(15, 6)]))

    assert crossings(TrackTable.empty(), [LINE], [SQUARE], 100, 100, {}, "cars") == []
    assert crossings(tracks, [], [], 100, 100, {1: "car"}, "cars") == []
    assert crossings(tracks, [LINE], [SQUARE], 100, 100, {}, "cars") == []


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
        (lambda: Line("n", (0, 0), (0, float("nan"))), "no pair of numbers"),
        (lambda: Line("n", (0, 0), (0, 1, 2)), "no pair of numbers"),
        (lambda: Line("n", (0, 1.1), (1, 1.1)), r"line 'n': .* lies outside the picture of 0..1; draw it"),
        (lambda: Line("n", (-0.1, 0), (0, -0.2)), "lies outside the picture"),
        (lambda: Zone("z", ((1.1, 0), (1.2, 0), (1.2, 1))), "zone 'z': .* lies outside the picture"),
        (lambda: Line("n", (0, 0), (1, 1), unit="cm"), "unit 'cm', expected norm .* or px"),
        (lambda: Zone("z", ((0, 0), (1, 1))), "zone 'z': 2 different points, needs 3"),
        (lambda: Zone("z", ((0, 0), (1, 1), (0, 0))), "2 different points"),
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
