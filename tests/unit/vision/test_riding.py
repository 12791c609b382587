"""Riders: whose box stands on a two-wheeler's and travels with it, judged over both lives."""

import numpy as np
import pytest

from sightline.types import Origin, TrackTable
from sightline.vision.riding import riders

from .made_tracks import rows, table

PERSON, BIKE = (24.0, 64.0), (60.0, 40.0)
ON = (0.0, -18.0)  # a rider's centre from that of the bicycle: feet at nine tenths of its height
MIN_HITS = 8


def path(speed=(6.0, 0.0), start=(100.0, 200.0), offset=(0.0, 0.0)):
    """Where something is that moves evenly, pixels a frame."""
    return lambda seq: (
        start[0] + speed[0] * seq + offset[0],
        start[1] + speed[1] * seq + offset[1],
    )


def person(track_id, seqs, at, size=PERSON, **more):
    return rows(track_id, seqs, at, size, **more)


def bike(track_id, seqs, at, size=BIKE, **more):
    return rows(track_id, seqs, at, size, class_id=1, **more)


def found(people, bikes):
    return riders(table(*people), table(*bikes), MIN_HITS)


def test_who_travels_on_a_bicycle_rides_it():
    """The bicycle's id stands beside the person's."""
    assert found([person(4, range(30), path(offset=ON))], [bike(7, range(30), path())]) == {4: 7}


@pytest.mark.parametrize("scale", [0.2, 1.0, 8.0])
@pytest.mark.parametrize("speed", [(6, 0), (-6, 0), (0, 5), (0, -5), (4, -3)])
def test_size_and_direction_do_not_matter(scale, speed):
    """From the side, from the front, from behind; near and far away."""
    moved, set_on = np.multiply(speed, scale), np.multiply(ON, scale)

    people = [person(1, range(30), path(moved, offset=set_on), np.multiply(PERSON, scale))]

    assert found(people, [bike(2, range(30), path(moved), np.multiply(BIKE, scale))]) == {1: 2}


def test_one_who_comes_nearer_and_grows_rides():
    """Places are compared in sizes of the moment."""
    people, bikes = [], []
    for seq in range(30):
        scale = 0.5 + seq / 15
        ground = (200.0, 150 + 90 * scale)
        bikes.append(
            bike(2, [seq], lambda _, g=ground, s=scale: (g[0], g[1] - 20 * s), (24 * scale, 40 * scale))
        )
        people.append(
            person(1, [seq], lambda _, g=ground, s=scale: (g[0], g[1] - 38 * s), (26 * scale, 64 * scale))
        )

    assert found(people, bikes) == {1: 2}


@pytest.mark.parametrize("fps_step", [1, 2, 3])
def test_boxes_that_tremble_and_come_and_go_change_nothing(fps_step):
    """Each box is missed in four frames of ten, independently, and lies beside the truth by some pixels."""
    random = np.random.default_rng(5)
    seqs = range(0, 60, fps_step)

    def trembling(at):
        return lambda seq: tuple(np.add(at(seq), random.normal(0, 1.5, 2)))

    some, others = ([seq for seq in seqs if random.random() < 0.6] for _ in range(2))

    assert found([person(1, some, trembling(path(offset=ON)))], [bike(2, others, trembling(path()))]) == {
        1: 2
    }


def test_who_waits_at_the_light_before_riding_on_rides():
    """Two thirds of the time nobody moves."""

    def at(offset):
        return lambda seq: (100 + 8 * max(0, seq - 40) + offset[0], 200 + offset[1])

    assert found([person(1, range(60), at(ON))], [bike(2, range(60), at((0, 0)))]) == {1: 2}


def test_two_on_one_motorcycle_both_ride_it():
    """A passenger is no pedestrian."""
    people = [person(1, range(30), path(offset=(-10, -18))), person(2, range(30), path(offset=(8, -16)))]

    assert found(people, [bike(3, range(30), path())]) == {1: 3, 2: 3}


def test_a_bicycle_whose_track_broke_carries_its_rider_all_the_same():
    """Frames on all parts count; the part of most frames is named."""
    bikes = [bike(5, range(9), path()), bike(6, range(14, 30), path())]

    assert found([person(1, range(40), path(offset=ON))], bikes) == {1: 6}


