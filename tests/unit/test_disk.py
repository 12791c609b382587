"""Files that are there whole or not at all, whoever writes at the same time and whenever the power goes."""

import os
from random import Random

import pytest

from sightline.disk import PART, Disk, chunks_of, settle, write_whole
from sightline.errors import Unavailable
from sightline.ports import Stat
from sightline.testing import AtCall, Faults, Recorded
from tests.crash.power import PowerDisk

# A process that ends does not close its files.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")

OLD, NEW = b"old bytes", [b"new ", b"and longer ", b"bytes"]


class Killed(BaseException):
    """The process ended."""


def kill() -> None:
    raise Killed


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "made.csv"
    path.write_bytes(OLD)
    return path


def test_what_was_written_is_told_by_size_and_hash(file):
    """The answer needs no second reading."""
    assert write_whole(file, NEW) == Stat.of([b"".join(NEW)]) == Stat.of(chunks_of(file))
    assert [path.name for path in file.parent.iterdir()] == ["made.csv"]


def test_a_name_that_is_no_file_is_kept(tmp_path):
    """Root could put a file in the place of `/dev/null`."""
    place = tmp_path / "pipe"
    os.mkfifo(place)

    with pytest.raises(Unavailable, match="it is no file"):
        write_whole(place, NEW)
    assert place.is_fifo()
    assert [*tmp_path.iterdir()] == [place]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_writer_that_dies_at_any_call_leaves_a_whole_file(file, when):
    """The old one or the new one, never a piece; from the call that names it on, the new one."""
    calls = Recorded(Disk())
    write_whole(file, NEW, calls)

    for n, (method, _) in enumerate(calls.calls, start=1):
        file.write_bytes(OLD)
        with pytest.raises(Killed):
            write_whole(file, NEW, Faults(Disk(), AtCall("*", when, n, kill)))
        named = method == "sync_folder" or (method, when) == ("replace", "after")
        assert file.read_bytes() == (b"".join(NEW) if named else OLD), (method, when)


def test_bytes_and_name_survive_a_power_cut(tmp_path):
    """Nothing that was written whole needs luck afterwards."""
    for seed in range(20):
        home = tmp_path / str(seed)
        home.mkdir()
        disk = PowerDisk(home)

        write_whole(home / "made.csv", NEW, disk)
        disk.cut(Random(seed))

        assert (home / "made.csv").read_bytes() == b"".join(NEW)


def test_a_file_that_an_encoder_wrote_survives_a_power_cut(tmp_path):
    """Others do not flush: its bytes are flushed before it has its name."""
    disk = Recorded(Disk())
    part = tmp_path / f".made.mp4{PART}"
    part.write_bytes(b"video")

    settle(part, tmp_path / "made.mp4", disk)

    assert [name for name, _ in disk.calls] == ["sync", "replace", "sync_folder"]
    assert (tmp_path / "made.mp4").read_bytes() == b"video"


def test_two_writers_at_once_do_not_mix(file):
    """Each writes a file of its own; whose name comes last stays."""

    def interrupted():
        yield NEW[0]
        write_whole(file, [b"the other's"])
        assert file.read_bytes() == b"the other's"
        yield from NEW[1:]

    write_whole(file, interrupted())

    assert file.read_bytes() == b"".join(NEW)
    assert [path.name for path in file.parent.iterdir()] == ["made.csv"]


def test_what_the_content_raises_is_no_fault_of_the_disk(file):
    """It rises as it is; the old file stays and nothing lies beside it."""

    def broken():
        yield NEW[0]
        raise ConnectionResetError("the source is gone")

    with pytest.raises(ConnectionResetError):
        write_whole(file, broken())

    assert [(path.name, path.read_bytes()) for path in file.parent.iterdir()] == [("made.csv", OLD)]


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    """As everywhere: what, why, what to do."""
    with pytest.raises(Unavailable, match=r"^made\.csv cannot be written: .*; make it writable"):
        write_whole(tmp_path / "nowhere" / "made.csv", NEW)
