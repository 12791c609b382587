"""The files of SQLite under control: a kill between any two writes, and a power cut that forgets what was not flushed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import apsw

Fault = Callable[[str, str], None]


def nothing(name: str, when: str) -> None:
    """No fault."""


class SqliteFiles(apsw.VFS):
    """A file layer for SQLite that counts what it writes and remembers what it flushed.

    Attributes:
        fault: sees `sqlite.write`, `sqlite.sync` and `sqlite.truncate`.
        muted: writes come to nothing, as those of a process that is no longer there.
        flushed: content of each file when it was last flushed.
    """

    def __init__(self) -> None:
        super().__init__("crash-tests", "unix", makedefault=True)
        self.fault: Fault = nothing
        self.muted = False
        self.flushed: dict[Path, bytes] = {}

    def xOpen(self, name, flags):
        return _File(self, name, flags)

    def effect(self, name: str, work: Callable[[], None]) -> None:
        if self.muted:
            return
        self.fault(f"sqlite.{name}", "before")
        work()
        self.fault(f"sqlite.{name}", "after")


class _File(apsw.VFSFile):
    def __init__(self, files: SqliteFiles, name, flags):
        super().__init__("unix", name, flags)
        self._files = files
        self._path = Path(name.filename() if isinstance(name, apsw.URIFilename) else name or "")

    def xWrite(self, data, offset):
        self._files.effect("write", lambda: super(_File, self).xWrite(data, offset))

    def xTruncate(self, size):
        self._files.effect("truncate", lambda: super(_File, self).xTruncate(size))

    def xSync(self, flags):
        self._files.effect("sync", lambda: self._sync(flags))

    def _sync(self, flags):
        super().xSync(flags)
        self._files.flushed[self._path] = self._path.read_bytes()


@contextlib.contextmanager
def sqlite_files() -> Iterator[SqliteFiles]:
    """The layer, for every database that is opened meanwhile."""
    files = SqliteFiles()
    try:
        yield files
    finally:
        files.unregister()


def kill(files: SqliteFiles, path: Path, close: Callable[[], None], power: Random | None = None) -> None:
    """Leave the database as a process that was killed left it: nothing closed, nothing tidied.

    Args:
        files: the layer.
        path: of the database.
        close: gives its handles back; whatever it writes comes to nothing.
        power: the power was cut: of each file at least what was flushed is there, perhaps all; this decides.
    """
    files.muted = True
    both = [path, path.with_name(path.name + "-wal")]
    left = {each: each.read_bytes() for each in both if each.exists()}
    if power is not None:
        left = {
            each: blob if power.random() < 0.5 else files.flushed.get(each, b"")
            for each, blob in left.items()
        }
    with contextlib.suppress(Exception):
        close()
    for each in (*both, path.with_name(path.name + "-shm")):
        each.unlink(missing_ok=True)
    for each, blob in left.items():
        each.write_bytes(blob)
    files.flushed = {each: blob for each, blob in files.flushed.items() if each in left}
    files.muted, files.fault = False, nothing
