"""Sources: what the user named on the command line, one entry per video, sequence or text of detections."""

from __future__ import annotations

import glob
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from sightline.disk import chunks_of
from sightline.errors import InvalidFile, Misconfigured, NotFound, SightlineError
from sightline.formats.text import short_name
from sightline.ports import Stat

__all__ = [
    "IMAGE_SUFFIXES",
    "Source",
    "Traits",
    "Unread",
    "content_hash",
    "content_size",
    "distinct_names",
    "expand",
    "file_times",
    "image_files",
    "traits",
]

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png"})
# Names of files that a folder of videos is searched for; a file that is named itself may have any name.
VIDEO_SUFFIXES = frozenset(
    [
        ".264",
        ".265",
        ".3gp",
        ".asf",
        ".avi",
        ".dav",
        ".flv",
        ".h264",
        ".h265",
        ".hevc",
        ".m2ts",
        ".m4v",
        ".mjpeg",
        ".mjpg",
        ".mkv",
        ".mov",
        ".mp4",
        ".mpeg",
        ".mpg",
        ".mts",
        ".mxf",
        ".ogv",
        ".ts",
        ".vob",
        ".webm",
        ".wmv",
    ]
)
TEXT_SUFFIXES = frozenset({".txt", ".csv"})
LIVE = re.compile(r"^(rtsps?|rtmps?|rtp|udp|tcp|srt|mms)://", re.IGNORECASE)
REMOTE = re.compile(r"^[a-z][a-z0-9+.-]+://", re.IGNORECASE)
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


class Traits(NamedTuple):
    """What is known of a source without reading it: bytes in all, a digest of names, sizes and times of its files."""

    size: int
    times: str


class Unread(NamedTuple):
    """What was named and is no source, and why."""

    name: str
    error: SightlineError


