"""docs/scale.md, and the places in it that programs fill."""

from __future__ import annotations

from pathlib import Path

__all__ = ["PAGE", "put", "written"]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "scale.md"


def written(page: str, command: str, text: str) -> str:
    """A page with a text between the two comments that name a command.

    Raises:
        ValueError: the page has no such place.
    """
    begin, end = f"<!-- python -m {command} -->", f"<!-- end of {command} -->"
    before, _, rest = page.partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise ValueError(f"the page has no {begin} and {end}")
    return f"{before}{begin}\n\n{text}\n\n{end}{after}"


def put(command: str, text: str) -> None:
    """Write a text to its place."""
    PAGE.write_text(written(PAGE.read_text(), command, text))
