"""What of a sequence is judged, by benchmark. A rule turns a `Sequence` into what is `Prepared` for the metrics."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Literal

import numpy as np

from sightline.arrays import BoolArray
from sightline.evaluation.matching import EPSILON, frame_slices, iou, match, share_inside
from sightline.evaluation.sequence import Boxes, Prepared, Sequence

__all__ = ["KITTI_GROUPS", "VISDRONE_GROUPS", "Rule", "kitti", "mot_challenge", "plain", "visdrone"]

Rule = Callable[[Sequence], Prepared]

THRESHOLD = 0.5
PEDESTRIAN = 1
# Classes of MOT17 and MOT20 that a tracker of pedestrians may find without being right or wrong: person on a vehicle,
# static person, distractor, reflection; in MOT20 vehicles without a motor too.
DISTRACTORS = {"MOT17": (2, 7, 8, 12), "MOT20": (2, 6, 7, 8, 12)}
IGNORED_REGIONS, OTHERS = 0, 11
# VisDrone's categories of the two groups of the product: car, van, truck, bus; pedestrian, people.
VISDRONE_GROUPS = {"cars": (4, 5, 6, 9), "people": (1, 2)}
# KITTI's types, by their place in `formats.kitti.TYPES`: the one that is judged and the one that is alike, Car and Van,
# Pedestrian and Person (who sits).
KITTI_GROUPS = {"cars": (0, 1), "people": (3, 4)}
DONT_CARE = 8
# Boxes of that many pixels or less in height are not judged.
KITTI_HEIGHT = 25


def plain(sequence: Sequence) -> Prepared:
    """Every predicted box is judged, against every true box that is considered. Classes do not matter."""
    truth = sequence.truth[sequence.truth.considered]
    return Prepared(truth, sequence.prediction, sequence.prediction)


def mot_challenge(benchmark: Literal["MOT17", "MOT20"]) -> Rule:
    """Pedestrians as MOTChallenge judges them (TrackEval's preprocessing).

    Predicted boxes that belong to a distractor (assignment by IoU of 0.5 or more to true boxes of every class) are
    neither right nor wrong; the truth is the considered pedestrians. Ids are counted on all predicted boxes: a user
    whose tracker reports a poster as a person has counted one too many.
    """

    def rule(sequence: Sequence) -> Prepared:
        truth = sequence.truth
        ignored = np.isin(truth.class_id, DISTRACTORS[benchmark])
        prediction = _without_matches(sequence.prediction, truth, ignored)
        judged = truth.considered & (truth.class_id == PEDESTRIAN)
        return Prepared(truth[judged], prediction, sequence.prediction)

    return rule


def visdrone(categories: Collection[int]) -> Rule:
    """One group of VisDrone's categories, as the challenge judges them.

    Predicted and true boxes that lie by half or more in ignored regions (category 0) are left out. True boxes of score 0
    and those of category 11 (others) are neither to be found nor wrong to find: predicted boxes that belong to one
    (assignment by IoU of 0.5 or more) are left out. Predicted boxes of other categories are left out; a prediction
    without categories (all 0) is taken as one of this group. Ids are counted on what is left.
    """
    wanted = tuple(categories)

    def rule(sequence: Sequence) -> Prepared:
        regions = sequence.truth[sequence.truth.class_id == IGNORED_REGIONS]
        truth = _outside(sequence.truth[np.isin(sequence.truth.class_id, (*wanted, OTHERS))], regions)
        prediction = sequence.prediction
        prediction = _outside(prediction[np.isin(prediction.class_id, (*wanted, 0))], regions)
        ignored = ~truth.considered | (truth.class_id == OTHERS)
        prediction = _without_matches(prediction, truth, ignored)
        return Prepared(truth[~ignored], prediction, prediction)

    return rule


def kitti(judged: int, alike: int) -> Rule:
    """One type of KITTI's tracking benchmark, as its kit judges it (TrackEval's `kitti_2d_box.py`).

    Predicted boxes of other types are left out; -1 stands for a prediction without types. Those that belong to a true
    box of the type that is alike, or to one that is not considered, as it is hidden or cut too much (assignment by IoU
    of 0.5 or more to true boxes of both types), are neither right nor wrong. So are predicted boxes that belong to no
    true box and are 25 pixels high or less, or lie by more than half in a DontCare area. Ids are counted on what is left.
    """

    def rule(sequence: Sequence) -> Prepared:
        areas = sequence.truth[sequence.truth.class_id == DONT_CARE]
        truth = sequence.truth[np.isin(sequence.truth.class_id, (judged, alike))].by_frame()
        prediction = sequence.prediction[np.isin(sequence.prediction.class_id, (judged, -1))].by_frame()
        ignored = ~truth.considered | (truth.class_id == alike)
        matched, dropped = _matched(prediction, truth, ignored)
        low = prediction.xyxy[:, 3] - prediction.xyxy[:, 1] <= KITTI_HEIGHT + EPSILON
        kept = prediction[~dropped & (matched | ~(low | _in_one_area(prediction, areas.by_frame())))]
        return Prepared(truth[~ignored], kept, kept)

    return rule


def _matched(prediction: Boxes, truth: Boxes, ignored: BoolArray) -> tuple[BoolArray, BoolArray]:
    """Whether each predicted box belongs to a true one, and whether to an ignored one; both sorted by frame."""
    matched, dropped = np.zeros(len(prediction), np.bool_), np.zeros(len(prediction), np.bool_)
    frames = np.unique(truth.frame)
    for true_rows, rows in zip(frame_slices(truth, frames), frame_slices(prediction, frames), strict=True):
        true_places, places = match(iou(truth.xyxy[true_rows], prediction.xyxy[rows]), THRESHOLD)
        matched[rows.start + places] = True
        dropped[rows.start + places[ignored[true_rows][true_places]]] = True
    return matched, dropped


def _in_one_area(boxes: Boxes, areas: Boxes) -> BoolArray:
    """Whether each box lies by more than half in one of the areas of its frame; both sorted by frame."""
    inside = np.zeros(len(boxes), np.bool_)
    frames = np.unique(areas.frame)
    for rows, here in zip(frame_slices(boxes, frames), frame_slices(areas, frames), strict=True):
        for area in areas.xyxy[here]:
            inside[rows] |= share_inside(boxes.xyxy[rows], area[None, :]) > THRESHOLD + EPSILON
    return inside


def _without_matches(prediction: Boxes, truth: Boxes, ignored: BoolArray) -> Boxes:
    """Predicted boxes but those that an assignment to all true boxes gives to an ignored one."""
    order = np.argsort(truth.frame, kind="stable")
    truth, ignored, prediction = truth[order], ignored[order], prediction.by_frame()
    keep = np.ones(len(prediction), np.bool_)
    frames = np.unique(truth.frame[ignored])
    for true_rows, rows in zip(frame_slices(truth, frames), frame_slices(prediction, frames), strict=True):
        similarity = iou(truth.xyxy[true_rows], prediction.xyxy[rows])
        matched_true, matched = match(similarity, THRESHOLD)
        keep[rows.start + matched[ignored[true_rows][matched_true]]] = False
    return prediction[keep]


def _outside(boxes: Boxes, regions: Boxes) -> Boxes:
    """Boxes but those that lie by half or more in the regions of their frame."""
    boxes, regions = boxes.by_frame(), regions.by_frame()
    keep = np.ones(len(boxes), np.bool_)
    frames = np.unique(regions.frame)
    for rows, here in zip(frame_slices(boxes, frames), frame_slices(regions, frames), strict=True):
        keep[rows] = share_inside(boxes.xyxy[rows], regions.xyxy[here]) < THRESHOLD
    return boxes[keep]