def expand(named: Sequence[str | Path]) -> tuple[list[Source], list[Unread]]:
    """The sources behind paths, globs, folders of videos and dataset roots, and what was wrong with the others.

    Raises:
        Misconfigured: nothing was named, or what is no file: an address, or a live source, which is not supported yet.
    """
    if not named:
        raise Misconfigured(
            "no source: name a video, a folder of videos or of images, or a text of detections", code="usage"
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
    names = distinct_names([path for _, path in unique])
    return [Source(kind, path, name) for (kind, path), name in zip(unique, names, strict=True)], errors


def content_hash(source: Source) -> str:
    """sha256 (hex) of a file, or for images of the lines `name size sha256`, sorted by name.

    Raises:
        NotFound: the source is gone.
    """
    if source.kind != "images":
        return _file_hash(source.path)
    lines = (f"{path.name} {path.stat().st_size} {_file_hash(path)}\n" for path in image_files(source.path))
    return Stat.of(line.encode() for line in sorted(lines)).sha256


def content_size(source: Source) -> int:
    """Bytes of a file, or of the images of a folder together.

    Raises:
        NotFound: the source is gone.
    """
    paths = image_files(source.path) if source.kind == "images" else [source.path]
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
        paths = sorted(image_files(source.path)) if source.kind == "images" else [source.path]
        stats = [(path.name, path.stat()) for path in paths]
    except OSError as error:
        raise NotFound(f"{source.path.name}: no such file or folder") from error
    return tuple((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats)


def traits(source: Source) -> Traits:
    """What is known of a source without reading it; of one that is gone, nothing: opening it says so."""
    try:
        times = file_times(source)
    except NotFound:
        return Traits(0, "")
    return Traits(sum(size for _, size, _ in times), Stat.of([repr(times).encode()]).sha256)


def _paths(name: str) -> list[Path]:
    path = Path(name)
    if _exists(path):
        return _sequences(path)
    _require_local(name)
    if any(letter in name for letter in "*?["):
        matches = sorted(Path(match) for match in glob.glob(name, recursive=True))
        if matches:
            return [found for match in matches for found in _sequences(match)]
        raise NotFound(f"{name}: no file matches this pattern")
    raise NotFound(f"{name}: no such file or folder")


def _exists(path: Path) -> bool:
    """Whether there is such a file or folder; a name that no file can have is none."""
    try:
        return path.exists()
    except OSError as error:
        if isinstance(error, PermissionError):
            raise
        raise NotFound(f"{path}: no such file or folder: {error.strerror}") from error


def _require_local(name: str) -> None:
    """Refuse what is no file and no folder.

    Raises:
        Misconfigured: says what to do first.
    """
    if LIVE.match(name) or name == "-" or name.isdigit():
        reason = "live sources are not supported yet; record to a file first"
    elif name.lower().startswith("file://"):
        reason = "name the file itself, without file://"
    elif REMOTE.match(name):
        reason = "download it first, then name the file (live sources are not supported yet: record those)"
    else:
        return
    raise Misconfigured(f"{name}: {reason}", code="live")


def _sequences(path: Path) -> list[Path]:
    """Sequences of a dataset, videos of a folder, or the path itself; sorted by name."""
    folder = path / "sequences"
    if folder.is_dir():
        found = sorted(entry for entry in folder.iterdir() if entry.is_dir())
        if not found:
            raise NotFound(f"{path.name}/sequences: no sequence in this dataset")
        return found
    videos = _videos(path) if path.is_dir() else []
    if not videos:
        return [path]
    images = len(image_files(path))
    if images:
        raise InvalidFile(
            path.name or str(path),
            reason=f"it holds videos ({len(videos)}) and images ({images}): name the videos one by one, or by a "
            "pattern such as '*.mp4', and move the images to a folder of their own",
        )
    return videos


def _kind(path: Path) -> tuple[Literal["video", "images", "detections"], Path]:
    if path.is_dir():
        if not image_files(path):
            raise InvalidFile(path.name or str(path), reason=_nothing_in(path))
        return "images", path
    suffixes = [suffix.lower() for suffix in path.suffixes]
    stem = suffixes[-2] if len(suffixes) > 1 and suffixes[-1] == ".gz" else (suffixes or [""])[-1]
    if stem in TEXT_SUFFIXES:
        return "detections", path
    return "video", path


def _nothing_in(folder: Path) -> str:
    """What to do about a folder without videos and images: folders below it are not searched."""
    nothing = "no video and no .jpg or .png image in this folder, and no sequences/ folder"
    for below in sorted(entry for entry in folder.iterdir() if entry.is_dir()):
        if _videos(below):
            return f"{nothing}; there are videos in {below.name}: name it, or a pattern such as '**/*.mp4'"
        if image_files(below):
            return (
                f"{nothing}; there are images in {below.name}: name it, or the pattern '*/' for all like it"
            )
    return nothing


def image_files(folder: Path) -> list[Path]:
    """The images of a folder, in any order; those that the reader reads."""
    return _files(folder, IMAGE_SUFFIXES)


def _videos(folder: Path) -> list[Path]:
    return sorted(_files(folder, VIDEO_SUFFIXES))


def _files(folder: Path, suffixes: frozenset[str]) -> list[Path]:
    """Files with one of these endings; hidden ones, such as those that a Mac leaves behind, are none."""
    return [
        path
        for path in folder.iterdir()
        if path.suffix.lower() in suffixes and not path.name.startswith(".") and path.is_file()
    ]


def _file_hash(path: Path) -> str:
    try:
        return Stat.of(chunks_of(path)).sha256
    except FileNotFoundError as error:
        raise NotFound(f"{path.name}: no such file") from error
    except OSError as error:
        raise InvalidFile(path.name, reason=f"cannot be read: {error.strerror}") from error


def distinct_names(paths: Sequence[Path]) -> list[str]:
    """The stem, or where stems are equal the shortest distinct end of the path, `/` as `_`.

    Of equal stems in one folder the names with their endings. A name that would be too long for the folders and files of
    a run is cut.
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
            return [short_name(name) for name in names]
        for i in equal:
            lengths[i] += 1


def _stem(path: Path) -> str:
    name = path.resolve().name
    if path.is_dir():
        return name
    name = name.removesuffix(".gz")
    stem = name.rsplit(".", 1)[0]
    return stem if stem.strip(".") else name  # `..` as the name of a folder would be the one above
