"""`sightline detect`."""

from __future__ import annotations

from typing import Any

from sightline.cli import flags
from sightline.cli.command import command
from sightline.cli.console import Console
from sightline.cli.run import run
from sightline.settings import DetectOptions

__all__ = ["detect"]


@command(*flags.parameters(DetectOptions))
def detect(console: Console, *sources: flags.SOURCES, **given: Any) -> int:
    """Detect only: the pipeline without its tracker.

    A run that was interrupted goes on where it stood when the same command is given again.
    """
    return run(console, "detect", sources, flags.read(given).detect())
