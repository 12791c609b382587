"""Every example runs as it stands, and says what its page promises."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.test_docs_commands import short_clip

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SAYS = {
    "count_a_line.py": r"Run\(street: 50 frames, .*\n",
    "own_detector.py": r"Run\(street: 50 frames, .*\n\d+ boxes of tracks in 50 frames\n",
    "ways_of_tracks.py": r"(?:\w+ \d+: \d+ px in \d+ frames\n){1,5}",
}


@pytest.mark.parametrize("name", SAYS)
def test_an_example_runs_as_it_stands(tmp_path, name):
    """On a video that is named; without one it is the bundled clip."""
    short_clip(tmp_path / "street.mp4")

    done = subprocess.run(
        [sys.executable, EXAMPLES / name, "street.mp4"], cwd=tmp_path, capture_output=True, text=True
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert re.match(SAYS[name], done.stdout), done.stdout


def test_every_example_is_listed_and_run():
    """A file that nobody runs does not work for long."""
    page = (EXAMPLES / "README.md").read_text("utf-8")
    files = {path.name for path in EXAMPLES.glob("*.py")}

    assert files == SAYS.keys() == set(re.findall(r"\]\((\w+\.py)\)", page))
