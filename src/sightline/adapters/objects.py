"""Objects as files in a folder: written beside their place, flushed, then given their name.

Common libraries skip the flush; then a power cut leaves an empty file under a good name.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import NamedTemporaryFile

from sightline.errors import Corrupt, NotFound, Unavailable
from sightline.ports import Stat

__all__ = ["FolderObjects", "sync_folder"]

CHUNK = 2**20
SUFFIX = ".part"


def sync_folder(folder: Path) -> None:
    """Flush the names in a folder to the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class FolderObjects:
    """`ObjectStore` in a folder; the key is the path below it.

    Args:
        root: made where it does not exist.
        sync: flushes a file; another one is given by tests that record the calls.
    """

    def __init__(self, root: Path, *, sync: Callable[[int], None] = os.fsync) -> None:
        self._root, self._sync = root, sync
        with _translated(f"folder {root.name}"):
            root.mkdir(parents=True, exist_ok=True)

    def put_new(self, key: str, chunks: Iterable[bytes]) -> Stat:
        """See `ObjectStore`."""
        path = self._path(key)
        with _translated(f"object {key}"):
            self._make_folder(path.parent)
            part = NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", suffix=SUFFIX, delete=False)  # noqa: SIM115
        temporary = Path(part.name)
        try:
            with part:
                stat = self._write(part, chunks, key)
            with _translated(f"object {key}"):
                self._give_name(temporary, path, key, stat)
        finally:
            temporary.unlink(missing_ok=True)
        return stat

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
        with _translated(f"object {key}"):
            self._path(key).unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        parts = PurePosixPath(key).parts
        if not parts or key.startswith("/") or ".." in parts or "\0" in key or parts[-1].endswith(SUFFIX):
            raise ValueError(f"not an object key: {key!r}")
        return self._root.joinpath(*parts)

    def _make_folder(self, folder: Path) -> None:
        missing = [path for path in (folder, *folder.parents) if not path.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        for path in missing:
            sync_folder(path.parent)

    def _write(self, part: object, chunks: Iterable[bytes], key: str) -> Stat:
        digest, size = hashlib.sha256(), 0
        for chunk in chunks:
            digest.update(chunk)
            size += len(chunk)
            with _translated(f"object {key}"):
                part.write(chunk)  # type: ignore[attr-defined]
        with _translated(f"object {key}"):
            part.flush()  # type: ignore[attr-defined]
            self._sync(part.fileno())  # type: ignore[attr-defined]
        return Stat(size, digest.hexdigest())

    def _give_name(self, temporary: Path, path: Path, key: str, stat: Stat) -> None:
        temporary.chmod(0o644)
        try:
            os.link(temporary, path)
        except FileExistsError:
            if _stat(path) != stat:
                raise Corrupt(f"object {key} holds other bytes") from None
        sync_folder(path.parent)


def _stat(path: Path) -> Stat:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as source:
        while chunk := source.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return Stat(size, digest.hexdigest())


@contextlib.contextmanager
def _translated(what: str) -> Iterator[None]:
    try:
        yield
    except FileExistsError:
        raise
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        hint = "free some space and run the command again" if full else "make it writable and run again"
        code = "disk_full" if full else "unwritable"
        raise Unavailable(f"{what} cannot be written: {error.strerror}; {hint}", code=code) from error
