"""What the page's tests take from npm, where it can be had."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def npm_packages():
    """The folder of installed packages: TypeScript, axe."""
    return installed()


def installed():
    """Install what the lock names, once; skip where it cannot be had."""
    folder = HERE / "node_modules"
    npm = shutil.which("npm")
    said = "npm is missing"
    if npm is not None and not (folder / ".package-lock.json").exists():
        ran = subprocess.run(
            [npm, "ci", "--no-audit", "--no-fund"], cwd=HERE, capture_output=True, text=True, check=False
        )
        said = ran.stderr
    if not (folder / ".package-lock.json").exists():
        assert os.environ.get("PAGE_TESTS") != "needed", said
        pytest.skip(f"the page's types were not checked, its rules of access neither: {said[-200:]}")
    return folder
