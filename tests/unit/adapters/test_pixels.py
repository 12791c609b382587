"""Frames fill the detector's buffer: upright, in place, in the layout that was asked for."""

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.adapters.pixels import Painter
from sightline.errors import Misconfigured
from sightline.types import ImageSpec
from sightline.vision.preprocess import Preprocess

RED, GREY = (200, 30, 40), 114


def frame_of(colour=RED, size=(64, 48), format="yuv420p", **tags):
    width, height = size
    image = np.empty((height, width, 3), np.uint8)
    image[:] = colour
    frame = av.VideoFrame.from_ndarray(image, format="rgb24")
    return frame if format == "rgb24" else frame.reformat(format=format, **tags)


def paint(frame, spec, *, rotation=0, preprocess=None, size=None):
    width, height = size or (frame.width, frame.height)
    shape = ImageSpec(spec.width or width, spec.height or height, spec.layout).shape()
    out = np.full(shape, 77, np.uint8)
    Painter(spec, width, height, rotation, preprocess).paint(frame, out)
    return out


def rgb_of(i420, width, height):
    frame = av.VideoFrame.from_ndarray(i420, format="yuv420p")
    return frame.reformat(format="rgb24").to_ndarray()


@pytest.mark.parametrize(("layout", "expected"), [("rgb", RED), ("bgr", RED[::-1])])
def test_colours_in_their_order(layout, expected):
    """The frame's colour in the middle, the padding's grey around it."""
    out = paint(frame_of(), ImageSpec(64, 64, layout))

    np.testing.assert_allclose(out[8:56].reshape(-1, 3), np.tile(expected, (48 * 64, 1)), atol=3)
    assert (out[:8] == GREY).all()
    assert (out[56:] == GREY).all()


@pytest.mark.parametrize(
    "format", ["yuv420p", "yuvj420p", "yuv422p", "yuv444p", "yuv420p10le", "gbrp", "rgb24"]
)
@pytest.mark.parametrize("layout", ["rgb", "i420"])
def test_every_pixel_format_gives_the_same_colour(format, layout):
    """10 bits, 4:4:4, full range and RGB sources end in the same picture."""
    out = paint(frame_of(format=format), ImageSpec(64, 64, layout))

    image = rgb_of(out, 64, 64) if layout == "i420" else out
    np.testing.assert_allclose(image[20:40, 20:40].reshape(-1, 3).mean(axis=0), RED, atol=4)


@pytest.mark.parametrize("matrix", ["ITU601", "ITU709"])
def test_i420_is_always_bt601(matrix):
    """Engines convert by one matrix; a video's own is taken out before."""
    frame = frame_of(format="yuv420p", dst_colorspace=matrix)

    out = paint(frame, ImageSpec(64, 64, "i420"))

    np.testing.assert_allclose(rgb_of(out, 64, 64)[20:40, 20:40].reshape(-1, 3).mean(axis=0), RED, atol=4)


def test_i420_is_padded_with_the_same_grey():
    """Luma in limited range, chroma neutral."""
    out = paint(frame_of(), ImageSpec(64, 64, "i420"))

    assert (out[:8] == 114).all()
    assert (out[64:].reshape(2, 32, 32)[:, :4] == 128).all()
    np.testing.assert_allclose(rgb_of(out, 64, 64)[:7], GREY, atol=1)


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("layout", ["rgb", "i420"])
def test_frames_are_turned_upright(rotation, layout):
    """A white corner goes where `rotation` degrees counter-clockwise bring it."""
    image = np.zeros((64, 64, 3), np.uint8)
    image[:32, :32] = 235
    frame = av.VideoFrame.from_ndarray(image, format="rgb24")

    out = paint(frame, ImageSpec(64, 64, layout), rotation=rotation)

    turned = rgb_of(out, 64, 64) if layout == "i420" else out
    expected = np.rot90(image, rotation // 90)
    assert ((turned[4:-4:56, 4:-4:56] > 128) == (expected[4:-4:56, 4:-4:56] > 128)).all()


def test_a_turned_frame_swaps_its_sides():
    """The letterbox is that of the upright frame."""
    out = paint(frame_of(size=(64, 32)), ImageSpec(64, 64), rotation=90, size=(32, 64))

    assert (out[:, :16] == GREY).all()
    assert (out[:, 48:] == GREY).all()
    np.testing.assert_allclose(out[:, 16:48].reshape(-1, 3), np.tile(RED, (32 * 64, 1)), atol=3)


def test_frames_of_another_size_fill_the_first_frames_place():
    """Boxes stay in pixels of the first frame."""
    painter, out = Painter(ImageSpec(64, 64), 64, 48, 0, None), np.empty((64, 64, 3), np.uint8)

    painter.paint(frame_of(size=(200, 50)), out)

    assert (out[:8] == GREY).all()
    np.testing.assert_allclose(out[8:56].reshape(-1, 3), np.tile(RED, (48 * 64, 1)), atol=3)


def test_zero_by_zero_is_the_frame_itself():
    """No scaling, no padding."""
    image = np.random.default_rng(3).integers(0, 256, (37, 53, 3), dtype=np.uint8)

    out = paint(av.VideoFrame.from_ndarray(image, format="rgb24"), ImageSpec(0, 0))

    np.testing.assert_array_equal(out, image)


def test_preprocessing_comes_before_scaling():
    """Blur and contrast see the full-size frame."""
    image = np.random.default_rng(4).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    detect = Preprocess(blur=3, contrast=1.3, brightness=5)

    out = paint(av.VideoFrame.from_ndarray(image, format="rgb24"), ImageSpec(0, 0, "bgr"), preprocess=detect)

    np.testing.assert_array_equal(out, detect(image)[:, :, ::-1])


@given(
    st.tuples(st.integers(1, 90), st.integers(1, 90)),
    st.sampled_from([(32, 32), (64, 48), (66, 34)]),
    st.sampled_from(["rgb", "bgr", "i420"]),
    st.sampled_from(["centre", "topleft"]),
    st.sampled_from([0, 90, 180, 270]),
)
def test_every_byte_of_the_buffer_is_written(size, picture, layout, fit, rotation):
    """Whatever the frame's size, nothing of the buffer's last use shows through."""
    spec = ImageSpec(*picture, layout, fit)
    upright = size[::-1] if rotation % 180 else size
    painter = Painter(spec, *upright, rotation, None)
    first, second = np.zeros(spec.shape(), np.uint8), np.full(spec.shape(), 255, np.uint8)

    painter.paint(frame_of(size=size), first)
    painter.paint(frame_of(size=size), second)

    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("size", [(0, 0), (63, 64), (64, 63)])
def test_i420_needs_an_even_size(size):
    """Two by two pixels share a colour."""
    with pytest.raises(Misconfigured, match="i420"):
        Painter(ImageSpec(*size, "i420"), 64, 48, 0, None)


def test_a_wrong_buffer_is_refused():
    """A caller's mistake does not become a picture."""
    painter = Painter(ImageSpec(64, 64), 64, 48, 0, None)

    with pytest.raises(ValueError, match="shape"):
        painter.paint(frame_of(), np.empty((64, 63, 3), np.uint8))
