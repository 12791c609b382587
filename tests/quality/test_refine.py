"""How much refinement gains, against frozen references: HOTA, IDF1 (TrackEval), error of the count.

The references were measured with `python -m benchmarks.tracking.refined`. A difference in either direction is news:
a gain is frozen in its place, a loss is a bug. Deterministic, so the tolerance only covers other processors.
"""

from pathlib import Path
from typing import NamedTuple

import pytest
from benchmarks.tracking.refined import figures
from benchmarks.tracking.score import Figures

from sightline.vision.refine import RefineSettings


class Frozen(NamedTuple):
    """What refined tracks reach, and HOTA and IDF1 of the official ByteTrack on the same detections."""

    refined: Figures
    official: tuple[float, float]


REFINED = {
    "mot17": Frozen(Figures(71.57, 83.19, 0.127), (69.58, 81.06)),
    "mot20": Frozen(Figures(78.54, 90.42, 0.000), (76.91, 89.22)),
    "dance": Frozen(Figures(58.72, 61.75, 0.436), (48.21, 54.40)),
    "kitti-car": Frozen(Figures(76.07, 87.16, 0.075), (70.27, 85.09)),
    "kitti-pedestrian": Frozen(Figures(58.97, 75.45, 0.495), (55.23, 73.22)),
    "mdmt": Frozen(Figures(98.79, 98.55, 0.033), (91.12, 96.73)),
    "mot17@5": Frozen(Figures(70.62, 82.52, 0.131), (64.89, 75.28)),
    "mot17~0.5": Frozen(Figures(70.56, 81.43, 0.097), (66.44, 78.19)),
    "mdmt@5": Frozen(Figures(89.34, 89.40, 0.194), (63.81, 72.15)),
}
TOLD = {  # how the camera moved; the official ByteTrack is not
    "mot17+camera": Frozen(Figures(72.02, 83.89, 0.147), (69.58, 81.06)),
    "mot17@5+camera": Frozen(Figures(72.17, 84.93, 0.135), (64.89, 75.28)),
    "dance+camera": Frozen(Figures(58.65, 61.92, 0.462), (48.21, 54.40)),
}
SMOOTHED = {"mot20": Figures(79.17, 90.52, 0.000), "mdmt": Figures(98.07, 98.53, 0.033)}


def check(got: Figures, expected: Figures) -> None:
    assert got.hota == pytest.approx(expected.hota, abs=0.05)
    assert got.idf1 == pytest.approx(expected.idf1, abs=0.05)
    assert got.count_error == pytest.approx(expected.count_error, abs=0.002)


@pytest.mark.parametrize("suite", REFINED | TOLD)
def test_refined_tracks(shared: Path, suite: str):
    """Births, links and gaps on top of the default tracker; on every suite better than the official tracker."""
    got = figures(suite, RefineSettings(), shared)

    frozen = (REFINED | TOLD)[suite]
    check(got, frozen.refined)
    assert (got.hota, got.idf1) > frozen.official
    assert got.idf1 > frozen.official[1]


@pytest.mark.parametrize("suite", SMOOTHED)
def test_smoothing_helps_people_and_costs_drone_views(shared: Path, suite: str):
    """Why it is an option, and off."""
    check(figures(suite, RefineSettings(smooth=True), shared), SMOOTHED[suite])
