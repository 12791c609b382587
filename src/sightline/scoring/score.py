"""Score: files of ground truth and of tracks, paired by name, into what `sightline.evaluation` judges."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from collections.abc import Sequence as Sequence_
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np

from sightline.arrays import IntArray
from sightline.disk import read_text
from sightline.errors import InvalidFile, Misconfigured, NotFound, setting
from sightline.evaluation import (
    KITTI_GROUPS,
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
from sightline.evaluation import kitti as kitti_rule
from sightline.formats import kitti
from sightline.formats.annotations import NO_ID, Annotations
from sightline.formats.convert import Conversion, read
from sightline.formats.registry import reader
from sightline.jobs.derived import first_frame_of
from sightline.runs.load import read_run_json
from sightline.runs.place import in_folder
from sightline.scoring.pairing import ALL, Pair, pairs
from sightline.validation import did_you_mean
from sightline.vision.counting import hits_limit

__all__ = ["Benchmark", "Scoring", "pairs", "score"]

Benchmark = Literal["plain", "mot17", "mot20", "visdrone", "kitti"]
NAMES = {"mot17": "MOT17", "mot20": "MOT20", "visdrone": "VisDrone", "kitti": "KITTI"}
RUN_JSON = "run.json"
# Benchmarks that judge cars and people apart.
GROUPED = ("visdrone", "kitti")
# MOTChallenge judges people: of a run's groups this one.
PEOPLE = "people"
# Share of the longer file's frames that both should have.
COMMON = 0.5
# KITTI's rules: what is hidden or cut more is neither to be found nor wrong to find.
KITTI_OCCLUSION, KITTI_TRUNCATION = 2, 0


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
        classes: labels to judge, any case; all where empty.
        group: tracks of this group alone, in a folder of its name, as a run has them; None where there are no groups.
    """

    benchmark: Benchmark = "plain"
    sequences: tuple[str, ...] = ()
    rate: Fraction = Fraction(30)
    first_frame: int | None = None
    prediction_first_frame: int | None = None
    mot_origin: float = 0.0
    classes: tuple[str, ...] = ()
    group: str | None = None


def score(
    truth: Path, prediction: Path, how: Scoring, warn: Callable[[str], None] = lambda said: None
) -> dict[str, Report]:
    """Judge every sequence of the ground truth; a report by group, `all` where there are none.

    Args:
        truth: a file, a folder of `<sequence>.txt`, of `<sequence>/gt/gt.txt`, or the root of a dataset with
            `annotations/` or `label_02/`.
        prediction: a file, or a folder with `<sequence>.txt` anywhere in it; those of one group lie in a folder of its
            name, or serve all groups.
        how: see there.
        warn: hears of what can be judged and is probably not meant.

    Raises:
        NotFound: no ground truth, or a sequence without a prediction.
        InvalidFile: names file and line; or no frame is in both files.
        Rejected: an id with two boxes in a frame.
        Misconfigured: a group or classes, where the benchmark's rules choose them, or a class that no file has.
    """
    _check(how)
    rules = _rules(how)
    found: dict[str, list[Pair]] = {}
    missing: dict[str, NotFound] = {}
    for group in rules:
        try:
            found[group] = _pairs(truth, prediction, how, group, rules, warn)
        except NotFound as error:
            missing[group] = error
    for group, absent in missing.items():
        if not found:
            raise absent
        warn(f"{group} are not judged: {absent}")
    reports = {
        group: evaluate(_sequences(paired, how, warn), rules[group]) for group, paired in found.items()
    }
    for group, report in reports.items():
        if not report.combined.counts.true:
            rules_of = NAMES.get(how.benchmark)
            under = f" under {rules_of}'s rules" if rules_of else ""
            warn(f"{group}: no object of the ground truth is judged{under}; is it of another kind?")
    return reports


def _check(how: Scoring) -> None:
    name = NAMES.get(how.benchmark)
    for flag, given in (("group", how.group), ("classes", how.classes)):
        if given and (how.benchmark in GROUPED or (flag == "classes" and name)):
            raise Misconfigured(
                f"{setting(flag)}: {name}'s rules choose what is judged themselves", code="usage"
            )


def _rules(how: Scoring) -> Mapping[str, Rule]:
    if how.benchmark == "visdrone":
        return {group: visdrone(ids) for group, ids in VISDRONE_GROUPS.items()}
    if how.benchmark == "kitti":
        return {group: kitti_rule(*types) for group, types in KITTI_GROUPS.items()}
    if how.benchmark == "plain":
        return {how.group or ALL: plain}
    return {how.group or ALL: mot_challenge("MOT17" if how.benchmark == "mot17" else "MOT20")}


def _pairs(
    truth: Path,
    prediction: Path,
    how: Scoring,
    group: str,
    groups: Collection[str],
    warn: Callable[[str], None],
) -> list[Pair]:
    preferred = how.benchmark if how.benchmark in GROUPED else PEOPLE if how.benchmark != "plain" else ""
    return pairs(
        truth,
        prediction,
        how.sequences,
        group,
        groups,
        only=how.group is not None,
        preferred="" if how.group else preferred,
        warn=warn,
    )


