"""The page's own checks: its pure parts (`*.test.mjs`), and the types of all of it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
NODE = shutil.which("node")
NPM = shutil.which("npm")
NEEDED = os.environ.get("PAGE_TESTS") == "needed"


def _needs(program, name):
    if program is None:
        assert not NEEDED, f"{name} is missing, and this run needs it"
        pytest.skip(f"{name} is missing: the page's own tests did not run")


def test_pure_parts_of_the_page():
    """`node --test`."""
    _needs(NODE, "node")
    files = sorted(str(each) for each in HERE.glob("*.test.mjs"))
    ran = subprocess.run([NODE, "--test", *files], capture_output=True, text=True, timeout=300, check=False)

    assert files
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_types_of_the_page(npm_packages):
    """TypeScript's compiler over JSDoc."""
    tsc = npm_packages / "typescript" / "bin" / "tsc"
    ran = subprocess.run(
        [NODE, str(tsc), "-p", str(HERE)], capture_output=True, text=True, timeout=300, check=False
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_every_file_of_the_page_is_small():
    """A file is of one idea; what is vendored is somebody else's."""
    root = Path(__file__).parents[2] / "src" / "sightline" / "page"
    lines = {
        str(path.relative_to(root)): len(path.read_text().splitlines())
        for path in root.rglob("*.js")
        if "vendor" not in path.parts
    }

    assert {name: count for name, count in lines.items() if count > 400} == {}


@pytest.mark.parametrize("ending", ["html", "css", "js"])
def test_the_page_asks_no_other_host(ending):
    """Nothing is loaded from elsewhere: the service works offline."""
    root = Path(__file__).parents[2] / "src" / "sightline" / "page"
    found = [
        f"{path.name}: {line.strip()}"
        for path in root.rglob(f"*.{ending}")
        if "vendor" not in path.parts
        for line in path.read_text().splitlines()
        if ("http://" in line or "https://" in line) and "www.w3.org" not in line
    ]

    assert found == []
