"""A data folder, for commands that work on it whether a service runs there or not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from sightline.adapters.sqlite.store import SqliteStore
from sightline.disk import make_folder, try_lock
from sightline.errors import Misconfigured, NotFound, setting
from sightline.ports import Notes
from sightline.serving.config import now_us
from sightline.settings import ServeOptions

__all__ = [
    "DELETES",
    "LOCK",
    "RESTORING",
    "STORE",
    "hold",
    "notes_of",
    "objects_folder",
    "require_here",
    "require_store",
    "require_whole",
    "store_of",
]

STORE = "store.sqlite"
LOCK = ".lock"  # held by the service that works here
DELETES = ".deletes"  # held while an object is deleted
RESTORING = ".restoring"  # there while a copy is being brought back


@contextmanager
def notes_of(data: Path, *, make: bool = False) -> Iterator[Notes]:
    """The notes of a folder.

    Args:
        data: the folder.
        make: make it where it is missing; else that is an error.

    Raises:
        NotFound: it is no folder of a service.
        Misconfigured: it cannot be written.
    """
    with closing(store_of(data, make=make)) as store:
        yield store.notes


def store_of(data: Path, *, make: bool = False) -> SqliteStore:
    """The store of a folder, to be closed; arguments and errors as of `notes_of`."""
    if make:
        require_whole(data)
        make_folder(data)
    else:
        require_store(data)
    return SqliteStore(data / STORE, clock=now_us)


def require_store(data: Path) -> None:
    """See that a folder is a service's, and a whole one.

    Raises:
        NotFound: it is none.
        Misconfigured: see `require_whole`.
    """
    require_whole(data)
    if not (data / STORE).is_file():
        raise NotFound(
            f"{data}: no folder of a service: name the one of sightline serve with {setting('data')}"
        )


def require_whole(data: Path) -> None:
    """See that no copy is half restored there.

    Raises:
        Misconfigured: one is.
    """
    if (data / RESTORING).exists():
        raise Misconfigured(
            f"{data}: sightline restore was interrupted here: run it again, or empty the folder",
            code="half_restored",
        )


def require_here(options: ServeOptions) -> None:
    """See that all of a service lies in folders of this machine.

    Raises:
        Misconfigured: jobs are in a database, or objects in a bucket.
    """
    for name, here in (("ledger", "sqlite"), ("objects", "folder")):
        value = getattr(options, name)
        if value != here:
            raise Misconfigured(
                f"{setting(name, value)}: what lies there is copied by its own tools: docs/how-to/back-up.md says in "
                "which order",
                code="usage",
            )


def objects_folder(options: ServeOptions, data: Path) -> Path:
    """Where the objects of a service lie that keeps them in a folder; `data` is its data folder."""
    return options.objects_folder or data / "objects"


def hold(data: Path, rest: ExitStack, held: str = "") -> None:
    """Hold a folder for as long as this process lives, or until `rest` is closed.

    Args:
        data: the folder.
        rest: closes what is open.
        held: what an error says where another process holds it.

    Raises:
        Misconfigured: another service holds it, or it cannot be written.
    """
    try:
        handle = os.open(data / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Misconfigured(
            f"{data}: cannot be written: {error.strerror}; choose another {setting('data')}",
            code="unwritable",
        ) from error
    rest.callback(os.close, handle)
    if not try_lock(handle, data / LOCK):
        other = held or f"another sightline serve works in this folder; choose another {setting('data')}"
        raise Misconfigured(f"{data}: {other}", code="locked")
