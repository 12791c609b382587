"""A data folder made of a copy, and whether what is in it is whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

from sightline.adapters.files.objects import FolderObjects
from sightline.disk import disk_errors, make_folder, sync_folder, write_whole
from sightline.errors import Misconfigured, Words, setting
from sightline.ports import Which
from sightline.runs.verify import Verdict, verify_job
from sightline.serving.backups.copies import Backup, Copies, require_same
from sightline.serving.backups.taking import Seen
from sightline.serving.folder import LOCK, RESTORING, STORE, hold, objects_folder, require_here, store_of
from sightline.settings import ServeOptions

__all__ = ["restore", "verified"]

READY = Which(states=("ready",))


def restore(
    options: ServeOptions, folder: Path, name: str | None = None, seen: Seen = lambda done, of: None
) -> Backup:
    """Make a data folder of a copy; after an interruption the same again goes on. Each byte is compared with the list.

    Args:
        options: of the service that is to work there.
        folder: of copies.
        name: of the copy's list; None: the newest.
        seen: hears how far it is.

    Raises:
        NotFound: no copy is there.
        Misconfigured: the data folder holds something, or a service works in it.
        Corrupt: a file of the copy is missing or damaged; nothing starts in the folder then.
        Unavailable: the disk is full.
    """
    require_here(options)
    copies = Copies(folder)
    path = copies.named(name)
    backup = copies.read(path)
    make_folder(options.data)
    with ExitStack() as rest:
        hold(options.data, rest)
        mark = options.data / RESTORING
        _require_empty(options, mark, path.name)
        write_whole(mark, [path.name.encode()])
        objects = FolderObjects(objects_folder(options, options.data))
        objects.sweep()
        for done, each in enumerate(backup.objects, 1):
            require_same(objects.put_new(each.key, copies.chunks(each)), each)
            seen(done, len(backup.objects))
        require_same(write_whole(options.data / STORE, copies.chunks(backup.store)), backup.store)
        with disk_errors(mark.name):
            mark.unlink()
            sync_folder(options.data)
    return backup


def verified(options: ServeOptions, words: Words) -> Iterator[Verdict]:
    """Every job of a data folder that is `ready`, checked as `sightline verify` does."""
    objects = FolderObjects(objects_folder(options, options.data))
    with closing(store_of(options.data)) as store:
        after = ""
        while True:
            page = store.list(READY, after=after)
            for job in page.jobs:
                yield verify_job(objects, job, words)
            if not page.cursor:
                return
            after = page.cursor


def _require_empty(options: ServeOptions, mark: Path, name: str) -> None:
    """See that nothing is overwritten.

    Raises:
        Misconfigured: something is there, and it is not the same copy that was interrupted.
    """
    if mark.exists():
        begun = mark.read_text()
        if begun != name:
            raise Misconfigured(
                f"{options.data}: half of {begun} is there: restore that one, or empty the folder",
                code="not_empty",
            )
        return
    places = {options.data, objects_folder(options, options.data)}
    there = sorted(
        path for place in places if place.is_dir() for path in place.iterdir() if path.name != LOCK
    )
    if there:
        raise Misconfigured(
            f"{there[0]} is there already: name an empty folder with {setting('data')}", code="not_empty"
        )
