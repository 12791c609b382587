"""What lies in a folder below a root, for whoever chooses a source there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from sightline.jobs.requests import Entry, Listing
from sightline.sources.named import IMAGE_SUFFIXES, VIDEO_SUFFIXES

__all__ = ["listing"]

MOST = 1_000
LOOKED_AT = 100_000  # names of a folder
PEEKED = 200  # names of a folder in it, until an image is among them


def listing(root: Path, folder: Path, key: str) -> Listing:
    """Folders, videos and folders of images, by name; never what a link outside of the root leads to.

    Args:
        root: all links followed.
        folder: below it, all links followed.
        key: of the folder; empty for the root.

    Raises:
        OSError: it cannot be listed.
    """
    found = sorted(_entries(root, folder, f"{key}/" if key else ""), key=_order)
    return Listing(key, found[:MOST], len(found) > MOST or _is_large(folder))


def _order(entry: Entry) -> tuple[bool, str, str]:
    return entry.kind == "video", entry.name.casefold(), entry.name


def _entries(root: Path, folder: Path, prefix: str) -> Iterator[Entry]:
    with os.scandir(folder) as names:
        for each in islice(names, LOOKED_AT):
            if each.name.startswith(".") or not _is_text(each.name):
                continue
            try:
                if each.is_symlink() and not Path(each.path).resolve(strict=True).is_relative_to(root):
                    continue
                if each.is_dir():
                    images = _has_images(each.path)
                    yield Entry(each.name, prefix + each.name, "images" if images else "folder", None)
                elif each.is_file() and os.path.splitext(each.name)[1].lower() in VIDEO_SUFFIXES:
                    yield Entry(each.name, prefix + each.name, "video", each.stat().st_size)
            except (
                OSError,
                RuntimeError,
            ):  # gone meanwhile, a circle of links, or not ours to look at: it is no source
                continue


def _is_large(folder: Path) -> bool:
    with os.scandir(folder) as names:
        return next(islice(names, LOOKED_AT, None), None) is not None


def _has_images(folder: str) -> bool:
    with os.scandir(folder) as names:
        return any(
            os.path.splitext(each.name)[1].lower() in IMAGE_SUFFIXES
            and not each.name.startswith(".")
            and each.is_file()
            for each in islice(names, PEEKED)
        )


def _is_text(name: str) -> bool:
    """Whether a name can be said in JSON, and be named again."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
