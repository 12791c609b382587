"""Roots: the folder of a whole command, and how the same command finds it again.

A command is known before its sources are read: by the run key of the first one, and by names, sizes and times of the
others. Only what was touched since, or was begun by an older release, is read to be sure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sightline.disk import DISK, PART, disk_errors, part_of, write_part
from sightline.errors import Unavailable
from sightline.runs.folders import Folder, make_folder
from sightline.sources.named import Traits

__all__ = ["COMMAND", "Command", "Traits", "begin_root", "choose_root"]

COMMAND = ".command.json"
VERSION = 2


@dataclass(frozen=True)
class Command:
    """What makes a command the same as an earlier one.

    Attributes:
        first: the first source's `video_id`.
        run_key: of its run.
        sources: what is known of each source without reading it, by `video_id`.
        read: the run key of a source, which is read for it; empty where it cannot be read.
    """

    first: str
    run_key: str
    sources: Mapping[str, Traits]
    read: Callable[[str], str]

    def note(self) -> dict[str, Any]:
        """What is kept in the folder."""
        sources = {name: {"bytes": each.size, "times": each.times} for name, each in self.sources.items()}
        return {
            "v": VERSION,
            "first": self.first,
            "run_key": self.run_key,
            "sources": dict(sorted(sources.items())),
        }

    def wrote(self, note: Mapping[str, Any], begun: Mapping[str, str]) -> bool:
        """Whether a note is of this command, and nobody has put another run in the place of one of its own since.

        Args:
            note: of a folder.
            begun: run keys of what was begun in the folder.
        """
        if begun.get(self.first, self.run_key) != self.run_key:
            return False
        if note["v"] != VERSION:
            return self.began(note["run_keys"]) and all(
                begun.get(name, key) == key for name, key in note["run_keys"].items()
            )
        noted = note["sources"]
        if (note["first"], note["run_key"]) != (
            self.first,
            self.run_key,
        ) or noted.keys() != self.sources.keys():
            return False
        if any(noted[name]["bytes"] != each.size for name, each in self.sources.items()):
            return False
        touched = [name for name, each in self.sources.items() if noted[name]["times"] != each.times]
        return all(name not in begun or begun[name] == self._key(name) for name in touched)

    def began(self, keys: Mapping[str, str]) -> bool:
        """Whether runs of these keys are those of this command."""
        if keys.keys() != self.sources.keys() or keys[self.first] != self.run_key:
            return False
        return all(keys[name] == self._key(name) for name in self.sources)

    def _key(self, name: str) -> str:
        return self.run_key if name == self.first else self.read(name)


def choose_root(out: Path | None, project: Path, name: str, command: Command) -> Path:
    """The folder of a command: `out`, or the newest `project/name*` that the same command began, or the next free one.

    Args:
        out: as the user named it.
        project, name: where and how folders are named otherwise.
        command: whose folder it is.
    """
    if out is not None:
        return out
    numbered = _numbered(project, name)
    # Looked at before whose they are: one that another process takes meanwhile is seen by `begin_root`.
    taken = {
        number for number, folder in numbered.items() if any(path.suffix != PART for path in folder.iterdir())
    }
    for _, folder in sorted(numbered.items(), reverse=True):
        if _is_of(folder, command):
            return folder
    if 1 not in numbered and (project / name).exists():
        taken.add(1)  # a file
    number = max(taken, default=0) + 1
    return project / (name if number == 1 else f"{name}{number}")


def begin_root(root: Path, command: Command) -> bool:
    """Note whose the folder of a whole command is, before anything else is in it: repeated, the command finds it again.

    Returns:
        False where another command that began at the same time was faster: choose again.

    Raises:
        Misconfigured: it cannot be written.
        Unavailable: the disk is full.
    """
    make_folder(root)
    noted = _noted(root)
    if noted is not None:
        return command.wrote(noted, _begun(root))
    note = command.note()
    mine = part_of(root / COMMAND)
    try:
        write_part(mine, [json.dumps(note).encode() + b"\n"], COMMAND)
        with disk_errors(COMMAND):
            return _give_name(mine, root / COMMAND) or _noted(root) == note
    except Unavailable as error:
        raise Unavailable(f"{root}: {error.message}", code=error.code) from error


def _give_name(mine: Path, note: Path) -> bool:
    """Name a note that was written; False where there is another one by now. A damaged one is replaced."""
    try:
        if note.exists() and _noted(note.parent) is None:
            DISK.replace(mine, note)
        else:
            DISK.link(mine, note)
    except FileExistsError:
        return False
    finally:
        DISK.remove(mine)
        DISK.sync_folder(note.parent)
    return True


def _noted(root: Path) -> dict[str, Any] | None:
    """What the command that began a folder noted; None where it did not, or the note is damaged."""
    try:
        note = json.loads((root / COMMAND).read_bytes())
        if note["v"] != VERSION:
            return {"v": note["v"], "run_keys": dict(note["run_keys"])}
        for each in note["sources"].values():
            _ = each["bytes"], each["times"]
        _ = note["first"], note["run_key"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return dict(note)


def _numbered(project: Path, name: str) -> dict[int, Path]:
    pattern = re.compile(re.escape(name) + r"(\d*)")
    found = {}
    for path in project.glob(f"{glob_escape(name)}*") if project.is_dir() else ():
        match = pattern.fullmatch(path.name)
        if match and path.is_dir():
            found[int(match[1] or 1)] = path
    return found


def glob_escape(name: str) -> str:
    """A name in which no letter is a pattern."""
    return re.sub(r"([*?[])", r"[\1]", name)


def _begun(root: Path) -> dict[str, str]:
    """Run keys of what was begun in a folder, by `video_id`."""
    found = {folder.name: Folder(folder).key() for folder in root.iterdir() if folder.is_dir()}
    return {video_id: key for video_id, key in found.items() if key is not None}


def _is_of(root: Path, command: Command) -> bool:
    """Whether a command began this folder; without a note, by `--out`, its runs say so."""
    begun, noted = _begun(root), _noted(root)
    return command.began(begun) if noted is None else command.wrote(noted, begun)
