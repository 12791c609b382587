"""Looks: sampled frames as small grey pictures that ride in records."""

import struct
import zlib

import numpy as np
import pytest

from sightline.errors import Corrupt, TooLarge
from sightline.vision.looks import MAX_BOXES, Look, decode_look, encode_look, look_pixels, look_scale
from tests.flights import fly, ground


def pixels(height=90, width=160, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)


@pytest.mark.parametrize(
    ("shape", "scale", "small"),
    [
        ((360, 640), 4, (90, 160)),
        ((640, 360), 4, (160, 90)),
        ((480, 640), 4, (120, 160)),
        ((90, 160), 1, (90, 160)),
        ((91, 161), 2, (45, 80)),
        ((1, 1), 1, (1, 1)),
    ],
)
def test_a_look_is_at_most_160_pixels_long(shape, scale, small):
    """Whole squares of pixels are one; what is left over right and below is not seen."""
    assert look_scale(*shape) == scale
    assert look_pixels(pixels(*shape)).shape == small


def test_a_picture_thinner_than_a_square_has_a_look_of_one_pixel():
    """It shows nothing, but it is no error."""
    assert look_pixels(pixels(3, 640)).tolist() == [[0]]


@pytest.mark.parametrize("shape", [(360, 640), (357, 638), (100, 150), (322, 481)])
def test_a_pixel_is_the_mean_of_a_square_in_steps_of_two(shape):
    """So no pixel is off by two grey levels or more."""
    gray = pixels(*shape)
    scale = look_scale(*shape)

    small = look_pixels(gray)

    height, width = small.shape
    squares = gray[: height * scale, : width * scale].reshape(height, scale, width, scale)
    off = squares.mean(axis=(1, 3)) - small
    assert (small % 2 == 0).all()
    assert off.min() >= 0
    assert off.max() < 2


def test_boxes_are_kept_as_whole_pixels_in_one_order():
    """Whoever gives them, in whatever order, twice or beside the picture."""
    boxes = np.array(
        [[50.2, 10.7, 60.1, 20.0], [-3, -4, 5.5, 6.5], [200, 0, 210, 9], [50.2, 10.7, 60.1, 20.0]]
    )

    kept = Look(pixels(), boxes).covered

    assert kept.tolist() == [[0, 0, 6, 7], [50, 10, 61, 20]]
    assert Look(pixels(), boxes[::-1]).covered.tolist() == kept.tolist()


def test_nobody_changes_a_look():
    """Its arrays are its own, and read-only."""
    given = pixels()
    look = Look(given, [[1, 2, 3, 4]])
    given[:] = 0

    assert look.pixels.any()
    with pytest.raises(ValueError, match="read-only"):
        look.pixels[0, 0] = 1
    with pytest.raises(ValueError, match="read-only"):
        look.covered[0, 0] = 1


@pytest.mark.parametrize(
    "wrong",
    [pixels(161, 10), pixels(10, 161), np.zeros((0, 5), np.uint8), np.zeros((5, 5)), np.zeros(5, np.uint8)],
)
def test_other_arrays_are_no_pixels_of_a_look(wrong):
    """Grey bytes in two dimensions of 1 to 160."""
    with pytest.raises(ValueError, match="pixels of a look"):
        Look(wrong)


def test_boxes_must_be_finite():
    """NaN covers nothing and everything."""
    with pytest.raises(ValueError, match="finite"):
        Look(pixels(), [[0, 0, np.nan, 5]])


@pytest.mark.parametrize("shape", [(90, 160), (160, 160), (1, 1), (3, 7)])
def test_a_look_comes_back_from_its_bytes(shape):
    """Pixels and boxes, and the same bytes again."""
    look = Look(pixels(*shape), np.array([[0, 0, 1, 1], [30.5, 20, 70, 60]]))

    blob = encode_look(look)
    back = decode_look(blob)

    assert np.array_equal(back.pixels, look.pixels)
    assert np.array_equal(back.covered, look.covered)
    assert encode_look(back) == blob


@pytest.mark.parametrize(("kind", "most"), [("town", 11_000), ("fields", 8_000), ("roads", 8_000)])
def test_a_look_is_a_few_kilobytes(kind, most):
    """Also where the ground is all fine texture."""
    flight = fly(ground(kind), "still", 1)

    assert len(encode_look(Look(look_pixels(flight.frames[0]), flight.boxes[0] / 4))) < most


def test_more_boxes_than_a_record_counts_are_refused():
    """Before anything is written."""
    sides = np.arange(1, 161)
    many = [[left, top, right, 160] for left in range(40) for top in range(40) for right in sides[100:]]
    assert len(many) > MAX_BOXES

    with pytest.raises(TooLarge, match="boxes"):
        encode_look(Look(pixels(160, 160), many))


def packed(height, width, count, rest, level=6):
    return b"\x01" + zlib.compress(struct.pack("<HHH", height, width, count) + rest, level)


def test_every_damaged_byte_and_every_cut_is_found():
    """A look is never quietly another one."""
    look = Look(pixels(20, 30), [[1, 2, 3, 4]])
    blob = encode_look(look)

    for place in range(len(blob)):
        for wrong in (blob[:place], blob[:place] + bytes([blob[place] ^ 0x41]) + blob[place + 1 :]):
            with pytest.raises(Corrupt):
                decode_look(wrong)
    with pytest.raises(Corrupt):
        decode_look(blob + b"\0")


@pytest.mark.parametrize(
    "blob",
    [
        b"",
        b"\x02" + encode_look(Look(pixels()))[1:],
        packed(0, 5, 0, b""),
        packed(161, 1, 0, bytes(161)),
        packed(2, 2, 0, bytes(5)),
        packed(2, 2, 1, bytes(4)),
        packed(2, 2, 1, bytes([0, 0, 3, 1]) + bytes(4)),
        packed(2, 2, 2, bytes([1, 1, 2, 2, 0, 0, 1, 1]) + bytes(4)),
        packed(2, 2, 9, b""),
        b"\x01" + zlib.compress(b"12"),
        b"\x01" + zlib.compress(bytes(10_000_000)),
    ],
    ids=[
        "empty",
        "another version",
        "no rows",
        "too high",
        "too many pixels",
        "too few pixels",
        "a box outside",
        "boxes out of order",
        "boxes that are not there",
        "no head",
        "too large",
    ],
)
def test_what_encode_does_not_write_is_refused(blob):
    """By size, order and version; and nothing large is unpacked for it."""
    with pytest.raises(Corrupt, match="look of a frame"):
        decode_look(blob)
