"""The rules of the tracker, one by one."""

import sys
from dataclasses import replace
from subprocess import run

import numpy as np
import pytest

from sightline.camera import IDENTITY, Motion
from sightline.errors import Misconfigured
from sightline.types import Detections, Origin
from sightline.vision.bytetrack import TrackerSettings, initial, skip, step
from tests.laws.tracker_scenes import (
    BYTETRACK,
    EMPTY,
    EVIDENCE,
    FIXED,
    QUALITY,
    SECTION,
    found,
    ids,
    play,
    street,
)

MODES = pytest.mark.parametrize("settings", FIXED, ids=["bytetrack", "quality", "section"])
QUALITIES = pytest.mark.parametrize("settings", [QUALITY, SECTION], ids=["quality", "section"])

BOX = (100.0, 100, 140, 200)
FAR = (500.0, 100, 540, 200)
SEEN = found(BOX)


def at(x: float, confidence: float = 0.9, class_id: int = 0) -> Detections:
    """The box, moved to the right."""
    return found((100 + x, 100, 140 + x, 200, confidence, class_id))


@MODES
def test_the_first_frame_confirms_at_once(settings):
    """Whoever is in the very first frame has an id there, from 1, in the order of detections."""
    _, shown = play(settings, [found(BOX, FAR)])

    assert ids(shown) == [[1, 2]]
    assert shown[0].tracks.xyxy == pytest.approx(np.array([BOX, FAR]))


@MODES
def test_an_empty_first_frame_is_the_first(settings):
    """Only the tracker's very first step confirms at once, even where it saw nothing."""
    _, shown = play(settings, [EMPTY, SEEN, SEEN])

    assert ids(shown) == [[], [], [1]]


@MODES
def test_a_later_track_is_confirmed_by_its_second_frame(settings):
    """Born unconfirmed, it is given out from its second frame on; its first box goes out as one that is not confirmed."""
    _, shown = play(settings, [SEEN, found(BOX, (*FAR, 0.8, 2)), found(BOX, FAR)])

    births = shown[1].births
    assert ids(shown) == [[1], [1], [1, 2]]
    assert [len(frame.births) for frame in shown] == [0, 1, 0]
    assert (births.seq.tolist(), births.track_id.tolist(), births.class_id.tolist()) == ([1], [2], [2])
    assert (births.xyxy.tolist(), births.confidence.tolist()) == ([list(FAR)], [0.8])
    assert births.origin.tolist() == [Origin.BIRTH]


@MODES
def test_an_unconfirmed_track_gets_one_chance_and_spends_its_id(settings):
    """Missed in its second frame it is gone; who comes next has the id after it."""
    _, shown = play(settings, [SEEN, found(BOX, FAR), SEEN, found(BOX, FAR), found(BOX, FAR)])

    assert ids(shown) == [[1], [1], [1], [1], [1, 3]]


@MODES
def test_a_low_score_keeps_a_track_but_starts_none(settings):
    """The second association continues a track with a low box and says so."""
    _, shown = play(settings, [SEEN, found((*BOX, 0.3), (*FAR, 0.3)), found(BOX, (*FAR, 0.3))])

    assert ids(shown) == [[1], [1], [1]]
    assert [frame.tracks.origin[0] for frame in shown] == [Origin.HIGH, Origin.LOW, Origin.HIGH]
    assert shown[1].tracks.confidence.tolist() == [0.3]


@MODES
def test_a_low_score_revives_no_lost_track(settings):
    """Only tracks that were seen in the frame before are matched with low boxes."""
    _, shown = play(settings, [SEEN, EMPTY, at(0, 0.5), at(0)])

    assert ids(shown) == [[1], [], [], [1]]


@MODES
@pytest.mark.parametrize(("confidence", "starts"), [(0.7, True), (0.69, False)])
def test_a_track_starts_at_the_threshold(settings, confidence, starts):
    """A free high detection starts a track where its confidence reaches `new_track_thresh`."""
    _, shown = play(settings, [at(0, confidence)])

    assert (ids(shown) == [[1]]) == starts


