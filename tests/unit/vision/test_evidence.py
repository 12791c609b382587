"""Which tracks are objects: by their boxes, by where they went, as a chain; and why the others are none."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.camera import Motion
from sightline.types import Origin, TrackTable
from sightline.verdicts import Reason
from sightline.vision.camera_path import path_of
from sightline.vision.evidence import judged
from sightline.vision.stabilised import in_frames
from tests.unit.vision.made_tracks import frame_table, rows, same, table

FPS, COUNT = 10, 40
LEVEL = 0.9
LINK_US = 2_000_000
FRAMES = frame_table(COUNT, FPS)


def moving(x: float, y: float, step: float):
    return lambda seq: (x + step * seq, y)


# Two sure objects that go opposite ways: the camera is seen to stand still.
TRAFFIC = (
    rows(1, range(COUNT), moving(0, 300, 6)),
    rows(2, range(COUNT), moving(400, 340, -6)),
)


def verdict(track, *, level=LEVEL, traffic=TRAFFIC, frames=FRAMES):
    """Rows and reason of the track 7."""
    kept, verdicts = judged(frames, by_track(table(*traffic, track)), level, LINK_US)
    (at,) = (verdicts.track_id == 7).nonzero()[0]
    return kept[kept.track_id == verdicts.chain[at]], Reason(int(verdicts.reason[at]))


def by_track(tracks: TrackTable) -> TrackTable:
    return tracks[np.lexsort((tracks.seq, tracks.track_id))]


MOVES, STANDS, JUMPS = (
    rows(7, range(5, 20), moving(0, 0, 8), confidence=0.6),
    rows(7, range(5, 20), confidence=0.6),
    rows(7, range(8, 12), moving(0, 0, 60), confidence=0.75),
)


@pytest.mark.parametrize(
    ("track", "reason"), [(MOVES, Reason.MOTION), (STANDS, Reason.STANDS), (JUMPS, Reason.BOXES)]
)
def test_what_counts_is_where_a_track_goes_on_the_ground(track, reason):
    """Under a camera that moves, where it is known how: the same verdicts as where it stands, and rows as they were seen."""
    path, tracks = path_of(COUNT * [Motion(1.0, 0.0, -25.0, 3.0)]), table(*TRAFFIC, track)
    seen = by_track(in_frames(path, tracks))

    kept, verdicts = judged(FRAMES, seen, LEVEL, LINK_US, path)
    still, expected = judged(FRAMES, by_track(tracks), LEVEL, LINK_US)

    assert verdicts.reason.tolist() == expected.reason.tolist() == [Reason.BOXES, Reason.BOXES, reason]
    assert verdicts.moved == pytest.approx(expected.moved)
    assert (verdicts.still, expected.still) == (False, True)
    assert same(replace(kept, xyxy=still.xyxy), still)
    assert set(map(tuple, kept.xyxy.tolist())) <= set(map(tuple, seen.xyxy.tolist()))


def test_a_motion_that_nobody_knows_makes_false_alarms_travel():
    """Who stands in an even pan seems to go."""
    path = path_of(COUNT * [Motion(1.0, 0.0, -25.0, 3.0)])

    _, verdicts = judged(FRAMES, by_track(in_frames(path, table(*TRAFFIC, STANDS))), LEVEL, LINK_US)

    assert verdicts.reason.tolist()[2] == Reason.MOTION


def test_a_confident_box_and_another_one_make_an_object():
    """From the second on; the one before is its birth, what was before that is nobody's."""
    faint, sure = rows(7, range(4, 8), confidence=0.3), rows(7, range(8, 12), confidence=0.75)

    kept, reason = verdict(faint + sure)

    assert reason == Reason.BOXES
    assert kept.seq.tolist() == [8, 9, 10, 11]
    assert kept.origin.tolist() == [Origin.BIRTH, Origin.HIGH, Origin.HIGH, Origin.HIGH]


def test_thresholds_are_shares_of_what_a_sure_box_scores():
    """All confidences times 0.6, and the reference with them: the same object."""
    plain, _ = verdict(rows(7, range(8, 12), confidence=0.75))

    kept, reason = verdict(rows(7, range(8, 12), confidence=0.45), level=0.54)

    assert reason == Reason.BOXES
    assert kept.seq.tolist() == plain.seq.tolist()


def test_a_single_confident_box_is_no_object():
    """Nor are two that a frame without a box parts."""
    for seqs in ([9], [9, 11]):
        kept, reason = verdict(rows(7, seqs, confidence=0.9))

        assert reason == Reason.SHORT
        assert len(kept) == 0


