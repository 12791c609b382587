"""The public API is typed: a user's program passes mypy --strict, and a wrong one does not."""

import subprocess
import sys
from pathlib import Path

import pytest

import sightline

PROGRAM = """
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

import sightline as sl


def find(frames: Sequence[NDArray[np.uint8]]) -> list[sl.Detections]:
    return [sl.Detections(np.zeros((0, 4)), np.zeros(0), np.zeros(0, np.int64)) for _ in frames]


run: sl.Run = sl.track("street.mp4", detector=find, labels=["car"], classes=["car"], out="results")
counts: dict[str, int] = run.counts
line = sl.Line("north", (0.1, 0.5), (0.9, 0.5))
zone = sl.Zone("yard", ((0, 0), (1, 0), (1, 1)))
rows = run.count(lines=[line], zones=[zone], bins="15min", out="counts").bins
first: int = rows[0].count
for pts_us, groups in run.frames():
    tracks: sl.Tracks = groups["cars"]
    late: bool = pts_us > 1_000_000
    boxes: NDArray[np.float64] = tracks[tracks.confidence > 0.5].xyxy
    print(late, boxes.sum(), len(tracks))
paths = [path.name for path in run.save("out", formats=["mot", "parquet"])]
again = sl.load(run.path)
version: str = sl.__version__
"""


@pytest.fixture(scope="module")
def checked(tmp_path_factory):
    """Mypy's findings on a program, outside of the repository and its settings."""
    folder = tmp_path_factory.mktemp("typed")
    (folder / "mypy.ini").write_text("[mypy]\nstrict = true\n")

    def check(program: str) -> str:
        (folder / "program.py").write_text(program)
        done = subprocess.run(
            [sys.executable, "-m", "mypy", "--cache-dir", str(folder / "cache"), "program.py"],
            cwd=folder,
            capture_output=True,
            text=True,
        )
        assert not done.stderr, done.stderr
        return done.stdout

    return check


def test_a_program_that_uses_the_public_api_is_typed(checked):
    """Every public name, without an `Any` where a type is known."""
    used = {name for name in sightline.__all__ if f"sl.{name}" in PROGRAM}

    assert used == set(sightline.__all__)
    assert "Success" in checked(PROGRAM)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("print(run.coutns)", 'has no attribute "coutns"'),
        ("sl.load(7)", 'incompatible type "int"'),
        ("sl.Line('north', (0.1, 0.5))", "Missing positional argument"),
        ("number: int = run.counts", "Incompatible types in assignment"),
    ],
)
def test_a_wrong_program_is_found(checked, line, says):
    """The types say something."""
    assert says in checked(PROGRAM + line + "\n")


def test_the_package_says_that_it_is_typed():
    """PEP 561."""
    assert (Path(sightline.__file__).parent / "py.typed").exists()
