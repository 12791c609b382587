"""The reference is what the code says."""

import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = runpy.run_path(str(ROOT / "tools" / "docs" / "reference.py"))


@pytest.mark.parametrize("name", SCRIPT["PAGES"])
def test_a_page_is_up_to_date(name):
    """After a change of options, commands or pipelines: python tools/docs/reference.py."""
    written = (ROOT / "docs" / "reference" / name).read_text("utf-8")

    assert SCRIPT["PAGES"][name]() == written


def test_every_warning_has_an_entry_in_troubleshooting():
    """A code in `run.json` can be looked up."""
    page = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
    sources = (path.read_text("utf-8") for path in (ROOT / "src").rglob("*.py"))
    codes = {code for text in sources for code in re.findall(r'Caveat\(\s*"([a-z_]+)"', text)}

    assert codes
    assert [code for code in sorted(codes) if f"`{code}`" not in page] == []
