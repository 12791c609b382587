"""Whole files in a folder of bounded size, for several threads and processes; what is open stays.

A file is locked while it is open (shared) or written (exclusively), so its lock says what may be removed, also after a
crash: the system gives up the locks of a process that ends.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import BinaryIO

from sightline.disk import DISK, PART, Disk, disk_errors, give_name, make_folder, size_of, try_lock
from sightline.errors import Misconfigured, Unavailable

__all__ = ["CachedFiles"]

LOCK = ".lock"
AGAIN_S = 0.02


class CachedFiles:
    """Files by name, each made where it is missing; the ones that were not used for longest go.

    Args:
        folder: made where it does not exist; nothing else lies in it.
        limit: bytes that all files together may have.
        disk: its file calls.
    """

    def __init__(self, folder: Path, limit: int, *, disk: Disk = DISK) -> None:
        self._folder, self._limit, self._disk = folder, limit, disk
        make_folder(folder)

    @contextmanager
    def open(self, name: str, size: int, chunks: Callable[[], Iterable[bytes]], what: str) -> Iterator[Path]:
        """A file, made of `chunks` where it is missing; it stays as long as it is open.

        Args:
            name: of the file; one name means the same bytes for ever.
            size: of the file in bytes.
            chunks: gives its bytes; what it raises rises as it is.
            what: how errors call it.

        Raises:
            Misconfigured: it is larger than the limit.
            Unavailable: what is open leaves no room, the disk does not take it, or another number of bytes came.
        """
        path = self._folder / name
        while (handle := self._held(path, size, what)) is None:
            self._make(path, size, chunks, what)
        try:
            yield path
        finally:
            os.close(handle)

    def _held(self, path: Path, size: int, what: str) -> int | None:
        """Handle of a whole file that nobody removes until it is closed."""
        with disk_errors(what):
            try:
                handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                return None
            try:
                fcntl.flock(handle, fcntl.LOCK_SH)
                if _is_there(handle, path) and os.fstat(handle).st_size == size:
                    os.utime(handle)  # the order in which files go
                    return handle
            except BaseException:
                os.close(handle)
                raise
            os.close(handle)
            return None

    def _make(self, path: Path, size: int, chunks: Callable[[], Iterable[bytes]], what: str) -> None:
        """Write a file, or wait for who writes it."""
        part = path.with_name(f".{path.name}{PART}")
        with self._locked(part, what) as file:
            try:
                if size_of(path) != size:  # a file that was cut is written again
                    self._make_room(size, part, file)
                    self._write(file, size, chunks(), what)
                    with self._names():
                        give_name(part, path, self._disk)
                    return
            except BaseException:
                self._drop(part)
                raise
            self._drop(part)

    def _names(self) -> AbstractContextManager[BinaryIO]:
        """While names are given or taken, so that the others' count is right."""
        return self._locked(self._folder / LOCK, "the cache")

    def _drop(self, part: Path) -> None:
        with self._names(), disk_errors("the cache"):
            self._disk.remove(part)

    def _write(self, file: BinaryIO, size: int, chunks: Iterable[bytes], what: str) -> None:
        came = 0
        for chunk in chunks:
            came += len(chunk)
            with disk_errors(what):
                file.write(chunk)
        if came != size:
            raise Unavailable(f"{what}: {came} of {size} bytes came; it is asked again later")
        with disk_errors(what):
            self._disk.sync(file)

    def _make_room(self, size: int, part: Path, file: BinaryIO) -> None:
        """Remove what was not used for longest until `size` bytes fit; then they are taken, in the name of `part`."""
        mine = (part, self._folder / LOCK)
        if size > self._limit:
            raise Misconfigured(
                f"{size} bytes are to be kept in {self._folder}, which may hold {self._limit}: raise its limit"
            )
        with self._names(), disk_errors("the cache"):
            there = [(entry, entry.stat()) for entry in self._folder.iterdir() if entry not in mine]
            left = self._limit - size - sum(state.st_size for _, state in there)
            # First what writers that were killed left.
            order = sorted(there, key=lambda one: (one[0].suffix != PART, one[1].st_mtime_ns, one[0].name))
            for entry, state in order:
                if (left < 0 or entry.suffix == PART) and self._removed(entry):
                    left += state.st_size
            if left < 0:
                raise Unavailable(
                    f"{self._folder} has no room for {size} bytes while others are open: wait, or raise its limit"
                )
            os.ftruncate(file.fileno(), size)  # from now on others count them

    def _removed(self, entry: Path) -> bool:
        """Whether a file that nobody has open was removed."""
        handle = os.open(entry, os.O_RDONLY | os.O_CLOEXEC)
        try:
            if try_lock(handle, entry):
                self._disk.remove(entry)
                return True
            return False
        finally:
            os.close(handle)

    @contextmanager
    def _locked(self, path: Path, what: str) -> Iterator[BinaryIO]:
        """A file for one at a time, empty or as it was left; it is the one that others find at `path`."""
        while True:
            with disk_errors(what):
                file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666), "r+b")
            with file:
                # Who holds it may give it another name, under which others hold it for as long as they read: nobody may wait
                # for them.
                while not (mine := try_lock(file.fileno(), path)) and _is_there(file.fileno(), path):
                    time.sleep(AGAIN_S)
                if mine:
                    yield file
                    return


def _is_there(handle: int, path: Path) -> bool:
    try:
        return os.fstat(handle).st_ino == path.stat().st_ino
    except FileNotFoundError:
        return False
