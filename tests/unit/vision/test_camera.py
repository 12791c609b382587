"""Whether the camera stands still, from tracks alone."""

import numpy as np
import pytest

from sightline.types import FrameTable, TrackTable
from sightline.vision.camera import common_change, stands_still

FPS = 25
SIZE = 40.0


def frames(count: int) -> FrameTable:
    return FrameTable(np.arange(count), np.arange(count) * 1_000_000 // FPS, ("ok",) * count, ("",) * count)


def traffic(
    count=150, objects=6, *, camera=0.0, pan=(0.0, 0.0), stands=False, noise=0.5, stutter=False, seed=0
) -> TrackTable:
    """Objects that go both ways or stand, seen by a camera that wanders by `camera` pixels a frame and frame, or pans."""
    rng = np.random.default_rng(seed)
    speed = rng.uniform(2, 5, objects) * np.where(np.arange(objects) % 2, 1, -1)
    if stands:
        speed = np.zeros(objects)
    start = rng.uniform(100, 900, (objects, 2))
    shift = rng.normal(0, camera, (count, 2)).cumsum(0).cumsum(0) if camera else np.zeros((count, 2))
    shift = shift + np.arange(count)[:, None] * pan
    time = np.arange(count, dtype=float)
    if stutter:
        time[10::17] -= 0.7  # a frame that is shown late
    rows = []
    for seq in range(count):
        centre = start + shift[seq] + rng.normal(0, noise, (objects, 2))
        centre[:, 0] += speed * time[seq]
        boxes = np.hstack([centre - SIZE / 2, centre + SIZE / 2])
        rows += [(seq, track + 1, 0, box, 0.9, 0) for track, box in enumerate(boxes)]
    rows.sort(key=lambda row: (row[1], row[0]))
    return TrackTable(*zip(*rows, strict=True))


@pytest.mark.parametrize("seed", range(5))
def test_objects_that_go_their_own_ways_are_seen_by_a_camera_that_stands(seed):
    """Noise of a detector is each box's own."""
    assert stands_still(frames(150), traffic(seed=seed))


@pytest.mark.parametrize("seed", range(5))
def test_what_all_do_at_once_is_the_camera(seed):
    """A tenth of a pixel by which its velocity changes from frame to frame is enough."""
    assert not stands_still(frames(150), traffic(camera=0.2, seed=seed))


@pytest.mark.parametrize("pan", [(4.0, 0.0), (0.0, -3.0), (2.0, 2.0), (-40.0, 10.0)])
def test_a_camera_that_pans_evenly_past_what_stands_is_not_known_to_stand(pan):
    """It changes no velocity, but all go one way, at one speed."""
    assert not stands_still(frames(150), traffic(stands=True, pan=pan))


def test_what_stands_before_a_camera_that_stands_says_so():
    """No way is in common where nobody goes."""
    assert stands_still(frames(150), traffic(stands=True))


@pytest.mark.parametrize("seed", range(5))
def test_traffic_of_one_way_goes_at_several_speeds(seed):
    """80 to 120 km/h, straight from above: the camera stands."""
    tracks = traffic(stands=True, seed=seed)
    way = np.random.default_rng(seed).uniform(8, 12, 6)[tracks.track_id - 1] * tracks.seq
    xyxy = tracks.xyxy + np.column_stack([way, 0 * way, way, 0 * way])

    moved = TrackTable(tracks.seq, tracks.track_id, tracks.class_id, xyxy, tracks.confidence, tracks.origin)

    assert stands_still(frames(150), moved)


@pytest.mark.parametrize("seed", range(5))
def test_a_video_that_stutters_does_not_move(seed):
    """All slow down at once, but each along its own way."""
    assert stands_still(frames(150), traffic(stutter=True, seed=seed))


def test_a_single_object_says_nothing():
    """Unknown is not still."""
    assert common_change(frames(150), traffic(objects=1)) == (0.0, 0)
    assert not stands_still(frames(150), traffic(objects=1))
    assert not stands_still(frames(3), traffic(count=3))
    assert not stands_still(frames(0), TrackTable.empty())


@pytest.mark.parametrize("count", range(1, 12))
def test_a_few_frames_say_nothing(count):
    """However many objects are in them; the end of another track is not what was before the begin of one."""
    assert not stands_still(frames(count), traffic(count=count))


@pytest.mark.parametrize(("count", "shown"), [(4, 0), (10, 0), (11, 1), (150, 140)])
def test_who_is_there_all_the_time_shows_a_change_from_two_fifths_of_a_second_on(count, shown):
    """Each track alone has the boxes of before."""
    assert common_change(frames(count), traffic(count=count))[1] == shown


def test_a_failed_frame_is_no_step():
    """Frames are counted among those that were looked at; its rows are not there, and nothing jumps."""
    tracks = traffic()
    outcome = ["ok"] * 150
    outcome[70] = "failed"
    table = frames(150)
    broken = FrameTable(table.frame, table.pts_us, tuple(outcome), ("",) * 150)

    assert stands_still(broken, tracks[tracks.seq != 70])
