"""No room left, at any write: the run stops with a clear error, and goes on to the same bytes when there is room.

`tests.crash.schedules`, kind `disk full`, brings the error in at every call; here the room is real.
"""

import os
import subprocess
from dataclasses import replace
from random import Random

import pytest

from sightline.adapters.files.objects import FolderObjects
from sightline.adapters.sqlite.store import SqliteStore
from sightline.disk import ROOM, Disk
from sightline.errors import Unavailable
from tests.crash.checks import SCENE
from tests.crash.jobs import files_below
from tests.crash.schedules import bench
from tests.crash.world import Life
from tests.hosting import run_job
from tests.laws.test_embedded_laws import work

pytestmark = pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")


@pytest.fixture(scope="module")
def place():
    with bench() as place:
        yield place


@pytest.fixture
def small_disk(tmp_path):
    """A real file system of 24 MiB."""
    if os.geteuid() != 0:
        pytest.skip("a small file system can only be mounted by root")
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no small file system here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


class BytesDisk(Disk):
    """A disk for files with room for so many bytes."""

    def __init__(self, room: int) -> None:
        self._room = room

    def create(self, path):
        file = super().create(path)
        return _Limited(self, file)

    def take(self, n: int) -> None:
        self._room -= n
        if self._room < 0:
            raise OSError(28, "No space left on device")


class _Limited:
    def __init__(self, disk: BytesDisk, file) -> None:
        self._disk, self._file = disk, file

    def __getattr__(self, name):
        return getattr(self._file, name)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._file.close()

    def write(self, chunk):
        self._disk.take(len(chunk))
        return self._file.write(chunk)


def test_a_folder_that_is_full_at_any_byte(place):
    """Segments, results, run.json: wherever the room ends, nothing half-written is taken for whole."""
    scene = SCENE["tracked"]
    expected, _ = place.plain(scene)
    total = sum(len(blob) for blob in expected.values())

    for room in range(0, total, total // 40):
        with place.place() as home:
            with pytest.raises(Unavailable, match=f"No space left.*{ROOM}"):
                Life(scene, home, Random(room), place.files, base=BytesDisk(room)).run()

            Life(scene, home, Random(room), place.files).run()

            assert files_below(home / "run") == expected, f"room for {room} bytes"


def test_a_file_that_may_not_grow_any_further(place):
    """The limit of the SQLite file itself, raised bit by bit until the job fits."""
    scene = SCENE["segments"]
    expected, _ = place.plain(scene)
    codes: list[str] = []
    said: list[str] = []

    with place.place() as home:
        for pages in range(20, 400):
            try:
                Life(scene, home, Random(pages), place.files, max_bytes=4096 * pages).run()
                break
            except Unavailable as full:
                codes.append(full.code)
                said.append(str(full))

        assert files_below(home / "run") == expected
    assert len(codes) > 3
    assert set(codes) == {"disk_full"}
    assert all(ROOM in each for each in said)


@pytest.mark.parametrize("seed", range(4))
def test_a_real_disk_that_is_full(small_disk, tmp_path, seed):
    """Ballast takes the room; the run stops, again and again, as a little of it is given back each time."""
    made = work(failed=(5,))
    run_job(made)
    ballast = small_disk / "ballast"
    room = Random(seed).randrange(60, 400) * 1024
    codes: list[str] = []
    said: list[str] = []

    for _ in range(100):
        with ballast.open("wb") as out:
            out.truncate(0)
            _fill(out, small_disk, room)
        try:
            _run(small_disk, work(failed=(5,)))
            break
        except Unavailable as full:
            codes.append(full.code)
            said.append(str(full))
            room += 200 * 1024

    assert len(codes) > 3
    assert set(codes) == {"disk_full"}
    assert all(ROOM in each for each in said)
    assert files_below(small_disk / "files") == made.objects.contents()


def _run(folder, made) -> None:
    store = SqliteStore(folder / "store.sqlite", synchronous="NORMAL")
    try:
        objects = FolderObjects(folder / "files")
        objects.sweep()
        run_job(replace(made, store=store, objects=objects))
    finally:
        store.close()


def _fill(out, folder, room: int) -> None:
    """Leave so much room, as far as there is any."""
    at = os.statvfs(folder)
    out.write(bytes(max(at.f_bavail * at.f_frsize - room, 0)))
