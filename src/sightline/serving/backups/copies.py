"""A folder of copies: blobs that have the name of their sha256, and a list for each copy, written last.

What an earlier copy holds is not written again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Literal

import msgspec

from sightline.adapters.files.objects import FolderObjects
from sightline.disk import PART, chunks_of, make_folder, size_of, sync_folder, write_whole
from sightline.errors import Corrupt, Misconfigured, NotFound
from sightline.formats.versioned import Versioned, require_version
from sightline.ports import Stat
from sightline.serving.folder import LOCK, hold

__all__ = ["VERSION", "Backup", "Blob", "Copies", "decode", "encode", "files_in", "require_same"]

VERSION = 1
BLOBS = "blobs"
LISTS = "backup-*.json"
OURS = frozenset({BLOBS, LOCK})
OTHER = "restore another copy, and remove this one's list"


class Blob(msgspec.Struct, frozen=True, array_like=True):
    """One file: its key, its bytes, and when it was written (ns since 1970), which tells it from another of that key."""

    key: str
    size: int
    sha256: str
    written_ns: int = 0


class Backup(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The list of a copy.

    Attributes:
        made_at: RFC 3339, UTC; of the moment that is copied.
        sightline: version that made it.
        store: the SQLite file.
        objects: by key, in order.
    """

    v: Literal[1] = 1
    made_at: str
    sightline: str
    store: Blob
    objects: list[Blob]


class Copies:
    """A folder of copies.

    Attributes:
        folder: where they are.
        written: bytes that were added, which no earlier copy had.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.written = folder, 0
        self._objects: FolderObjects | None = None
        self._known: dict[str, Blob] = {}

    def hold(self, rest: ExitStack) -> None:
        """Be the only one who adds to it; made where it is missing.

        Raises:
            Misconfigured: another process adds to it, it holds other things, or it cannot be written.
        """
        if not self.folder.exists():
            make_folder(self.folder)
            self.folder.chmod(0o700)  # videos and hashes of tokens are nobody else's
        hold(self.folder, rest, "another sightline backup works in this folder: wait for it")
        for path in self.folder.glob(f".*{PART}*"):  # of one that was killed
            path.unlink()
        strange = sorted(
            path.name for path in self.folder.iterdir() if path.name not in OURS and not path.match(LISTS)
        )
        if strange:
            raise Misconfigured(f"{self.folder}: holds {strange[0]}: name an empty folder", code="not_empty")
        self._objects = FolderObjects(self.folder / BLOBS)
        self._objects.sweep()
        for path in self.lists()[-1:]:
            self._known = {each.key: each for each in self.read(path).objects}

    def add(self, path: Path, key: str) -> Blob:
        """Copy a file unless it is here; what is copied of it.

        Raises:
            FileNotFoundError: it is gone.
            Unavailable: the disk is full.
        """
        facts = path.stat()
        known = self._known.get(key)
        if (
            known
            and (known.size, known.written_ns) == (facts.st_size, facts.st_mtime_ns)
            and self._has(known)
        ):
            return known
        stat = Stat.of(chunks_of(path))
        blob = Blob(key, stat.size, stat.sha256, facts.st_mtime_ns)
        if not self._has(blob):
            assert self._objects is not None, "held first"
            require_same(self._objects.put_new(_name(blob), chunks_of(path)), blob)
            self.written += blob.size
        self._known[key] = blob
        return blob

    def write_list(self, name: str, backup: Backup) -> Path:
        """Write the list of a copy that is whole; its path."""
        path = self.folder / f"backup-{name}.json"
        write_whole(path, [encode(backup)])
        return path

    def keep(self, number: int) -> int:
        """Remove all but the newest copies, and blobs that none of these has; how many copies."""
        lists = self.lists()
        for path in lists[:-number]:
            path.unlink()
        sync_folder(self.folder)
        backups = [self.read(path) for path in lists[-number:]]
        wanted = {blob.sha256 for backup in backups for blob in (backup.store, *backup.objects)}
        for path, _ in list(files_in(self.folder / BLOBS)):
            if path.name not in wanted:
                path.unlink()
        return len(lists[:-number])

    def lists(self) -> list[Path]:
        """Lists of the copies, oldest first."""
        return sorted(self.folder.glob(LISTS))

    def named(self, name: str | None) -> Path:
        """The list of a copy; None: of the newest.

        Raises:
            NotFound: there is none.
        """
        lists = self.lists()
        if not lists:
            raise NotFound(f"{self.folder}: no copy: sightline backup makes one")
        found = [path for path in lists if name in (None, path.name)]
        if not found:
            raise NotFound(f"{self.folder}: no {name}: there are {', '.join(path.name for path in lists)}")
        return found[-1]

    def read(self, path: Path) -> Backup:
        """The list of a copy.

        Raises:
            Corrupt: see `decode`.
        """
        return decode(path.read_bytes(), str(path))

    def chunks(self, blob: Blob) -> Iterator[bytes]:
        """Bytes of a file.

        Raises:
            Corrupt: they are not there.
        """
        path = self._path(blob)
        if not path.is_file():
            raise Corrupt(f"{path}: missing, and with it {blob.key}; {OTHER}", code="backup_damaged")
        return chunks_of(path)

    def _has(self, blob: Blob) -> bool:
        return size_of(self._path(blob)) == blob.size

    def _path(self, blob: Blob) -> Path:
        return self.folder / BLOBS / _name(blob)


def encode(backup: Backup) -> bytes:
    """Bytes of a list."""
    return msgspec.json.encode(backup)


def decode(blob: bytes, name: str) -> Backup:
    """The list of a copy.

    Raises:
        Corrupt: it is damaged, or of a newer release (code `file_version`); `name` is how the error calls it.
    """
    try:
        require_version(msgspec.json.decode(blob, type=Versioned).v, VERSION, name)
        return msgspec.json.decode(blob, type=Backup)
    except msgspec.DecodeError as error:
        raise Corrupt(f"{name}: not the list of a copy: {error}; {OTHER}", code="backup_damaged") from error


def files_in(root: Path) -> Iterator[tuple[Path, str]]:
    """Files below a folder of objects, and their keys; what is being written is none yet."""
    for folder, _, names in os.walk(root):
        for name in names:
            if not (name.startswith(".") and name.endswith(PART)):
                path = Path(folder, name)
                yield path, path.relative_to(root).as_posix()


def require_same(stat: Stat, blob: Blob) -> None:
    """See that bytes are those that were listed.

    Raises:
        Corrupt: they are not.
    """
    if (stat.size, stat.sha256) != (blob.size, blob.sha256):
        raise Corrupt(f"{blob.key}: other bytes than its list says; {OTHER}", code="backup_damaged")


def _name(blob: Blob) -> str:
    return f"{blob.sha256[:2]}/{blob.sha256}"
