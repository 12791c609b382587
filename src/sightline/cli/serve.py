"""`sightline serve`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import partial
from typing import Any

from sightline.cli import flags
from sightline.cli.command import command
from sightline.cli.console import Console
from sightline.cli.exits import DONE
from sightline.settings import ServeOptions

__all__ = ["serve"]


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
    run(options, partial(_say, console))
    return DONE


def _say(console: Console, event: str, facts: Mapping[str, Any]) -> None:
    """What happened, at once: whoever reads it through a pipe waits for it."""
    if console.json:
        console.object({"event": event, **facts})
    elif event == "serving":
        host = f"[{facts['host']}]" if ":" in facts["host"] else facts["host"]
        if facts["open"]:
            console.warning(
                f"whoever reaches {facts['host']} may use the service: it asks nobody for a token"
            )
        console.result(f"serving http://{host}:{facts['api']}, data in {facts['data']}")
    elif event == "died":
        console.warning(f"{facts['process']} ended ({facts['code']}) and is started again")
    else:
        console.note(event)
    sys.stdout.flush()
