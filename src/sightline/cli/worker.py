"""`sightline worker`: a part of the work of a service that several machines share."""

from __future__ import annotations

import sys
from functools import partial
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from sightline.cli import flags
from sightline.cli.command import command
from sightline.cli.console import Console
from sightline.cli.exits import DONE
from sightline.cli.serve import said
from sightline.errors import Misconfigured, setting
from sightline.logs import open_log
from sightline.settings import ServeOptions

__all__ = ["worker"]

Role = Literal["api", "generator", "feed", "detect", "track", "stats", "collect", "relay", "publish"]


@command(*flags.parameters(ServeOptions, "serve."))
def worker(
    console: Console,
    *role: Annotated[Role, Parameter(help="What it does of the work.", show_default=False, negative=())],
    **given: Any,
) -> int:
    """Do a part of the work of a service whose jobs lie in a database, until it is interrupted.

    Start any number of each role, on any machines; each needs a data folder of its own. Whoever stops hands its work on.
    """
    from sightline.serving.supervisor import serve as run

    options = flags.read_serve(given).options
    if not role:
        raise Misconfigured("worker: name a role, such as detect", code="usage")
    if options.ledger == "sqlite":
        raise Misconfigured(
            f"worker shares its work over a database and Kafka: say {setting('ledger', 'postgres')}; "
            "on one machine sightline serve does everything",
            code="usage",
        )
    log = open_log(sys.stderr, level=options.log_level, plain=sys.stderr.isatty())
    run(options, partial(said, console, log.bind(process="supervisor")), tuple(dict.fromkeys(role)))
    return DONE
