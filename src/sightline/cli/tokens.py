"""`sightline tokens`: who may use a service; on its data folder, whether it runs or not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from cyclopts import App, Parameter

from sightline.cli import flags
from sightline.cli.command import command, option
from sightline.cli.console import Console
from sightline.cli.examples import epilogue
from sightline.errors import Misconfigured, setting
from sightline.ports import Notes
from sightline.settings.words import lifetime

__all__ = ["app"]

app = App(name="tokens", help="Tokens of a service: add, list, rm.", help_epilogue=epilogue("tokens"))

Name = Annotated[str, Parameter(help="Who it is for: a name of your own.", show_default=False)]
DATA = option(
    "data",
    str | None,
    None,
    "Folder of the service. [default: sightline-data] [env: SIGHTLINE_SERVE__DATA]",
)


@app.command
@command(
    option("scope", Literal["read", "write", "admin"], "write", "What it may do. [default: write]"),
    option(
        "expires", str | None, None, "How long it holds: 30d, 12h. [default: for ever]", metavar="DURATION"
    ),
    DATA,
    flags.CONFIG,
)
def add(
    console: Console,
    name: Name,
    /,
    *,
    scope: str = "write",
    expires: str | None = None,
    data: str | None = None,
    config: str | None = None,
) -> None:
    """Make a token and print it: it is shown this once. A service that runs takes it within two seconds."""
    from sightline.api import tokens
    from sightline.serving.config import now_us

    now = now_us()
    until = None if expires is None else now + _microseconds(expires)
    with _notes(data, config, make=True) as notes:
        text = tokens.add(notes, name, scope, now, until)
    console.object({"name": name, "scope": scope, "token": text, "expires": _time(until)})
    console.result(text)
    console.note(f"{name} may {scope}; kept as its hash only, so keep it yourself")


@app.command(name="list")
@command(DATA, flags.CONFIG)
def list_(console: Console, *, data: str | None = None, config: str | None = None) -> None:
    """List every token: its name, scope and end; never its text."""
    from sightline.api import tokens
    from sightline.serving.config import now_us

    with _notes(data, config) as notes:
        found = tokens.listed(notes)
    now = now_us()
    console.rows(
        ("name", "scope", "created", "expires", "state"),
        [
            (
                each.name,
                each.scope,
                _time(each.created_us),
                _time(each.expires_us),
                "expired" if each.is_over(now) else "valid",
            )
            for each in found
        ],
    )


@app.command
@command(DATA, flags.CONFIG)
def rm(console: Console, name: Name, /, *, data: str | None = None, config: str | None = None) -> None:
    """Remove a token; jobs that were made with it stay. A service that runs refuses it within two seconds."""
    from sightline.api import tokens

    with _notes(data, config) as notes:
        tokens.remove(notes, name)
        left = len(tokens.listed(notes))
    console.object({"name": name, "left": left})
    console.result(f"removed {name}")
    if not left:
        console.warning("there is no token any more: a service on this machine's own address asks for none")


@contextmanager
def _notes(data: str | None, config: str | None, *, make: bool = False) -> Iterator[Notes]:
    from sightline.serving import backends, folder

    options = flags.read_serve({"serve__data": data, "config": config}).options
    own = options.ledger == "sqlite"
    found = folder.notes_of(options.data, make=make) if own else backends.notes_of(options)
    with found as notes:
        yield notes


def _microseconds(expires: str) -> int:
    try:
        length: timedelta = lifetime(expires)
    except ValueError as error:
        raise Misconfigured(f"{setting('expires', expires)}: {error}", code="usage") from error
    if not length:
        raise Misconfigured(f"{setting('expires', expires)}: it would never hold", code="usage")
    return round(length.total_seconds() * 1e6)


def _time(us: int | None) -> str | None:
    return None if us is None else datetime.fromtimestamp(us // 1_000_000, UTC).isoformat()
