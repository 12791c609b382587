"""What a format cannot hold of rows that are written in it: said before it is missed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from sightline.formats import kitti, mot, visdrone
from sightline.formats.annotations import NO_ID, Annotations

__all__ = ["losses", "losses_of_job"]

# One thing under two names: where nobody judges.
AREAS = frozenset({"dontcare", "ignored regions"})
NO_CONFIDENCE = frozenset({"coco-dataset", "yolo"})


def losses_of_job(rows: Annotations, target: str) -> Iterator[str]:
    """A sentence for each thing that a format of a job loses of a text.

    Args:
        rows: what is written.
        target: a format that is no text format.
    """
    beside = rows[~rows.considered]
    if len(beside):
        labels = ", ".join(rows.labels[k] for k in np.unique(beside.class_id))
        yield f"{len(beside)} boxes that are not judged ({labels}): {target} has no place for them"
    if target in NO_CONFIDENCE and (rows.confidence != 1).any():
        yield f"confidences: {target} has none"
    if target == "yolo" and (rows.object_id != NO_ID).any():
        yield "ids: yolo has none"
    if (rows.visibility >= 0).any() or (rows.truncation >= 0).any() or (rows.occlusion >= 0).any():
        yield f"visibility, truncation and occlusion: {target} has none"


def losses(rows: Annotations, target: str, *, truth: bool = False) -> Iterator[str]:
    """A sentence for each thing that is lost or renamed.

    Args:
        rows: what is written.
        target: `mot`, `visdrone` or `kitti`.
        truth: as ground truth.
    """
    yield from _labels(rows, target, truth=truth)
    if truth and (rows.confidence != 1).any():
        yield f"confidences: ground truth of {target} has none"
    if not truth and target != "kitti" and not rows.considered.all():
        yield f"which boxes are not judged: results of {target} do not say it; --truth writes ground truth"
    if target == "kitti":
        dont_care = np.array([kitti.type_of(label) == "DontCare" for label in rows.labels])[rows.class_id]
        if (~rows.considered & ~dont_care).any():
            yield "which boxes are not judged: kitti knows DontCare areas alone"
    yield from _states(rows, target, truth=truth)


def _labels(rows: Annotations, target: str, *, truth: bool) -> Iterator[str]:
    used = np.unique(rows.class_id).tolist()
    if target == "mot" and not truth:
        labels = [rows.labels[k] for k in used]
        if labels not in ([], ["objects"]):
            yield f"labels ({', '.join(labels)}): results of mot have none"
        return
    become = _written(rows.labels, target)
    renamed = [(rows.labels[k], become[k]) for k in used if rows.labels[k].lower() != become[k].lower()]
    renamed = [pair for pair in renamed if not AREAS.issuperset(map(str.lower, pair))]
    if renamed:
        yield f"labels: {', '.join(f'{label} as {word}' for label, word in renamed)}"


def _written(labels: Sequence[str], target: str) -> list[str]:
    """What a reader of the target will call each label."""
    if target == "kitti":
        return [kitti.type_of(label) for label in labels]
    if target == "visdrone":
        return [visdrone.CATEGORIES[visdrone.category(label)] for label in labels]
    names = dict(enumerate(mot.CLASSES))
    return [names.get(number, f"class {number}") for number in mot.class_numbers(labels)]


def _states(rows: Annotations, target: str, *, truth: bool) -> Iterator[str]:
    """Visibility, truncation and occlusion."""
    if (rows.visibility >= 0).any() and not (target == "mot" and truth):
        yield "visibility: mot ground truth alone has it"
    known = (rows.truncation >= 0).any() or (rows.occlusion >= 0).any()
    if target == "mot" and known:
        yield "truncation and occlusion: mot has none"
    elif target == "visdrone" and known and not truth:
        yield "truncation and occlusion: results of visdrone have none; --truth writes ground truth"
    elif target == "visdrone":
        for what, values, most, becomes in (
            ("truncation", rows.truncation, visdrone.MAX_TRUNCATION, "1"),
            ("occlusion", rows.occlusion, visdrone.MAX_OCCLUSION, "-1, unknown"),
        ):
            beyond = int((values > most).sum())
            if beyond:
                yield f"{what} of {beyond} boxes: visdrone knows 0 to {most}, they are written as {becomes}"
