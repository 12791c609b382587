"""Messages: what a layer may know of the edges that show them."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import sightline

PACKAGE = Path(sightline.__file__).parent
FLAG = re.compile(r"(?<![\w-])--([a-z]|$)")
EDGES = ("cli", "settings")
# Warnings that are kept in run.json as they were said, and help of files that people write.
KEPT = {
    "adapters/images/folder.py",
    "adapters/video/index.py",
    "jobs/files.py",
    "runs/outcomes.py",
    "scoring/score.py",
    "sources/texts.py",
    "formats/losses.py",
    "models/cards.py",
    "pipeline/file.py",
    "vision/unfollowed.py",
}
OF_OTHERS = {"setup/doctor.py"}  # a flag of pip


def texts(path: Path) -> Iterator[str]:
    """String constants of a module that are no docstrings."""
    tree = ast.parse(path.read_text("utf-8"))
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone:
            yield node.value


def raised(path: Path) -> Iterator[str]:
    """String constants within what a module raises."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        for inner in ast.walk(node) if isinstance(node, ast.Raise) else ():
            if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
                yield inner.value


def modules() -> dict[str, Path]:
    """Modules below the edges, by their path in the package."""
    named = {path.relative_to(PACKAGE).as_posix(): path for path in sorted(PACKAGE.rglob("*.py"))}
    return {name: path for name, path in named.items() if name.split("/")[0] not in EDGES}


def test_no_error_names_a_flag():
    """It names the setting, `errors.setting`; `--imgsz` is what the command line makes of it."""
    found = {
        name: [text for text in texts(path) if FLAG.search(text)]
        for name, path in modules().items()
        if name not in KEPT | OF_OTHERS
    }

    assert {name: said for name, said in found.items() if said} == {}


def test_modules_that_keep_warnings_raise_no_flag():
    """Their errors are like all others."""
    found = [text for name in KEPT for text in raised(PACKAGE / name) if FLAG.search(text)]

    assert found == []
