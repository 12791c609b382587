"""The tree of the repository, as git sees it."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def git(*words: str) -> str:
    """What git says, without the end of the last line."""
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.rstrip("\n")


def files() -> list[str]:
    """Files that git knows or would take, and that are there."""
    names = git("ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    return [name for name in names if name and (ROOT / name).is_file()]


def refuse_changes() -> None:
    """A release is a commit: what is not in one would be in no clone."""
    if changed := git("status", "--porcelain", "--untracked-files=all"):
        sys.exit(f"the tree is not clean; commit or remove:\n{changed}")
