"""Pairing: which file of tracks belongs to which ground truth, by the names that benchmarks and `track` give them."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sightline.errors import NotFound, setting
from sightline.formats.text import short_name, stem

__all__ = ["ALL", "Pair", "pairs"]

ALL = "all"
SUFFIXES = (".txt", ".txt.gz")
# Folders of a dataset that hold a text a sequence: VisDrone, KITTI.
FOLDERS = ("annotations", "label_02")
# Begin of the name of a text that lies in its sequence's folder: MOTChallenge, KITTI.
TRUTH = ("gt", "label_02")
# One sequence of MOT17 three times, with other public detections.
DETECTOR = re.compile(r"-(DPM|FRCNN|SDP)$")
IMAGES = "_img1"
SHOWN = 10

Pair = tuple[str, Path, Path]
Warn = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which of several predictions of one sequence is meant.

    Attributes:
        group: name of a run's group; its texts lie in a folder of that name.
        groups: all groups that are judged: a text in another one's folder is not meant.
        only: texts of the group alone.
        format: folder of a format that is preferred, as its texts say what a box is.
    """

    group: str = ALL
    groups: Collection[str] = ()
    only: bool = False
    format: str = ""


def pairs(
    truth: Path,
    prediction: Path,
    sequences: Sequence[str] = (),
    group: str = ALL,
    groups: Collection[str] = (),
    *,
    only: bool = False,
    preferred: str = "",
    warn: Warn = lambda said: None,
) -> list[Pair]:
    """Name, ground truth and prediction of each sequence, by name; with `only` from folders of the group alone.

    Args:
        truth: a file, or a folder with `<sequence>.txt`, `<sequence>/gt/gt.txt`, `annotations/<sequence>.txt`,
            `label_02/<sequence>.txt` or `<sequence>/label_02.txt`.
        prediction: a file, or a folder with `<sequence>.txt` anywhere in it, such as the one that `track` wrote.
        sequences: names to judge; all of the ground truth where empty.
        group, groups, only, preferred: see `Wanted`.
        warn: hears when the only prediction is taken for the only sequence although they are called otherwise.

    Raises:
        NotFound: no ground truth, an unknown sequence, or one without a prediction, or with two.
    """
    if truth.is_file() and prediction.is_file():
        return [(_truth_name(truth), truth, prediction)]
    true = _truth_files(truth)
    unknown = [name for name in sequences if name not in true]
    if not true or unknown:
        missing = (
            f"no sequence {unknown[0]}; there are {', '.join(true)}"
            if true
            else "no ground truth (.txt) here"
        )
        raise NotFound(f"{truth}: {missing}")
    wanted = Wanted(group, groups, only, preferred)
    found = _predictions(prediction)
    names = list(sequences) or sorted(true)
    named = [_named(name, found) for name in names]
    if len(names) == len(found) == 1 and named == [None]:
        named = list(found)
        warn(f"{names[0]} is compared with {named[0]}: there is no other")
    return [
        (name, true[name], _one(found.get(other or "", []), name, prediction, wanted, found))
        for name, other in zip(names, named, strict=True)
    ]


def _truth_name(path: Path) -> str:
    """Sequence of a file of ground truth: `MOT17-02/gt/gt.txt` is MOT17-02, else the file's own name."""
    parent = path.resolve().parent
    return (
        parent.parent.name if parent.name == "gt" and stem(path.name).startswith(TRUTH) else stem(path.name)
    )


def _truth_files(root: Path) -> dict[str, Path]:
    """Files of ground truth by sequence."""
    if root.is_file():
        return {_truth_name(root): root}
    folder = next((root / name for name in FOLDERS if (root / name).is_dir()), root)
    flat = {_truth_name(path): path for path in _texts(folder.glob("*"))}
    nested = {
        _sequence_folder(path): path
        for path in _texts(folder.glob("**/*"))
        if path.parent != folder and stem(path.name).startswith(TRUTH)
    }
    return nested | flat


def _sequence_folder(path: Path) -> str:
    """Name of a sequence whose ground truth is `<sequence>/gt/gt.txt` or `<sequence>/gt*.txt`."""
    parent = path.resolve().parent
    return parent.parent.name if parent.name == "gt" else parent.name


def _predictions(root: Path) -> dict[str, list[Path]]:
    if root.is_file():
        return {stem(root.name): [root]}
    if not root.is_dir():
        raise NotFound(f"{root}: no such file or folder of tracks")
    found: dict[str, list[Path]] = {}
    for path in sorted(_texts(root.glob("**/*"))):
        found.setdefault(stem(path.name), []).append(path)
    return found


def _named(name: str, found: Collection[str]) -> str | None:
    """What a prediction of a sequence is called: as it is, as `track` shortens it or names its images, or without the
    detector of MOT17.
    """
    for known in (name, short_name(name), name + IMAGES):
        if known in found:
            return known
    alike = [other for other in found if _bare(other) == _bare(name)]
    return alike[0] if len(alike) == 1 else None


def _bare(name: str) -> str:
    return DETECTOR.sub("", name.removesuffix(IMAGES))


def _one(paths: list[Path], name: str, root: Path, wanted: Wanted, found: Collection[str]) -> Path:
    """The file of a group: one in a folder of the format or of the group's name, else one that is in no other group's."""
    if wanted.only:
        paths = [path for path in paths if path.parent.name == wanted.group]
    best = [path for path in paths if path.parent.name == wanted.format]
    own = best or [path for path in paths if path.parent.name == wanted.group]
    rest = own or [path for path in paths if not _is_of_another(path, wanted)]
    if len(rest) == 1:
        return rest[0]
    if rest:
        listed = ", ".join(str(path.relative_to(root)) for path in rest)
        raise NotFound(
            f"{root}: more than one prediction of {name} ({listed}); name a folder with one of them, or "
            f"the {setting('group')}"
        )
    raise NotFound(f"{root}: no prediction of {name}: expected {name}.txt; {_instead(root, found)}")


def _is_of_another(path: Path, wanted: Wanted) -> bool:
    """Whether a text is that of a group that is not meant: in a run every folder below `mot/` is a group."""
    return path.parent.name in wanted.groups or (len(wanted.groups) > 1 and path.parent.parent.name == "mot")


def _instead(root: Path, found: Collection[str]) -> str:
    if not found and any(root.glob("**/run.json")):
        return (
            f"a run without text of tracks: make it with sightline convert {root} OUT {setting('to', 'mot')}, or where it has no "
            "tracks, as those of sightline detect, run sightline track"
        )
    shown = sorted(found)[:SHOWN]
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    there = f"there are {', '.join(shown)}{more}; " if found else "there is none; "
    return there + f"name other sequences with {setting('sequence')}"


def _texts(paths: Iterator[Path]) -> Iterator[Path]:
    return (path for path in paths if path.name.endswith(SUFFIXES) and path.is_file())
