"""How full a zone was, on a paper's worth of objects."""

from dataclasses import replace

import numpy as np

from sightline.counts import TrackCounts, Zone
from sightline.runs.occupancy import Occupancy, occupancy
from tests.unit.formats.counted import ZONES, counts, event, job

GROUPS = ("cars", "people", "signs")
FRAMES = job().frames


def enter(track_id, seq, group="cars", name="yard"):
    return event("zone_enter", name, "", group, track_id, "car", seq)


def leave(track_id, seq, group="cars", name="yard"):
    return event("zone_exit", name, "", group, track_id, "car", seq)


def looked(*events, zones=ZONES):
    """Tracks 1 and 3 of cars have their last boxes in frames 24 and 11, the person in frame 23."""
    return occupancy(counts(events=events, zones=zones), GROUPS, FRAMES)


def test_two_objects_inside_at_once():
    """1 is inside from 2 to 9, 3 from 5 to 8; frame 5 is number 15 of the source, at 1.5 s."""
    assert looked(enter(1, 2), enter(3, 5), leave(3, 9), leave(1, 10)) == [
        Occupancy("yard", 2, 15, 1_500_000, 2, 2)
    ]


def test_one_that_leaves_when_another_enters_is_not_inside_with_it():
    """It is outside in the frame of its event."""
    assert looked(enter(3, 2), leave(3, 5), enter(1, 5))[0].peak == 1


def test_where_a_track_ends_inside_it_is_no_longer_there():
    """3 has its last box in frame 11; 1 enters behind it, and in another case in that frame."""
    assert looked(enter(3, 8), enter(1, 12)) == [Occupancy("yard", 1, 18, 1_800_000, 2, 0)]
    assert looked(enter(3, 8), enter(1, 11)) == [Occupancy("yard", 2, 21, 2_100_000, 2, 0)]


def test_who_comes_back_has_entered_twice():
    """And is one object at a time."""
    assert looked(enter(1, 2), leave(1, 5), enter(1, 9)) == [Occupancy("yard", 1, 12, 1_200_000, 2, 1)]


def test_equal_numbers_in_two_groups_are_two_objects():
    """Ids are of their group."""
    assert looked(enter(1, 2), enter(1, 20, "people"), leave(1, 22))[0].peak == 2


def test_zones_have_their_own_numbers():
    """In the order in which they were drawn; lines are nothing here, an empty zone has no peak."""
    zones = (Zone("empty", ((0, 0), (1, 0), (1, 1))), *ZONES)
    crossed = event("line", "yard", "in", "cars", 3, "car", 4)

    assert looked(crossed, enter(1, 2), zones=zones) == [
        Occupancy("empty", 0, None, None, 0, 0),
        Occupancy("yard", 1, 12, 1_200_000, 1, 0),
    ]


def test_a_track_that_lasts_to_the_last_frame_is_inside_to_the_end():
    """There is no frame behind it."""
    groups = counts().groups
    last = TrackCounts(*(np.array([value]) for value in (1, 0, 4, 20, 29, 22)))
    made = replace(counts(events=(enter(1, 29, "people"),)), groups=(groups[0], last, groups[2]))

    assert occupancy(made, GROUPS, FRAMES)[0].peak_frame == 39
