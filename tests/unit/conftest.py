"""One finished run, made once; tests that change it get a copy."""

import shutil
from pathlib import Path

import pytest

import sightline as sl
from tests.unit.scene import BROKEN, FRAMES, LABELS, images, see

FORMATS = ["mot", "csv", "csv-a", "json-b", "ndjson"]


@pytest.fixture(scope="session")
def street(tmp_path_factory) -> Path:
    """A folder of images, 25 a second, one of them broken."""
    return images(tmp_path_factory.mktemp("source") / "street", FRAMES, [BROKEN])


@pytest.fixture(scope="session")
def finished(tmp_path_factory, street) -> sl.Run:
    """A run of it; not to be changed."""
    out = tmp_path_factory.mktemp("finished")
    return sl.track(street, detector=see, labels=LABELS, fps=25, out=out, formats=FORMATS, workers=1)


@pytest.fixture
def run_copy(finished, tmp_path) -> Path:
    """A copy of the finished run's folder, to be changed."""
    return Path(shutil.copytree(finished.path, tmp_path / "copy" / "street"))
