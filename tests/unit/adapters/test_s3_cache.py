"""Files that are kept for a while: whole or not at all, never more than the limit, and never taken away while open."""

import multiprocessing
import os
import signal
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from sightline.adapters.s3.cache import CachedFiles
from sightline.errors import Misconfigured, Unavailable


class Source:
    """Ten bytes of one letter, for each name; it counts how often it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def open(self, cache, name: str, size: int = 10):
        return cache.open(name, size, lambda: self.chunks(name, size), f"object {name}")

    def chunks(self, name, size):
        self.asked.append(name)
        yield name[-1].encode() * (size - 1)
        yield name[-1].encode()


@pytest.fixture
def source():
    return Source()


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "cache"


def kept(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != ".lock")


def use(source, cache, *names):
    for name in names:
        with source.open(cache, name) as path:
            assert path.read_bytes() == name.encode() * 10


def test_a_file_is_made_once(source, folder):
    """Another cache in the same folder, as another process has it, finds it."""
    use(source, CachedFiles(folder, 100), "a")
    use(source, CachedFiles(folder, 100), "a")

    assert source.asked == ["a"]


def test_who_waits_for_a_writer_does_not_wait_for_its_readers(source, folder):
    """A file gets its name when it is whole, and is open from then on; who wanted to write it too, opens it."""
    cache, waits, opened = CachedFiles(folder, 100), threading.Event(), threading.Event()

    def too():
        waits.set()
        with source.open(cache, "a") as path:
            assert path.read_bytes() == b"a" * 10
        opened.set()

    def chunks():
        other.start()
        waits.wait(10)
        time.sleep(0.2)  # it is at the lock by now
        yield b"a" * 10

    other = threading.Thread(target=too, daemon=True)
    with cache.open("a", 10, chunks, "object a"):
        assert opened.wait(10), "it waits for this one to be closed"
    assert source.asked == []


def the_unused_go_first(source, folder):
    """When there is no room, what was not used for longest goes, not what was made first."""
    cache = CachedFiles(folder, 30)
    use(source, cache, "a", "b", "c", "a", "d")

    assert kept(folder) == ["a", "c", "d"]


def test_the_unused_go_first(source, folder):
    the_unused_go_first(source, folder)


def test_no_more_than_the_limit_is_kept(source, folder):
    """After each use, whatever the order."""
    cache = CachedFiles(folder, 35)
    for name in "abcdefgabcxyzaab":
        use(source, cache, name)
        assert sum(path.stat().st_size for path in folder.iterdir()) <= 35


def open_files_stay(source, folder):
    """They count, but others go for them; when all are open there is no room, and that is said."""
    cache, other = CachedFiles(folder, 20), CachedFiles(folder, 20)
    with source.open(cache, "a") as a:
        use(source, other, "b", "c")
        assert a.read_bytes() == b"a" * 10
        with source.open(other, "d"), pytest.raises(Unavailable, match="no room"), source.open(cache, "e"):
            pass
        assert a.exists()
    use(source, cache, "e", "f")
    assert "a" not in kept(folder)


def test_open_files_stay(source, folder):
    open_files_stay(source, folder)


def test_a_file_over_the_limit_is_refused(source, folder):
    """Waiting would not help."""
    with pytest.raises(Misconfigured, match="limit"), source.open(CachedFiles(folder, 9), "a"):
        pass

    assert kept(folder) == []


def cut_file_is_made_again(source, folder):
    """A file of another size than the object is not that object."""
    cache = CachedFiles(folder, 100)
    use(source, cache, "a")
    os.truncate(folder / "a", 5)

    use(source, cache, "a")
    assert source.asked == ["a", "a"]


def test_a_cut_file_is_made_again(source, folder):
    cut_file_is_made_again(source, folder)


@pytest.mark.parametrize("size", [8, 12])
def test_another_number_of_bytes_is_no_file(source, folder, size):
    """An answer that ended early, or did not end."""
    cache = CachedFiles(folder, 100)
    with (
        pytest.raises(Unavailable, match=f"{size} of 10"),
        cache.open("a", 10, lambda: [b"a" * size], "object a"),
    ):
        pass

    assert kept(folder) == []
    use(source, cache, "a")


def test_a_source_that_breaks_leaves_nothing(source, folder):
    """Its error rises as it was."""

    def broken():
        yield b"aa"
        raise KeyError("gone")

    cache = CachedFiles(folder, 100)
    with pytest.raises(KeyError, match="gone"), cache.open("a", 10, broken, "object a"):
        pass

    assert kept(folder) == []
    use(source, cache, "a")


def die_half_way(folder, size=10):
    def half():
        yield b"a" * (size // 2)
        os.kill(os.getpid(), signal.SIGKILL)

    with CachedFiles(folder, 100).open("a", size, half, "object a"):
        pass


def killed_writer_leaves_no_file(source, folder):
    """What it left is not taken for whole, and goes when room is made."""
    child = multiprocessing.get_context("spawn").Process(target=die_half_way, args=(folder,))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    assert kept(folder) != []

    use(source, CachedFiles(folder, 100), "b")
    assert kept(folder) == ["b"]
    use(source, CachedFiles(folder, 100), "a")
    assert source.asked == ["b", "a"]


def test_a_writer_that_is_killed_leaves_no_file(source, folder):
    killed_writer_leaves_no_file(source, folder)


def test_what_a_killed_writer_left_is_written_anew(source, folder):
    """By who wants the same file next."""
    child = multiprocessing.get_context("spawn").Process(target=die_half_way, args=(folder,))
    child.start()
    child.join()

    use(source, CachedFiles(folder, 100), "a")

    assert kept(folder) == ["a"]


def two_writers_make_one_file(source, folder):
    """The second waits for the first; the file is fetched once."""
    inside, go_on = threading.Event(), threading.Event()

    def slow():
        source.asked.append("a")
        yield b"a" * 5
        inside.set()
        assert go_on.wait(60)
        yield b"a" * 5

    def first():
        with CachedFiles(folder, 100).open("a", 10, slow, "object a"):
            pass

    def second():
        inside.wait(60)
        use(source, CachedFiles(folder, 100), "a")

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    for thread in threads:
        thread.start()
    assert inside.wait(60)
    before = kept(folder)
    go_on.set()
    for thread in threads:
        thread.join()

    assert before == [".a.part"]
    assert source.asked == ["a"]
    assert kept(folder) == ["a"]


def test_two_writers_make_one_file(source, folder):
    two_writers_make_one_file(source, folder)


def test_a_file_that_is_being_made_counts_whole(source, folder):
    """So that several at once do not take more than there is."""
    cache = CachedFiles(folder, 15)

    def nested():
        yield b"a" * 5
        with pytest.raises(Unavailable, match="no room"), source.open(cache, "b"):
            pass
        yield b"a" * 5

    with cache.open("a", 10, nested, "object a") as path:
        assert path.read_bytes() == b"a" * 10


def churn(folder, seed, failures):
    source, cache = Source(), CachedFiles(folder, 40)
    for step in range(24):
        name = "abcdefgh"[(step * (2 * seed + 1) + seed) % 8]
        try:
            with source.open(cache, name) as path:
                if path.read_bytes() != name.encode() * 10:
                    failures.put(f"{name}: other bytes")
        except Unavailable:  # all that is there is open
            continue
        except BaseException as error:
            failures.put(repr(error))
            raise
    failures.put(None)


def test_processes_share_a_folder(folder):
    """Four that use eight files where four fit: each reads whole files only."""
    context = multiprocessing.get_context("spawn")
    failures = context.SimpleQueue()
    children = [context.Process(target=churn, args=(folder, seed, failures)) for seed in range(4)]
    for child in children:
        child.start()
    said = [failures.get() for _ in children]
    for child in children:
        child.join()

    assert said == [None] * 4
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 40
    assert all(path.suffix != ".part" for path in folder.iterdir())


def test_a_file_that_goes_while_it_is_looked_at_is_made(folder, monkeypatch):
    """Others make room at any time: what was there a moment ago need not be."""
    monkeypatch.setattr(Path, "exists", lambda path, **_: path == folder / "a")

    with Source().open(CachedFiles(folder, 40), "a") as path:
        assert path.read_bytes() == b"a" * 10


def test_threads_share_a_cache(folder):
    """The same within one process."""
    cache, wrong = CachedFiles(folder, 40), []

    def work(seed):
        source = Source()
        for step in range(24):
            name = "abcdefgh"[(step * (2 * seed + 1) + seed) % 8]
            try:
                with ExitStack() as stack:
                    path = stack.enter_context(source.open(cache, name))
                    if path.read_bytes() != name.encode() * 10:
                        wrong.append(name)
            except Unavailable:
                continue
            except BaseException as error:
                wrong.append(error)
                raise

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []


def test_a_full_disk_is_said(source, folder):
    """And what was begun goes."""
    from sightline.disk import Disk

    class Full(Disk):
        def sync(self, file):
            raise OSError(28, "No space left on device")

    with pytest.raises(Unavailable) as full, source.open(CachedFiles(folder, 100, disk=Full()), "a"):
        pass

    assert full.value.code == "disk_full"
    assert kept(folder) == []
