"""Run folders: who holds one, what is in it, and how a finished result gets its place.

A run is built in `DIR/<video>/.partial/`, flushed, renamed into place, `run.json` last: a folder without it is
unfinished. `.partial` is a run for as long as `begun.json` is in it; what is left without it may go. A lock keeps two
runs apart; it goes with the process, however that ends.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sightline.disk import (
    DISK,
    FULL,
    ROOM,
    Disk,
    disk_errors,
    try_lock,
    write_whole,
)
from sightline.errors import Misconfigured, SightlineError, Unavailable, setting

__all__ = ["Folder", "make_folder"]

PARTIAL, BEGUN, RUN, LOCK = ".partial", "begun.json", "run.json", ".lock"
TIMING = "timing.json"
# Of what lies in `.partial`: what another version left there is begun anew.
VERSION = 2


def make_folder(path: Path) -> None:
    """Make a folder of runs, and those above it.

    Raises:
        Misconfigured: it cannot be written.
        Unavailable: the disk is full.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _cannot_write(path, error) from error


def _cannot_write(path: Path, error: OSError) -> SightlineError:
    if error.errno in FULL:
        return Unavailable(f"{path}: the disk is full; {ROOM}", code="disk_full")
    return Misconfigured(
        f"{path}: cannot be written: {error.strerror}; choose another {setting('out')}", code="unwritable"
    )


@dataclass(slots=True)
class Folder:
    """The folder of one video in a run.

    Attributes:
        path: of it.
        disk: its file calls.
        killed: the process that held the folder last ended without letting go.
    """

    path: Path
    disk: Disk = DISK
    killed: bool = False
    _lock: int | None = None

    @property
    def partial(self) -> Path:
        """Where the run is built."""
        return self.path / PARTIAL

    def key(self) -> str | None:
        """Key of the run that was begun or finished here."""
        for path in (self.path / RUN, self.partial / BEGUN):
            try:
                return str(json.loads(path.read_bytes())["run_key"])
            except FileNotFoundError:
                continue
            except (OSError, ValueError, KeyError, TypeError, RecursionError):
                return None
        return None

    def check(self, *, overwrite: bool) -> None:
        """Refuse a place in which no run can be, whatever run it would be.

        Raises:
            Misconfigured: what is here is no run's.
        """
        if not self.path.exists():
            return
        if not self._is_ours():
            raise Misconfigured(
                f"{self.path}: holds files that no run left, they stay; choose another {setting('out')}",
                code="other_run",
            )
        if not overwrite and not self.path.is_dir():
            raise Misconfigured(
                f"{self.path}: there is a file of this name; choose another {setting('out')}",
                code="unwritable",
            )

    def state(self, run_key: str, *, overwrite: bool) -> Literal["finished", "unfinished", "new"]:
        """What is here, for a run of this key.

        Raises:
            Misconfigured: another run is here and must not be overwritten, or what is here is no run's.
        """
        self.check(overwrite=overwrite)
        if overwrite or not self.path.exists():
            return "new"
        key = self.key()
        if key is None and self._is_nobodys():
            return "new"
        if key is None:
            key = self.key()  # begun, or put in place, by another process between two looks
        if key == run_key:
            if (self.path / RUN).exists():
                return "finished"
            return "unfinished" if self._note().get("v") == VERSION else "new"
        raise Misconfigured(
            f"{self.path}: another run is in this folder; choose another {setting('out')} or add {setting('overwrite')}",
            code="other_run",
        )

    def _is_ours(self) -> bool:
        """Whether a run is, was or can be here, so that `clear` removes nothing else; what it leaves last is of a run."""
        if not self.path.is_dir():
            return True  # making the folder says what is wrong
        names = {path.name for path in self.path.iterdir()}
        return not names or not names.isdisjoint((RUN, PARTIAL, LOCK, TIMING))

    def _is_nobodys(self) -> bool:
        """Empty, killed before it was noted whose it is, or half cleared."""
        begun = (self.partial / BEGUN).exists()
        return not begun and all(path.name in (LOCK, PARTIAL) for path in self.path.iterdir())

    def lock(self) -> None:
        """Hold the folder until `unlock` or the end of the process.

        Raises:
            Misconfigured: another process works in it, or it cannot be written.
            Unavailable: the disk is full.
        """
        make_folder(self.path)
        killed = (self.path / LOCK).exists()
        try:
            handle = os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise _cannot_write(self.path, error) from error
        if not try_lock(handle, self.path / LOCK):
            os.close(handle)
            raise Misconfigured(
                f"{self.path}: another sightline works in this folder; wait for it or choose another {setting('out')}",
                code="locked",
            )
        self._lock, self.killed = handle, killed

    def unlock(self) -> None:
        """Let go."""
        if self._lock is not None:
            (self.path / LOCK).unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None

    def clear(self) -> None:
        """Remove everything but the lock, `run.json` first: what is left is never taken for a run.

        Raises:
            Unavailable: something cannot be removed.
        """
        with disk_errors(f"folder {self.path.name}"):
            self.disk.remove(self.path / RUN)
            self.drop_partial()
            for path in sorted(self.path.iterdir(), key=lambda path: path.name == TIMING):
                if path.name != LOCK:
                    self._remove(path)

    def drop_partial(self) -> None:
        """Remove the unfinished parts, the note whose they are first."""
        with disk_errors(f"folder {self.path.name}"):
            if self.partial.exists():
                self.disk.remove(self.partial / BEGUN)
                self.disk.sync_folder(self.partial)
                self._remove(self.partial)

    def _remove(self, path: Path) -> None:
        if path.is_dir() and not path.is_symlink():
            for each in path.iterdir():
                self._remove(each)
        self.disk.remove(path)

    def begin(self, run_key: str) -> int:
        """Note whose folder this is, before anything else is written; how often the run was begun.

        Raises:
            Unavailable: it cannot be written.
        """
        with disk_errors(f"folder {self.path.name}"):
            self.disk.make_folder(self.partial)
            self.disk.sync_folder(self.path)
        starts = self._starts() + 1
        note = {"v": VERSION, "run_key": run_key, "starts": starts}
        write_whole(self.partial / BEGUN, [json.dumps(note).encode() + b"\n"], self.disk)
        return starts

    def _starts(self) -> int:
        starts = self._note().get("starts", 0)
        return starts if isinstance(starts, int) else 0

    def _note(self) -> dict[str, Any]:
        """What `begin` noted; empty where it did not, or the note is damaged."""
        try:
            note = json.loads((self.partial / BEGUN).read_bytes())
        except (FileNotFoundError, ValueError, RecursionError):
            return {}
        return note if isinstance(note, dict) else {}

    def publish(self, names: Iterable[str], built: Path, *, keep: bool) -> None:
        """Move `built/<name>` into place, `run.json` last, then drop `.partial`. Safe to repeat after any crash.

        Raises:
            Unavailable: it cannot be written; repeat.
        """
        ordered = sorted(set(names), key=lambda name: (name == RUN, name))
        with disk_errors(f"folder {self.path.name}"):
            for name in ordered:
                source, target = built / name, self.path / name
                if name == RUN:
                    self.disk.sync_folder(self.path)
                if source.exists():
                    target.parent.mkdir(parents=True, exist_ok=True)
                    self.disk.replace(source, target)
                    self.disk.sync_folder(target.parent)
        if not keep:
            self.drop_partial()
        with disk_errors(f"folder {self.path.name}"):
            self.disk.sync_folder(self.path)
