"""A copy of one of our SQLite files as it is at one moment, while others write to it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import apsw

from sightline.adapters.sqlite.file import opened
from sightline.errors import Corrupt

__all__ = ["copy_file"]


def copy_file(path: Path, target: Path) -> None:
    """Copy a file; whatever version it has, it stays of it. Nobody who writes to it waits.

    Args:
        path: of our file.
        target: of the copy; what was there is gone. It is whole, and not flushed.

    Raises:
        Misconfigured: it is no file of ours, or cannot be opened.
        Corrupt: it is damaged.
        Unavailable: the disk is full.
    """
    target.unlink(missing_ok=True)
    with opened(path) as source, closing(apsw.Connection(str(target))) as copy:
        with copy.backup("main", source, "main") as pages:
            pages.step()  # all of them, of one moment: in several steps each commit of another process begins it anew
        copy.pragma("journal_mode", "DELETE")  # one file, nothing beside it
        found = copy.pragma("quick_check")
    if found != "ok":
        raise Corrupt(
            f"{path.name}: the file is damaged: {found}; restore it, or run the jobs again", code="damaged"
        )
