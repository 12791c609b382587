"""The index of a source as it is stored: whole, or said to be damaged."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.errors import Corrupt
from sightline.formats.source_index import checked, decode, encode, packed
from sightline.sources.named import Source
from sightline.sources.probe import probe
from tests.confining import assert_same_index
from tests.media import video
from tests.unit.scene import images


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    return probe(Source("video", video(tmp_path_factory.mktemp("v") / "a.mp4", 30), "a"), None).index


def test_it_comes_back_as_it_was(index, tmp_path):
    """Of a video and of images, name included; the same index gives the same bytes."""
    for each in (index, probe(Source("images", images(tmp_path / "b", 4, [1]), "b"), None).index):
        again = decode(encode(each))

        assert_same_index(again, each)
        assert again.name == each.name
        assert encode(again) == encode(each)


@given(place=st.integers(0, 10_000), cut=st.booleans(), byte=st.integers(0, 255))
def test_whatever_is_damaged_is_an_index_or_said_to_be_none(index, place, cut, byte):
    """Never another error."""
    blob = bytearray(encode(index))
    place %= len(blob)
    blob[place] = byte
    try:
        decode(bytes(blob[:place] if cut else blob))
    except Corrupt:
        assert cut or bytes(blob) != encode(index)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("frame", b""),
        ("tick", b"12345678"),
        ("key", bytes([2] * 30)),
        ("pts_us", bytes(240)),
        ("failed", {30: "decode"}),
        ("gaps", [(1, 2)] * 30),
        ("kind", "images"),
        ("duration_us", 0),
        ("caveats", [("no word", "")]),
    ],
)
def test_what_no_source_has_is_refused(index, field, value):
    """Columns of unequal length, times that do not rise, frames that are none."""
    with pytest.raises(ValueError, match="cannot be"):
        checked(msgspec.structs.replace(packed(index), **{field: value}), "a", 1000)


def test_more_frames_than_are_taken_are_refused(index):
    """The limit is whoever's asks."""
    assert len(checked(packed(index), "a", 30)) == 30
    with pytest.raises(ValueError, match="number of frames"):
        checked(packed(index), "a", 29)
    assert np.all(np.diff(index.pts_us) > 0)
