"""`sightline serve`."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from sightline.cli.command import command
from sightline.cli.console import Console
from sightline.cli.exits import DONE
from sightline.errors import Misconfigured, setting
from sightline.jobs.requests import DATASET, FILES
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
    generator_port: Annotated[
        int, Parameter(help="Port that takes POST /start. [default: 5001]", show_default=False)
    ] = PORTS["generator"],
    dataset: Annotated[
        str,
        Parameter(
            help="Folder with sequences/, or the one above it: what POST /start names. [env: SIGHTLINE_DATASET, DATASET_ROOT_DIR]",
            show_default=False,
        ),
    ] = "",
    files: Annotated[
        str,
        Parameter(
            help="Folder below which jobs may name files of this machine. [env: SIGHTLINE_FILES]",
            show_default=False,
        ),
    ] = "",
    fps: Annotated[
        str | None,
        Parameter(
            help="Images per second of folders of images. [default: 30] [env: SIGHTLINE_FPS, FRAME_RATE]",
            show_default=False,
        ),
    ] = None,
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
        {
            "api": api_port,
            "runner": runner_port,
            "inference": inference_port,
            "generator": generator_port,
        },
        model=model or os.environ.get("SIGHTLINE_MODEL") or None,
        precision=precision,
        workers=workers or default_workers(),
        say=partial(_say, console),
        roots=_roots(dataset, files),
        fps=_fps(fps or _first("SIGHTLINE_FPS", "FRAME_RATE")),
        service_name=_first("SERVICE_NAME") or "data_generator",
        kafka_broker=_first("KAFKA_BROKER") or None,
    )
    return DONE


def _roots(dataset: str, files: str) -> dict[str, str]:
    found = {
        DATASET: dataset or _first("SIGHTLINE_DATASET", "DATASET_ROOT_DIR"),
        FILES: files or _first("SIGHTLINE_FILES"),
    }
    return {name: folder for name, folder in found.items() if folder}


def _fps(text: str) -> str | None:
    """A rate as a fraction; None where nobody said one.

    Raises:
        Misconfigured: it is none.
    """
    if not text:
        return None
    try:
        rate = Fraction(text)
    except (ValueError, ZeroDivisionError):
        rate = Fraction(0)
    if not 0 < rate <= 1000:
        raise Misconfigured(
            f"{setting('fps', text)}: a number of images per second, up to 1000", code="usage"
        )
    return str(rate)


def _first(*names: str) -> str:
    """The first of these variables of the environment that says something."""
    return next((os.environ[name] for name in names if os.environ.get(name)), "")


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
