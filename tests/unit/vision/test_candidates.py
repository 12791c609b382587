"""The tracker that scales its thresholds and follows candidates beside confirmed tracks."""

import numpy as np
import pytest

from sightline.vision.tracker_state import BIRTH, CONFIRMED, FLAGS, TRACK_ID
from tests.laws.tracker_scenes import EMPTY, EVIDENCE, found, play

BOX = (100.0, 100.0, 140.0, 180.0)
FAR = (400.0, 100.0, 440.0, 180.0)
SURE = (700.0, 100.0, 740.0, 180.0)  # keeps the reference at 0.9


def scene(*boxes, count=1):
    return [found(*boxes, (*SURE, 0.9)) for _ in range(count)]


def born(shown):
    return [frame.births.track_id.tolist() for frame in shown]


def confirmed(state):
    return state.facts[TRACK_ID, state.facts[FLAGS] & CONFIRMED != 0].tolist()


def test_a_doubtful_box_starts_a_candidate_that_goes_out_unconfirmed():
    """From 0.2 on, and under the same id as long as it is seen."""
    state, shown = play(EVIDENCE, scene((*BOX, 0.3), (*FAR, 0.15), count=3))

    assert born(shown) == [[1], [1], [1]]
    assert confirmed(state) == [2]


def test_a_candidate_is_confirmed_by_two_confident_boxes_in_a_row():
    """As any track is; its id stays."""
    frames = scene((*BOX, 0.3)) + scene((*BOX, 0.75)) + scene((*BOX, 0.65))

    _, shown = play(EVIDENCE, frames)

    assert born(shown) == [[1], [1], []]
    assert shown[2].tracks.track_id.tolist() == [1, 2]


def test_a_confident_box_alone_confirms_nothing():
    """The next one is too low."""
    state, _ = play(EVIDENCE, scene((*BOX, 0.3)) + scene((*BOX, 0.75)) + scene((*BOX, 0.5)))

    assert confirmed(state) == [2]


@pytest.mark.parametrize("factor", [1.0, 0.6, 0.45])
def test_thresholds_follow_the_confidences_of_the_video(factor):
    """A network that scores half as high gives the same tracks."""
    frames = [found((*BOX, 0.75 * factor), (*SURE, 0.9 * factor)) for _ in range(4)]

    _, shown = play(EVIDENCE, frames)

    assert [frame.tracks.track_id.tolist() for frame in shown] == [[1, 2]] * 4


def test_a_candidate_of_one_box_waits_a_fifth_of_a_second():
    """Seen twice, half a second."""
    for seen, unseen, kept in ((1, 5, True), (1, 7, False), (2, 14, True), (2, 16, False)):
        frames = scene((*BOX, 0.3), count=seen) + scene(count=unseen) + scene((*BOX, 0.3))

        _, shown = play(EVIDENCE, frames)

        assert (shown[-1].births.track_id.tolist() == shown[0].births.track_id.tolist()) == kept


def test_what_confirmed_tracks_take_and_cover_is_no_candidate():
    """A weak double of a sure box is no second object."""
    double = (SURE[0] + 3, SURE[1] + 4, SURE[2] + 3, SURE[3] + 4)

    _, shown = play(EVIDENCE, scene((*double, 0.4), count=3))

    assert born(shown) == [[], [], []]


@pytest.mark.parametrize(("side", "ids"), [(52, [2]), (60, [1, 2])])
def test_a_box_half_as_large_both_ways_is_not_the_tracks(side, ids):
    """The box around a lorry that drives across the picture holds its neighbours; one of them is not the lorry."""
    lorry, inside = (100.0, 100.0, 200.0, 200.0, 0.9), (100.0, 100.0, 100.0 + side, 100.0 + side, 0.9)

    _, shown = play(EVIDENCE, scene(lorry, count=4) + scene(inside))

    assert sorted(shown[-1].tracks.track_id.tolist()) == ids


def test_a_car_that_is_a_truck_too_is_followed_once():
    """Of boxes of different classes in one place the weaker goes before anything else."""
    _, shown = play(EVIDENCE, [found((*BOX, 0.9, 0), (*BOX, 0.8, 7))] * 3)

    assert [frame.tracks.track_id.tolist() for frame in shown] == [[1]] * 3
    assert all(not len(frame.births) for frame in shown)


def test_a_fast_object_is_followed_though_its_boxes_do_not_overlap():
    """At five frames a second a car is two lengths farther in each; its second box confirms nothing, its third does."""
    frames = [
        found((100 + 90 * i, 100, 140 + 90 * i, 130, 0.9), (*SURE[:1], 400, *SURE[2:3], 480, 0.9))
        for i in range(5)
    ]

    state, shown = play(EVIDENCE, [EMPTY, *frames], interval_us=200_000)

    assert [frame.tracks.track_id.tolist() for frame in shown] == [[], [], [2], [1, 2], [1, 2], [1, 2]]
    assert len(state.facts.T) == 2


def test_nothing_is_faster_than_fifteen_sides_a_second():
    """Gates are in time: what is near at five frames a second is too far at twenty-five."""
    for interval_us, tracks in ((200_000, 1), (40_000, 4)):
        frames = [found((100 + 90 * i, 100, 140 + 90 * i, 130, 0.9)) for i in range(4)]

        state, _ = play(EVIDENCE, [EMPTY, *frames], interval_us=interval_us)

        assert state.next_id - 1 == tracks


def test_a_fast_object_alone_comes_back_by_a_doubtful_box():
    """In company it does not: somebody else may have its place."""
    fast = [(100.0 + 12 * i, 100, 140.0 + 12 * i, 140) for i in range(12)]
    seen = [found((*box, 0.9)) for box in fast[:6]]

    _, shown = play(EVIDENCE, [*seen, EMPTY, EMPTY, found((*fast[8], 0.3))])

    assert shown[-1].tracks.track_id.tolist() == [1]


def test_the_state_is_bounded():
    """Candidates leave it soon: hours of false alarms fill nothing."""
    rng = np.random.default_rng(0)
    frames = [
        found(*(((x, y, x + 30, y + 30, 0.3)) for x, y in rng.uniform(0, 2000, (20, 2)))) for _ in range(200)
    ]

    state, _ = play(EVIDENCE, frames)

    assert len(state) <= 20 * 8
    assert (state.facts[BIRTH] > 150).all()
