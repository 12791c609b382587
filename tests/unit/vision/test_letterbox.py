"""Frames lie where YOLOv5 and YOLOX put them, and boxes come back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.types import ImageSpec
from sightline.vision.letterbox import Letterbox

SIDES = st.integers(1, 16_384)


@pytest.mark.parametrize(
    ("size", "spec", "inner", "offset"),
    [
        ((1920, 1080), ImageSpec(640, 384), (640, 360), (0, 12)),
        ((1920, 1080), ImageSpec(640, 640), (640, 360), (0, 140)),
        ((1280, 720), ImageSpec(640, 384), (640, 360), (0, 12)),
        ((720, 1280), ImageSpec(640, 384), (216, 384), (212, 0)),
        ((768, 432), ImageSpec(416, 416, fit="topleft"), (416, 234), (0, 0)),
        ((320, 240), ImageSpec(640, 640), (640, 480), (0, 80)),
        ((1, 1), ImageSpec(640, 384), (384, 384), (128, 0)),
        ((333, 334), ImageSpec(640, 640), (638, 640), (1, 0)),
        ((1280, 720), ImageSpec(640, 640, fit="stretch"), (640, 640), (0, 0)),
    ],
)
def test_the_scaled_frame_lies_where_the_reference_puts_it(size, spec, inner, offset):
    """Rounded size, halved and floored rest; `topleft` leaves no rest before the frame, `stretch` none."""
    box = Letterbox.fit(*size, spec)

    assert (box.inner_width, box.inner_height) == inner
    assert (box.left, box.top) == offset


def test_zero_by_zero_keeps_the_frame():
    """0 x 0 asks for the frame in its own size."""
    box = Letterbox.fit(1921, 1081, ImageSpec(0, 0))

    assert (box.scale, box.inner_width, box.inner_height, box.left, box.top) == (1.0, 1921, 1081, 0, 0)


@pytest.mark.parametrize("size", [(0, 10), (10, 0), (-1, 5)])
def test_a_frame_without_pixels_is_refused(size):
    """There is no scale for it."""
    with pytest.raises(ValueError, match="cannot be scaled"):
        Letterbox.fit(*size, ImageSpec(640, 640))


@given(SIDES, SIDES, st.sampled_from([32, 416, 640, 1280]), st.sampled_from([32, 384, 640]))
def test_the_scaled_frame_fits_and_keeps_a_pixel(width, height, picture_width, picture_height):
    """However long and thin, a frame is at least a pixel wide and never larger than the picture."""
    box = Letterbox.fit(width, height, ImageSpec(picture_width, picture_height))

    assert 1 <= box.inner_width <= picture_width
    assert 1 <= box.inner_height <= picture_height
    assert 0 <= box.left <= picture_width - box.inner_width
    assert 0 <= box.top <= picture_height - box.inner_height


@given(
    SIDES,
    SIDES,
    st.sampled_from(["centre", "topleft", "stretch"]),
    st.lists(st.tuples(*[st.floats(0, 1)] * 4), min_size=1, max_size=8),
)
def test_boxes_come_back(width, height, fit, corners):
    """To the picture and back is the same box to a millionth of a pixel."""
    box = Letterbox.fit(width, height, ImageSpec(640, 384, fit=fit))
    xyxy = np.sort(np.array(corners).reshape(-1, 2, 2), axis=1).reshape(-1, 4) * [
        width,
        height,
        width,
        height,
    ]

    back = box.to_source(box.to_image(xyxy))

    np.testing.assert_allclose(back, xyxy, atol=1e-6)


def test_boxes_are_clipped_to_the_frame():
    """A detector may see an object in the padding; the frame ends where it ends."""
    box = Letterbox.fit(1920, 1080, ImageSpec(640, 384))

    found = box.to_source(np.array([[-5.0, 0, 700, 384], [0, 12, 640, 372]]))

    np.testing.assert_array_equal(found, [[0, 0, 1920, 1080], [0, 0, 1920, 1080]])


def test_no_boxes_stay_no_boxes():
    """An empty array keeps its shape."""
    box = Letterbox.fit(1920, 1080, ImageSpec(640, 384))

    assert box.to_source(np.empty((0, 4))).shape == (0, 4)
    assert box.to_image(np.empty((0, 4))).shape == (0, 4)
