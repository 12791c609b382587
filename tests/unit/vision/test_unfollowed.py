"""Boxes that became no object are spoken of, with the figures and the flag."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from sightline.types import GroupResult, JobResult, Origin, TrackTable
from sightline.vision.counting import cumulative
from sightline.vision.unfollowed import Start, unfollowed
from tests.unit.vision.made_tracks import frame_table, rows, table

FRAMES = frame_table(100)
MIN_HITS = 3
NEW = 0.7


def group(name: str, found: TrackTable, tracks: TrackTable | None) -> GroupResult:
    unique = None if tracks is None else cumulative(FRAMES, tracks, MIN_HITS)
    return GroupResult(name, (0,), found, tracks, 0, unique)


def said(
    *groups: GroupResult, new: float | None = NEW, high: float = 0.6, stride: int = 1
) -> list[tuple[str, str]]:
    """Code and text of what is said about a job."""
    job = JobResult("street", "id", 0, FRAMES, Fraction(10), 640, 480, ("car",), groups, MIN_HITS, 0.25)
    start = None if new is None else Start.of(high, new)
    return [(caveat.code, caveat.detail) for caveat in unfollowed(job, 0.1, start, stride)]


def boxes(count: int, confidence: float, first: int = 0) -> list[tuple]:
    return rows(0, range(first, first + count), confidence=confidence)


def track(track_id: int, count: int, confidence: float = 0.9, first: int = 0) -> list[tuple]:
    return rows(track_id, range(first, first + count), confidence=confidence)


def test_boxes_none_of_which_is_sure_enough_to_start_a_track():
    """The best one says how far it is."""
    cars = group("cars", table(boxes(75, 0.5), boxes(1, 0.64, 80), boxes(9, 0.12)), table())

    assert said(cars) == [
        (
            "no_tracks_started",
            "cars: 76 boxes from 0.25 up, none reached --tracker.new-track-thresh 0.7; the best has 0.64",
        )
    ]


def test_people_who_all_ride_were_followed():
    """They count as two-wheelers; what the tracker lost beside them is still spoken of."""
    people = replace(group("people", table(boxes(40, 0.9)), table()), riders={3: 1})
    whole = replace(people, rider_tracks=table(track(3, 40)))
    part = replace(people, rider_tracks=table(track(3, 10)))

    assert said(whole) == []
    assert [code for code, _ in said(part)] == ["few_tracks"]
    assert "30 of them in no track" in said(part)[0][1]


def test_boxes_that_are_all_below_the_confidence_of_an_object():
    """Nothing was found; how far the best one is, is known."""
    cars = group("cars", table(boxes(20, 0.2)), table())

    assert said(cars) == [
        (
            "nothing_found",
            "cars: no box from 0.25 up in 100 frames; of 20 from --conf 0.1 up the best has 0.2",
        )
    ]


def test_weak_boxes_of_one_group_beside_objects_of_another_are_noise():
    """A detector that is asked for everything from 0.1 up sees people in every lamp post."""
    cars = group("cars", table(boxes(30, 0.9)), table(track(1, 30)))

    assert said(cars, group("people", table(boxes(50, 0.2)), table())) == []


def test_boxes_of_which_none_was_followed_long_enough():
    """A track of two frames is no object."""
    cars = group("cars", table(boxes(40, 0.5), boxes(2, 0.9, 50)), table(track(1, 2, first=50)))

    assert said(cars) == [
        (
            "few_tracks",
            "cars: 42 boxes from 0.25 up, 2 reached --tracker.new-track-thresh 0.7, none was followed for the 3 "
            "frames of an object",
        )
    ]


def test_many_boxes_in_no_track():
    """One object is followed, the others never began."""
    cars = group("cars", table(boxes(30, 0.5), boxes(30, 0.9, 40)), table(track(1, 30, first=40)))

    assert said(cars) == [
        (
            "few_tracks",
            "cars: 60 boxes from 0.25 up, 30 of them in no track: it takes --tracker.new-track-thresh 0.7 to start "
            "one, 30 reached it",
        )
    ]


def test_many_sure_boxes_in_no_track():
    """Thresholds are not what held them back: they were not followed, and the stride is the likely reason."""
    cars = group("cars", table(boxes(60, 0.9), boxes(30, 0.9, 60)), table(track(1, 30, first=60)))

    assert said(cars, stride=25) == [
        (
            "few_tracks",
            "cars: 90 boxes from 0.25 up, 60 of them in no track, though 90 reached --tracker.new-track-thresh 0.7: "
            "what is seen once, or moves far from one frame to the next, is not followed; --vid-stride 25 looks at "
            "one frame in 25",
        )
    ]


def test_the_higher_threshold_is_the_one_that_starts_a_track():
    """Lowering the other changes nothing."""
    cars = group("cars", table(boxes(40, 0.9)), table())

    [(_, detail)] = said(cars, new=0.3, high=0.95)

    assert detail.endswith("none reached --tracker.track-high-thresh 0.95; the best has 0.9")


@pytest.mark.parametrize("stray", [0, 14])
def test_a_few_false_boxes_beside_what_is_followed_are_nothing_to_speak_of(stray):
    """Every detector has some."""
    cars = group("cars", table(boxes(stray, 0.5), boxes(30, 0.9, 40)), table(track(1, 30, first=40)))

    assert said(cars) == []


def test_filled_gaps_are_no_boxes_that_were_followed():
    """Only what a track was matched with counts."""
    filled = rows(1, range(70, 100), origin=Origin.INTERPOLATED)
    cars = group("cars", table(boxes(30, 0.5), boxes(30, 0.9, 40)), table(track(1, 30, first=40), filled))

    assert [code for code, _ in said(cars)] == ["few_tracks"]


def test_fewer_boxes_than_an_object_has_frames_are_nothing_to_speak_of():
    """They could not have been one."""
    assert said(group("cars", table(boxes(2, 0.5)), table())) == []


def test_a_group_without_a_box_beside_one_with_objects_is_an_empty_pavement():
    """Nobody was there."""
    cars = group("cars", table(boxes(30, 0.9)), table(track(1, 30)))

    assert said(cars, group("people", table(), table())) == []


@pytest.mark.parametrize(("tracks", "new"), [(TrackTable.empty(), NEW), (None, None)])
def test_a_video_in_which_nothing_at_all_was_found(tracks, new):
    """With a tracker or without."""
    found = said(group("cars", table(), tracks), group("people", table(), tracks), new=new)

    assert found == [
        (
            "nothing_found",
            "cars and people: no box from 0.25 up in 100 frames, nor from --conf 0.1 up; a lower --conf shows "
            "whether the model sees anything",
        )
    ]


def test_detections_without_a_tracker_are_no_objects_to_be_missed():
    """`detect` starts no tracks."""
    assert said(group("cars", table(boxes(75, 0.3)), None), new=None) == []


def test_each_group_is_spoken_of_for_itself():
    """In the order of the groups."""
    cars = group("cars", table(boxes(75, 0.5)), table())
    people = group("people", table(boxes(9, 0.4)), table())

    assert [detail.partition(":")[0] for _, detail in said(cars, people)] == ["cars", "people"]


def test_figures_are_plain_numbers():
    """As JSON and people read them."""
    [(_, detail)] = said(group("cars", table(boxes(5, np.float64(0.5))), table()))

    assert "np." not in detail
