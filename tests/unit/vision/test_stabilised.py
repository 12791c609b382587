"""Tracks on the ground: where boxes would be if the camera had stood still."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.camera import IDENTITY, Motion
from sightline.vision.camera_path import path_of
from sightline.vision.stabilised import in_frames, on_ground, unbroken

from .made_tracks import rows, same, table

STEPS = st.builds(
    lambda scale, turn, x, y: Motion(scale * math.cos(turn), scale * math.sin(turn), x, y),
    st.floats(0.8, 1.25),
    st.floats(-0.5, 0.5),
    st.floats(-50, 50),
    st.floats(-50, 50),
)
TRACKS = table(
    rows(1, range(6), lambda seq: (50.0 + 3 * seq, 20.0)), rows(2, [0, 5], lambda seq: (-9.0, 400.0))
)


def test_a_box_goes_with_its_centre_and_stays_upright():
    """Its sides become longer by the scale alone."""
    path = path_of([IDENTITY, Motion(0.0, 2.0, 100.0, 0.0)])  # a quarter turn, twice as near
    ground = table(rows(1, [1], lambda seq: (30.0, 10.0), (4.0, 6.0)))

    assert in_frames(path, ground).xyxy == pytest.approx(np.array([[80 - 4, 60 - 6, 80 + 4, 60 + 6]]))


@given(st.lists(STEPS, min_size=6, max_size=6))
def test_there_and_back(steps):
    """Boxes come back; the first frame is the ground."""
    path = path_of(steps)

    ground = on_ground(path, TRACKS)

    assert in_frames(path, ground).xyxy == pytest.approx(TRACKS.xyxy, abs=1e-6)
    assert ground.xyxy[TRACKS.seq == 0] == pytest.approx(TRACKS.xyxy[TRACKS.seq == 0])


@given(st.lists(STEPS | st.none(), max_size=9))
def test_what_is_not_known_is_taken_for_still(steps):
    """The path is that of the same steps with stillness in the place of each that is not known."""
    whole = unbroken(path_of([IDENTITY, Motion(1.0, 0.0, 5.0, 0.0), *steps]))

    assert whole.maps == pytest.approx(
        path_of([IDENTITY, Motion(1.0, 0.0, 5.0, 0.0), *(step or IDENTITY for step in steps)]).maps
    )
    assert not whole.stretch.any()


def test_no_path_no_change():
    """Where the camera stood still the picture is the ground."""
    for motions in ([], 3 * [IDENTITY], 3 * [None], [None, IDENTITY, None]):
        assert unbroken(path_of(motions)) is None
    assert unbroken(None) is None
    assert same(on_ground(None, TRACKS), TRACKS)
    assert same(in_frames(None, TRACKS), TRACKS)
