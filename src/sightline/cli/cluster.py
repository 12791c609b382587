"""`sightline migrate` and `lag`: what a service needs whose work machines share, and how it is."""

from __future__ import annotations

from typing import Any

from sightline.cli import flags
from sightline.cli.command import command
from sightline.cli.console import Console
from sightline.cli.exits import DONE
from sightline.settings import ServeOptions

__all__ = ["WHERE", "lag", "migrate"]

WHERE = flags.parameters(
    ServeOptions, "serve.", of=("ledger", "kafka", "partitions", "postgres", "mongo", "runner_database")
)


@command(*WHERE)
def migrate(console: Console, **given: Any) -> int:
    """Bring the tables up to this release; where they are, nothing happens. Services of an older release go on meanwhile."""
    from sightline.serving.backends import migrate as run

    before, after = run(flags.read_serve(given).options)
    console.object({"before": before, "after": after})
    console.result(f"tables are of version {after}" + ("" if before == after else f", they were of {before}"))
    return DONE


@command(*WHERE)
def lag(console: Console, **given: Any) -> int:
    """Records that wait for each stage, by topic and partition: those that have any, and the sum of each stage."""
    from sightline.serving.shared_tools import lag as look

    found = look(flags.read_serve(given).options)
    console.object({"lag": [each._asdict() for each in found]})
    for stage in dict.fromkeys(each.stage for each in found):
        mine = [each for each in found if each.stage == stage]
        console.result(f"{stage:<8} {sum(each.records for each in mine):>9}")
        for each in mine:
            if each.records:
                console.result(f"  {each.topic}/{each.partition}: {each.records} (at {each.low_water})")
    return DONE
