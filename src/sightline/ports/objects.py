"""Immutable blobs by key."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

__all__ = ["ObjectStore", "Stat"]


@dataclass(frozen=True, slots=True)
class Stat:
    """Size in bytes and sha256 (hex) of an object."""

    size: int
    sha256: str

    @classmethod
    def of(cls, chunks: Iterable[bytes]) -> Stat:
        """Size and sha256 of bytes that come in pieces.

        >>> Stat.of([b"a", b"bc"]) == Stat.of([b"abc"]), Stat.of([]).size
        (True, 0)
        """
        digest, size = hashlib.sha256(), 0
        for chunk in chunks:
            digest.update(chunk)
            size += len(chunk)
        return cls(size, digest.hexdigest())


class ObjectStore(Protocol):
    """Immutable blobs, in and out as streams: memory does not grow with size. Keys are `a/b/c`, no `..`, no leading
    slash.
    """

    def put_new(self, key: str, chunks: Iterable[bytes]) -> Stat:
        """Store once, durable on return; size and sha256 of what was stored. The same bytes again are a no-op.

        Raises:
            Corrupt: the key holds other bytes. They stay as they are.
            Unavailable: nothing was stored; repeat with new chunks.
        """

    def read(self, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Bytes from `start`, `length` at most, in chunks of 1 MiB at most; past the end: no chunk.

        Raises:
            NotFound: at the first chunk, if the key is missing.
        """

    def open_local(self, key: str) -> AbstractContextManager[Path]:
        """The whole blob as a seekable file for a decoder; a cached copy if the store is remote.

        Raises:
            NotFound: if the key is missing.
        """

    def delete(self, key: str) -> None:
        """Remove. A missing key is not an error, on any backend."""

    def stat(self, key: str) -> Stat:
        """Size and sha256 of what is stored, whoever put it.

        Raises:
            NotFound: if the key is missing.
        """
