"""Docs that cannot drift: links and commands lead somewhere, nothing names a local path, every error code has its entry."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from sightline.cli.program import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FORMS = sorted((ROOT / ".github").rglob("*.*"))
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page):
    """Relative links and pictures of every page exist."""
    text = page.read_text()
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", [*PAGES, *FORMS], ids=lambda page: page.relative_to(ROOT).as_posix())
def test_commands_that_a_page_names_are_there(page):
    """Targets of make and commands of the program."""
    text = page.read_text("utf-8")

    assert set(re.findall(r"`make ([a-z-]+)", text)) <= TARGETS
    assert set(re.findall(r"`sightline ([a-z]+)", text)) <= COMMANDS.keys()


def test_a_report_of_a_fault_asks_for_what_is_needed_to_see_it():
    """How to see it, the version, and what the machine is; each question has a name of its own."""
    form = yaml.safe_load((ROOT / ".github" / "ISSUE_TEMPLATE" / "bug.yml").read_text("utf-8"))
    asked = [field for field in form["body"] if field["type"] == "textarea"]
    needed = {field["id"] for field in asked if field.get("validations", {}).get("required")}

    assert needed == {"what", "how", "version", "doctor"}
    assert len({field["id"] for field in asked}) == len(asked)


def test_no_file_names_a_local_path_or_a_download():
    """A newcomer has only the repository."""
    names = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    texts = [
        n
        for n in names
        if Path(n).suffix in {".py", ".md", ".toml", ".lock", ".txt", ".cfg", ".yaml", ".yml", ""}
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
