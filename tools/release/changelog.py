"""CHANGELOG.md: what is not released yet, of the notes in `changes/`; below it the releases as they were written."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "CHANGELOG.md"
NOTE = "<!-- Written by tools/docs/reference.py of the notes in changes/; add a note, then run it. -->"
KINDS = ("added", "changed", "fixed", "removed")
RELEASED = re.compile(r"^## (\S+), \d{4}-\d\d-\d\d$", re.MULTILINE)


def notes(kind: str) -> list[Path]:
    """Notes of a kind, in the order of their topics."""
    return sorted((ROOT / "changes").glob(f"*.{kind}.md"))


def changelog(title: str = "Not released yet") -> str:
    """The whole page.

    Args:
        title: of the section of the notes; without notes there is none.
    """
    parts = ["# Changelog", NOTE]
    if any(map(notes, KINDS)):
        parts.append(f"## {title}")
    for kind in KINDS:
        if found := notes(kind):
            parts.append(f"### {kind.capitalize()}")
            parts.append("\n".join(_item(path.read_text("utf-8")) for path in found))
    return "\n\n".join([*parts, *_releases()]) + "\n"


def released() -> list[str]:
    """Versions that were released, the newest first."""
    return RELEASED.findall(PAGE.read_text("utf-8"))


def _releases() -> list[str]:
    """The sections of all releases, as one text."""
    page = PAGE.read_text("utf-8")
    first = RELEASED.search(page)
    return [page[first.start() :].rstrip("\n")] if first else []


def _item(note: str) -> str:
    """A note as an item of a list; its links are those of a file one folder down."""
    first, *more = note.strip().replace("](../", "](").splitlines()
    return "\n".join([f"- {first}", *(f"  {line}" for line in more)])
