"""`sightline track`."""

from __future__ import annotations

from typing import Any

from sightline.cli import flags
from sightline.cli.command import command
from sightline.cli.console import Console
from sightline.cli.run import run
from sightline.settings import TrackOptions

__all__ = ["track"]


@command(*flags.parameters(TrackOptions))
def track(console: Console, *sources: flags.SOURCES, **given: Any) -> int:
    """Detect, track and count: videos in, run folders out.

    A run that was interrupted goes on where it stood when the same command is given again.
    """
    return run(console, "track", sources, flags.read(given).options)