def test_a_score_at_the_high_threshold_is_neither_high_nor_low_in_bytetrack():
    """The official comparisons are strict at both ends."""
    _, shown = play(BYTETRACK, [SEEN, at(0, 0.6), at(0, 0.1), at(0)])

    assert ids(shown) == [[1], [], [], [1]]


@QUALITIES
def test_a_score_at_the_high_threshold_is_high_in_quality(settings):
    """A threshold of 0.6 takes 0.6."""
    _, shown = play(settings, [SEEN, at(0, 0.6)])

    assert shown[1].tracks.origin.tolist() == [Origin.HIGH]


@MODES
def test_a_hidden_object_returns_with_its_id(settings):
    """Lost for less than the buffer, it is the same."""
    _, shown = play(settings, [*[at(2 * i) for i in range(10)], *[EMPTY] * 20, at(60), at(62)])

    assert ids(shown)[-2:] == [[1], [1]]


@MODES
def test_the_buffer_ends(settings):
    """Lost for longer than a second at 30 fps, it is somebody else."""
    _, shown = play(settings, [SEEN, SEEN, *[EMPTY] * 33, SEEN, SEEN])

    assert ids(shown)[-2:] == [[], [2]]


@pytest.mark.parametrize(("empty", "last"), [(30, [1]), (31, [1]), (32, [2])])
def test_bytetrack_counts_its_buffer_in_frames(empty, last):
    """Ten frames a second or thirty: 30 frames; and a removed track is still matched one frame later."""
    frames = [SEEN, SEEN, *[EMPTY] * empty, SEEN, SEEN]

    _, fast = play(BYTETRACK, frames)
    _, slow = play(BYTETRACK, frames, interval_us=100_000)

    assert ids(fast) == ids(slow)
    assert ids(fast)[-1] == last


@QUALITIES
@pytest.mark.parametrize(
    ("interval_us", "empty", "last"), [(33_333, 30, 1), (33_333, 31, 2), (100_000, 10, 1), (100_000, 11, 2)]
)
def test_quality_counts_its_buffer_in_time(settings, interval_us, empty, last):
    """A second is a second at any rate."""
    frames = [SEEN, SEEN, *[EMPTY] * empty, SEEN, SEEN]

    _, shown = play(settings, frames, interval_us=interval_us)

    assert ids(shown)[-1] == [last]


def test_a_removed_track_found_again_dies_at_its_next_loss():
    """Once on the official list of removed tracks, a track is dropped as soon as it is lost again."""
    _, shown = play(BYTETRACK, [SEEN, SEEN, *[EMPTY] * 31, SEEN, SEEN, EMPTY, SEEN, SEEN])

    assert ids(shown)[-5:] == [[1], [1], [], [], [2]]


@MODES
def test_empty_frames_before_between_and_behind(settings):
    """A frame without detections is a frame."""
    state, shown = play(settings, [EMPTY, EMPTY, SEEN, EMPTY, SEEN, SEEN, EMPTY])

    assert ids(shown) == [[], [], [], [], [], [2], []]
    assert state.frames == 7


@MODES
def test_the_class_is_that_of_the_frame(settings):
    """A detector that wavers between car and truck does not split a track."""
    _, shown = play(settings, [at(0, class_id=0), at(2, class_id=3), at(4, class_id=0)])

    assert ids(shown) == [[1], [1], [1]]
    assert [frame.tracks.class_id.tolist() for frame in shown] == [[0], [3], [0]]


@QUALITIES
def test_quality_gives_the_box_of_the_detection(settings):
    """What the user sees is what the detector measured, bit for bit."""
    frames = [at(3 * i + 0.1 * (i % 3)) for i in range(8)]

    _, shown = play(settings, frames)

    assert all(np.array_equal(f.tracks.xyxy, d.xyxy) for f, d in zip(shown, frames, strict=True))


