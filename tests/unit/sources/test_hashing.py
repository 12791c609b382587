"""Hashing: large sources are read beside everything else, small ones at once."""

import time
from concurrent.futures import Future

import msgspec
import pytest

from sightline.errors import InvalidVideo
from sightline.jobs.requests import SourceRef
from sightline.ports import Stat
from sightline.sources.hashing import Hashing
from sightline.sources.roots import Roots
from sightline.sources.stored import Places, traits_of
from sightline.testing import MemoryObjects


@pytest.fixture
def places(tmp_path):
    (tmp_path / "v.mp4").write_bytes(bytes(range(256)))
    return Places(MemoryObjects(), Roots({"files": tmp_path}))


def reference(places, name):
    """A file below the root, as it was accepted."""
    bare = SourceRef(kind="video", name=name, key=name, index_key="i", root="files")
    size, times = traits_of(places, bare)
    return msgspec.structs.replace(bare, bytes=size, times=times)


@pytest.fixture
def source(places):
    return reference(places, "v.mp4")


def answer(hashing, source):
    """What comes of asking again and again, and how often nothing came."""
    nothing = 0
    while (found := hashing.ask("j", source)) is None:
        nothing += 1
        time.sleep(0.001)
    return found, nothing


def test_a_small_source_is_read_at_once(places, source, tmp_path):
    """Nobody waits for a thread."""
    assert answer(Hashing(places), source) == (Stat.of([(tmp_path / "v.mp4").read_bytes()]), 0)


def test_a_large_source_is_read_meanwhile(places, source, tmp_path):
    """Whoever asks goes on, and asks again; another job with the same source is read anew."""
    hashing = Hashing(places, at_once=255)
    first = hashing.ask("j", source)
    found, _ = answer(hashing, source)

    assert first is None
    assert found == Stat.of([(tmp_path / "v.mp4").read_bytes()])
    assert hashing.ask("j", source) is None


def test_a_large_source_that_is_read_in_no_time_is_asked_for_twice(places, source, monkeypatch):
    """The first answer is the same on any machine."""

    class Quick(Future):
        def done(self):
            self.exception(10)
            return True

    monkeypatch.setattr("sightline.sources.hashing.Future", Quick)
    hashing = Hashing(places, at_once=255)

    assert [hashing.ask("j", source) is None for _ in range(2)] == [True, False]


def test_what_is_wrong_with_a_source_is_said_to_who_asks(places, source, tmp_path):
    """And the next one is read all the same."""
    hashing = Hashing(places, at_once=255)
    whole = (tmp_path / "v.mp4").read_bytes()
    (tmp_path / "v.mp4").write_bytes(b"other")
    with pytest.raises(InvalidVideo) as caught:
        answer(hashing, source)
    (tmp_path / "w.mp4").write_bytes(whole)

    assert caught.value.code == "source_changed"
    assert answer(hashing, reference(places, "w.mp4"))[0] == Stat.of([whole])


def test_an_upload_has_the_hash_of_its_acceptance(places):
    """Nothing is read."""
    upload = SourceRef(kind="video", name="v", key="gone", index_key="i", bytes=10**12, sha256="ab" * 32)

    assert Hashing(places).ask("j", upload) == Stat(10**12, "ab" * 32)
