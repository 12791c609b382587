"""`sightline backup` and `restore`: copies of a service's data folder, and data folders made of them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from cyclopts.validators import Number

from sightline.cli import flags
from sightline.cli.command import command
from sightline.cli.console import Console, as_flag
from sightline.cli.exits import DONE, FAILED
from sightline.settings import ServeOptions

__all__ = ["backup", "restore"]

HERE = [
    each
    for each in flags.parameters(ServeOptions, "serve.", of=("data", "ledger", "objects"))
    if each.name != "serve__dataset"
]
COPIES = Annotated[Path, Parameter(help="Folder of copies; best on another disk.", show_default=False)]
EVERY = 1000  # files between two lines that say how far it is


@command(*HERE)
def backup(
    console: Console,
    folder: COPIES,
    /,
    *,
    keep: Annotated[int, Parameter(help="Copies that stay, this one included.", validator=Number(gte=1))] = 7,
    **given: Any,
) -> int:
    """Copy the data folder of a service, whether it runs or not: what is there at one moment, jobs under way included.

    What an earlier copy in the folder has is not copied again. Nobody waits meanwhile, but for who removes something.
    """
    from sightline.serving.backups.taking import take

    taken = take(flags.read_serve(given).options, folder, keep, _seen(console))
    console.object(
        {
            **{name: getattr(taken, name) for name in ("objects", "size", "written", "dropped")},
            "list": str(taken.path),
        }
    )
    console.result(
        f"{taken.path}: {taken.objects} files, {_megabytes(taken.size)}, {_megabytes(taken.written)} of it new"
    )
    return DONE


@command(*HERE)
def restore(
    console: Console,
    folder: COPIES,
    /,
    *,
    copy: Annotated[
        str | None,
        Parameter(
            name="--copy",
            help="Name of the copy's list, as backup-20261129T070000.000000Z.json.",
            show_default="the newest",
        ),
    ] = None,
    **given: Any,
) -> int:
    """Make a data folder of a copy, which must be empty, and verify every finished job in it; exit code 1 if anything differs.

    `sightline serve` goes on there where the copy was made. An interrupted restore goes on when it is called again.
    """
    from sightline.serving.backups.restoring import restore as bring
    from sightline.serving.backups.restoring import verified

    options = flags.read_serve(given).options
    brought = bring(options, folder, copy, _seen(console))
    verdicts = list(verified(options, as_flag))
    wrong = [verdict for verdict in verdicts if verdict.problems]
    console.object(
        {
            "made_at": brought.made_at,
            "objects": len(brought.objects),
            "verified": len(verdicts),
            "wrong": [{"job": each.name, "problems": list(each.problems)} for each in wrong],
        }
    )
    console.result(
        f"{options.data}: as at {brought.made_at}, {len(brought.objects)} files, {len(verdicts)} finished jobs verified"
    )
    for each in wrong:
        console.result(f"{console.paint('FAIL', 'red', sys.stdout)}  {each.name}: {'; '.join(each.problems)}")
    return FAILED if wrong else DONE


def _seen(console: Console) -> Any:
    def seen(done: int, of: int) -> None:
        if done % EVERY == 0:
            console.note(f"{done} of {of} files")

    return seen


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