def test_a_jump_needs_a_third_box_where_the_two_lead():
    """Two confident boxes that do not overlap may be two objects."""
    assert verdict(rows(7, [9, 10], moving(0, 0, 60)))[1] == Reason.SHORT

    kept, reason = verdict(rows(7, [9, 10, 11], moving(0, 0, 60)), traffic=TRAFFIC[:1])

    assert reason == Reason.BOXES
    assert kept.seq.tolist() == [10, 11]


def test_who_is_sure_and_travels_is_an_object_from_its_first_box_on():
    """The faint begin of its way belongs to it."""
    faint, sure = (
        rows(7, range(4, 8), moving(0, 0, 6), confidence=0.3),
        rows(7, range(8, 12), moving(0, 0, 6), confidence=0.75),
    )

    kept, reason = verdict(faint + sure)

    assert reason == Reason.BOXES
    assert kept.seq.tolist() == list(range(4, 12))


def test_what_travels_past_a_still_camera_is_an_object_from_its_first_box_on():
    """A false alarm does not go anywhere."""
    kept, reason = verdict(rows(7, range(5, 15), moving(0, 0, 6), confidence=0.55))

    assert reason == Reason.MOTION
    assert kept.seq.tolist() == list(range(5, 15))
    assert set(kept.origin.tolist()) == {Origin.LOW}


@pytest.mark.parametrize(
    ("track", "reason"),
    [
        (rows(7, range(5, 7), moving(0, 0, 20), confidence=0.55), Reason.SHORT),
        (rows(7, range(5, 15), moving(0, 0, 6), confidence=0.4), Reason.FAINT),
        (rows(7, range(2, 38, 4), moving(0, 0, 6), confidence=0.55), Reason.BROKEN),
        (rows(7, range(5, 15), confidence=0.55), Reason.STANDS),
        (
            rows(7, range(5, 25), lambda seq: (6.0 * seq, 30.0 * (seq % 2)), confidence=0.55),
            Reason.WANDERS,
        ),
    ],
    ids=["short", "faint", "broken", "stands", "wanders"],
)
def test_what_stands_against_a_track(track, reason):
    """The first of these in this order."""
    kept, found = verdict(track)

    assert found == reason
    assert len(kept) == 0


@pytest.mark.parametrize("before", range(12))
def test_what_reaches_a_bar_reaches_it_however_many_tracks_there_are(before):
    """0.54 is 0.6 of 0.9, in the first track and in the twelfth."""
    others = [rows(track, [0], confidence=0.3) for track in range(100, 100 + before)]
    track = rows(200, range(5, 15), moving(0, 0, 6), confidence=0.54)

    _, verdicts = judged(FRAMES, by_track(table(*TRAFFIC, *others, track)), LEVEL, LINK_US)

    assert verdicts.best[-1] == 0.54
    assert verdicts.reason[-1] == Reason.MOTION


def test_who_has_passed_and_turns_back_has_passed():
    """A track is judged at each of its boxes."""

    def there_and_back(seq):
        return (6.0 * min(seq, 40 - seq), 0.0)

    assert verdict(rows(7, range(5, 36), there_and_back, confidence=0.55))[1] == Reason.MOTION


def test_motion_says_nothing_where_the_camera_may_move():
    """A single other object does not tell."""
    track = rows(7, range(5, 15), moving(0, 0, 6), confidence=0.55)

    assert verdict(track, traffic=TRAFFIC[:1])[1] == Reason.CAMERA


def test_parts_that_show_too_little_alone_are_an_object_together():
    """The second one begins where the first one leads; each is short of a side's way."""
    first = rows(7, range(5, 9), moving(0, 0, 6), confidence=0.55)
    second = rows(8, range(11, 16), moving(0, 0, 6), confidence=0.55)

    kept, verdicts = judged(FRAMES, by_track(table(*TRAFFIC, first, second)), LEVEL, LINK_US)

    assert dict(zip(verdicts.track_id.tolist(), verdicts.chain.tolist(), strict=True))[8] == 7
    assert kept[kept.track_id == 7].seq.tolist() == [*range(5, 9), *range(11, 16)]
    assert verdicts.objects.all()


