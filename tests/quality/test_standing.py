"""Lines and zones through people who stand about, on real detections, against the averaged ground truth.

Measured with `python -m benchmarks.tracking.standing`. A difference in either direction is news: a gain is frozen in its
place, a loss is a bug. Deterministic, so the tolerance only covers other processors.
"""

from pathlib import Path

import pytest
from benchmarks.tracking.standing import Difference, differences

FROZEN = {
    "mot17": {
        "lines": Difference(778, 836, 149, 91),
        "zones": Difference(1734, 1843, 197, 88),
        "long lines": Difference(543, 537, 44, 50),
    },
    "mot20": {
        "lines": Difference(136, 134, 5, 7),
        "zones": Difference(226, 227, 9, 8),
        "long lines": Difference(123, 110, 2, 15),
    },
    "mot17@5": {
        "lines": Difference(763, 729, 140, 174),
        "zones": Difference(1679, 1655, 132, 156),
        "long lines": Difference(507, 443, 28, 92),
    },
}


@pytest.mark.parametrize("suite", FROZEN)
def test_standing_people_are_not_counted_again_and_again(shared: Path, suite: str):
    """Wherever lines and zones are, fewer crossings are wrong than by a rule of two frames."""
    ours, plain = differences(suite, shared)

    for kind, frozen in FROZEN[suite].items():
        got = ours[kind]
        assert got.true == frozen.true
        assert got.extra == pytest.approx(frozen.extra, abs=3)
        assert got.missing == pytest.approx(frozen.missing, abs=3)
        assert got.extra + got.missing < plain[kind].extra + plain[kind].missing
