"""Run the unit tests on every supported Python that this machine has, with the locked packages.

    python -m tools.matrix [VERSION ...] [PYTEST WORDS ...]        (`make matrix`)

Interpreters are those on PATH, of pyenv and of uv. Which of them are missing, or have no wheel of a locked package, is said at the end;
it is an error only where none could be tried, or where tests failed.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tools.release.tree import ROOT

SUPPORTED = ("3.11", "3.12", "3.13", "3.14")
ENVIRONMENTS = ROOT / ".venv" / "matrix"
PIP = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check")
LOCKED = ("--require-hashes", "--only-binary", ":all:")


def candidates(version: str) -> Iterator[Path]:
    """Where an interpreter of a version may be, the likeliest first."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from sorted(pyenv.glob(f"versions/{version}.*/bin/python{version}"), reverse=True)
    if on_path := shutil.which(f"python{version}"):
        yield Path(on_path)
    if uv := shutil.which("uv"):
        done = subprocess.run([uv, "python", "find", "--offline", version], capture_output=True, text=True)
        if done.returncode == 0:
            yield Path(done.stdout.strip())


def interpreter(version: str) -> Path | None:
    """One that runs, is of the version and can make environments; a name on PATH may be one that pyenv does not let run."""
    code = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"
    for path in candidates(version):
        done = subprocess.run([path, "-c", code], capture_output=True, text=True)
        if (done.returncode, done.stdout.strip()) == (0, version):
            return path
    return None


def environment(version: str, python: Path) -> Path | str:
    """The interpreter of an environment with the locked packages and the package of the tree; or what is missing."""
    folder = ENVIRONMENTS / version
    subprocess.run([python, "-m", "venv", "--clear", folder], check=True)
    mine = folder / "bin" / "python"
    for lock in ("requirements.lock", "requirements-dev.lock"):
        done = subprocess.run([mine, *PIP, *LOCKED, "-r", lock], cwd=ROOT, capture_output=True, text=True)
        if done.returncode:
            lacking = re.findall(r"No matching distribution found for (\S+)", done.stderr)
            if not lacking:
                sys.exit(done.stderr)
            return f"no wheel of {', '.join(lacking)}"
    subprocess.run([mine, *PIP, "--no-deps", "--no-build-isolation", "-e", "."], cwd=ROOT, check=True)
    return mine


def tried(version: str, words: list[str]) -> str:
    """What became of a version: `passed`, `failed`, or why it was not tried."""
    python = interpreter(version)
    if python is None:
        return "not found"
    mine = environment(version, python)
    if isinstance(mine, str):
        return mine
    done = subprocess.run(
        [mine, "-m", "pytest", "-p", "no:cacheprovider", *(words or ["tests/unit"])], cwd=ROOT
    )
    return "failed" if done.returncode else "passed"


def main(words: list[str]) -> int:
    chosen = [version for version in SUPPORTED if version in words] or SUPPORTED
    rest = [word for word in words if word not in SUPPORTED]
    outcomes = {version: tried(version, rest) for version in chosen}
    for version, outcome in outcomes.items():
        sys.stdout.write(f"Python {version}: {outcome}\n")
    return int("failed" in outcomes.values() or "passed" not in outcomes.values())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
