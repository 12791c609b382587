"""Docs that cannot drift: links lead somewhere, nothing names a local path, every error code has its entry."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page):
    """Relative links and pictures of every page exist."""
    text = page.read_text()
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_no_file_names_a_local_path_or_a_download():
    """A newcomer has only the repository."""
    names = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    texts = [
        n for n in names if Path(n).suffix in {".py", ".md", ".toml", ".lock", ".txt", ".cfg", ".yaml", ""}
    ]
    for name in texts:
        path = ROOT / name
        if not path.is_file() or name.startswith(("tests/meta/", "LICENSE")):
            continue
        text = path.read_text(errors="replace")
        assert not re.search(r"/(?:work|farm)/", text), name
        assert not re.search(r"https?://\S+\.(?:whl|tgz|tar\.gz)", text), name


def test_every_error_code_has_an_entry_in_troubleshooting():
    """A code in a message or a report can be looked up."""
    page = (ROOT / "docs" / "troubleshooting.md").read_text()
    codes = set()
    for source in (ROOT / "src").rglob("*.py"):
        codes |= set(re.findall(r"""\bcode\s*=\s*"([a-z_0-9]+)\"""", source.read_text()))

    missing = sorted(code for code in codes if f"`{code}`" not in page)

    assert missing == []
