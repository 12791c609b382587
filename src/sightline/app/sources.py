"""Sources: what the user named on the command line, one entry per video, sequence or text of detections."""

from __future__ import annotations

import glob
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from sightline.errors import InvalidFile, Misconfigured, NotFound, SightlineError

__all__ = ["IMAGE_SUFFIXES", "Source", "Unread", "content_hash", "content_size", "expand", "file_times"]

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png"})
TEXT_SUFFIXES = frozenset({".txt", ".csv"})
LIVE = re.compile(r"^(rtsps?|rtmp|https?|udp|tcp|srt)://", re.IGNORECASE)
CHUNK = 2**20


@dataclass(frozen=True, slots=True)
class Source:
    """One thing to track.

    Attributes:
        kind: video file, folder of images, or text of detections.
        path: where it lies.
        video_id: its name for people, unique in a run.
    """

    kind: Literal["video", "images", "detections"]
    path: Path
    video_id: str


class Unread(NamedTuple):
    """What was named and is no source, and why."""

    name: str
    error: SightlineError


def expand(named: Sequence[str | Path]) -> tuple[list[Source], list[Unread]]:
    """The sources behind paths, globs and dataset roots, and what was wrong with the others.

    Raises:
        Misconfigured: nothing was named, or a live source, which is not supported yet.
    """
    if not named:
        raise Misconfigured(
            "no source: name a video, a folder of images or a text of detections", code="usage"
        )
    found: list[tuple[Literal["video", "images", "detections"], Path]] = []
    errors: list[Unread] = []
    for name in named:
        try:
            found += [_kind(path) for path in _paths(str(name))]
        except SightlineError as error:
            if isinstance(error, Misconfigured):
                raise
            errors.append(Unread(str(name), error))
        except PermissionError:
            refused = InvalidFile(str(name), reason="permission denied: make it readable")
            errors.append(Unread(str(name), refused))
    first: dict[Path, tuple[Literal["video", "images", "detections"], Path]] = {}
    for kind, path in found:
        first.setdefault(path.resolve(), (kind, path))
    unique = list(first.values())
    names = _names([path for _, path in unique])
    return [Source(kind, path, name) for (kind, path), name in zip(unique, names, strict=True)], errors


def content_hash(source: Source) -> str:
    """sha256 (hex) of a file, or for images of the lines `name size sha256`, sorted by name.

    Raises:
        NotFound: the source is gone.
    """
    if source.kind != "images":
        return _file_hash(source.path)
    lines = (f"{path.name} {path.stat().st_size} {_file_hash(path)}\n" for path in _images(source.path))
    digest = hashlib.sha256()
    for line in sorted(lines):
        digest.update(line.encode())
    return digest.hexdigest()


def content_size(source: Source) -> int:
    """Bytes of a file, or of the images of a folder together.

    Raises:
        NotFound: the source is gone.
    """
    paths = _images(source.path) if source.kind == "images" else [source.path]
    try:
        return sum(path.stat().st_size for path in paths)
    except FileNotFoundError as error:
        raise NotFound(f"{source.path.name}: no such file or folder") from error


def file_times(source: Source) -> tuple[tuple[str, int, int], ...]:
    """Name, size and time of each file of a source: where these stay the same, so do its bytes.

    Raises:
        NotFound: the source is gone.
    """
    try:
        paths = sorted(_images(source.path)) if source.kind == "images" else [source.path]
        stats = [(path.name, path.stat()) for path in paths]
    except OSError as error:
        raise NotFound(f"{source.path.name}: no such file or folder") from error
    return tuple((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats)


def _paths(name: str) -> list[Path]:
    if LIVE.match(name) or name == "-" or (name.isdigit() and not Path(name).exists()):
        raise Misconfigured(
            f"{name}: live sources are not supported yet; record to a file first", code="live"
        )
    path = Path(name)
    if path.exists():
        return _sequences(path)
    if any(letter in name for letter in "*?["):
        matches = sorted(Path(match) for match in glob.glob(name, recursive=True))
        if matches:
            return [found for match in matches for found in _sequences(match)]
        raise NotFound(f"{name}: no file matches this pattern")
    raise NotFound(f"{name}: no such file or folder")


def _sequences(path: Path) -> list[Path]:
    folder = path / "sequences"
    if not folder.is_dir():
        return [path]
    found = sorted(entry for entry in folder.iterdir() if entry.is_dir())
    if not found:
        raise NotFound(f"{path.name}/sequences: no sequence in this dataset")
    return found


def _kind(path: Path) -> tuple[Literal["video", "images", "detections"], Path]:
    if path.is_dir():
        if not _images(path):
            raise InvalidFile(
                path.name or str(path),
                reason="no .jpg or .png image in this folder, and no sequences/ folder",
            )
        return "images", path
    suffixes = [suffix.lower() for suffix in path.suffixes]
    stem = suffixes[-2] if len(suffixes) > 1 and suffixes[-1] == ".gz" else (suffixes or [""])[-1]
    if stem in TEXT_SUFFIXES:
        return "detections", path
    return "video", path


def _images(folder: Path) -> list[Path]:
    """The images that the reader reads: hidden files, such as those a Mac leaves behind, are none."""
    return [
        path
        for path in folder.iterdir()
        if path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".") and path.is_file()
    ]


def _file_hash(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as source:
            while chunk := source.read(CHUNK):
                digest.update(chunk)
    except FileNotFoundError as error:
        raise NotFound(f"{path.name}: no such file") from error
    except OSError as error:
        raise InvalidFile(path.name, reason=f"cannot be read: {error.strerror}") from error
    return digest.hexdigest()


def _names(paths: Sequence[Path]) -> list[str]:
    """The stem, or where stems are equal the shortest distinct end of the path, `/` as `_`.

    Of equal stems in one folder the names with their endings.
    """
    parts = [(*path.resolve().parts[1:-1], _stem(path)) for path in paths]
    while len(set(parts)) < len(parts):
        whole = [path.resolve().parts[1:] for path in paths]
        parts = [full if parts.count(part) > 1 else part for full, part in zip(whole, parts, strict=True)]
    lengths = [1] * len(paths)
    while True:
        names = ["_".join(whole[-n:]) for whole, n in zip(parts, lengths, strict=True)]
        equal = [i for i, name in enumerate(names) if names.count(name) > 1 and lengths[i] < len(parts[i])]
        if not equal:
            return names
        for i in equal:
            lengths[i] += 1


def _stem(path: Path) -> str:
    name = path.resolve().name
    if path.is_dir():
        return name
    name = name.removesuffix(".gz")
    stem = name.rsplit(".", 1)[0]
    return stem if stem.strip(".") else name  # `..` as the name of a folder would be the one above
