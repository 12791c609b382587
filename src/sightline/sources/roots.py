"""Roots: the folders of this machine below which a source may be named, and never anything outside of them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from sightline.errors import InvalidVideo, NotFound
from sightline.jobs.requests import DATASET, Folder, Listing, Located
from sightline.sources.listing import listing
from sightline.sources.named import image_files

__all__ = ["SEQUENCES", "Roots", "bases"]

SEQUENCES = "sequences"
CHUNK = 2**20
_VIDEOS = (".mp4", ".avi", ".mov")  # that system A starts by name


class Roots:
    """Folders by name; whoever configured them may read what lies below.

    Args:
        folders: by name; they need not be there yet.
    """

    def __init__(self, folders: Mapping[str, str | Path]) -> None:
        self._folders = {name: Path(folder) for name, folder in folders.items()}

    def has(self, root: str) -> bool:
        """Whether such a root is configured."""
        return root in self._folders

    def path(self, root: str, key: str) -> Path:
        """The file or folder of a key, all links followed.

        Raises:
            NotFound: there is no such root, nothing that can be read lies there, or it lies outside.
        """
        folder = self._folders.get(root)
        if folder is None:
            raise NotFound(f"{key}: no folder {root!r} is configured")
        if not {"", ".", ".."} & {*key.split("/")}:
            try:
                found = (folder / key).resolve(strict=True)
                if found.is_relative_to(folder.resolve()) and (found.is_file() or found.is_dir()):
                    return found
            except (OSError, RuntimeError, ValueError):  # RuntimeError: links in a circle
                pass
        raise NotFound(f"{key}: nothing of this name lies in the folder {root!r}")

    def list(self, root: str, key: str) -> Listing:
        """Folders, videos and folders of images in a folder; an empty key is the root itself.

        Raises:
            NotFound: see `path`; or it is no folder, or cannot be listed.
        """
        folder = self._folders.get(root)
        if folder is None:
            raise NotFound(f"{key}: no folder {root!r} is configured")
        try:
            return listing(folder.resolve(), self.path(root, key) if key else folder.resolve(), key)
        except OSError as error:
            raise NotFound(f"{key}: this folder cannot be listed: {error.strerror}") from error

    def name(self, root: str, key: str) -> str:
        """The path of a key as its root was configured, whether or not it is there."""
        return str(self._folders[root] / key)

    def locate(self, root: str, key: str) -> Located:
        """What lies at a path below a root.

        Raises:
            NotFound: see `path`.
            InvalidVideo: it is a folder without images.
        """
        path = self.path(root, key)
        if path.is_dir():
            try:
                images = image_files(path)
            except OSError as error:
                raise NotFound(f"{key}: this folder cannot be listed: {error.strerror}") from error
            if not images:
                raise InvalidVideo(path.name, reason="no .jpg or .png image in this folder", code="empty")
            return Located("images", root, key)
        return Located("video", root, key)

    def look(self, root: str) -> Folder | None:
        """A root as it is now; None where none is configured."""
        folder = self._folders.get(root)
        if folder is None:
            return None
        names = _names(folder)
        if names is None:
            return Folder(str(folder), os.path.lexists(folder))
        parts, sequences = set[str](), list[str]()
        for base in bases(folder):
            here = {name for name in _names(folder / base) or () if (folder / base / name).is_dir()}
            if not base or SEQUENCES in here:
                parts |= here
                sequences += _names(folder / base / SEQUENCES) or []
        return Folder(str(folder), True, names, sorted(parts), sequences)

    def read(self, root: str, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Bytes of a file in chunks, `length` at most.

        Raises:
            NotFound: at the first chunk, if it is gone; see `path`.
        """
        path = self.path(root, key)
        try:
            file = path.open("rb")
        except OSError as error:
            raise NotFound(f"{key}: cannot be read: {error.strerror}") from error
        with file:
            file.seek(start)
            left = length
            while chunk := file.read(CHUNK if left is None else min(CHUNK, left)):
                yield chunk
                left = None if left is None else left - len(chunk)

    def sequence(self, name: str) -> Located:
        """What system A means by a name: a sequence of the dataset, or a video beside the sequences.

        Raises:
            NotFound: nothing; a sequence has images.
        """
        root = self._folders.get(DATASET)
        for base in [] if root is None else bases(root):
            for key in (f"{base}{SEQUENCES}/{name}", f"{base}{name}"):
                try:
                    found = self.locate(DATASET, key)
                except (NotFound, InvalidVideo):
                    continue
                sequence = found.kind == "images"
                if sequence == (key != f"{base}{name}") and (sequence or name.lower().endswith(_VIDEOS)):
                    return found
        raise NotFound(f"{name}: no sequence and no video of this name in the dataset")


def bases(root: Path) -> Iterator[str]:
    """Where datasets may lie below a root, as prefixes of keys: itself, and each folder in it that has `sequences/`."""
    yield ""
    try:
        folders = sorted(path.name for path in root.iterdir() if (path / SEQUENCES).is_dir())
    except OSError:
        return
    for name in folders:
        yield f"{name}/"


def _names(folder: Path) -> list[str] | None:
    """Names in a folder, sorted; None where it is none, or cannot be listed."""
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return None
