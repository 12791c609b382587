"""Tracking metrics: HOTA, CLEAR, identity, counts."""

from sightline.evaluation.report import COMBINED, Report, Row, evaluate
from sightline.evaluation.rules import (
    KITTI_GROUPS,
    VISDRONE_GROUPS,
    Rule,
    kitti,
    mot_challenge,
    plain,
    visdrone,
)
from sightline.evaluation.sequence import Boxes, Prepared, Sequence

__all__ = [
    "COMBINED",
    "KITTI_GROUPS",
    "VISDRONE_GROUPS",
    "Boxes",
    "Prepared",
    "Report",
    "Row",
    "Rule",
    "Sequence",
    "evaluate",
    "kitti",
    "mot_challenge",
    "plain",
    "visdrone",
]
