"""Datasets by name: what is known of them, brought from an archive, and checked against their layout.

VisDrone has no licence, so it is never part of Sightline: whoever wants it fetches it, once it was said what is known.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path

from sightline.disk import disk_errors, give_name, make_folder, settle
from sightline.errors import Corrupt, InvalidFile, Misconfigured, NotFound, Unavailable, setting
from sightline.models.download import Progress, fetch
from sightline.setup.archives import Contents, extract, look
from sightline.sources.named import image_files
from sightline.validation import did_you_mean

__all__ = ["KNOWN", "Dataset", "Sequence", "bring", "dataset_of", "is_there", "sequences_of", "verify"]

ANNOTATIONS, SEQUENCES = "annotations", "sequences"


@dataclass(frozen=True)
class Dataset:
    """What is known of a dataset.

    Attributes:
        name: for commands.
        title: its own name.
        licence: what is known of it.
        page: where its authors give it out.
        file: its archive, as they name it.
        folder: where it is looked for.
        frames: images by sequence, as its documents count them: hints.
    """

    name: str
    title: str
    licence: str
    page: str
    file: str
    folder: Path
    frames: Mapping[str, int] = field(default_factory=dict)


KNOWN = {
    "visdrone-mot-val": Dataset(
        name="visdrone-mot-val",
        title="VisDrone2019-MOT-val",
        licence="none is stated; its authors ask to cite arXiv:1804.07437",
        page="https://github.com/VisDrone/VisDrone-Dataset",
        file="VisDrone2019-MOT-val.zip",
        folder=Path("data/VisDrone_images"),
        frames={
            "uav0000086_00000_v": 464,
            "uav0000117_02622_v": 349,
            "uav0000137_00458_v": 233,
            "uav0000182_00000_v": 363,
            "uav0000268_05773_v": 978,
            "uav0000305_00000_v": 184,
            "uav0000339_00001_v": 275,
        },
    )
}


@dataclass(frozen=True)
class Sequence:
    """A sequence that was looked at.

    Attributes:
        name: of its folder.
        frames: images in it.
        expected: as the documents count them; None for a sequence that they do not name.
        annotated: whether its annotations are there.
        problem: why it cannot be used; empty where it can.
    """

    name: str
    frames: int
    expected: int | None
    annotated: bool
    problem: str = ""


def dataset_of(name: str) -> Dataset:
    """A dataset by name.

    Raises:
        Misconfigured: there is none of this name.
    """
    if name not in KNOWN:
        raise Misconfigured(f"no dataset {name!r}: {did_you_mean(name, KNOWN)}", code="usage")
    return KNOWN[name]


def is_there(folder: Path) -> bool:
    """Whether a folder holds a dataset."""
    return (folder / SEQUENCES).is_dir()


def bring(
    dataset: Dataset,
    folder: Path,
    archive: Path | None = None,
    url: str | None = None,
    progress: Progress | None = None,
) -> Contents:
    """Extract a dataset from its archive, which is downloaded first where it is not here.

    The folder is there whole or not at all. What of a download came is kept, and the same call goes on from there.

    Args:
        dataset: which one.
        folder: where it is to be; it is made.
        archive: a file that is here; it stays.
        url: of the archive.
        progress: of the download: bytes so far and, where the server says so, in all.

    Raises:
        Misconfigured: there is something else in the folder, or neither file nor address.
        InvalidFile: the archive is damaged, or does not hold the dataset.
        Corrupt: what was downloaded is damaged, or does not hold it; it is not kept.
        Unavailable: the server does not answer, or the disk is full.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Misconfigured(
            f"{folder}: there is something else already: choose another with {setting('to')}", code="usage"
        )
    make_folder(folder.parent)
    if archive is not None:
        return _extracted(archive, folder)
    if url is None:
        raise Misconfigured(
            f"{dataset.title}: its authors give it out by pages for people, from which no program can fetch it. Open "
            f"{dataset.page}, download {dataset.file}, then repeat with {setting('from', dataset.file)}; or name a copy "
            f"with {setting('url')}",
            code="no_address",
        )
    fetched = _fetched(dataset, folder, url, progress)
    try:
        found = _extracted(fetched, folder)
    except InvalidFile as error:
        fetched.unlink()
        raise Corrupt(f"{url} gave no dataset: {error.message}", code="dataset") from error
    fetched.unlink()
    return found


def _fetched(dataset: Dataset, folder: Path, url: str, progress: Progress | None) -> Path:
    """The archive, beside the folder; one that an earlier call has fetched whole is taken."""
    if not url.startswith(("http://", "https://")):
        raise Misconfigured(
            f"{setting('url', url)}: an address begins with http:// or https://", code="usage"
        )
    target = folder.with_name(dataset.file)
    if not target.exists():
        part = target.with_name(f"{dataset.file}.download")
        try:
            fetch(url, part, progress)
        except (OSError, HTTPException, ValueError) as error:
            raise Unavailable(
                f"{dataset.title}: {url}: {error}; the same command goes on from there"
            ) from error
        settle(part, target)
    return target


def _extracted(archive: Path, folder: Path) -> Contents:
    contents = look(archive)
    with disk_errors(str(folder)):
        free = shutil.disk_usage(folder.parent).free
        if contents.bytes > free:
            raise Unavailable(
                f"{archive.name}: its files take {contents.bytes / 1e9:.1f} GB, {free / 1e9:.1f} GB are free: make room",
                code="disk_full",
            )
        part = folder.with_name(f".{folder.name}.extracting")
        if part.exists():
            shutil.rmtree(part)
    try:
        extract(contents, part)
        if folder.exists():
            folder.rmdir()  # an empty one
        give_name(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return contents


def verify(folder: Path, progress: Callable[[str], None] = lambda name: None) -> list[Sequence]:
    """Look at each sequence of a dataset: it holds images that are not empty.

    How many there are is compared with what documents say of sequences of these names; a dataset of another number is no
    worse for it.

    Args:
        folder: with `sequences/`, or the one above it.
        progress: hears of each sequence.

    Raises:
        NotFound: there is no dataset.
        Corrupt: there are no sequences in it.
    """
    root = _root(folder)
    names = sequences_of(root)
    if not names:
        raise Corrupt(f"{root}: {SEQUENCES}/ is empty: bring the dataset again", code="dataset")
    found = []
    for name in names:
        progress(name)
        found.append(_sequence(root, name))
    return found


def sequences_of(root: Path) -> list[str]:
    """Names of the sequences of a dataset, sorted."""
    return sorted(path.name for path in (root / SEQUENCES).iterdir() if path.is_dir())


def _root(folder: Path) -> Path:
    if is_there(folder):
        return folder
    if folder.is_dir():
        for path in sorted(folder.iterdir()):
            if is_there(path):
                return path
    raise NotFound(f"{folder}: no dataset: it has no folder {SEQUENCES}/")


def _sequence(root: Path, name: str) -> Sequence:
    paths = image_files(root / SEQUENCES / name)
    expected = next((each.frames[name] for each in KNOWN.values() if name in each.frames), None)
    annotated = (root / ANNOTATIONS / f"{name}.txt").is_file()
    empty = [path.name for path in paths if not os.path.getsize(path)]
    problem = "no image" if not paths else f"{len(empty)} empty images, {min(empty)} first" if empty else ""
    return Sequence(name, len(paths), expected, annotated, problem)
