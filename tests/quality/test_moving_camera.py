"""Lines and zones on the road while the camera moves: counts are exact where those that stay in the picture are wrong.

Measured with `python -m benchmarks.counting.moving`, on more traffic.
"""

import numpy as np
import pytest
from benchmarks.counting.moving import (
    CAMERAS,
    FRAMES,
    PICTURED_FRAMES,
    flown,
    pictured,
    score,
    shaken,
    steps,
)

from sightline.vision.camera_path import path_of


@pytest.mark.parametrize("name", CAMERAS)
def test_counts_are_exact_however_the_camera_moves(name: str):
    """By its exact motions, and by motions whose errors grow from frame to frame, over 20 seconds."""
    rng = np.random.default_rng(list(CAMERAS).index(name))
    looked = CAMERAS[name](rng)
    made, moved = flown(looked, rng), steps(looked)

    exact, rough, fixed = (
        score(made, path, FRAMES) for path in (path_of(moved), path_of(shaken(moved, rng)), None)
    )

    assert exact.true >= 20
    assert (exact.wrong, rough.wrong) == (0, 0)
    if name in ("pan", "zoom", "turn", "all"):
        assert fixed.wrong >= 5


@pytest.mark.parametrize(("path", "seed"), [("far", 0), ("all", 3)])
def test_counts_are_exact_by_what_pictures_tell(path: str, seed: int):
    """Motions are estimated from looks at generated pictures; none is unknown."""
    looked, told = pictured(path, seed)
    made = flown(looked, np.random.default_rng(seed))

    assert told[1:].count(None) == 0
    assert score(made, path_of(told), PICTURED_FRAMES).wrong == 0
    assert score(made, None, PICTURED_FRAMES).wrong > 0
