"""Score: files of ground truth and of tracks, paired by name, into what `sightline.evaluation` judges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Literal

from sightline.errors import InvalidFile, Misconfigured, NotFound
from sightline.evaluation import (
    VISDRONE_GROUPS,
    Boxes,
    Report,
    Rule,
    Sequence,
    evaluate,
    mot_challenge,
    plain,
    visdrone,
)
from sightline.formats.annotations import NO_ID, Annotations
from sightline.formats.convert import Conversion, read
from sightline.formats.text import read_text, stem
from sightline.vision.counting import hits_limit

__all__ = ["Benchmark", "Scoring", "pairs", "score"]

Benchmark = Literal["plain", "mot17", "mot20", "visdrone"]
ALL = "all"
SUFFIXES = (".txt", ".txt.gz")
TRUTH = "gt"


@dataclass(frozen=True, slots=True)
class Scoring:
    """How files are paired, read and judged.

    Attributes:
        benchmark: whose rules say what is judged.
        sequences: names to judge; all of the ground truth where empty.
        rate: frames per second: what an id needs to count is a third of a second's frames.
        first_frame: number of the first frame in both; None for each format's own.
        prediction_first_frame: that of the predictions, where it is another one.
        mot_origin: number of the first pixel in MOT text.
        group: tracks of this group alone, in a folder of its name, as a run has them; None where there are no groups.
    """

    benchmark: Benchmark = "plain"
    sequences: tuple[str, ...] = ()
    rate: Fraction = Fraction(30)
    first_frame: int | None = None
    prediction_first_frame: int | None = None
    mot_origin: float = 0.0
    group: str | None = None


def score(truth: Path, prediction: Path, how: Scoring) -> dict[str, Report]:
    """Judge every sequence of the ground truth; a report by group, `all` where there are none.

    Args:
        truth: a file, a folder of `<sequence>.txt`, of `<sequence>/gt/gt.txt`, or a VisDrone root with
            `annotations/`.
        prediction: a file, or a folder with `<sequence>.txt` anywhere in it; those of one group lie in a folder of its
            name, or serve all groups.
        how: see there.

    Raises:
        NotFound: no ground truth, or a sequence without a prediction.
        InvalidFile: names file and line.
        Rejected: an id with two boxes in a frame.
        Misconfigured: a group, where the benchmark's rules choose it.
    """
    if how.group is not None and how.benchmark == "visdrone":
        raise Misconfigured("--group: VisDrone's rules judge cars and people themselves", code="usage")
    if how.benchmark == "visdrone":
        rules: Mapping[str, Rule] = {group: visdrone(ids) for group, ids in VISDRONE_GROUPS.items()}
    elif how.benchmark == "plain":
        rules = {how.group or ALL: plain}
    else:
        rules = {how.group or ALL: mot_challenge("MOT17" if how.benchmark == "mot17" else "MOT20")}
    return {
        group: evaluate(_sequences(_pairs(truth, prediction, how, group, tuple(rules)), how), rule)
        for group, rule in rules.items()
    }


def _pairs(
    truth: Path, prediction: Path, how: Scoring, group: str, groups: tuple[str, ...]
) -> list[tuple[str, Path, Path]]:
    return pairs(truth, prediction, how.sequences, group, groups, only=how.group is not None)


def pairs(
    truth: Path,
    prediction: Path,
    sequences: tuple[str, ...] = (),
    group: str = ALL,
    groups: tuple[str, ...] = (),
    *,
    only: bool = False,
) -> list[tuple[str, Path, Path]]:
    """Name, ground truth and prediction of each sequence, by name; with `only` from folders of the group alone.

    Raises:
        NotFound: no ground truth, an unknown sequence, or one without a prediction, or with two.
    """
    if truth.is_file() and prediction.is_file():
        return [(stem(truth.name), truth, prediction)]
    true = _truth_files(truth)
    unknown = [name for name in sequences if name not in true]
    if not true or unknown:
        missing = (
            f"no sequence {unknown[0]}; there are {', '.join(true)}"
            if true
            else "no ground truth (.txt) here"
        )
        raise NotFound(f"{truth}: {missing}")
    found = _predictions(prediction)
    return [
        (name, true[name], _one(_kept(found.get(name, []), group, only), name, prediction, group, groups))
        for name in sequences or sorted(true)
    ]


def _truth_files(root: Path) -> dict[str, Path]:
    """Files of ground truth by sequence."""
    if root.is_file():
        return {stem(root.name): root}
    folder = root / "annotations" if (root / "annotations").is_dir() else root
    flat = {stem(path.name): path for path in _texts(folder.glob("*"))}
    nested = {
        _sequence_folder(path, folder): path
        for path in _texts(folder.glob("**/*"))
        if path.parent != folder and stem(path.name).startswith(TRUTH)
    }
    return nested | flat


def _sequence_folder(path: Path, root: Path) -> str:
    """Name of a sequence whose ground truth is `<sequence>/gt/gt.txt` or `<sequence>/gt*.txt`."""
    parent = path.parent
    return parent.parent.name if parent.name == TRUTH and parent.parent != root else parent.name


def _predictions(root: Path) -> dict[str, list[Path]]:
    if root.is_file():
        return {stem(root.name): [root]}
    found: dict[str, list[Path]] = {}
    for path in sorted(_texts(root.glob("**/*"))):
        found.setdefault(stem(path.name), []).append(path)
    return found


def _kept(paths: list[Path], group: str, only: bool) -> list[Path]:
    return [path for path in paths if path.parent.name == group] if only else paths


def _one(paths: list[Path], name: str, root: Path, group: str, groups: tuple[str, ...]) -> Path:
    """The file of a group: one in a folder of the group's name, else one that is in no other group's folder."""
    own = [path for path in paths if path.parent.name == group]
    rest = own or [path for path in paths if path.parent.name not in groups]
    if len(rest) == 1:
        return rest[0]
    if rest:
        listed = ", ".join(str(path.relative_to(root)) for path in rest)
        raise NotFound(
            f"{root}: more than one prediction of {name} ({listed}); name a folder with one of them, or "
            "the --group"
        )
    raise NotFound(
        f"{root}: no prediction of {name}: expected {name}.txt; name other sequences with --sequence"
    )


def _texts(paths: Iterator[Path]) -> Iterator[Path]:
    return (path for path in paths if path.name.endswith(SUFFIXES) and path.is_file())


def _sequences(found: list[tuple[str, Path, Path]], how: Scoring) -> Iterator[Sequence]:
    reading = Conversion(truth=True, first_frame=how.first_frame, mot_origin=how.mot_origin)
    first = how.first_frame if how.prediction_first_frame is None else how.prediction_first_frame
    predicted = replace(reading, truth=False, first_frame=first)
    for name, true_path, path in found:
        true = read(read_text(true_path), true_path.name, reading)
        tracks = read(read_text(path), path.name, predicted)
        if (tracks.object_id == NO_ID).any():
            raise InvalidFile(path.name, reason="boxes without an id: these are detections; track them first")
        yield Sequence(name, _boxes(true), _boxes(tracks), hits_limit(how.rate))


def _boxes(rows: Annotations) -> Boxes:
    return Boxes.of(rows.frame, rows.object_id, rows.xyxy, rows.class_id, rows.considered)
