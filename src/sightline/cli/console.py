"""Where output goes: results on stdout, everything else on stderr; with `--json` one object or a line per item."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TextIO

from sightline.cli.exits import exit_code
from sightline.errors import SightlineError

__all__ = ["ColorChoice", "Console", "as_flag", "colored", "table"]

ColorChoice = Literal["auto", "always", "never"]
CODES = {"red": "31", "green": "32", "yellow": "33", "bold": "1"}


def as_flag(name: str, value: str) -> str:
    """A setting that an error names, as it is written here.

    >>> as_flag("vid_stride", ""), as_flag("tracker.track_buffer", "30")
    ('--vid-stride', '--tracker.track-buffer 30')
    """
    return f"--{name.replace('_', '-')} {value}".rstrip()


def colored(stream: TextIO, choice: ColorChoice, env: Mapping[str, str]) -> bool:
    """Whether colour is wanted: the flag, else `NO_COLOR`, else `FORCE_COLOR`, else on a terminal only."""
    if choice != "auto":
        return choice == "always"
    if env.get("NO_COLOR"):
        return False
    return bool(env.get("FORCE_COLOR")) or (stream.isatty() and env.get("TERM") != "dumb")


@dataclass(frozen=True, slots=True)
class Console:
    """What the flags that every command has decide."""

    json: bool = False
    quiet: bool = False
    verbose: bool = False
    no_progress: bool = False
    color: ColorChoice = "auto"

    def result(self, text: str) -> None:
        """A result for people; nothing with `--json`."""
        if not self.json:
            sys.stdout.write(text.rstrip("\n") + "\n")

    def object(self, value: Mapping[str, Any]) -> None:
        """The result for machines, with `--json` only."""
        if self.json:
            sys.stdout.write(json.dumps(value, ensure_ascii=False, allow_nan=False, default=str) + "\n")

    def rows(self, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """A list: a table for people, an object per line for machines."""
        if self.json:
            for row in rows:
                self.object(dict(zip(names, row, strict=True)))
        else:
            self.result(table(names, rows))

    def note(self, text: str) -> None:
        """Something by the way; nothing with `--quiet`."""
        if not self.quiet:
            sys.stderr.write(text.rstrip("\n") + "\n")

    def warning(self, text: str) -> None:
        """Something the user should know; nothing with `--quiet`."""
        self.note(f"{self.paint('warning', 'yellow')}: {text}")

    def error(self, error: SightlineError) -> int:
        """Say what went wrong and return the exit code."""
        code = exit_code(error)
        self.complain(error)
        self.object({"error": {"code": error.code, "message": error.phrased(as_flag)}, "exit_code": code})
        return code

    def complain(self, error: SightlineError) -> None:
        """One line that says what went wrong, with the code that docs/troubleshooting.md explains."""
        sys.stderr.write(f"{self.paint('error', 'red')}: {error.phrased(as_flag)} ({error.code})\n")

    def paint(self, word: str, color: str, stream: TextIO | None = None) -> str:
        """A word in colour, where colour is wanted; it is never the only sign."""
        wanted = colored(sys.stderr if stream is None else stream, self.color, os.environ)
        return f"\x1b[{CODES[color]}m{word}\x1b[0m" if wanted else word


def table(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Columns for people; numbers stand right, None is empty.

    >>> print(table(["name", "n"], [["car", 12], ["person", 3]]))
    name     n
    car     12
    person   3
    """
    body = [["" if cell is None else str(cell) for cell in row] for row in rows]
    columns = list(zip(names, *body, strict=True))
    widths = [max(map(len, column)) for column in columns]
    right = [bool(body) and all(map(_is_number, column[1:])) for column in columns]
    lines = [
        "  ".join(
            cell.rjust(width) if flush else cell.ljust(width)
            for cell, width, flush in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in [list(names), *body]
    ]
    return "\n".join(lines)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
