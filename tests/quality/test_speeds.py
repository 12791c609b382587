"""Headings and speeds of generated traffic are as near to the truth as they say.

Measured with `python -m benchmarks.counting.speeds`, on more traffic.
"""

import pytest
from benchmarks.counting.moving import CAMERAS
from benchmarks.counting.speeds import Score, moving, watched


@pytest.mark.parametrize("view", ["bridge", "drone"])
@pytest.mark.parametrize("stride", [1, 5])
def test_speeds_by_a_camera_that_stands_still(view: str, stride: int):
    """By what the tracker makes of boxes, at 25 and at 5 frames a second."""
    made = watched(view, 1, stride)

    assert len(made.off) >= 0.95 * made.driving
    assert made.driving >= 50
    assert made.within >= 0.9
    assert made.astray <= 0.02 * len(made.headings)


@pytest.mark.parametrize("name", CAMERAS)
def test_speeds_by_a_camera_that_moves(name: str):
    """By exact motions, and by motions with errors that grow from frame to frame; what stands has none."""
    exact, rough = (
        sum((pair[number] for pair in (moving(name, seed) for seed in range(2))), Score())
        for number in (0, 1)
    )

    for made in (exact, rough):
        assert len(made.off) >= 0.85 * made.driving
        assert made.within >= 0.9
        assert (made.astray, made.standing) == (0, 0)
