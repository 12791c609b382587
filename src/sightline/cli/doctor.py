"""`sightline doctor`: what a run needs, tried out, one line each."""

from __future__ import annotations

import sys
from typing import Any

from sightline.cli.command import command
from sightline.cli.console import Console, as_flag
from sightline.cli.exits import DONE, FAILED
from sightline.cli.stores import STORES, stores_in

__all__ = ["doctor"]


@command(*STORES)
def doctor(console: Console, **given: Any) -> int:
    """Check the installation: one OK or FAIL line per dependency; exit code 1 if one fails.

    With --config, --data or other settings of a service also what it stands on: its folder, database, brokers and bucket.
    """
    from sightline.setup.doctor import CHECKS, check

    checks = dict(CHECKS)
    options = stores_in(given, None)
    if options is not None:
        from sightline.serving.doctoring import checks_of

        checks |= checks_of(options)
    found = [check(name, run, as_flag) for name, run in checks.items()]
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
