"""First boxes of several objects that look like one that jumps."""

import numpy as np

from sightline.vision.strung import strung

STEP = 60.0  # pixels a frame; boxes are 40 wide


def track(*seen):
    """(frame, x) of each box of a track, 40 x 40 pixels."""
    return list(seen)


def found(*tracks):
    place = np.array([at for each in tracks for at, _ in each])
    x = np.array([x for each in tracks for _, x in each], float)
    starts = np.cumsum([0, *(len(each) for each in tracks[:-1])])
    return strung(place, np.column_stack([x, 0 * x, x + 40, 0 * x + 40]), starts).tolist()


def drives(first, x, count=6):
    """A car that is at x in a frame, and its track from there on."""
    return [(first + i, x + STEP * i) for i in range(count)]


def test_boxes_from_which_other_tracks_come_are_no_object():
    """Three cars, one a frame; each goes on from its box under a track of its own."""
    cars = drives(1, 1000 + STEP), drives(2, 900 + STEP), drives(3, 800 + STEP)

    assert found(track((0, 1000), (1, 900), (2, 800)), *cars) == [True, False, False, False]


def test_boxes_to_which_other_tracks_lead_are_none_either():
    """Tracks that end there, a frame or two before."""
    cars = drives(0, 1000, 4), drives(0, 700, 5)

    assert found(*cars, track((4, 1000 + 4 * STEP), (5, 700 + 5 * STEP), (6, 1060))) == [False, False, True]


def test_what_comes_at_other_times_makes_no_difference():
    """An hour of them in the same place, judged one by one: work grows with the tracks, not with their square."""
    an_hour = [
        each
        for at in range(0, 36_000, 20)
        for each in (
            track((at, 1000), (at + 1, 900), (at + 2, 800)),
            *(drives(at + 1 + i, 1000 - 100 * i + STEP) for i in range(3)),
        )
    ]

    assert found(*an_hour) == [True, False, False, False] * 1800


def test_parts_of_one_fast_car_are_its_own():
    """All of them lie where one track comes from; one of another car does not make them its boxes."""
    car = drives(3, 3 * STEP)

    assert found(track((0, 0), (1, STEP), (2, 2 * STEP)), car) == [False, False]


def test_what_moves_less_than_its_size_is_followed_by_overlap():
    """No jump, nothing strung."""
    cars = drives(1, 1000 + STEP), drives(2, 1010 + STEP), drives(3, 1020 + STEP)

    assert found(track((0, 1000), (1, 1010), (2, 1020)), *cars) == [False] * 4


def test_a_video_without_other_tracks():
    """Nothing to belong to."""
    assert found(track((0, 0), (1, STEP), (2, 2 * STEP))) == [False]
