"""Camera motion from two looks: what is known, what is the identity, and what is unknown."""

from functools import cache

import numpy as np
import pytest

from sightline.camera import IDENTITY, Motion, is_still
from sightline.vision.camera_motion import Look, decode_look, encode_look, look_pixels, motion_between
from tests.flights import GROUNDS, PATHS, fly, ground, looking, shot

SCALE = 4  # pixels of the clips, 640x360, that are one of a look
POINTS = np.array([(x, y) for x in (20, 320, 620) for y in (20, 180, 340)], float)
NEAR = 0.6  # pixels of the clips

soil = cache(ground)


@cache
def flight(path, kind="town", count=3, **more):
    return fly(soil(kind), path, count, **more)


def look(frame, boxes=()):
    return Look(look_pixels(frame), np.asarray(boxes, float).reshape(-1, 4) / SCALE)


def looks(of):
    return [look(frame, boxes) for frame, boxes in zip(of.frames, of.boxes, strict=True)]


@pytest.mark.parametrize("kind", GROUNDS)
@pytest.mark.parametrize("path", [path for path in PATHS if path != "still"])
def test_points_are_found_again(kind, path):
    """Wherever they were in the earlier frame, and whatever the camera does."""
    clip = flight(path, kind, seed=2)
    before, _, after = looks(clip)

    motion = motion_between(before, after)

    assert motion is not None
    off = motion.scaled(SCALE).apply(POINTS) - clip.motion(0, 2).apply(POINTS)
    assert np.hypot(*off.T).max() < NEAR


@pytest.mark.parametrize("kind", GROUNDS)
@pytest.mark.parametrize("covered", [True, False])
@pytest.mark.parametrize("noise", [0.0, 1.5, 4.0])
def test_a_camera_that_stands_still_gives_the_identity(kind, covered, noise):
    """Exactly, with noise, and with vehicles that nobody detected."""
    clip = flight("still", kind, noise=noise)
    before, _, after = looks(clip) if covered else [look(frame) for frame in clip.frames]

    assert motion_between(before, after) == IDENTITY


def test_a_mast_that_trembles_stands_still():
    """What it moves is told, so that a slow drift adds up, and below 0.3 % of the width it is none to speak of."""
    start, near, far = (
        look(soil("town")[200:560, left : left + 640].astype(np.uint8)) for left in (300, 301, 304)
    )

    trembled, moved = motion_between(start, near), motion_between(start, far)
    assert trembled is not None
    assert moved is not None
    assert is_still(trembled, 160, 90)
    assert not is_still(moved, 160, 90)


def test_far_turns_are_found_where_they_are_expected():
    """As they are when a camera comes back to what it saw long before; by a pixel or two nobody has to know."""
    first = Motion(1.0, 0.0, 530.0, 370.0)
    moved = looking(20, 10, turn=0.6, zoom=1.3)
    before, after = (
        look(shot(soil("town"), place).astype(np.uint8)) for place in (first, moved.inverse().then(first))
    )
    expected = looking(24, 6, turn=0.59, zoom=1.31).scaled(1 / SCALE)

    motion = motion_between(before, after, expected)

    assert motion is not None
    off = motion.scaled(SCALE).apply(POINTS) - moved.apply(POINTS)
    assert np.hypot(*off.T).max() < NEAR
    assert motion_between(before, after) is None
    assert motion_between(before, before, expected) == IDENTITY


def street(*trucks):
    """A picture of asphalt with specks and marks, and trucks with their left and upper sides there."""
    image = np.full((360, 640), 90, np.uint8)
    image[::60, ::60] = image[1::60, ::60] = image[::60, 1::60] = 180
    image[10:18, 10:80] = image[10:18, 540:620] = image[340:348, 40:120] = 230
    truck = soil("roads")[:240, 300:420].astype(np.uint8)
    for left, top in trucks:
        image[top : top + 240, left : left + 120] = truck
    return image


def test_vehicles_that_nobody_detected_do_not_move_the_camera():
    """Also where they are the most that is to be seen, as long as much of the picture stands."""
    before, after = street((100, 40), (420, 60)), street((100, 58), (420, 42))

    assert motion_between(look(before), look(after)) == IDENTITY


