"""`sightline serve`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import partial
from typing import Any

from sightline import __version__
from sightline.cli import flags
from sightline.cli.command import command
from sightline.cli.console import Console
from sightline.cli.exits import DONE
from sightline.logs import open_log
from sightline.settings import ServeOptions

__all__ = ["said", "serve"]


@command(*flags.parameters(ServeOptions, "serve."))
def serve(console: Console, **given: Any) -> int:
    """Take videos by HTTP, process them, keep the results, until it is interrupted.

    What was accepted is finished, whatever dies: started again on the same folder, the work goes on.
    """
    from sightline.serving.supervisor import serve as run

    options = flags.read_serve(given).options
    for name, root in (("dataset", options.dataset), ("files", options.files)):
        if root is not None and not root.is_dir():
            console.warning(f"--{name} {root}: there is no such folder yet")
    log = open_log(sys.stderr, level=options.log_level, plain=sys.stderr.isatty())
    run(options, partial(said, console, log.bind(process="supervisor")))
    return DONE


def said(console: Console, log: Any, event: str, facts: Mapping[str, Any]) -> None:
    """What happened, at once: whoever reads it through a pipe waits for it. In the log as the lines of the other processes."""
    if event == "died":
        log.warning("died", child=facts["process"], code=facts["code"])
    else:
        log.info(event, **facts, **({"version": __version__} if event == "serving" else {}))
    if console.json:
        console.object({"event": event, **facts})
    elif event == "serving":
        if "api" not in facts:
            console.result(f"working as {', '.join(facts['roles'])}, data in {facts['data']}")
            sys.stdout.flush()
            return
        host = f"[{facts['host']}]" if ":" in facts["host"] else facts["host"]
        if facts["open"]:
            console.warning(
                f"whoever reaches {facts['host']} may use the service: it asks nobody for a token"
            )
        console.result(f"serving http://{host}:{facts['api']}, data in {facts['data']}")
    sys.stdout.flush()
