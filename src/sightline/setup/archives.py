"""Archives of datasets: a zip file from anywhere, of which only what belongs to the layout is written, and only below its folder.

Everything that an archive says of itself is judged before its first byte is written: names, kinds, number and sizes.
"""

from __future__ import annotations

import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sightline.disk import disk_errors, make_folder, write_part
from sightline.errors import InvalidFile, NotFound

__all__ = ["Contents", "extract", "look", "test"]

MOST_FILES = 500_000
MOST_BYTES = 64 * 2**30
MOST_OF_FILE = 256 * 2**20
_PIECE = 2**20
_NAME = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,254}"
_MEMBER = re.compile(
    rf"(?P<root>(?:{_NAME}/)*?)(?P<path>sequences/{_NAME}/{_NAME}\.(?:jpe?g|png)|annotations/{_NAME}\.txt)",
    re.IGNORECASE,
)
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)


@dataclass(frozen=True)
class Contents:
    """What of an archive belongs to the layout.

    Attributes:
        archive: the file.
        members: paths below the dataset's folder, by name in the archive.
        bytes: of all of them, extracted.
    """

    archive: Path
    members: dict[str, str]
    bytes: int

    @property
    def sequences(self) -> int:
        """How many there are."""
        return len({path.split("/")[1] for path in self.members.values() if path.startswith("sequences/")})


def look(archive: Path) -> Contents:
    """Read the directory of an archive and judge it.

    Raises:
        NotFound: no such file.
        InvalidFile: it is no zip file, it holds no dataset, or it is made to do harm.
    """
    with _opened(archive) as packed:
        members = [each for each in packed.infolist() if not each.is_dir()]
        if len(members) > MOST_FILES:
            raise InvalidFile(archive.name, reason=f"{len(members)} files are more than {MOST_FILES}")
        for each in members:
            _judge(archive, each)
        matches = {each.filename: _MEMBER.fullmatch(each.filename) for each in members}
        roots = [match["root"] for match in matches.values() if match and "sequences/" in match["path"]]
        if not roots:
            raise InvalidFile(
                archive.name, reason="no image in a folder sequences/NAME/: it is no such dataset"
            )
        root = min(set(roots), key=lambda each: (len(each), each))
        found = {name: match["path"] for name, match in matches.items() if match and match["root"] == root}
        total = sum(each.file_size for each in members if each.filename in found)
    if total > MOST_BYTES:
        raise InvalidFile(archive.name, reason=f"its files take {total} bytes, more than {MOST_BYTES}")
    return Contents(archive, found, total)


def extract(contents: Contents, folder: Path) -> None:
    """Write the files of an archive, each flushed; their checksums are compared on the way.

    Args:
        contents: what `look` found.
        folder: a new one.

    Raises:
        InvalidFile: a file is damaged.
        Unavailable: the disk is full.
    """
    with _opened(contents.archive) as packed:
        for name, path in contents.members.items():
            target = folder / path
            make_folder(target.parent)
            with disk_errors(target.name):
                write_part(target, _pieces(packed, name, contents.archive), target.name)


def test(archive: Path) -> Contents:
    """Compare every file of an archive with its checksum, without writing any.

    Raises:
        NotFound, InvalidFile: see `look` and `extract`.
    """
    contents = look(archive)
    with _opened(archive) as packed:
        for name in contents.members:
            for _ in _pieces(packed, name, archive):
                pass
    return contents


def _judge(archive: Path, member: zipfile.ZipInfo) -> None:
    name, kind = member.filename, stat.S_IFMT(member.external_attr >> 16)
    parts = name.split("/")
    if name.startswith("/") or "\\" in name or ".." in parts or ":" in parts[0]:
        raise InvalidFile(archive.name, reason=f"{name[:80]!r} would lie outside of its folder")
    if kind not in (0, stat.S_IFREG):
        raise InvalidFile(archive.name, reason=f"{name[:80]!r} is a link or a device, not a file")
    if member.flag_bits & 1:
        raise InvalidFile(archive.name, reason=f"{name[:80]!r} is encrypted")
    if member.file_size > MOST_OF_FILE:
        raise InvalidFile(archive.name, reason=f"{name[:80]!r} takes {member.file_size} bytes")


def _pieces(packed: zipfile.ZipFile, name: str, archive: Path) -> Iterator[bytes]:
    """The bytes of a file; no more of them than the directory says.

    Raises:
        InvalidFile: its checksum is another one, or it cannot be unpacked.
    """
    try:
        with packed.open(name) as file:
            while piece := file.read(_PIECE):
                yield piece
    except _BROKEN as error:
        raise InvalidFile(
            archive.name, reason=f"{name} is damaged ({error}): copy or download it again"
        ) from error


@contextmanager
def _opened(archive: Path) -> Iterator[zipfile.ZipFile]:
    try:
        packed = zipfile.ZipFile(archive)
    except FileNotFoundError as error:
        raise NotFound(f"{archive}: no such file") from error
    except (*_BROKEN, OSError) as error:
        raise InvalidFile(archive.name, reason=f"no zip file, or not all of it: {error}") from error
    with packed:
        yield packed