def test_bytetrack_gives_the_box_of_the_filter():
    """A jump is smoothed."""
    _, shown = play(BYTETRACK, [at(0), at(0), at(10)])

    assert 100 < shown[2].tracks.xyxy[0, 0] < 110


@MODES
def test_crossing_objects_keep_their_ids(settings):
    """Two that pass each other go on in their directions."""
    frames = [
        found((4.0 * i, 100, 4 * i + 40, 200), (160 - 4.0 * i, 130, 200 - 4 * i, 230)) for i in range(40)
    ]

    _, shown = play(settings, frames)

    last = shown[-1].tracks
    assert last.track_id.tolist() == [1, 2]
    assert last.xyxy[0, 0] > last.xyxy[1, 0]


@QUALITIES
def test_every_fifth_frame_is_enough(settings):
    """Motion is counted in time, so that a fast object is followed over gaps of different length."""
    times = [0, 1, 2, 3, 4, 5, 10, 15, 16, 21, 26, 31]
    state, shown = initial(settings), []
    for t in times:
        state, tracks, _ = step(settings, state, at(12.0 * t), t * 33_333, t)
        shown.append(tracks.track_id.tolist())

    assert shown == [[1]] * len(times)


@MODES
def test_trackers_share_nothing(settings):
    """Two videos in turns have the ids that each has alone."""
    one, other = street(1, 8, 30), street(2, 8, 30)
    alone = [ids(play(settings, frames)[1]) for frames in (one, other)]

    states, turns = [initial(settings)] * 2, [[], []]
    for seq, pair in enumerate(zip(one, other, strict=True)):
        for i, detections in enumerate(pair):
            states[i], tracks, _ = step(settings, states[i], detections, seq * 33_333, seq)
            turns[i].append(tracks.track_id.tolist())

    assert turns == alone


@MODES
def test_a_step_leaves_the_state_before_as_it_was(settings):
    """A state is a value: the same step again gives the same."""
    state, _ = play(settings, street(3, 10, 20))
    motion, facts = state.motion.copy(), state.facts.copy()
    detections = street(4, 10, 1)[0]

    one = step(settings, state, detections, 10**6, 20)
    again = step(settings, state, detections, 10**6, 20)

    assert np.array_equal(state.motion, motion)
    assert np.array_equal(state.facts, facts)
    assert one[1] == again[1]


@MODES
def test_two_tracks_of_one_object_become_one(settings):
    """A lost track under a tracked one goes when its life is shorter."""
    twin = (102.0, 100, 142, 200)
    state, shown = play(settings, [found(BOX, FAR), *[SEEN] * 3, *[found(BOX, twin)] * 2, SEEN, SEEN])

    assert ids(shown)[5] == [1, 3]
    assert ids(shown)[-1] == [1]
    assert 3 not in state.facts[0]


@pytest.mark.parametrize("order", [1, -1])
def test_equal_costs_go_to_the_older_track(order):
    """Between two tracks that lie alike the row order decides, however the detections are sorted."""
    state, _ = play(QUALITY, [found((0, 0, 40, 100), (20, 0, 60, 100))])

    _, tracks, _ = step(QUALITY, state, found((10, 0, 50, 100), FAR)[np.arange(2)[::order]], 33_333, 1)

    assert tracks.track_id.tolist() == [1]


@MODES
@pytest.mark.parametrize("pts_us", [33_333, 33_332, 0, -1])
def test_time_goes_forward(settings, pts_us):
    """A frame at or before the last one is refused and changes nothing."""
    state, _ = play(settings, [SEEN, SEEN])

    with pytest.raises(ValueError, match=f"seq 2: pts_us {pts_us} is not after 33333"):
        step(settings, state, SEEN, pts_us, 2)
    with pytest.raises(ValueError, match="is not after"):
        skip(settings, state, pts_us, 2)


