"""What strangers sent is found and read as what the user named, by another process."""

from __future__ import annotations

from fractions import Fraction

import pytest

from sightline.adapters.confined.reader import ConfinedReader
from sightline.errors import InvalidVideo, Misconfigured, NotFound
from sightline.sources.named import Source
from sightline.sources.probe import open_confined, open_reader, probe
from sightline.types import ImageSpec
from tests.confining import assert_same_index, everything, needs
from tests.media import video
from tests.unit.scene import images

SPEC = ImageSpec(64, 48, "rgb")


@pytest.fixture(autouse=True)
def _confined():
    needs("rlimits", "seccomp")


@pytest.fixture
def sources(tmp_path):
    return (
        Source("video", video(tmp_path / "a.mp4", 12), "a"),
        Source("images", images(tmp_path / "b", 4), "b"),
    )


def test_a_strangers_source_has_the_same_index_and_hash(sources):
    """So it has the same run key as where the user named it."""
    for source in sources:
        fps = None if source.kind == "video" else Fraction(10)
        own, foreign = probe(source, fps), probe(source, fps, trusted=False)

        assert_same_index(foreign.index, own.index)
        assert (foreign.stat, foreign.times) == (own.stat, own.times)


@pytest.mark.parametrize("preprocess", ["none", "blur-contrast"])
def test_a_strangers_source_has_the_same_pixels(sources, preprocess):
    """Whatever the pipeline does before."""
    for source in sources:
        own = open_reader(source, SPEC, preprocess, None)
        foreign = open_confined(source, SPEC, preprocess, None, own.index())

        assert isinstance(foreign, ConfinedReader)
        assert everything(foreign, SPEC) == everything(own, SPEC)
        foreign.close()


def test_a_rate_for_a_video_is_refused_all_the_same(sources):
    """The same rules hold."""
    with pytest.raises(Misconfigured):
        probe(sources[0], Fraction(10), trusted=False)


def test_what_is_gone_is_not_found(tmp_path):
    """A file, a folder."""
    with pytest.raises(NotFound):
        open_confined(Source("images", tmp_path / "none", "none"), SPEC, "none", None)
    with pytest.raises(NotFound):
        open_confined(Source("video", tmp_path / "none.mp4", "none"), SPEC, "none", None).index()


def test_a_folder_of_too_many_images_is_over_a_limit(tmp_path):
    """Each is a descriptor of the child."""
    with pytest.raises(InvalidVideo) as caught:
        probe(Source("images", images(tmp_path / "many", 65), "many"), Fraction(10), trusted=False)

    assert caught.value.code == "limit"
