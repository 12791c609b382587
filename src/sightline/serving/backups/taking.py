"""A copy of a data folder while its service runs.

It is what `kill -9` of the service at one moment would have left: the store as it is then, and every object that is there.
Objects are durable before the store names them and never change; so that none of them goes between the store and the objects,
deletions wait while what is new is copied (`adapters.files.deletes`).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sightline import __version__
from sightline.adapters.files.deletes import undeleted
from sightline.adapters.sqlite.copy import copy_file
from sightline.disk import PART, disk_errors
from sightline.errors import Misconfigured, setting
from sightline.serving.backups.copies import Backup, Copies, files_in
from sightline.serving.folder import DELETES, STORE, objects_folder, require_here, require_store
from sightline.settings import ServeOptions

__all__ = ["Seen", "Taken", "take"]

TIME = "%Y%m%dT%H%M%S.%fZ"
Seen = Callable[[int, int], None]
"""Hears how many files are done, and of how many."""


@dataclass(frozen=True)
class Taken:
    """What a copy is.

    Attributes:
        path: of its list.
        objects, size: how many it has, and bytes of these and of the store.
        written: bytes that no earlier copy had.
        dropped: older copies that were removed.
    """

    path: Path
    objects: int
    size: int
    written: int
    dropped: int


def take(options: ServeOptions, folder: Path, keep: int, seen: Seen = lambda done, of: None) -> Taken:
    """Copy the data folder of a service, whether it runs or not.

    Args:
        options: of the service.
        folder: of copies; made where it is missing.
        keep: how many copies stay, this one included.
        seen: hears how far it is.

    Raises:
        NotFound: there is no service's folder.
        Misconfigured: the service keeps its jobs or objects elsewhere, or the folder cannot take copies.
        Unavailable: the disk is full.
        Corrupt: the store is damaged.
    """
    require_here(options)
    require_store(options.data)
    root = objects_folder(options, options.data)
    _require_apart(folder, options.data, root)
    copies = Copies(folder)
    with ExitStack() as rest, disk_errors("the copy"):
        copies.hold(rest)
        for path, key in files_in(root):  # nearly everything, while nobody waits
            with suppress(FileNotFoundError):  # deleted meanwhile
                copies.add(path, key)
        draft = folder / f".{STORE}{PART}"
        rest.callback(draft.unlink, missing_ok=True)
        with undeleted(options.data / DELETES):
            made_at = datetime.now(UTC)
            copy_file(options.data / STORE, draft)
            files = sorted(files_in(root), key=lambda each: each[1])
            objects = []
            for done, (path, key) in enumerate(files, 1):
                objects.append(copies.add(path, key))
                seen(done, len(files))
        store = copies.add(draft, STORE)
        backup = Backup(made_at=made_at.isoformat(), sightline=__version__, store=store, objects=objects)
        listed = copies.write_list(made_at.strftime(TIME), backup)
        dropped = copies.keep(keep)
    size = store.size + sum(each.size for each in objects)
    return Taken(listed, len(objects), size, copies.written, dropped)


def _require_apart(folder: Path, *inside: Path) -> None:
    """See that copies do not lie in what is copied."""
    for each in inside:
        if folder.resolve().is_relative_to(each.resolve()):
            raise Misconfigured(
                f"{folder} lies in {each}, which is to be copied: name a folder elsewhere, best on another disk "
                f"than {setting('data')}",
                code="usage",
            )