@QUALITIES
def test_a_failed_frame_is_no_evidence_of_absence(settings):
    """Skipping takes no step in `quality`: an unconfirmed track survives it, the next step covers its time."""
    state, _ = play(settings, [SEEN, found(BOX, FAR)])

    assert skip(settings, state, 66_666, 2) is state
    _, tracks, births = step(settings, state, found(BOX, FAR), 100_000, 3)

    assert tracks.track_id.tolist() == [1, 2]
    assert len(births) == 0


def test_a_failed_frame_is_an_empty_one_in_bytetrack():
    """There skipping is a step without detections."""
    state, _ = play(BYTETRACK, [SEEN, found(BOX, FAR)])

    skipped = skip(BYTETRACK, state, 66_666, 2)

    assert (skipped.frames, skipped.pts_us, skipped.tracked) == (3, 66_666, 0)
    assert skipped.facts[0].tolist() == [1]


@MODES
def test_finished_tracks_leave_the_state(settings):
    """Memory is bounded: after a thousand short visits the state holds a few rows."""
    state = initial(settings)
    for seq in range(3000):
        x = 1000.0 * (seq // 3)
        state, _, _ = step(settings, state, found((x, 0, x + 40, 100)), seq * 33_333, seq)

    assert state.next_id == 1001
    assert len(state) <= 14


def test_a_pan_of_the_camera_does_not_break_tracks():
    """When the picture jumps by more than a box, own motion finds every track again; overlap alone loses all."""
    grid = np.array([(200.0 * i, 200.0 * j, 200 * i + 60, 200 * j + 60) for i in range(4) for j in range(4)])
    frames = [found(*(grid + np.array([p, 0, p, 0])).tolist()) for p in (0, 1, 2, 77, 78)]

    _, moved = play(QUALITY, frames)
    _, still = play(replace(QUALITY, own_motion=False), frames)

    assert ids(moved) == [list(range(1, 17))] * 5
    assert all(np.array_equal(f.tracks.xyxy, d.xyxy) for f, d in zip(moved, frames, strict=True))
    assert ids(still)[3] == []


LEAP = Motion(1.05, 0.2, 90.0, -40.0)  # nearer, turned, and farther than a box is wide
FEW = np.array([(100.0 + 150 * i, 200.0, 140 + 150 * i, 300) for i in range(4)])


def seen_by(camera: Motion, boxes: np.ndarray) -> Detections:
    """The boxes after the camera moved: centres go with it, sides grow by its scale."""
    middle, half = (
        camera.apply((boxes[:, :2] + boxes[:, 2:]) / 2),
        camera.scale * (boxes[:, 2:] - boxes[:, :2]) / 2,
    )
    return found(*np.hstack([middle - half, middle + half]).tolist())


@pytest.mark.parametrize("settings", [QUALITY, SECTION, EVIDENCE], ids=["quality", "section", "evidence"])
def test_a_known_motion_carries_tracks(settings):
    """However few they are: boxes alone prove no motion then."""
    state, _ = play(settings, 3 * [found(*FEW.tolist())])
    leapt = seen_by(LEAP, FEW)

    _, known, _ = step(settings, state, leapt, 100_000, 3, LEAP)
    _, unknown, _ = step(settings, state, leapt, 100_000, 3)

    assert known.track_id.tolist() == [1, 2, 3, 4]
    assert known.xyxy.tolist() == leapt.xyxy.tolist()
    assert unknown.track_id.tolist() == []


@QUALITIES
def test_motions_over_failed_frames_add_up(settings):
    """Tracks stay where they are on the ground, and the state is the one that the whole motion gives."""
    state, _ = play(settings, 3 * [found(*FEW.tolist())])

    over = skip(settings, state, 100_000, 3, LEAP)
    over = skip(settings, over, 133_333, 4, LEAP.inverse())
    over = skip(settings, over, 166_666, 5, LEAP)
    two, tracks, _ = step(settings, over, seen_by(LEAP.then(LEAP), FEW), 200_000, 6, LEAP)
    one, _, _ = step(settings, state, seen_by(LEAP.then(LEAP), FEW), 200_000, 6, LEAP.then(LEAP))

    assert tracks.track_id.tolist() == [1, 2, 3, 4]
    assert two.motion == pytest.approx(one.motion)
    assert skip(settings, state, 100_000, 3, IDENTITY) is state


def test_boxes_are_not_asked_where_the_camera_is_known():
    """Nobody knows better that it stands still than who says so."""
    grid = np.array([(200.0 * i, 200.0 * j, 200 * i + 60, 200 * j + 60) for i in range(4) for j in range(4)])
    state, _ = play(QUALITY, 3 * [found(*grid.tolist())])
    moved = found(*(grid + np.array([77, 0, 77, 0])).tolist())

    assert len(step(QUALITY, state, moved, 100_000, 3)[1]) == 16
    assert len(step(QUALITY, state, moved, 100_000, 3, IDENTITY)[1]) == 0


def test_a_motion_that_the_boxes_contradict_moves_nothing():
    """Of dancers who move alike, or a file that belongs to another video: they are found where they were."""
    grid = np.array([(200.0 * i, 200.0 * j, 200 * i + 60, 200 * j + 60) for i in range(4) for j in range(4)])
    state, _ = play(QUALITY, 3 * [found(*grid.tolist())])
    wrong, there = Motion(1.0, 0.0, 77.0, 0.0), found(*grid.tolist())

    _, tracks, _ = step(QUALITY, state, there, 100_000, 3, wrong)

    assert tracks.track_id.tolist() == list(range(1, 17))
    assert step(QUALITY, state, there, 100_000, 3, wrong)[0].motion == pytest.approx(
        step(QUALITY, state, there, 100_000, 3, IDENTITY)[0].motion
    )


def test_bytetrack_takes_no_notice_of_the_camera():
    """It equals the official tracker."""
    state, _ = play(BYTETRACK, 3 * [found(*FEW.tolist())])

    with_camera, plain = (
        step(BYTETRACK, state, found(*FEW.tolist()), 100_000, 3, *camera)[0] for camera in ([LEAP], [])
    )

    assert with_camera.motion.tobytes() == plain.motion.tobytes()
    assert (
        skip(BYTETRACK, state, 100_000, 3, LEAP).motion.tobytes()
        == skip(BYTETRACK, state, 100_000, 3).motion.tobytes()
    )


def test_who_stands_elsewhere_is_someone_else():
    """Online, a box with the same overlap but another height of feet is less alike."""
    state, _ = play(QUALITY, [found((0, 0, 40, 100))])
    beside, below = (10.0, 0, 50, 100), (0.0, 25, 40, 125)

    _, tracks, _ = step(QUALITY, state, found(below, beside), 33_333, 1)
    _, plain, _ = step(SECTION, play(SECTION, [found((0, 0, 40, 100))])[0], found(below, beside), 33_333, 1)

    assert tracks.xyxy.tolist() == [list(beside)]
    assert plain.xyxy.tolist() == [list(below)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"mode": "sort"},
        {"track_low_thresh": 0.7},
        {"track_high_thresh": 1.1},
        {"new_track_thresh": -0.1},
        {"match_thresh": 0.0},
        {"track_buffer": -1},
        {"track_buffer": float("inf")},
    ],
)
def test_settings_out_of_range_are_refused(wrong):
    """The message names the setting."""
    with pytest.raises(Misconfigured, match=next(iter(wrong))[:5]):
        TrackerSettings(**wrong)


def test_the_solver_is_imported_late():
    """Importing the tracker does not load SciPy."""
    code = "import sys, sightline.vision.bytetrack; sys.exit('scipy' in sys.modules)"

    assert run([sys.executable, "-c", code], check=False).returncode == 0
