"""`sightline render`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from sightline.cli.command import command
from sightline.cli.console import Console
from sightline.cli.run import listening

__all__ = ["render"]


@command()
def render(
    console: Console,
    run: Annotated[str, Parameter(help="Folder of a run, or of a whole command.", show_default=False)],
    /,
    *,
    out: Annotated[
        str | None,
        Parameter(
            name=("--out", "-o"),
            help="Video to write. [default: annotated.mp4 in the run]",
            show_default=False,
        ),
    ] = None,
    source: Annotated[
        str | None, Parameter(help="Where the source lies now. [default: where it lay]", show_default=False)
    ] = None,
) -> None:
    """Draw the tracks of a finished run into a video."""
    from sightline.app.recount import render_run

    with listening(console) as hook:
        written = render_run(
            Path(run), Path(out) if out else None, source=Path(source) if source else None, hook=hook
        )
    console.object({"videos": [str(path) for path in written]})
    for path in written:
        console.result(str(path))
