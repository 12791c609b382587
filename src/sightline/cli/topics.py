"""`sightline topics`: the topics of a service whose work machines share."""

from __future__ import annotations

from typing import Any

from cyclopts import App

from sightline.cli import flags
from sightline.cli.cluster import WHERE
from sightline.cli.command import command, option
from sightline.cli.console import Console
from sightline.cli.examples import epilogue
from sightline.cli.exits import DONE, FAILED

__all__ = ["app"]

app = App(name="topics", help="Topics of a shared service: create, check.", help_epilogue=epilogue("topics"))
REPLICATION = option("replication", int, 3, "Copies of each partition. [default: 3]", metavar="INT")
IN_SYNC = option(
    "min_insync",
    int | None,
    None,
    "Copies that an acknowledged record has. [default: one less]",
    metavar="INT",
)


@app.command
@command(REPLICATION, IN_SYNC, *WHERE)
def create(console: Console, *, replication: int = 3, min_insync: int | None = None, **given: Any) -> int:
    """Make the topics that are not there; what is there stays as it is."""
    from sightline.serving.shared_tools import create_topics

    made = create_topics(flags.read_serve(given).options, replication, min_insync)
    console.object({"made": list(made)})
    console.result("\n".join(f"made {name}" for name in made) or "all topics are there")
    return DONE


@app.command
@command(REPLICATION, IN_SYNC, *WHERE)
def check(console: Console, *, replication: int = 3, min_insync: int | None = None, **given: Any) -> int:
    """Say what of the topics is not as it should be; exit code 1 if something is."""
    from sightline.serving.shared_tools import check_topics

    found = check_topics(flags.read_serve(given).options, replication, min_insync)
    console.object({"differ": [each.__dict__ for each in found]})
    for each in found:
        console.result(f"{each.topic}: {each.what} is {each.found or 'missing'}, planned {each.planned}")
    if not found:
        console.result("all topics are as planned")
    return FAILED if found else DONE
