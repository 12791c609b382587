"""Turning movements of a junction that can be drawn on paper."""

import pytest

from sightline.counts import Event, Line
from sightline.vision.movements import movements, turn_of

SIZE = (200, 100)
# A junction seen from above; in is towards its middle, whatever that is called.
SOUTH = Line("south", (0.6, 0.9), (0.4, 0.9), directions=("northbound", "southbound"))
NORTH = Line("north", (0.4, 0.1), (0.6, 0.1))
EAST = Line("east", (0.9, 0.4), (0.9, 0.6))
WEST = Line("west", (0.1, 0.6), (0.1, 0.4))
LINES = (NORTH, EAST, SOUTH, WEST)


def crossed(track_id, line, inwards, seq, label="car", group="cars"):
    return Event("line", line.name, line.directions[not inwards], group, track_id, label, seq, 0.0, 0.0)


def found(*events):
    return movements(events, LINES, SIZE)


def ways(*events):
    return [(each.track_id, each.entered, each.left) for each in found(*events).found]


@pytest.mark.parametrize(
    ("entered", "turns"),
    [
        (SOUTH, {"north": "through", "east": "right", "west": "left", "south": "u-turn"}),
        (NORTH, {"south": "through", "west": "right", "east": "left", "north": "u-turn"}),
        (EAST, {"west": "through", "north": "right", "south": "left", "east": "u-turn"}),
        (WEST, {"east": "through", "south": "right", "north": "left", "west": "u-turn"}),
    ],
)
def test_turns_are_as_a_driver_sees_them(entered, turns):
    """From every approach to every exit."""
    assert {line.name: turn_of(entered, line, SIZE) for line in LINES} == turns


def test_an_approach_may_have_a_line_for_each_way():
    """Back over the line beside the one for the way in is a u-turn as well."""
    beside = Line("south out", (0.4, 0.9), (0.3, 0.88), directions=("x", "y"))

    assert turn_of(SOUTH, Line("out", (0.4, 0.9), (0.2, 0.9)), SIZE) == "u-turn"
    assert turn_of(SOUTH, beside, (1000, 1000)) == "u-turn"


@pytest.mark.parametrize(
    ("end", "turn"),
    [((0.6, 0.1), "through"), ((0.42, 0.5), "right"), ((0.6, 0.29), "through"), ((0.6, 0.31), "right")],
)
def test_up_to_45_degrees_are_through(end, turn):
    """The angle is that of pixels: 20 to the right and less than 20 down in a square picture."""
    assert turn_of(SOUTH, Line("exit", (0.4, 0.1), end), (100, 100)) == turn


def test_the_shape_of_the_picture_counts():
    """0.2 of a wide picture is longer than 0.2 of its height."""
    leaning = Line("exit", (0.4, 0.1), (0.6, 0.4))

    assert turn_of(SOUTH, leaning, (100, 100)) == "right"
    assert turn_of(SOUTH, leaning, (200, 100)) == "through"


def test_from_the_first_line_inwards_to_the_last_one_outwards():
    """Whatever it crosses in between; each line's own words are understood."""
    assert ways(
        crossed(1, SOUTH, True, 10),
        crossed(1, WEST, False, 20),
        crossed(1, WEST, True, 30),
        crossed(1, NORTH, False, 40),
    ) == [(1, "south", "north")]


def test_what_it_left_before_it_came_does_not_count():
    """It was first seen inside, drove around the block, and came back."""
    result = found(crossed(1, EAST, False, 5), crossed(1, SOUTH, True, 50), crossed(1, WEST, False, 60))

    assert [(each.entered, each.left, each.entered_seq, each.left_seq) for each in result.found] == [
        ("south", "west", 50, 60)
    ]
    assert (result.entered_only, result.left_only) == (0, 0)


def test_who_was_seen_only_to_enter_or_only_to_leave_is_told_apart():
    """1 came in, 2 went out, 3 went out and came in again; none of them is a movement."""
    result = found(
        crossed(1, SOUTH, True, 1),
        crossed(2, NORTH, False, 2),
        crossed(3, WEST, False, 3),
        crossed(3, WEST, True, 9),
    )

    assert (result.found, result.entered_only, result.left_only) == ((), 2, 1)


def test_back_over_the_line_that_it_came_by_is_a_u_turn():
    """Of one approach."""
    (only,) = found(crossed(1, SOUTH, True, 1), crossed(1, SOUTH, False, 9)).found

    assert (only.entered, only.left, only.turn) == ("south", "south", "u-turn")


def test_equal_ids_of_two_groups_are_two_objects():
    """Movements come by the frame of leaving, with label and group."""
    result = found(
        crossed(1, SOUTH, True, 1),
        crossed(1, WEST, True, 2, "person", "people"),
        crossed(1, EAST, False, 7, "person", "people"),
        crossed(1, NORTH, False, 8),
    )

    assert [(each.group, each.label, each.entered, each.left, each.turn) for each in result.found] == [
        ("people", "person", "west", "east", "through"),
        ("cars", "car", "south", "north", "through"),
    ]


def test_zones_are_no_lines():
    """Their events make no movement."""
    zone = Event("zone_enter", "south", "", "cars", 1, "car", 1, 0.0, 0.0)

    assert movements([zone], LINES, SIZE).entered_only == 0
