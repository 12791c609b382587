"""Commands that the docs show, as they stand there: fenced blocks of a page, with what a comment above says of each.

    python3 tools/docs/commands.py PAGE NOTE        prints the blocks that carry this note

A comment right above a block is its note and is not seen by readers:

    <!-- file: shapes.json -->      the block is the content of this file
    <!-- not run: why -->           the block cannot run in a test
    <!-- fresh clone -->            the block runs in a fresh clone, in CI

`sh` and `python` blocks without a note run in tests/integration/test_docs_commands.py, one after another, in a folder
for the page.
"""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

BLOCK = re.compile(r"(?:^<!-- ([^\n]+) -->\n)?^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page: its language, text and first line, and the note above it."""

    language: str
    text: str
    line: int
    note: str = ""


def blocks(page: str) -> list[Block]:
    """All fenced blocks of a page, in order."""
    return [
        Block(match[2], match[3], page.count("\n", 0, match.start(3)) + 1, match[1] or "")
        for match in BLOCK.finditer(page)
    ]


def main() -> int:
    page, note = sys.argv[1:]
    found = [block.text for block in blocks(Path(page).read_text()) if block.note == note]
    sys.stdout.write("".join(found))
    return 0 if found else 1


if __name__ == "__main__":
    sys.exit(main())
