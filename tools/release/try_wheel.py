"""Test the wheel instead of the tree: what users install, in a folder that has no src/.

    python -m tools.release.try_wheel [PYTEST WORDS ...]        (`make wheel-test`)

The wheel is built of the files as they are and installed into an environment of its own, which borrows the locked packages of this
one, but not the package that is installed here. Without words it is tested as users meet it, in a minute or two: program, Python,
page, docs, examples.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import venv
from pathlib import Path

from tools.release.tree import ROOT, files

TESTS = (
    "tests/meta/test_installed.py",
    "tests/meta/test_imports.py",
    "tests/meta/test_typing.py",
    "tests/unit/cli",
    "tests/unit/test_forms.py",
    "tests/unit/test_models.py",
    "tests/unit/test_pipeline.py",
    "tests/unit/test_run.py",
    "tests/unit/test_settings.py",
    "tests/unit/adapters",
    "tests/contract/test_page.py",
    "tests/integration/test_cli.py",
    "--deselect=tests/integration/test_cli.py::test_a_signal_leaves_a_run_that_goes_on",
    *(
        f"tests/integration/test_docs_commands.py::test_every_command_of_the_page_works[{page}]"
        for page in ("README.md", "docs/how-to/service.md", "docs/reference/python.md")
    ),
    "tests/integration/test_examples.py",
)


def run(*words: str | Path, cwd: Path, **variables: str) -> None:
    """A program; ends this one with its exit code where it fails."""
    done = subprocess.run(words, cwd=cwd, env={**os.environ, **variables})
    if done.returncode:
        sys.exit(done.returncode)


def copy_without_the_package(folder: Path) -> None:
    """All files that git knows or would take, but for src/."""
    for name in files():
        if not name.startswith("src/"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)


def installed(folder: Path) -> Path:
    """The interpreter of an environment with the wheel."""
    words = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder / "dist"]
    run(*words, cwd=ROOT)
    (wheel,) = (folder / "dist").iterdir()
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / "bin" / "python"
    # A folder that a .pth file names is searched, and the .pth files in it are not read: the editable package is not found there.
    lent = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    place = sysconfig.get_path("purelib", vars={"base": str(folder / "venv")})
    Path(place, "lent.pth").write_text("".join(f"{path}\n" for path in sorted(lent)), "utf-8")
    run(python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=folder)
    run(python, "-m", "pip", "check", cwd=folder)
    return python


def main(words: list[str]) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        tree = folder / "tree"
        copy_without_the_package(tree)
        shared = os.environ.get("SIGHTLINE_SHARED", str(ROOT / "shared"))
        run(installed(folder), "-m", "pytest", *(words or TESTS), cwd=tree, SIGHTLINE_SHARED=shared)


if __name__ == "__main__":
    main(sys.argv[1:])
