"""What is tested: the tree, and where there is none beside the tests, what was installed (`make wheel-test`)."""

import subprocess
import sys
import sysconfig
from pathlib import Path

import sightline

TREE = Path(__file__).resolve().parents[2] / "src"
HOME = TREE if TREE.is_dir() else Path(sysconfig.get_path("purelib"))


def test_the_package_is_the_one_that_is_to_be_tested():
    """In site-packages where there is no tree; never the tree of somebody else."""
    assert Path(sightline.__file__).resolve().parent == HOME.resolve() / "sightline"


def test_programs_that_tests_start_use_the_same(tmp_path):
    """By their interpreter, from any folder."""
    code = "import sightline; print(sightline.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )

    assert Path(done.stdout.strip()).resolve() == Path(sightline.__file__).resolve()


def test_the_program_is_installed_beside_the_interpreter():
    """`sightline` and `python -m sightline` are of one version."""
    commands = [[Path(sys.executable).parent / "sightline"], [sys.executable, "-m", "sightline"]]
    said = {subprocess.check_output([*words, "--version"], text=True) for words in commands}

    assert said == {f"sightline {sightline.__version__}\n"}
