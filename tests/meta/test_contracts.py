"""The table of contracts cannot drift: each of its words selects tests that are marked so, on real servers where it says so."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs" / "reference" / "contracts.md").read_text().splitlines()
    if re.search(r"\| `[a-z_ ]+` \|$", line)
]
REAL = ("tests/cluster/", "tests/conformance/")  # they ask for servers


@pytest.fixture(scope="module")
def marked():
    """Ids of all tests with the marker `contract`, as pytest collects them."""
    files = [
        path.relative_to(ROOT).as_posix()
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        if path != Path(__file__) and "pytest.mark.contract" in path.read_text()
    ]
    words = ["-q", "--collect-only", "-m", "contract", "-o", "addopts=--import-mode=importlib"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *words, *files],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [line for line in done.stdout.splitlines() if "::" in line]


def selected(marked, word):
    """Tests whose file, class or own name holds a word, as `-k` has it."""
    return [name for name in marked if word in name.rpartition("/")[2].lower()]


def test_the_table_is_read():
    """A row for each feature."""
    assert len(ROWS) == 12


@pytest.mark.parametrize(("feature", "place", "words"), ROWS, ids=[row[0] for row in ROWS])
def test_each_word_selects_tests(marked, feature, place, words):
    """Without servers, but for what is about one of them, and with them where the feature has a star; its places are there."""
    for word in words.strip("`").split(" or "):
        found = selected(marked, word)
        assert "real server only" in feature or any(not name.startswith(REAL) for name in found), word
        assert found, word
    stars = [name for word in words.strip("`").split(" or ") for name in selected(marked, word)]
    assert "*" not in feature or any(name.startswith(REAL) for name in stars), words
    for path in re.findall(r"`([^`]+)`", place):
        assert (ROOT / path).exists() or (ROOT / "src" / "sightline" / path).exists(), path
