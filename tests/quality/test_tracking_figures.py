"""How well tracks agree with ground truth, against frozen references: HOTA, IDF1 (TrackEval), error of the count.

The references were measured with `python -m benchmarks.tracking.score`. A difference in either direction is news:
a gain is frozen in its place, a loss is a bug. Deterministic, so the tolerance only covers other processors.
"""

from pathlib import Path

import pytest
from benchmarks.tracking import adapter
from benchmarks.tracking.score import Figures, figures

BYTETRACK = {"mot17": Figures(69.58, 81.06, 0.127), "kitti-car": Figures(70.27, 85.09, 0.041)}
WITHOUT_ONLINE_RULES = {
    "mot17": Figures(70.08, 81.73, 0.127),
    "dance": Figures(55.15, 57.56, 0.590),
    "kitti-car": Figures(75.86, 86.96, 0.073),
    "mot17@5": Figures(67.92, 79.13, 0.147),
}
QUALITY = {
    "mot17": Figures(69.95, 81.35, 0.135),
    "mot20": Figures(77.36, 89.20, 0.057),
    "dance": Figures(58.47, 60.89, 0.538),
    "kitti-car": Figures(76.03, 87.18, 0.085),
    "kitti-pedestrian": Figures(59.06, 75.98, 0.515),
    "mdmt": Figures(98.40, 98.36, 0.033),
    "mot17@5": Figures(68.65, 80.19, 0.139),
    "mot17~0.5": Figures(68.81, 79.51, 0.128),
    "mdmt@5": Figures(87.94, 88.69, 0.194),
}


def check(got: Figures, expected: Figures) -> None:
    assert got.hota == pytest.approx(expected.hota, abs=0.05)
    assert got.idf1 == pytest.approx(expected.idf1, abs=0.05)
    assert got.count_error == pytest.approx(expected.count_error, abs=0.002)


@pytest.mark.parametrize("suite", BYTETRACK)
def test_bytetrack_scores_like_the_official_tracker(shared: Path, suite: str):
    """The figures published for ByteTrack's evaluation, from our own run."""
    check(figures(adapter.ByteTrack, suite, shared), BYTETRACK[suite])


@pytest.mark.parametrize("suite", WITHOUT_ONLINE_RULES)
def test_width_height_and_real_time_gain(shared: Path, suite: str):
    """What `quality` gains over ByteTrack by its motion model, its clock and its boxes alone."""
    check(figures(adapter.Quality, suite, shared), WITHOUT_ONLINE_RULES[suite])


@pytest.mark.parametrize("suite", QUALITY)
def test_the_default_tracker(shared: Path, suite: str):
    """`quality` as shipped, at full rate, at every fifth frame and with half of the frames lost."""
    check(figures(adapter.Online, suite, shared), QUALITY[suite])
