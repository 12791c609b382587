"""File calls on which it hangs what a crash or a power cut leaves behind.

A name given to bytes that were not flushed may belong to an empty file after a power cut; a name in a folder that was
not flushed may be gone. So: write, flush, give the name, flush the folder: `write_whole`.
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from sightline.errors import InvalidFile, NotFound, Unavailable
from sightline.formats.text import decode
from sightline.ports import Stat

__all__ = [
    "CHUNK",
    "DISK",
    "FULL",
    "PART",
    "ROOM",
    "Disk",
    "chunks_of",
    "disk_errors",
    "give_name",
    "make_folder",
    "mapped",
    "part_of",
    "read_bytes",
    "read_text",
    "require_file",
    "settle",
    "size_of",
    "sync_folder",
    "try_lock",
    "write_part",
    "write_whole",
]

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
ROOM = "free space, then repeat the command"
PART = ".part"
CHUNK = 2**20


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

    def remove_empty(self, folder: Path) -> bool:
        """Remove a folder that has nothing in it; whether there was one."""
        try:
            folder.rmdir()
        except (FileNotFoundError, FileExistsError):
            return False
        except OSError as error:
            if error.errno != errno.ENOTEMPTY:
                raise
            return False
        return True

    def sync_folder(self, folder: Path) -> None:
        """Flush the names in a folder."""
        sync_folder(folder)


DISK = Disk()


def write_whole(path: Path, chunks: Iterable[bytes], disk: Disk = DISK) -> Stat:
    """Write a file so that it is there whole or not at all, also after a power cut; an older one is replaced.

    Returns:
        Size and sha256 of what was written.

    Raises:
        Unavailable: it cannot be written. What `chunks` raises rises as it is; an older file stays in both cases.
    """
    require_file(path)
    part = part_of(path)
    try:
        stat = write_part(part, chunks, path.name, disk)
        give_name(part, path, disk)
    except BaseException:
        with disk_errors(path.name):
            disk.remove(part)
        raise
    return stat


def make_folder(path: Path) -> None:
    """Make a folder and those above it.

    Raises:
        Unavailable: it cannot be written, or a file has its name.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(
            f"{path}: cannot be written: {error.strerror}; choose another folder", code="unwritable"
        ) from error


def part_of(path: Path, writer: str = "") -> Path:
    """A file beside `path` for what is not whole yet: another one for each call, as two may write at the same time.

    Args:
        path: of the whole file.
        writer: a word in its name that says who writes it.
    """
    return path.with_name(f".{path.name}.{writer}{secrets.token_hex(4)}{PART}")


def write_part(part: Path, chunks: Iterable[bytes], what: str, disk: Disk = DISK) -> Stat:
    """Write and flush a file that gets its name later; `what` is how errors call it."""
    with disk_errors(what):
        file = disk.create(part)
    try:
        stat = Stat.of(_written(file, chunks, what))
        with disk_errors(what):
            disk.sync(file)
    finally:
        with disk_errors(what):
            file.close()
    return stat


def give_name(part: Path, path: Path, disk: Disk = DISK) -> None:
    """Give a file that was flushed its name; an older one that has it is gone.

    Raises:
        Unavailable: it cannot be named.
    """
    require_file(path)
    with disk_errors(path.name):
        disk.replace(part, path)
        disk.sync_folder(path.parent)


def require_file(path: Path) -> None:
    """See that a file may be given a name: root would put it in the place of a device such as `/dev/null`.

    Raises:
        Unavailable: the name is that of a device, a pipe or a socket.
    """
    # What it is, not what it is not: a file may be gone a moment after it was there.
    if path.is_char_device() or path.is_block_device() or path.is_fifo() or path.is_socket():
        raise Unavailable(f"{path} cannot be written: it is no file; choose another place", code="unwritable")


def size_of(path: Path) -> int | None:
    """Bytes of a file; None where it is not there, as when somebody takes it away just now."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


def settle(part: Path, path: Path, disk: Disk = DISK) -> None:
    """Flush a file that something else wrote, such as an encoder, and give it its name; see `give_name`."""
    with disk_errors(path.name), part.open("rb") as file:
        disk.sync(file)
    give_name(part, path, disk)


def chunks_of(path: Path) -> Iterator[bytes]:
    """Bytes of a file in pieces of 1 MiB at most."""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def mapped(path: Path) -> memoryview:
    """The bytes of a file that nobody changes, in memory only while they are looked at; they outlive its name."""
    with path.open("rb") as file:
        if not os.fstat(file.fileno()).st_size:
            return memoryview(b"")
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def read_bytes(path: Path) -> bytes:
    """What is in a file that a user named.

    Raises:
        NotFound: no such file.
        InvalidFile: a folder, or not permitted.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise NotFound(f"no such file: {path.name}") from error
    except OSError as error:
        raise InvalidFile(path.name, reason=f"cannot be read: {error.strerror}") from error


def read_text(path: Path) -> str:
    """Text of a file, gzipped or not.

    Raises:
        NotFound, InvalidFile: see `read_bytes`; or broken gzip, or not UTF-8.
    """
    return decode(read_bytes(path), path.name)


def _written(file: BinaryIO, chunks: Iterable[bytes], what: str) -> Iterator[bytes]:
    """The chunks once they are written, so that they are hashed on the way."""
    for chunk in chunks:
        with disk_errors(what):
            file.write(chunk)
        yield chunk


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