def test_without_links_each_track_stands_alone():
    """Neither part is an object then."""
    first = rows(7, range(5, 8), moving(0, 0, 6), confidence=0.55)
    second = rows(8, range(11, 14), moving(0, 0, 6), confidence=0.55)

    kept, verdicts = judged(FRAMES, by_track(table(*TRAFFIC, first, second)), LEVEL, 0)

    assert set(kept.track_id.tolist()) == {1, 2}
    assert verdicts.chain.tolist() == verdicts.track_id.tolist()


def test_no_tracks_no_verdicts():
    """An empty video is one, too."""
    kept, verdicts = judged(FRAMES, TrackTable.empty(), LEVEL, LINK_US)

    assert len(kept) == len(verdicts) == 0


def test_a_single_picture_has_objects():
    """Confident boxes of the very first frame need no other; nothing is known of the rest."""
    picture = frame_table(1, FPS)
    boxes = [rows(i, [0], moving(60 * i, 0, 0)) for i in range(1, 5)]

    kept, verdicts = judged(
        picture, by_track(table(*boxes, rows(7, [0], moving(600, 0, 0), confidence=0.5))), LEVEL, LINK_US
    )

    assert kept.track_id.tolist() == [1, 2, 3, 4]
    assert verdicts.reason.tolist() == [Reason.BOXES] * 4 + [Reason.SHORT]


def test_a_first_box_that_jumps_at_once_is_no_object():
    """It needs none before it, but the next one may be another object's; where a third follows, it is not."""
    for seqs, reason in (([0, 1], Reason.SHORT), ([0, 1, 2], Reason.BOXES)):
        kept, found = verdict(rows(7, seqs, moving(0, 0, 60)), traffic=TRAFFIC[1:])

        assert found == reason
        assert len(kept) == (len(seqs) if reason == Reason.BOXES else 0)


def test_first_boxes_of_three_objects_are_not_a_fourth():
    """Each lies where a track of its own comes from (`sightline.vision.strung`)."""
    begins = rows(7, [9, 10, 11], moving(540, 0, -60))
    cars = [
        rows(i, range(i, i + 8), lambda seq, i=i: (540 - 60 * (i - 1) + 50 * (seq - i + 1), 0.0))
        for i in (10, 11, 12)
    ]

    kept, verdicts = judged(FRAMES, by_track(table(*TRAFFIC, begins, *cars)), LEVEL, LINK_US)

    assert verdicts.reason[verdicts.track_id == 7].tolist() == [Reason.DOUBLE]
    assert 7 not in kept.track_id


def test_frames_that_failed_are_no_time_without_a_box():
    """Two confident boxes with a failed frame between them follow each other."""
    frames = frame_table(COUNT, FPS, failed=[10])
    traffic = [[row for row in part if row[0] != 10] for part in TRAFFIC]

    kept, reason = verdict(rows(7, [9, 11, 12], confidence=0.8), traffic=traffic, frames=frames)

    assert reason == Reason.BOXES
    assert kept.seq.tolist() == [9, 11, 12]


boxes = st.builds(
    rows,
    st.integers(3, 9),
    st.sets(st.integers(0, COUNT - 1), min_size=1).map(sorted),
    st.builds(moving, st.integers(0, 300), st.integers(0, 300), st.integers(-20, 20)),
    confidence=st.sampled_from([0.1, 0.3, 0.5, 0.65, 0.8]),
)


@given(st.lists(boxes, max_size=5, unique_by=lambda made: made[0][1]), st.booleans())
def test_every_track_has_a_verdict_and_every_object_its_rows(made, still):
    """No row is new, none comes twice, and refused tracks have none."""
    tracks = by_track(table(*(TRAFFIC if still else ()), *made))

    kept, verdicts = judged(FRAMES, tracks, LEVEL, LINK_US)

    assert verdicts.track_id.tolist() == np.unique(tracks.track_id).tolist()
    assert set(kept.track_id.tolist()) == set(verdicts.chain[verdicts.objects].tolist())
    assert set(kept.track_id.tolist()) <= set(tracks.track_id.tolist())
    given_rows = set(zip(tracks.seq.tolist(), map(tuple, tracks.xyxy.tolist()), strict=True))
    rows_kept = list(zip(kept.seq.tolist(), map(tuple, kept.xyxy.tolist()), strict=True))
    assert set(rows_kept) <= given_rows
    keys = list(zip(kept.track_id.tolist(), kept.seq.tolist(), strict=True))
    assert keys == sorted(set(keys))
    again, _ = judged(FRAMES, tracks, LEVEL, LINK_US)
    assert same(kept, again)
