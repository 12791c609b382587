"""File calls on which it hangs what a crash or a power cut leaves behind.

A name given to bytes that were not flushed may belong to an empty file after a power cut; a name in a folder that was
not flushed may be gone. So: write, flush, give the name, flush the folder.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from sightline.errors import Unavailable

__all__ = ["DISK", "FULL", "ROOM", "Disk", "disk_errors", "sync_folder", "try_lock"]

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
ROOM = "free space, then repeat the command"


def sync_folder(folder: Path) -> None:
    """Flush the names in a folder to the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Disk:
    """One file call a method, so that tests can record each, or let it be the last."""

    def make_folder(self, folder: Path) -> None:
        """Make a folder whose parent exists; one that is there stays."""
        folder.mkdir(exist_ok=True)

    def create(self, path: Path) -> BinaryIO:
        """An empty file to be written; what was there is gone."""
        return path.open("wb")

    def sync(self, file: BinaryIO) -> None:
        """Flush the bytes of an open file."""
        file.flush()
        os.fsync(file.fileno())

    def link(self, source: Path, target: Path) -> None:
        """Give a file a second name.

        Raises:
            FileExistsError: the name is taken.
        """
        os.link(source, target)

    def replace(self, source: Path, target: Path) -> None:
        """Give a file or folder another name; a file that has it is gone."""
        os.replace(source, target)

    def remove(self, path: Path) -> None:
        """Remove a file, or a folder that is empty; a missing one is no error."""
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        else:
            path.unlink(missing_ok=True)

    def sync_folder(self, folder: Path) -> None:
        """Flush the names in a folder."""
        sync_folder(folder)


DISK = Disk()


def try_lock(handle: int, path: Path) -> bool:
    """Lock an open file without waiting, and make sure that it is still the one that others will find at `path`.

    The lock goes when `handle` is closed, at the latest with the process.
    """
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.fstat(handle).st_ino == path.stat().st_ino
    except (BlockingIOError, FileNotFoundError):
        return False


@contextmanager
def disk_errors(what: str) -> Iterator[None]:
    """Turn what the disk says while `what` is written into `Unavailable`; a name that is taken rises as it is."""
    try:
        yield
    except FileExistsError:
        raise
    except OSError as error:
        full = error.errno in FULL
        hint = ROOM if full else "make it writable, then repeat the command"
        broken = error.errno in (errno.EIO, errno.EFBIG)
        code = "disk_full" if full else "disk_error" if broken else "unwritable"
        raise Unavailable(f"{what} cannot be written: {error.strerror}; {hint}", code=code) from error
