"""The path of a camera as a file: equal paths have equal bytes, which read back as they were; damage is found."""

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sightline import formats
from sightline.camera import CameraPath
from sightline.errors import Corrupt
from sightline.formats.camera_bin import HEADER, decode, encode

PATH = CameraPath(np.array([(1, 0, 0, 0), (0.5, 0.25, -3.5, 7), (1, 0, 0, 0)]), np.array([0, 0, 1]))


@st.composite
def paths(draw):
    frames = draw(st.integers(0, 6))
    maps = draw(hnp.arrays(np.float64, (frames, 4), elements=st.floats(-1e6, 1e6)))
    maps[:, 0] = np.where(maps[:, 0] ** 2 + maps[:, 1] ** 2 > 0, maps[:, 0], 1)
    return CameraPath(maps, draw(hnp.arrays(np.int64, frames, elements=st.integers(0, 2**40))))


@given(paths())
def test_what_is_read_is_what_was_written(path):
    """To the last bit but the sign of zero, which a path does not have; it cannot be written to."""
    read = decode(encode(path))

    assert np.array_equal(read.maps, path.maps)
    assert np.array_equal(read.stretch, path.stretch)
    assert encode(read) == encode(path)
    assert not np.signbit(read.maps[read.maps == 0]).any()
    assert not read.maps.flags.writeable
    assert not read.stretch.flags.writeable


@pytest.mark.parametrize("place", range(len(encode(PATH))))
def test_a_flipped_bit_is_found(place):
    """Anywhere, and the file is named."""
    blob = bytearray(encode(PATH))
    blob[place] ^= 4

    with pytest.raises(Corrupt, match=r"^camera: "):
        decode(bytes(blob))


@pytest.mark.parametrize("cut", [0, 8, 23, 24, 100, -1])
def test_a_file_that_was_cut_is_found(cut):
    """Wherever it ends; so is one that goes on."""
    with pytest.raises(Corrupt):
        decode(encode(PATH)[:cut])
    with pytest.raises(Corrupt):
        decode(encode(PATH) + b"\0")


@pytest.mark.parametrize("frames", [-1, 2**40])
def test_numbers_that_promise_too_much_are_refused(frames):
    """Before anything is read."""
    blob = encode(PATH)
    forged = HEADER.pack(*HEADER.unpack(blob[: HEADER.size])[:4], frames) + blob[HEADER.size :]

    with pytest.raises(Corrupt, match="the header promises"):
        decode(forged[:-4] + struct.pack("<I", zlib.crc32(forged[:-4])))


@pytest.mark.parametrize(
    ("maps", "stretch", "said"),
    [
        ([(1, 0, np.nan, 0)], [0], "not finite"),
        ([(1, np.inf, 0, 0)], [0], "not finite"),
        ([(0, 0, 5, 5)], [0], "a point"),
        ([(1, 0, 0, 0)], [-1], "stretch -1"),
    ],
)
def test_what_no_camera_can_have_seen_is_refused(monkeypatch, maps, stretch, said):
    """When it is written, and when somebody made the checksum fit."""
    bad = CameraPath(np.array(maps, float), np.array(stretch))

    with pytest.raises(ValueError, match=said):
        encode(bad)

    monkeypatch.setattr(formats.camera_bin, "_check", lambda _: None)
    forged = encode(bad)
    monkeypatch.undo()
    with pytest.raises(Corrupt, match=said):
        decode(forged)


def test_parts_that_do_not_fit_are_no_path():
    """A map without a stretch."""
    with pytest.raises(ValueError, match="stretches"):
        encode(CameraPath(PATH.maps, PATH.stretch[:2]))
