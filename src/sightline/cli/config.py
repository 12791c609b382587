"""`sightline config`: effective settings and their sources, a file to begin with, the schema."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from sightline import pipeline, settings
from sightline.cli import flags
from sightline.cli.command import command, option
from sightline.cli.console import Console
from sightline.cli.examples import epilogue
from sightline.errors import Misconfigured

__all__ = ["app"]

app = App(name="config", help="Settings: show, init, schema.", help_epilogue=epilogue("config"))


@app.command
@command(flags.CONFIG)
def show(console: Console, **given: Any) -> None:
    """Print every setting, its value, and where that came from. Secrets are masked."""
    rows = [*flags.read(given).rows(), *flags.read_serve(given).rows()]
    if console.json:
        console.object({key: {"value": value, "source": source} for key, value, source in rows})
        return
    shown = [
        (key, f"({settings.about(key)[1]})" if value in (None, []) else _text(value), source)
        for key, value, source in rows
    ]
    console.rows(("setting", "value", "source"), shown)


@app.command
@command(
    option("user", bool, False, "Write your own file, which holds for every folder.", negative=""),
    option("overwrite", bool, False, "Replace a file that is there.", negative=""),
)
def init(console: Console, *, user: bool = False, overwrite: bool = False) -> None:
    """Write a settings file with every key commented out: ./sightline.toml."""
    path = settings.user_file(os.environ) if user else Path("sightline.toml")
    if path.exists() and not overwrite:
        raise Misconfigured(f"{path}: there is one already; add --overwrite to replace it")
    from sightline.disk import make_folder, write_whole

    make_folder(path.parent)
    write_whole(path, [settings.example().encode()])
    console.object({"path": str(path)})
    console.result(str(path))


@app.command
@command()
def schema(
    console: Console,
    of: Annotated[
        Literal["settings", "pipeline"],
        Parameter(help="Of which file. [default: settings]", show_default=False),
    ] = "settings",
    /,
) -> None:
    """Print the JSON Schema of the settings file or of a pipeline file."""
    import json

    value = settings.schema() if of == "settings" else pipeline.schema()
    console.object(value)
    console.result(json.dumps(value, indent=2, ensure_ascii=False))


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
