"""`sightline serve`."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from sightline.cli.command import command
from sightline.cli.console import Console
from sightline.cli.exits import DONE
from sightline.errors import Misconfigured
from sightline.machine import default_workers
from sightline.serving.config import LOOPBACK, PORTS

__all__ = ["serve"]


@command()
def serve(
    console: Console,
    *,
    data: Annotated[
        str,
        Parameter(
            help="Folder that holds everything. [default: ./sightline-data] [env: SIGHTLINE_DATA]",
            show_default=False,
        ),
    ] = "",
    model: Annotated[
        str | None,
        Parameter(
            name=("--model", "-m"),
            help="Model of all jobs: name in the model cache, or a file. [default: the pipeline's] [env: SIGHTLINE_MODEL]",
            show_default=False,
        ),
    ] = None,
    precision: Annotated[
        str, Parameter(help="f32, bf16 or int8. [default: f32]", show_default=False)
    ] = "f32",
    workers: Annotated[
        int | None,
        Parameter(help="Threads that decode and detect. [default: cores, 8 at the most]", show_default=False),
    ] = None,
    api_port: Annotated[int, Parameter(help="Port of the API. [default: 8080]", show_default=False)] = PORTS[
        "api"
    ],
    runner_port: Annotated[
        int, Parameter(help="Port of the runner's health. [default: 8002]", show_default=False)
    ] = PORTS["runner"],
    inference_port: Annotated[
        int, Parameter(help="Port of the inference's health. [default: 8003]", show_default=False)
    ] = PORTS["inference"],
) -> int:
    """Take videos by HTTP, process them, keep the results; on this machine alone, until it is interrupted.

    What was accepted is finished, whatever dies: started again on the same folder, the work goes on.
    """
    from sightline.serving.supervisor import serve as run

    if workers is not None and workers < 1:
        raise Misconfigured(f"--workers {workers}: at least 1", code="usage")
    folder = Path(data or os.environ.get("SIGHTLINE_DATA") or "sightline-data")

    run(
        folder,
        {"api": api_port, "runner": runner_port, "inference": inference_port},
        model=model or os.environ.get("SIGHTLINE_MODEL") or None,
        precision=precision,
        workers=workers or default_workers(),
        say=partial(_say, console),
    )
    return DONE


def _say(console: Console, event: str, facts: Mapping[str, Any]) -> None:
    """What happened, at once: whoever reads it through a pipe waits for it."""
    if console.json:
        console.object({"event": event, **facts})
    elif event == "serving":
        console.result(f"serving http://{LOOPBACK}:{facts['api']}, data in {facts['data']}")
    elif event == "died":
        console.warning(f"{facts['process']} ended ({facts['code']}) and is started again")
    else:
        console.note(event)
    sys.stdout.flush()