def test_detected_vehicles_that_fill_the_picture_do_not_move_the_camera():
    """They all go the same way, and what stands has the say."""
    before, after = (
        street(*((left, 50) for left in (120, 260, 400))),
        street(*((left, 68) for left in (120, 260, 400))),
    )
    boxes = [(left, 68, left + 120, 308) for left in (120, 260, 400)]

    assert motion_between(look(before), look(after, boxes)) == IDENTITY


def test_another_scene_is_unknown():
    """In either order, there is nothing that both show."""
    scenes = [look(flight("pan", kind).frames[0]) for kind in GROUNDS]

    for before in scenes:
        for after in scenes:
            if before is not after:
                assert motion_between(before, after) is None


@pytest.mark.parametrize("noise", [0.0, 2.0])
def test_a_picture_that_shows_nothing_is_unknown(noise):
    """Fog, night, a lens cap: a motion would not be seen, so it is not said that there was none."""
    random = np.random.default_rng(1)
    frames = [np.clip(random.normal(100, noise, (360, 640)), 0, 255).astype(np.uint8) for _ in range(2)]

    assert motion_between(look(frames[0]), look(frames[1])) is None


def test_fog_after_a_street_is_unknown():
    """And a street after fog."""
    street, fog = look(flight("still").frames[0]), look(np.full((360, 640), 100, np.uint8))

    assert motion_between(street, fog) is None
    assert motion_between(fog, street) is None


def test_boxes_that_cover_everything_leave_nothing_to_see():
    """Nobody guesses from what moves by itself."""
    frame = flight("still").frames[0]

    assert motion_between(look(frame), look(frame, [(0, 0, 640, 360)])) is None


@pytest.mark.parametrize("size", [(1, 1), (5, 160), (160, 5), (23, 160)])
def test_tiny_pictures_are_unknown(size):
    """Also those of one pixel."""
    tiny = Look(np.random.default_rng(1).integers(0, 256, size, dtype=np.uint8))

    assert motion_between(tiny, tiny) is None


def test_frames_of_different_sizes_are_unknown():
    """A video may change its size."""
    clip = flight("still")

    assert motion_between(look(clip.frames[0]), look(clip.frames[1][:340])) is None


def test_the_brightness_of_both_may_differ():
    """A camera that adapts to the light does not move."""
    clip = flight("pan", count=2)
    before, after = looks(clip)
    brighter = Look(np.clip(after.pixels.astype(int) + 24, 0, 255).astype(np.uint8), after.covered)

    motion = motion_between(before, brighter)

    assert motion is not None
    off = motion.scaled(SCALE).apply(POINTS) - clip.motion(0, 1).apply(POINTS)
    assert np.hypot(*off.T).max() < NEAR


@pytest.mark.parametrize("path", ["pan", "all"])
def test_back_and_forth_leads_to_where_it_began(path):
    """The motion from the later frame to the earlier one is the inverse."""
    before, _, after = looks(flight(path))

    there, back = motion_between(before, after), motion_between(after, before)

    assert there is not None
    assert back is not None
    again = there.then(back).scaled(SCALE).apply(POINTS)
    assert np.hypot(*(again - POINTS).T).max() < NEAR


def test_motions_come_in_steps_that_a_record_keeps():
    """No corner moves by more than 1/256 of a pixel of the look from one step to the next."""
    before, _, after = looks(flight("all"))

    motion = motion_between(before, after)

    assert motion is not None
    assert [each * 2**16 % 1 for each in (motion.a, motion.b)] == [0, 0]
    assert [each * 2**8 % 1 for each in (motion.x, motion.y)] == [0, 0]


def test_looks_from_records_and_boxes_in_any_order_change_no_bit():
    """So a worker that decoded both frames and one that got the looks from others agree."""
    clip = flight("all")
    before, _, after = looks(clip)
    turned = Look(after.pixels, clip.boxes[2][::-1] / SCALE)

    motion = motion_between(before, after)

    assert motion is not None
    assert motion_between(decode_look(encode_look(before)), decode_look(encode_look(after))) == motion
    assert motion_between(before.pixels, turned) == motion
    assert motion_between(before, after) == motion


def test_portrait_pictures_move_too():
    """Width and height are not mixed up."""
    clip = fly(soil("town"), "all", 2, size=(360, 640))
    before, after = looks(clip)

    motion = motion_between(before, after)

    assert motion is not None
    points = POINTS[:, ::-1]
    off = motion.scaled(SCALE).apply(points) - clip.motion(0, 1).apply(points)
    assert np.hypot(*off.T).max() < NEAR
