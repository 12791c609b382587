"""The files of a finished job."""

import numpy as np
import pytest

from sightline.camera import CameraPath
from sightline.jobs.files import files_of
from sightline.testing import scripted_recipe
from tests.unit.formats.jobs import job

STILL = (1.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("camera", "kept"),
    [
        (None, False),
        (CameraPath(np.array([STILL] * 3), np.zeros(3, int)), False),
        (CameraPath(np.array([STILL, STILL, (1, 0, 3, 0)]), np.zeros(3, int)), True),
    ],
    ids=["not known", "still", "moved"],
)
def test_a_camera_that_moved_leaves_its_path(camera, kept):
    """Beside the anchors that it belongs to; a run whose camera stood still has the files that it ever had."""
    with_it, without = (
        {path: b"".join(chunks) for path, chunks in files_of(scripted_recipe(), job(camera=each), {})}
        for each in (camera, None)
    )

    assert with_it.keys() - without.keys() == ({"segments/camera.bin"} if kept else set())
    assert all(with_it[path] == without[path] for path in without)
