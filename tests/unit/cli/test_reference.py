"""The reference is what the code says."""

import re
import runpy
import tomllib
from pathlib import Path

import pytest

import sightline

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = runpy.run_path(str(ROOT / "tools" / "docs" / "reference.py"))


@pytest.mark.parametrize("name", SCRIPT["PAGES"])
def test_a_page_is_up_to_date(name):
    """After a change of options, commands, pipelines or notes of changes: python tools/docs/reference.py."""
    written = (ROOT / "docs" / "reference" / name).read_text("utf-8")

    assert SCRIPT["PAGES"][name]() == written


def test_every_warning_has_an_entry_in_troubleshooting():
    """A code in `run.json` can be looked up."""
    page = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
    sources = (path.read_text("utf-8") for path in Path(sightline.__file__).parent.rglob("*.py"))
    codes = {code for text in sources for code in re.findall(r'Caveat\(\s*"([a-z_]+)"', text)}

    assert codes
    assert [code for code in sorted(codes) if f"`{code}`" not in page] == []


def test_every_note_of_a_change_is_in_the_changelog():
    """Its name says which kind of change it is; a note of another kind would be left out."""
    notes = sorted(path.name for path in (ROOT / "changes").glob("*"))

    assert [
        name
        for name in notes
        if name.split(".")[1:] not in [[kind, "md"] for kind in SCRIPT["CHANGES"]["KINDS"]]
    ] == []


def test_the_version_stands_in_one_place():
    """The package says it; what installs it asks there."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))

    assert "version" not in settings["project"]
    assert settings["project"]["dynamic"] == ["version"]
    assert settings["tool"]["hatch"]["version"]["path"] == "src/sightline/__init__.py"