def test_riders_side_by_side_have_a_bicycle_each():
    """Both fit both; the nearer one is named."""
    people = [person(1, range(30), path(offset=ON)), person(2, range(30), path(offset=(12, -18)))]

    assert found(people, [bike(8, range(30), path()), bike(9, range(30), path(offset=(12, 0)))]) == {
        1: 8,
        2: 9,
    }


STANDING = path((0, 0), (200, 200))


@pytest.mark.parametrize(
    ("people", "bikes"),
    [
        (person(1, range(60), path((4, 0), (60, 182))), bike(2, range(60), STANDING)),
        (person(1, range(60), path((0, 0), (200, 182))), bike(2, range(60), STANDING)),
        (person(1, range(60), path((0, 0), (200, 182))), bike(2, range(60), path((6, 0), (20, 200)))),
        (person(1, range(60), path((2, 0), (100, 182))), bike(2, range(60), path((6, 0), (20, 200)))),
        (person(1, range(60), path((-2, 0), (300, 182))), bike(2, range(60), path((6, 0), (20, 200)))),
        (person(1, range(60), path(offset=(50, -10))), bike(2, range(60), path())),
        (person(1, range(60), path(offset=(0, -50))), bike(2, range(60), path())),
        (person(1, range(60), path(offset=ON), (60, 170)), bike(2, range(60), path())),
        (person(1, range(60), path(offset=(0, 0)), (6, 14)), bike(2, range(60), path())),
        (person(1, range(100), path(offset=ON)), bike(2, range(10), path())),
        (person(1, range(60), path(offset=ON)), bike(2, range(7), path())),
        (person(1, range(30), path(offset=ON)), bike(2, range(30, 60), path())),
    ],
    ids=[
        "walks past a parked bicycle",
        "stands before a parked bicycle",
        "stands while a bicycle passes",
        "is overtaken by a bicycle",
        "meets a bicycle",
        "walks beside a bicycle, in the picture too",
        "is farther away, over the bicycle in the picture",
        "is much too large: near the camera",
        "is much too small: far away",
        "has a bicycle under it for a tenth of its life",
        "has a bicycle under it that is seen too shortly to count",
        "and the bicycle are never seen together",
    ],
)
def test_a_pedestrian_stays_one(people, bikes):
    """No bicycle takes somebody out of the count who"""
    assert found([people], [bikes]) == {}


def test_trembling_boxes_of_a_few_pixels_are_no_travel():
    """Somebody stands beside a parked bicycle, seen from a drone."""
    random = np.random.default_rng(2)

    def trembling(at):
        return lambda seq: tuple(np.add(at, random.normal(0, 2, 2)))

    people = [person(1, range(200), trembling((200, 196)), (8, 16))]

    assert found(people, [bike(2, range(200), trembling((200, 200)), (16, 12))]) == {}


def test_boxes_that_nobody_detected_are_no_evidence():
    """Filled gaps and births lie where somebody thinks that they would be."""
    bikes = [
        bike(2, range(4), path()),
        bike(2, range(4, 30), path(), origin=Origin.INTERPOLATED),
    ]

    assert found([person(1, range(30), path(offset=ON))], bikes) == {}


def test_nothing_rides_nothing():
    """Empty tables are tables."""
    assert riders(TrackTable.empty(), TrackTable.empty(), 1) == {}
    assert found([person(1, range(9), path())], []) == {}


def test_each_person_is_judged_alone_and_the_order_of_rows_does_not_matter():
    """So whoever is left when the riders have gone does not ride when the rule is asked again."""
    people = table(
        person(1, range(30), path(offset=ON)),
        person(2, range(30), path((2, 0), offset=ON)),
        person(3, range(30), path((0, 0), (300, 182))),
    )
    bikes = table(bike(1, range(30), path()), bike(2, range(30), STANDING))

    once = riders(people, bikes, MIN_HITS)

    assert once == {1: 1}
    assert riders(people[::-1], bikes[::-1], MIN_HITS) == once
    assert riders(people[~np.isin(people.track_id, list(once))], bikes, MIN_HITS) == {}
