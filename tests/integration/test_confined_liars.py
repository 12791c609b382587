"""A decoder that was taken over says what it likes: its source fails with a code, and nothing else happens."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from sightline.adapters.confined import messages, process
from sightline.adapters.confined.reader import ConfinedReader
from sightline.adapters.confined.rlimits import Limits
from sightline.errors import InvalidVideo, Unavailable
from sightline.types import Chunk, ImageSpec
from sightline.vision.sampling import chunks
from tests.integration import liar

SPEC = ImageSpec(64, 48, "rgb")
QUICK = Limits(index_s=0.5, frame_s=0.5, attempts=2)


@pytest.fixture(autouse=True)
def _liars(monkeypatch):
    monkeypatch.setattr(
        process, "module", lambda name, *words: [sys.executable, str(Path(liar.__file__)), *words]
    )


def reader_of(folder: Path, lie: str, **more) -> ConfinedReader:
    (folder / lie).write_bytes(b"some bytes")
    return ConfinedReader(folder / lie, SPEC, name="clip", **{"confined": QUICK} | more)


def read(reader: ConfinedReader) -> list[tuple[int, str, str]]:
    index = reader.index()
    found = []
    for chunk in chunks(index, 4):
        rows = range(chunk.first, chunk.end)
        out = reader.read(
            chunk, rows, index.tick[list(rows)].tolist(), lambda: np.zeros(SPEC.shape(), np.uint8)
        )
        found += [(frame.row, frame.outcome, frame.reason) for frame in out]
    reader.close()
    return found


def test_an_honest_one_is_believed(tmp_path):
    """So what fails below fails for its lie."""
    assert read(reader_of(tmp_path, "honest")) == [(row, "ok", "") for row in range(4)]


@pytest.mark.parametrize("lie", [*liar.INDEXES, *liar.BYTES, "leaves", "segfault", "other-answer"])
def test_an_index_that_cannot_be_is_no_index(lie, tmp_path):
    """The source is refused, its name and not the child's words in the message."""
    with pytest.raises(InvalidVideo) as caught:
        reader_of(tmp_path, lie).index()

    assert caught.value.code == "crashed"
    assert str(caught.value).startswith("clip: its decoder process ended")


@pytest.mark.parametrize("lie", ["hangs", "dribbles", "memory"])
def test_who_takes_too_long_or_too_much_is_over_a_limit(lie, tmp_path):
    """Byte by byte does not make it longer."""
    with pytest.raises(InvalidVideo) as caught:
        reader_of(tmp_path, lie).index()

    assert caught.value.code == "limit"


def test_more_frames_than_allowed_are_refused(tmp_path):
    """By the parent, whatever the child thinks of the limit."""
    from sightline.adapters.video.file import VideoLimits

    for limits in (VideoLimits(frames=3), VideoLimits(side=63), VideoLimits(pixels=64 * 48 - 1)):
        with pytest.raises(InvalidVideo) as caught:
            reader_of(tmp_path, "honest", limits=limits).index()
        assert caught.value.code in ("crashed", "limit")


@pytest.mark.parametrize("lie", ["disk", "disk-of-others"])
def test_an_outage_is_believed_only_if_it_is_one(lie, tmp_path):
    """Waiting for a disk counts as no attempt, so a child must not be able to keep a job waiting for ever."""
    with pytest.raises(InvalidVideo) as caught:
        reader_of(tmp_path, lie).index()

    assert caught.value.code == "crashed"


def test_a_disk_that_really_fails_is_an_outage(tmp_path, monkeypatch):
    """The parent looks at the same place."""
    reader = reader_of(tmp_path, "disk")

    def broken(descriptor, count, offset):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "pread", broken)
    with pytest.raises(Unavailable, match="clip: cannot be read"):
        reader.index()


def test_words_of_a_child_do_nothing_to_a_terminal(tmp_path):
    """They are cut and cleaned."""
    with pytest.raises(InvalidVideo) as caught:
        reader_of(tmp_path, "terminal").index()

    assert (caught.value.code, caught.value.reason) == ("no_frame", "?[2Jgone??")


@pytest.mark.parametrize("lie", liar.FRAMES)
def test_frames_that_were_not_asked_for_are_no_frames(lie, tmp_path):
    """Each is an attempt; then they are lost, and each row has its outcome exactly once."""
    assert read(reader_of(tmp_path, lie)) == [(row, "failed", "crashed") for row in range(4)]


def test_descriptors_of_a_child_are_not_taken(tmp_path):
    """A child that sends open files fills no table of its parent."""
    before = len(os.listdir("/proc/self/fd"))
    reader = reader_of(tmp_path, "sends-files")

    with pytest.raises(InvalidVideo):
        reader.index()

    reader.close()
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_child_that_does_not_listen_keeps_nobody(tmp_path, monkeypatch):
    """Where the socket is full, the parent waits for a while and no longer."""
    monkeypatch.setattr(messages, "_LISTENS_S", 0.3)
    reader = reader_of(tmp_path, "deaf")
    index = reader.index()
    rows, wanted = list(range(4)), 200_000

    found = reader.read(
        Chunk(0, 0, 4, 0, None),
        rows * wanted,
        [0] * len(rows) * wanted,
        lambda: np.zeros(SPEC.shape(), np.uint8),
    )

    assert len(index) == 4
    assert next(found).reason == "limit"
    found.close()
    reader.close()


def test_shared_memory_cannot_be_taken_away(tmp_path):
    """A parent that reads behind the end of a file is killed by its kernel: the size is sealed."""
    reader = reader_of(tmp_path, "shrink")
    index = reader.index()
    chunk = chunks(index, 4)[0]

    first = next(reader.read(chunk, [0], [0], lambda: np.zeros(SPEC.shape(), np.uint8)))

    assert first.outcome == "ok"
    assert first.buffer is not None
    assert first.buffer.flat[0] == 77
    reader.close()


def test_no_upload_is_read_where_nothing_confines(tmp_path, monkeypatch):
    """The error says where to look; the job is kept for a machine that can."""
    from sightline.adapters.confined.confine import Level
    from sightline.errors import Misconfigured

    monkeypatch.setattr(Level, "holds", property(lambda level: False))

    with pytest.raises(Misconfigured, match="sightline doctor") as caught:
        reader_of(tmp_path, "honest").index()
    assert caught.value.code == "confinement"
    assert read(reader_of(tmp_path, "honest", required=False))[0] == (0, "ok", "")