def _sequences(found: Sequence_[Pair], how: Scoring, warn: Callable[[str], None]) -> Iterator[Sequence]:
    reading = Conversion(truth=True, first_frame=how.first_frame, mot_origin=how.mot_origin)
    first = how.first_frame if how.prediction_first_frame is None else how.prediction_first_frame
    for name, true_path, path in found:
        true, true_first = _read(true_path, reading)
        number = _first_of_run(path) if first is None else first
        tracks, tracks_first = _read(path, replace(reading, truth=False, first_frame=number))
        if (tracks.object_id == NO_ID).any():
            raise InvalidFile(path.name, reason="boxes without an id: these are detections; track them first")
        for said in _differ(path, _Frames(true, true_first), _Frames(tracks, tracks_first)):
            warn(f"{name}: {said}")
        judged = [true.labels[k] for k in np.unique(true.class_id[true.considered])]
        if how.group and how.benchmark == "plain" and not how.classes and len(judged) > 1:
            warn(
                f"{name}: tracks of {how.group} are judged against all of the ground truth, {', '.join(judged)}; "
                "--classes chooses"
            )
        if how.classes:
            true, tracks = _of_classes(true, how.classes, true_path), _of_classes(tracks, how.classes, path)
        if how.benchmark == "kitti":
            yield Sequence(name, _kitti_truth(true, true_path), _kitti_tracks(tracks), hits_limit(how.rate))
        else:
            yield Sequence(name, _boxes(true), _boxes(tracks), hits_limit(how.rate))


def _first_of_run(path: Path) -> int | None:
    """Number of the first frame in a run's MOT text: a run on a text of detections keeps its numbers."""
    folder = path.parent.parent.parent
    if path.parent.parent.name != "mot" or not (folder / RUN_JSON).is_file():
        return None
    return first_frame_of(read_run_json(in_folder(folder))["settings"])


def _read(path: Path, how: Conversion) -> tuple[Annotations, int]:
    """Rows of a file, and the number that it gives its first frame."""
    text = read_text(path)
    rows = read(text, path.name, how)
    return rows, reader(None, text, path.name).first_frame if how.first_frame is None else how.first_frame


class _Frames:
    """Frames from a file's first box to its last: from 0, and as the file numbers them."""

    def __init__(self, rows: Annotations, first: int) -> None:
        self.places = range(int(rows.frame[0]), int(rows.frame[-1]) + 1) if len(rows) else range(0)
        self.shown = f"{self.places.start + first} to {self.places.stop - 1 + first}"


def _differ(path: Path, truth: _Frames, tracks: _Frames) -> Iterator[str]:
    """What is odd about the frames of two files.

    Raises:
        InvalidFile: no frame is in both; names both ranges.
    """
    if not tracks.places or not truth.places:
        if tracks.places:
            yield f"no box in the ground truth, tracks in frames {tracks.shown}"
        elif truth.places:
            yield f"no track in {path.name}, ground truth in frames {truth.shown}"
        return
    ranges = f"tracks in frames {tracks.shown}, ground truth in {truth.shown}"
    both = min(truth.places.stop, tracks.places.stop) - max(truth.places.start, tracks.places.start)
    if both <= 0:
        raise InvalidFile(
            path.name,
            reason=f"{ranges}: no frame is in both; give the number of the first frame of each, "
            f"{setting('pred_first_frame')} and {setting('first_frame')}",
        )
    if both < COMMON * max(len(truth.places), len(tracks.places)):
        yield f"{ranges}: less than half is in both"


def _of_classes(rows: Annotations, classes: Collection[str], path: Path) -> Annotations:
    """Rows of some labels; of a file without labels all rows.

    Raises:
        Misconfigured: a label that its format does not know.
    """
    if rows.labels == ("objects",):
        return rows
    known = {label.lower(): number for number, label in enumerate(rows.labels)}
    for word in classes:
        if word.strip().lower() not in known:
            raise Misconfigured(
                f"{setting('classes', word)}: not in {path.name}; {did_you_mean(word, rows.labels)}",
                code="no_label",
            )
    return rows[np.isin(rows.class_id, [known[word.strip().lower()] for word in classes])]


def _boxes(rows: Annotations) -> Boxes:
    return Boxes.of(rows.frame, rows.object_id, rows.xyxy, rows.class_id, rows.considered)


def _kitti_truth(rows: Annotations, path: Path) -> Boxes:
    """Ground truth with the numbers of KITTI's types; what is hidden or cut too much is not considered.

    Raises:
        InvalidFile: it is no text of KITTI.
    """
    if rows.labels[: len(kitti.TYPES)] != kitti.TYPES:
        raise InvalidFile(
            path.name, reason=f"no text of KITTI: {setting('benchmark', 'kitti')} needs its label_02 files"
        )
    hidden = (rows.occlusion > KITTI_OCCLUSION) | (rows.truncation > KITTI_TRUNCATION)
    return Boxes.of(rows.frame, rows.object_id, rows.xyxy, _types(rows), rows.considered & ~hidden)


def _kitti_tracks(rows: Annotations) -> Boxes:
    """Tracks with the numbers of KITTI's types, -1 in a text without classes."""
    return Boxes.of(rows.frame, rows.object_id, rows.xyxy, _types(rows), rows.considered)


def _types(rows: Annotations) -> IntArray:
    """Place of each row's type in `kitti.TYPES`; -1 where the text has no classes, one behind the last for others."""
    known = {label.lower(): number for number, label in enumerate(kitti.TYPES)}
    known |= {"person_sitting": known["person"], "objects": -1}
    numbers = [known.get(label.lower(), len(kitti.TYPES)) for label in rows.labels]
    return np.array(numbers, np.int64)[rows.class_id]
