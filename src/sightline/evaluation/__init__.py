"""Tracking metrics: HOTA, CLEAR, identity, counts."""

from sightline.evaluation.report import COMBINED, Report, Row, evaluate
from sightline.evaluation.rules import VISDRONE_GROUPS, Rule, mot_challenge, plain, visdrone
from sightline.evaluation.sequence import Boxes, Prepared, Sequence

__all__ = [
    "COMBINED",
    "VISDRONE_GROUPS",
    "Boxes",
    "Prepared",
    "Report",
    "Row",
    "Rule",
    "Sequence",
    "evaluate",
    "mot_challenge",
    "plain",
    "visdrone",
]
