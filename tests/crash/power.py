"""A disk whose power can be cut: names and bytes that were not flushed may be gone.

The model is that of a journaling file system: changes of names survive in their order, at least up to the last one in
a folder that was flushed; a file keeps at least the bytes that were flushed, which may be none under a good name.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from sightline.disk import Disk


@dataclass(frozen=True)
class _Change:
    folders: frozenset[Path]
    undo: Callable[[], None]


class PowerDisk(Disk):
    """Real files below `home`, and what it takes to forget the newest of them.

    Args:
        home: everything lies below it.
    """

    def __init__(self, home: Path) -> None:
        self._attic = home / "attic"
        self._attic.mkdir(exist_ok=True)
        self._changes: list[_Change] = []
        self._unflushed: set[int] = set()
        self._kept = 0

    def make_folder(self, folder: Path) -> None:
        if not folder.exists():
            super().make_folder(folder)
            self._changed([folder], lambda: shutil.rmtree(folder))

    def create(self, path: Path):
        restore = self._keep(path)
        path.unlink(missing_ok=True)  # a new file: the old bytes are restored under their own name
        file = super().create(path)
        self._unflushed.add(os.fstat(file.fileno()).st_ino)
        self._changed([path], restore)
        return file

    def sync(self, file) -> None:
        super().sync(file)
        self._unflushed.discard(os.fstat(file.fileno()).st_ino)

    def link(self, source: Path, target: Path) -> None:
        super().link(source, target)
        self._changed([target], target.unlink)

    def replace(self, source: Path, target: Path) -> None:
        restore = self._keep(target)
        super().replace(source, target)

        def undo() -> None:
            os.replace(target, source)
            restore()

        self._changed([source, target], undo)

    def remove(self, path: Path) -> None:
        if path.exists():
            restore = self._keep(path)
            super().remove(path)
            self._changed([path], restore)

    def remove_empty(self, folder: Path) -> bool:
        removed = super().remove_empty(folder)
        if removed:
            self._changed([folder], folder.mkdir)
        return removed

    def sync_folder(self, folder: Path) -> None:
        super().sync_folder(folder)
        last = max((i for i, change in enumerate(self._changes) if folder in change.folders), default=-1)
        del self._changes[: last + 1]

    def cut(self, random: Random) -> None:
        """Forget some of the newest changes that were not flushed, and bytes that were not."""
        kept = random.randint(0, len(self._changes))
        for change in reversed(self._changes[kept:]):
            change.undo()
        for path in self._attic.parent.rglob("*"):
            if path.is_file() and path.stat().st_ino in self._unflushed and random.random() < 0.5:
                os.truncate(path, random.choice([0, path.stat().st_size // 2]))
        self._changes.clear()
        self._unflushed.clear()

    def _changed(self, paths: list[Path], undo: Callable[[], None]) -> None:
        self._changes.append(_Change(frozenset(path.parent for path in paths), undo))

    def _keep(self, path: Path) -> Callable[[], None]:
        """How to bring back what is at a path now."""
        if path.is_dir():
            return path.mkdir
        if not path.exists():
            return lambda: path.unlink(missing_ok=True)
        self._kept += 1
        kept = self._attic / str(self._kept)
        os.link(path, kept)

        def restore() -> None:
            path.unlink(missing_ok=True)
            os.link(kept, path)

        return restore
