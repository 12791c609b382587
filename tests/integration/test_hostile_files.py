"""Files that are made to do harm, read as uploads: an answer with a code, nothing opened, nobody called, in time."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import pytest

from sightline.adapters.confined.reader import ConfinedReader
from sightline.adapters.confined.rlimits import Limits
from sightline.adapters.video.file import UPLOADS, VideoLimits
from sightline.adapters.video.reader import VideoReader
from sightline.errors import InvalidVideo, NotFound
from sightline.types import ImageSpec
from tests import media
from tests.confining import everything, needs
from tests.integration.hostile_files import IMAGES, REFERENCES, VIDEOS, external_reference

SPEC = ImageSpec(64, 48, "rgb")
YEARS_AGO = 946_684_800
WITHIN_S = 120
# What no upload may be; a reader that takes it shows what confinement alone is worth.
GULLIBLE = VideoLimits(containers="hls,concat,dash,sdp,imf,mov,matroska,avi,mpegts,image2,lavfi,tty,aqtitle")


@pytest.fixture(autouse=True)
def _confined():
    needs("rlimits", "seccomp")


class Witness:
    """A file and an address that nobody may use."""

    def __init__(self, folder: Path) -> None:
        self.file = media.video(folder / "secret.mp4", 12)
        os.utime(self.file, (YEARS_AGO, YEARS_AGO))
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.setblocking(False)
        self.address = f"http://127.0.0.1:{self._server.getsockname()[1]}"

    def was_read(self) -> bool:
        """A file that was last read years ago says so when it is read, on whatever disk keeps such times."""
        return self.file.stat().st_atime != YEARS_AGO

    def was_called(self) -> bool:
        try:
            self._server.accept()[0].close()
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        self._server.close()


@pytest.fixture
def witness(tmp_path):
    found = Witness(tmp_path)
    yield found
    found.close()


def outcome(reader: ConfinedReader) -> str:
    """`ready`, or the code of the error."""
    began = time.monotonic()
    try:
        everything(reader, SPEC)
        return "ready"
    except InvalidVideo as error:
        return error.code
    finally:
        reader.close()
        assert time.monotonic() - began < WITHIN_S


def test_the_witness_sees_what_it_is_for(witness):
    """A file that is read, an address that is called."""
    assert (witness.was_read(), witness.was_called()) == (False, False)

    witness.file.read_bytes()
    socket.create_connection(("127.0.0.1", int(witness.address.rsplit(":", 1)[1]))).close()

    assert witness.was_called()
    if not witness.was_read():
        pytest.skip("this disk keeps no times of reading (noatime): files that are opened are not seen")


def test_without_confinement_a_gullible_reader_follows_a_playlist(witness, tmp_path):
    """So what is not read below is not read because of the confinement."""
    path = REFERENCES["hls-file.m3u8"](tmp_path / "a.m3u8", witness.file, witness.address)

    with pytest.raises(InvalidVideo):
        VideoReader(path, SPEC, limits=GULLIBLE).index()

    if not witness.was_read():
        pytest.skip("this disk keeps no times of reading (noatime): files that are opened are not seen")


@pytest.mark.parametrize("limits", [UPLOADS, GULLIBLE], ids=["uploads", "gullible"])
@pytest.mark.parametrize("name", REFERENCES)
def test_a_file_that_names_others_opens_none_of_them(name, limits, witness, tmp_path):
    """Neither where its format is refused, nor where only confinement stands between."""
    path = REFERENCES[name](tmp_path / name, witness.file, witness.address)

    found = outcome(ConfinedReader(path, SPEC, limits=limits))

    assert found in ("not_video", "unreadable", "no_video", "no_frame")
    assert (witness.was_read(), witness.was_called()) == (False, False)


@pytest.mark.parametrize("limits", [UPLOADS, GULLIBLE], ids=["uploads", "gullible"])
def test_samples_that_are_said_to_lie_elsewhere_are_not_fetched(limits, witness, tmp_path):
    """A QuickTime file may name another file for its data."""
    path = external_reference(tmp_path / "outside.mov", witness.file)

    assert outcome(ConfinedReader(path, SPEC, limits=limits)) in (
        "ready",
        "no_frame",
        "unreadable",
        "no_video",
    )
    assert (witness.was_read(), witness.was_called()) == (False, False)


@pytest.mark.parametrize("name", VIDEOS)
def test_hostile_containers_have_an_answer(name, tmp_path):
    """Tables, boxes, sizes and times that cannot be."""
    make, expected = VIDEOS[name]

    found = outcome(ConfinedReader(make(tmp_path / name), SPEC))

    assert found == expected


@pytest.mark.parametrize("name", IMAGES)
def test_hostile_images_have_an_answer(name, tmp_path):
    """A few bytes that would be a gigabyte."""
    make, expected = IMAGES[name]

    found = outcome(ConfinedReader([make(tmp_path / name)], SPEC))

    assert found == expected


def test_a_frame_that_needs_more_memory_than_there_is_fails_alone(tmp_path):
    """It is `limit`, and the frames around it are there."""
    path = VIDEOS["pixels-that-grow.mkv"][0](tmp_path / "grows.mkv")
    reader = ConfinedReader(path, SPEC, confined=Limits(memory=400 << 20))

    found = [(row, outcome, reason) for row, outcome, reason, _ in everything(reader, SPEC)]

    assert found[:12] == [(row, "ok", "") for row in range(12)]
    assert [(outcome, reason) for _, outcome, reason in found[12:]] == [("failed", "limit")]
    reader.close()


def test_links_and_pipes_and_folders_are_no_uploads(tmp_path):
    """Nor does the reader wait for somebody who writes into a pipe."""
    real = media.video(tmp_path / "real.mp4", 12)
    (tmp_path / "link.mp4").symlink_to(real)
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "folder.mp4").mkdir()

    for name in ("link.mp4", "pipe.mp4", "folder.mp4"):
        assert outcome(ConfinedReader(tmp_path / name, SPEC)) == "unreadable"
    with pytest.raises(NotFound):
        ConfinedReader(tmp_path / "none.mp4", SPEC).index()


def test_what_lies_at_the_path_later_is_not_read(tmp_path):
    """The file is opened once; children that start later read the same one."""
    path = media.video(tmp_path / "a.mp4", 12)
    reader = ConfinedReader(path, SPEC)
    index = reader.index()
    os.replace(media.video(tmp_path / "b.mp4", 24), path)
    assert reader.child is not None
    os.kill(reader.child, 9)

    assert len(everything(reader, SPEC)) == len(index) == 12
    reader.close()
