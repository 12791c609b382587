"""Objects as files in a folder: written beside their place, flushed, then given their name.

Common libraries skip the flush; then a power cut leaves an empty file under a good name.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from sightline.adapters.files.disk import DISK, Disk, disk_errors, sync_folder
from sightline.errors import Corrupt, NotFound
from sightline.ports import Stat

__all__ = ["FolderObjects", "sync_folder"]

CHUNK = 2**20
SUFFIX = ".part"


class FolderObjects:
    """`ObjectStore` in a folder; the key is the path below it.

    Args:
        root: made where it does not exist.
        disk: its file calls.
    """

    def __init__(self, root: Path, *, disk: Disk = DISK) -> None:
        self._root, self._disk = root, disk
        with disk_errors(f"folder {root.name}"):
            self._make_folder(root)

    def put_new(self, key: str, chunks: Iterable[bytes]) -> Stat:
        """See `ObjectStore`."""
        path = self._path(key)
        # Two owners of a job may write the same object at the same time: each into a file of its own.
        part = path.with_name(f".{path.name}.{secrets.token_hex(4)}{SUFFIX}")
        with disk_errors(f"object {key}"):
            self._make_folder(path.parent)
            file = self._disk.create(part)
        try:
            try:
                stat = self._write(file, chunks, key)
            finally:
                with disk_errors(f"object {key}"):
                    file.close()
            with disk_errors(f"object {key}"):
                self._give_name(part, path, key, stat)
        finally:
            with disk_errors(f"object {key}"):
                self._disk.remove(part)
        return stat

    def sweep(self) -> None:
        """Remove what writers that were killed left half-written. Nobody else may be writing."""
        with disk_errors(f"folder {self._root.name}"):
            for part in self._root.rglob(f".*{SUFFIX}"):
                self._disk.remove(part)

    def read(self, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """See `ObjectStore`."""
        left = length
        with self.open_local(key) as path, path.open("rb") as source:
            source.seek(start)
            while (left is None or left > 0) and (
                chunk := source.read(CHUNK if left is None else min(CHUNK, left))
            ):
                left = None if left is None else left - len(chunk)
                yield chunk

    @contextmanager
    def open_local(self, key: str) -> Iterator[Path]:
        """See `ObjectStore`."""
        path = self._path(key)
        if not path.is_file():
            raise NotFound(f"no object {key}")
        yield path

    def delete(self, key: str) -> None:
        """See `ObjectStore`."""
        with disk_errors(f"object {key}"):
            self._disk.remove(self._path(key))

    def _path(self, key: str) -> Path:
        parts = PurePosixPath(key).parts
        if not parts or key.startswith("/") or ".." in parts or "\0" in key or parts[-1].endswith(SUFFIX):
            raise ValueError(f"not an object key: {key!r}")
        return self._root.joinpath(*parts)

    def _make_folder(self, folder: Path) -> None:
        missing = [path for path in (folder, *folder.parents) if not path.exists()]
        for path in reversed(missing):
            self._disk.make_folder(path)
            self._disk.sync_folder(path.parent)

    def _write(self, file: BinaryIO, chunks: Iterable[bytes], key: str) -> Stat:
        digest, size = hashlib.sha256(), 0
        for chunk in chunks:
            digest.update(chunk)
            size += len(chunk)
            with disk_errors(f"object {key}"):
                file.write(chunk)
        with disk_errors(f"object {key}"):
            self._disk.sync(file)
        return Stat(size, digest.hexdigest())

    def _give_name(self, part: Path, path: Path, key: str, stat: Stat) -> None:
        try:
            self._disk.link(part, path)
        except FileExistsError:
            if _stat(path) != stat:
                raise Corrupt(f"object {key} holds other bytes") from None
        self._disk.sync_folder(path.parent)


def _stat(path: Path) -> Stat:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as source:
        while chunk := source.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return Stat(size, digest.hexdigest())
