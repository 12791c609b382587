"""`sightline verify`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from sightline.cli.command import command
from sightline.cli.console import Console, as_flag
from sightline.cli.exits import DONE, FAILED

__all__ = ["verify"]


@command()
def verify(
    console: Console,
    run: Annotated[str, Parameter(help="Folder of a run, or of a whole command.", show_default=False)],
    /,
) -> int:
    """Count the frames of a finished run again and compare every file with its hash; exit code 1 if anything differs."""
    from sightline.runs.verify import verify as check

    verdicts = check(Path(run), as_flag)
    whole = all(not verdict.problems for verdict in verdicts)
    runs = [
        {
            "path": verdict.name,
            "frames": verdict.frames,
            "files": verdict.files,
            "problems": list(verdict.problems),
        }
        for verdict in verdicts
    ]
    console.object({"ok": whole, "runs": runs})
    for verdict in verdicts:
        failed = bool(verdict.problems)
        word = console.paint("FAIL" if failed else "OK  ", "red" if failed else "green", sys.stdout)
        console.result(f"{word}  {verdict.name}: {verdict.frames} frames, {verdict.files} files")
        for problem in verdict.problems:
            console.result(f"      {problem}")
    return DONE if whole else FAILED
