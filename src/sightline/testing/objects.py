"""Objects in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from sightline.errors import Corrupt, NotFound
from sightline.ports import Stat

__all__ = ["MemoryObjects"]


class MemoryObjects:
    """Objects in memory."""

    def __init__(self) -> None:
        self._blobs: dict[str, bytes] = {}

    def put_new(self, key: str, chunks: Iterable[bytes]) -> Stat:
        """See `ObjectStore`."""
        blob = b"".join(chunks)
        if self._blobs.setdefault(key, blob) != blob:
            raise Corrupt(f"object {key} holds other bytes")
        return Stat.of([blob])

    def read(self, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """See `ObjectStore`."""
        if key not in self._blobs:
            raise NotFound(f"no object {key}")
        blob = self._blobs[key]
        end = len(blob) if length is None else min(len(blob), start + length)
        for at in range(start, end, 2**20):
            yield blob[at : min(at + 2**20, end)]

    @contextmanager
    def open_local(self, key: str) -> Iterator[Path]:
        """See `ObjectStore`."""
        with TemporaryDirectory() as folder:
            path = Path(folder, "object")
            path.write_bytes(b"".join(self.read(key)))
            yield path

    def delete(self, key: str) -> None:
        """See `ObjectStore`."""
        self._blobs.pop(key, None)

    def contents(self) -> dict[str, bytes]:
        """Every object by its key, as it is now."""
        return dict(self._blobs)

    def stat(self, key: str) -> Stat:
        """See `ObjectStore`."""
        return Stat.of(self.read(key))
