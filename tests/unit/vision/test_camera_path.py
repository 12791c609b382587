"""The path of a camera: steps one after the other, held to what some frames show."""

import math
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from sightline.camera import IDENTITY, STILL, Motion
from sightline.vision.camera_motion import look_pixels
from sightline.vision.camera_path import bounded, path_of, rested
from sightline.vision.looks import Look
from tests.flights import GROUNDS, SIZE, ground, looking, shot

SCALE = 4  # pixels of a picture that are one of its look
CHUNK = 128  # frames from one look to the next
FRAMES = 2000
POINTS = np.array([(x, y) for x in (20, 320, 620) for y in (20, 180, 340)], float)
FIRST = Motion(1.0, 0.0, 530.0, 370.0)  # the middle of the ground

soil = cache(ground)


def there_and_back(seq):
    """Somewhere within 300 pixels, turned by up to 0.3, up to a quarter larger; in 1,000 frames it is back."""
    at = 2 * math.pi * seq / 1000
    return looking(
        300 * math.sin(at), 150 * math.sin(2 * at), 0.3 * math.sin(at), 1 + 0.25 * math.sin(at) ** 2
    )


def away(seq):
    return looking(0.2 * seq, -0.1 * seq)


def still(_):
    return IDENTITY


def looked_at(place, kind="town", light=0):
    """The look of a frame in which the first frame's ground is at a place."""
    picture = shot(soil(kind), place.inverse().then(FIRST)) + light
    noise = np.random.default_rng(int(1000 * abs(place.x))).normal(0, 1.5, picture.shape)
    return Look(look_pixels(np.clip(picture + noise, 0, 255).astype(np.uint8)))


def clip(way, frames=FRAMES, error=0.1, kind="town", seed=1):
    """True places, steps of which corners are off by about `error` pixels, and looks."""
    random = np.random.default_rng(seed)
    places = [way(seq) for seq in range(frames)]
    steps = [None]
    for before, after in pairwise(places):
        x, y, turn, zoom = random.normal(0, error / math.sqrt(2), 4)
        wrong = looking(x, y, turn / 320, 1 + zoom / 320)
        steps.append(before.inverse().then(after).then(wrong))
    return places, steps, {seq: looked_at(places[seq], kind) for seq in range(0, frames, CHUNK)}


def off(path, places, seqs=None):
    """How far points are from where they should be, the most of each frame, pixels."""
    seqs = range(len(places)) if seqs is None else seqs
    return np.array(
        [np.hypot(*(path.in_frame(seq).apply(POINTS) - places[seq].apply(POINTS)).T).max() for seq in seqs]
    )


def held(steps, looks):
    return bounded(steps, looks, SCALE, SIZE)


def test_steps_add_up():
    """In the order of frames; what is not known begins another stretch."""
    right, down = Motion(1, 0, 3, 0), Motion(1, 0, 0, 2)

    path = path_of([right, down, right, None, down])

    assert path.stretch.tolist() == [0, 0, 0, 1, 1]
    assert path.maps[:, 2:].tolist() == [[0, 0], [0, 2], [3, 2], [0, 0], [0, 2]]
    assert path_of([]).maps.shape == (0, 4)


@pytest.mark.parametrize("kind", GROUNDS)
def test_errors_do_not_add_up(kind):
    """After 2,000 frames ground is where it was; without looks it is far away."""
    places, steps, looks = clip(there_and_back, kind=kind)

    path = held(steps, looks)

    assert off(path, places, [1024]) < 1  # it is back, and so it was before
    assert off(path, places)[1000:].max() < off(path, places)[:1000].max() + 0.5
    assert off(path, places).max() < 8
    assert off(path_of(steps), places, [1024]) > 4
    assert not path.stretch.any()


def test_a_camera_that_never_comes_back_adds_few_errors():
    """Each anchor is laid on the one before, half a picture away."""
    places, steps, looks = clip(away)

    path = held(steps, looks)

    assert off(path, places).max() < 8
    assert off(path, places).max() < off(path_of(steps), places).max()


@pytest.mark.parametrize("error", [0.0, 0.05, 0.15])
@pytest.mark.parametrize("kind", GROUNDS)
def test_a_still_camera_is_still(kind, error):
    """Exactly, in all frames, however its steps tremble and add up; also behind the last look."""
    for seed in (1, 2, 3):
        _, steps, looks = clip(still, error=error, kind=kind, seed=seed)

        path = held(steps, looks)

        assert not path.moves
        assert not path.stretch.any()
        assert not path.moves


def test_a_camera_that_stops_stands_where_it_stopped():
    """Exactly; on the way every place is its own."""
    places, steps, looks = clip(lambda seq: looking(0.7 * min(seq, 300)), 1400, 0.05)

    path = held(steps, looks)

    assert len(np.unique(path.maps[400:], axis=0)) <= 3
    assert off(path, places).max() < 4
    assert len(np.unique(path.maps[:300], axis=0)) > 60


def test_shaking_is_no_error_of_the_steps():
    """A camera that shakes is where it was at each look; in between it shakes, by a pixel or two."""
    random = np.random.default_rng(4)
    shakes = random.normal(0, 1.3, (400, 2))
    shakes[::CHUNK] = 0

    places, steps, looks = clip(lambda seq: looking(*shakes[seq]), 400, 0.0)

    assert off(held(steps, looks), places).max() < STILL * SIZE[0] * 1.5


