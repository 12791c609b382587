"""The filter against its textbook form."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.camera import Motion
from sightline.vision import kalman
from sightline.vision.kalman import XYAH, XYWH

MODELS = pytest.mark.parametrize("model", [XYAH, XYWH], ids=["xyah", "xywh"])
BOX = np.array([[100.0, 50, 140, 130]])


def matrices(motion: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean (8,) and covariance (8, 8) of the first box."""
    covariance = np.zeros((8, 8))
    for i in range(4):
        p, c, v = motion[8 + i, 0], motion[12 + i, 0], motion[16 + i, 0]
        covariance[i, i], covariance[i, i + 4], covariance[i + 4, i], covariance[i + 4, i + 4] = p, c, c, v
    return motion[:8, 0], covariance


def official_noise(height: float) -> tuple[np.ndarray, np.ndarray]:
    """ByteTrack's variances for process and measurement."""
    position, velocity = height / 20, height / 160
    process = np.diag(np.square([position, position, 1e-2, position, velocity, velocity, 1e-5, velocity]))
    return process, np.diag(np.square([position, position, 1e-1, position]))


def test_four_blocks_are_the_eight_by_eight_filter():
    """`XYAH` predicts and corrects like the official filter with its full matrices."""
    motion = kalman.begin(XYAH, XYAH.measure(BOX))
    mean, covariance = matrices(motion)
    move, see = np.eye(8) + np.eye(8, k=4), np.eye(4, 8)
    for at in range(5):
        measured = XYAH.measure(BOX + np.array([3.0 * at, at, 3.5 * at, at]))
        process, _ = official_noise(mean[3])
        mean, covariance = move @ mean, move @ covariance @ move.T + process
        _, noise = official_noise(mean[3])
        gain = covariance @ see.T @ np.linalg.inv(see @ covariance @ see.T + noise)
        mean = mean + gain @ (measured[:, 0] - see @ mean)
        covariance = covariance - gain @ see @ covariance

        kalman.predict(XYAH, motion, 1.0, tracked=1)
        kalman.correct(XYAH, motion, measured)

        assert matrices(motion)[0] == pytest.approx(mean, abs=1e-9)
        assert matrices(motion)[1] == pytest.approx(covariance, abs=1e-9)


@MODELS
def test_a_measurement_comes_back_as_its_box(model):
    """Box to coordinates and back loses nothing."""
    motion = kalman.begin(model, model.measure(BOX))

    assert model.boxes(motion) == pytest.approx(BOX)


@MODELS
@given(steps=st.lists(st.floats(0.01, 5), min_size=1, max_size=6))
def test_a_gap_in_parts_is_the_gap(model, steps):
    """Without measurements the mean after several predictions is that after one of their sum."""
    whole = kalman.begin(model, model.measure(BOX))
    whole[4:6] = [[3.0], [-2.0]]
    parts = whole.copy()

    kalman.predict(model, whole, sum(steps), tracked=1)
    for time in steps:
        kalman.predict(model, parts, time, tracked=1)

    assert parts[:8] == pytest.approx(whole[:8])


@MODELS
def test_no_time_changes_nothing(model):
    """A prediction by 0 leaves every bit, so that unconfirmed tracks may take part."""
    motion = kalman.begin(model, model.measure(BOX))
    motion[4:8] = 2.0
    before = motion.copy()

    kalman.predict(model, motion, np.array([0.0]), tracked=1)

    assert np.array_equal(motion, before)


@pytest.mark.parametrize(("model", "still"), [(XYAH, [7]), (XYWH, [6, 7])], ids=["xyah", "xywh"])
def test_a_lost_box_stops_to_grow(model, still):
    """Velocities of size are zeroed behind the tracked columns, and there only."""
    motion = kalman.begin(model, model.measure(np.vstack([BOX, BOX])))
    motion[4:8] = 1.0

    kalman.predict(model, motion, 1.0, tracked=1)

    assert (motion[4:8, 0] == 1).all()
    assert (motion[4:8, 1] == 0).nonzero()[0].tolist() == [row - 4 for row in still]


@MODELS
def test_a_constant_velocity_is_learned(model):
    """After twenty frames at 4 px a frame the filter predicts the next one within 0.1 px."""
    motion = kalman.begin(model, model.measure(BOX))
    for at in range(1, 21):
        kalman.predict(model, motion, 1.0, tracked=1)
        kalman.correct(model, motion, model.measure(BOX + 4.0 * at))

    kalman.predict(model, motion, 1.0, tracked=1)

    assert model.boxes(motion) == pytest.approx(BOX + 84, abs=0.1)


@MODELS
@pytest.mark.parametrize("box", [[5.0, 5, 5, 5], [5, 5, 9, 5], [5, 5, 5, 9]])
def test_flat_boxes_stay_finite(model, box):
    """A box without width or height makes no infinity and no warning; its centre holds."""
    measured = model.measure(np.array([box]))
    motion = kalman.begin(model, measured)

    kalman.predict(model, motion, 1.0, tracked=1)
    kalman.correct(model, motion, measured)

    assert np.isfinite(motion).all()
    assert motion[:2] == pytest.approx(measured[:2])


@given(
    camera=st.builds(
        Motion, a=st.floats(0.5, 2), b=st.floats(-1, 1), x=st.floats(-99, 99), y=st.floats(-99, 99)
    ),
    time=st.floats(0.01, 5),
)
def test_moving_on_and_moving_with_the_camera_are_the_same_either_way_round(camera, time):
    """Centres and velocities turn and grow with the picture, sizes and what is known of them grow: also the covariance."""
    first = kalman.begin(XYWH, XYWH.measure(BOX))
    first[4:8] = [[3.0], [-2.0], [0.5], [0.25]]
    then, before = first.copy(), first.copy()

    kalman.predict(XYWH, then, time, tracked=1)
    kalman.carry(then, camera)
    kalman.carry(before, camera)
    kalman.predict(XYWH, before, time, tracked=1)

    assert before == pytest.approx(then)
    assert then[:2, 0] == pytest.approx(camera.apply(np.array([120 + 3 * time, 90 - 2 * time])))


def test_a_camera_that_comes_nearer_makes_boxes_larger():
    """And one that turns leaves them upright."""
    motion = kalman.begin(XYWH, XYWH.measure(BOX))
    kalman.carry(motion, Motion(0.0, 2.0, 500.0, 0.0))

    assert XYWH.boxes(motion) == pytest.approx(
        np.array([[500 - 180 - 40, 240 - 80, 500 - 180 + 40, 240 + 80]])
    )
    assert motion[8:] == pytest.approx(4 * kalman.begin(XYWH, XYWH.measure(BOX))[8:])
