"""A file that is open already, in the place of a path: readers that get one open nothing themselves."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path

__all__ = ["OpenedFile", "Place"]

_ASK_SIZE = 0x10000  # AVSEEK_SIZE


@dataclass(frozen=True, slots=True)
class _Status:
    st_size: int


class OpenedFile:
    """What readers ask of a path, answered by a descriptor.

    Each reader of it has a place of its own in the file, as if it had opened it.

    Args:
        descriptor: of a regular file, open for reading; it stays the caller's. Whoever has none yet says -1, and reading fails.
        name: of the file, without folders.
        size: in bytes.

    Attributes:
        descriptor: see there.
        failed_at: byte at which reading failed, None where it never did.
    """

    def __init__(self, descriptor: int, name: str, size: int) -> None:
        self.descriptor, self._size = descriptor, size
        self.name, self.suffix, self.stem = name, Path(name).suffix, Path(name).stem
        self.failed_at: int | None = None

    def is_dir(self) -> bool:
        """False."""
        return False

    def stat(self) -> _Status:
        """Its size, as it was when it was opened."""
        return _Status(self._size)

    def open(self, mode: str = "rb") -> io.BufferedReader:
        """A reader of its bytes.

        Args:
            mode: `rb`.
        """
        assert mode == "rb"
        return io.BufferedReader(_Reading(self), 1 << 18)

    def stream(self) -> io.RawIOBase:
        """A reader for FFmpeg, which has a buffer of its own."""
        return _Reading(self)

    def read_bytes(self) -> bytes:
        """All bytes.

        Raises:
            OSError: it cannot be read.
        """
        with self.open() as file:
            return file.read()

    def read_at(self, offset: int, count: int) -> bytes:
        """Some bytes.

        Raises:
            OSError: they cannot be read.
        """
        try:
            return os.pread(self.descriptor, count, offset)
        except OSError:
            self.failed_at = offset
            raise


Place = Path | OpenedFile
"""Where a file is: its path, or itself."""


class _Reading(io.RawIOBase):
    """One reader's place in an open file."""

    def __init__(self, file: OpenedFile) -> None:
        self._file, self._at, self.name = file, 0, file.name

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move; FFmpeg also asks for the size by it."""
        size = self._file.stat().st_size
        if whence == _ASK_SIZE:
            return size
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """The next bytes."""
        found = self._file.read_at(self._at, len(buffer))
        buffer[: len(found)] = found
        self._at += len(found)
        return len(found)