def test_ground_is_found_again_behind_a_moment_that_nobody_knows():
    """A frame that could not be decoded, or a bird: from the next look on, and from there back to the moment."""
    places, steps, looks = clip(away, 600)
    steps[200] = steps[201] = steps[300] = None

    path = held(steps, looks)

    assert path.stretch[[199, 201, 255, 256, 299, 300, 599]].tolist() == [0] * 7
    assert path.stretch[200] != 0  # a frame alone, of which there is no look
    assert off(path, places, [*range(200), *range(201, 600)]).max() < 4


def test_what_happened_since_a_moment_that_nobody_knows_is_no_obstacle():
    """The camera has turned and come nearer by the next look, and steps say so: it is looked for there."""
    places, steps, looks = clip(
        lambda seq: looking(turn=0.008 * max(0, seq - 200), zoom=1.004 ** max(0, seq - 200)), 257, 0.02
    )
    steps[200] = None

    path = held(steps, looks)

    assert not path.stretch.any()
    assert off(path, places).max() < 3


def test_a_camera_that_turned_unseen_is_found_where_it_comes_back():
    """As soon as enough is in common: all of its ground is known then, also that which it saw before."""
    places, steps, looks = clip(there_and_back, 1100)
    steps[300] = None

    path = held(steps, looks)

    assert not path.stretch.any()
    assert off(path, places).max() < 12
    assert off(path, places, [1024]) < 1


def test_another_scene_has_no_ground_in_common():
    """A cut to another town and back: that one has its own coordinates, the first one goes on."""
    _, steps, looks = clip(still, 640, 0.0)
    steps[128] = steps[384] = None
    for seq in (128, 256):
        looks[seq] = looked_at(looking(x=5), "fields")

    path = held(steps, looks)

    assert (path.stretch[:128] == 0).all()
    assert (path.stretch[128:384] == path.stretch[128]).all()
    assert path.stretch[128] != 0
    assert (path.stretch[384:] == 0).all()
    assert (path.maps == (1, 0, 0, 0)).all()


def test_ground_that_cannot_be_there_is_not_believed():
    """Houses of a row look alike: what is far from where steps lead is another one."""
    _, steps, looks = clip(still, 400, 0.0)
    looks[128] = looked_at(looking(x=200))

    path = held(steps, looks)
    assert not path.moves
    assert not path.stretch.any()


def test_a_look_that_shows_nothing_changes_nothing():
    """Fog: steps alone say where the camera is; it does not become a place that others are laid on for ever."""
    places, steps, looks = clip(there_and_back, 600, 0.02)
    looks[128] = Look(np.full((90, 160), 130, np.uint8))

    path = held(steps, looks)

    assert off(path, places).max() < 3
    assert not path.stretch.any()


def test_a_light_that_changes_for_good_begins_new_anchors():
    """What no anchor shows any more is laid on later ones: errors stay bounded."""
    places, steps, looks = clip(still, 1200, 0.1)
    dark = {seq: looked_at(places[seq], "fields") for seq in looks if seq >= 512}  # nothing is as it was

    path = held(steps, looks | dark)

    assert off(path, places).max() < 8
    assert len(np.unique(path.maps[700:], axis=0)) == 1


def test_without_looks_a_path_is_its_steps():
    """But for what is hardly a motion at all."""
    places, steps, _ = clip(there_and_back, 200, 0.0)

    path = held(steps, {})

    assert off(path, places).max() <= STILL * SIZE[0] * 1.2
    assert held([], {}).maps.shape == (0, 4)


def test_the_order_of_looks_plays_no_part():
    """Nor does the kind of mapping."""
    _, steps, looks = clip(there_and_back, 600)

    one, other = held(steps, looks), held(steps, dict(reversed(looks.items())))

    assert np.array_equal(one.maps, other.maps)


STEP, TREMBLE = Motion(1.0, 0.0, 4.0, 0.0), Motion(1.0, 0.0, 0.5, 0.0)


def test_a_camera_that_rested_is_taken_to_rest_where_nobody_knows():
    """From the first frame on, and however long: a mast stands at night too."""
    assert rested([None, None, IDENTITY, None], SIZE) == [IDENTITY] * 4
    assert rested([IDENTITY] * 20 + [None] * 500, SIZE) == [IDENTITY] * 520
    back = Motion(1.0, 0.0, -0.5, 0.0)
    assert rested([TREMBLE, back] * 10 + [None], SIZE)[-1] == IDENTITY


def test_a_camera_on_its_way_is_lost_where_nobody_knows():
    """Also one that drifts by less than a tremble each frame; it rests again after sixteen frames."""
    assert rested([STEP] * 20 + [None], SIZE)[-1] is None
    assert rested([TREMBLE] * 40 + [None], SIZE)[-1] is None
    assert rested([STEP] + [IDENTITY] * 15 + [None], SIZE)[-1] is None
    assert rested([STEP] + [IDENTITY] * 16 + [None], SIZE)[-1] == IDENTITY
