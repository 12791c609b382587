"""Objects as files in a folder: written beside their place, flushed, then given their name.

Common libraries skip the flush; then a power cut leaves an empty file under a good name.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path, PurePosixPath

from sightline.adapters.files.deletes import deleting
from sightline.disk import CHUNK, DISK, PART, Disk, chunks_of, disk_errors, part_of, write_part
from sightline.errors import Corrupt, NotFound, Unavailable
from sightline.ports import Stat

__all__ = ["FolderObjects"]

SHARED = 2  # levels of folders that stay when they are empty: buckets, and what is in each


class FolderObjects:
    """`ObjectStore` in a folder; the key is the path below it.

    Args:
        root: made where it does not exist.
        disk: its file calls.
        writer: what this process does, where one that did the same may have been killed while others go on writing.
        deletes: lock that is held while something is deleted, where somebody may copy the folder meanwhile.
    """

    def __init__(
        self, root: Path, *, disk: Disk = DISK, writer: str = "", deletes: Path | None = None
    ) -> None:
        self._root, self._disk, self._deletes = root, disk, deletes
        self._role = f"{writer}-" if writer else ""
        self._me = f"{self._role}{secrets.token_hex(4)}-" if writer else ""
        with disk_errors(f"folder {root.name}"):
            self._make_folder(root)

    def put_new(self, key: str, chunks: Iterable[bytes]) -> Stat:
        """See `ObjectStore`."""
        path = self._path(key)
        part = part_of(path, self._me)  # two owners of a job may write the same object at the same time
        try:
            try:
                stat = self._written(part, chunks, key)
            except Unavailable as error:
                if not isinstance(error.__cause__, FileNotFoundError):
                    raise
                # Whoever removed the last other object took the folder with it; no chunk was asked for yet.
                stat = self._written(part, chunks, key)
            with disk_errors(f"object {key}"):
                self._give_name(part, path, key, stat)
        finally:
            with disk_errors(f"object {key}"):
                self._disk.remove(part)
        return stat

    def sweep(self) -> None:
        """Remove what writers that were killed left half-written: those before this one that did the same, or where this one
        is nobody in particular all of them, and folders that hold nothing. Of these nobody else may be writing.
        """
        with disk_errors(f"folder {self._root.name}"):
            for part in self._root.rglob(f".*.{self._role}*{PART}" if self._role else f".*{PART}"):
                if not self._me or f".{self._me}" not in part.name:
                    self._disk.remove(part)
            if not self._role:
                for folder in sorted((path for path in self._root.rglob("*") if path.is_dir()), reverse=True):
                    self._prune(folder)

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
        path = self._path(key)
        with disk_errors(f"object {key}"), self._deleting():
            self._disk.remove(path)
            self._prune(path.parent)

    def stat(self, key: str) -> Stat:
        """See `ObjectStore`; computed by reading."""
        with disk_errors(f"object {key}"):
            return Stat.of(self.read(key))

    def _deleting(self) -> AbstractContextManager[None]:
        return nullcontext() if self._deletes is None else deleting(self._deletes)

    def _path(self, key: str) -> Path:
        parts = PurePosixPath(key).parts
        if not parts or key.startswith("/") or ".." in parts or "\0" in key or parts[-1].endswith(PART):
            raise ValueError(f"not an object key: {key!r}")
        return self._root.joinpath(*parts)

    def _written(self, part: Path, chunks: Iterable[bytes], key: str) -> Stat:
        with disk_errors(f"object {key}"):
            self._make_folder(part.parent)
        return write_part(part, chunks, f"object {key}", self._disk)

    def _prune(self, folder: Path) -> None:
        """Remove a folder and those above it where they hold nothing, but for the topmost ones, which everybody writes to."""
        while len(folder.relative_to(self._root).parts) > SHARED and self._disk.remove_empty(folder):
            folder = folder.parent

    def _make_folder(self, folder: Path) -> None:
        missing = [path for path in (folder, *folder.parents) if not path.exists()]
        for path in reversed(missing):
            self._disk.make_folder(path)
            self._disk.sync_folder(path.parent)

    def _give_name(self, part: Path, path: Path, key: str, stat: Stat) -> None:
        try:
            self._disk.link(part, path)
        except FileExistsError:
            if Stat.of(chunks_of(path)) != stat:
                raise Corrupt(f"object {key} holds other bytes") from None
        self._disk.sync_folder(path.parent)
