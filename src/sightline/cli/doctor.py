"""`sightline doctor`: what a run needs, tried out, one line each."""

from __future__ import annotations

import sys

from sightline.cli.command import command
from sightline.cli.console import Console
from sightline.cli.exits import DONE, FAILED

__all__ = ["doctor"]


@command()
def doctor(console: Console) -> int:
    """Check the installation: one OK or FAIL line per dependency; exit code 1 if one fails."""
    from sightline.setup.doctor import CHECKS, check

    found = [check(name, run) for name, run in CHECKS.items()]
    if console.json:
        console.object({"ok": all(each.ok for each in found), "checks": [each._asdict() for each in found]})
    for each in found:
        word = (
            console.paint("OK  ", "green", sys.stdout)
            if each.ok
            else console.paint("FAIL", "red", sys.stdout)
        )
        console.result(f"{word}  {each.name:<16} {each.detail}")
    return DONE if all(each.ok for each in found) else FAILED
