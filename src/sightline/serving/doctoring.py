"""What a service needs besides its program, tried out: folders, database, brokers, bucket."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from sightline.adapters.files.objects import FolderObjects
from sightline.adapters.sqlite.file import version_of
from sightline.disk import try_lock
from sightline.errors import Misconfigured, setting
from sightline.serving.addresses import check_database, kafka_connection
from sightline.serving.backends import documents_of, objects_of, require_topics
from sightline.serving.folder import LOCK, STORE, require_whole
from sightline.settings import ServeOptions

__all__ = ["checks_of"]

ROOM = 2**30  # bytes: below this an upload may be the one that does not fit
AWAY = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "glusterfs", "fuse.sshfs"})


def checks_of(options: ServeOptions) -> Mapping[str, Callable[[], str]]:
    """A check for each thing that the service's settings name; each says what it found, or raises what to do."""
    checks: dict[str, Callable[[], str]] = {"data folder": lambda: _folder(options.data)}
    if options.ledger == "sqlite":
        checks["store"] = lambda: _store(options.data)
    else:
        checks["database"] = lambda: _database(options)
        checks["kafka"] = lambda: _kafka(options)
    checks["objects"] = lambda: _objects(options)
    return checks


def _folder(data: Path) -> str:
    """The folder, or where it would be made."""
    there = next(each for each in (data.absolute(), *data.absolute().parents) if each.exists())
    if not there.is_dir():
        raise Misconfigured(f"{there} is no folder: name another one with {setting('data')}")
    with tempfile.TemporaryFile(dir=there) as file:
        file.write(b"x")
    free = shutil.disk_usage(there).free
    if free < ROOM:
        raise Misconfigured(
            f"{there}: {free / 1e9:.1f} GB are free: free some, or name a folder of another disk with {setting('data')}"
        )
    kind = "" if there == data.absolute() else ", to be made"
    return f"{data}{kind}, {free / 1e9:,.0f} GB free"


def _store(data: Path) -> str:
    kind = _filesystem(data)
    if kind in AWAY:
        raise Misconfigured(
            f"{data} is on {kind}, where SQLite cannot lock: name a folder of a local disk with {setting('data')}"
        )
    require_whole(data)
    path = data / STORE
    if not path.is_file():
        return "none yet: sightline serve makes it"
    return f"version {version_of(path)}, {path.stat().st_size / 1e6:,.0f} MB, {_worker(data)}"


def _worker(data: Path) -> str:
    """Whether a service works in the folder."""
    handle = os.open(data / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        return "no service runs on it" if try_lock(handle, data / LOCK) else "a service runs on it"
    finally:
        os.close(handle)


def _filesystem(path: Path) -> str:
    """Kind of the file system that holds a path; empty where the kernel does not say."""
    mounts = Path("/proc/self/mounts")
    if not mounts.exists():
        return ""
    place = path.resolve()
    held = [line.split()[1:3] for line in mounts.read_text().splitlines()]
    around = [
        (point, kind) for point, kind in held if place.is_relative_to(point.encode().decode("unicode_escape"))
    ]
    return max(around, key=lambda each: len(each[0]))[1] if around else ""


def _database(options: ServeOptions) -> str:
    check_database(options)
    with closing(documents_of(options)):
        return f"{options.ledger} answers, its tables are of this release"


def _kafka(options: ServeOptions) -> str:
    kafka_connection(options, "sightline-doctor")
    require_topics(options)
    return f"{options.kafka} answers, every topic has {options.partitions} partitions"


def _objects(options: ServeOptions) -> str:
    if options.objects == "folder":
        return "in the data folder" if options.objects_folder is None else _folder(options.objects_folder)
    with TemporaryDirectory() as scratch:
        objects = objects_of(options, Path(scratch), "doctor")
        assert not isinstance(objects, FolderObjects)
        objects.check()
        return f"bucket {options.s3_bucket} takes, copies and removes objects, and keeps conditions"
