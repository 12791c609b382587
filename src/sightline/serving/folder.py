"""A data folder, for commands that work on it whether a service runs there or not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sightline.adapters.sqlite.store import SqliteStore
from sightline.disk import make_folder
from sightline.errors import NotFound, setting
from sightline.ports import Notes
from sightline.serving.config import now_us

__all__ = ["notes_of", "store_of"]

STORE = "store.sqlite"


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
        make_folder(data)
    elif not (data / STORE).is_file():
        raise NotFound(
            f"{data}: no folder of a service: name the one of sightline serve with {setting('data')}"
        )
    return SqliteStore(data / STORE, clock=now_us)
