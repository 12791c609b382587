"""`sightline demo`: everything that was bundled, nothing that must be brought."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from sightline.cli.command import command, option
from sightline.cli.console import Console
from sightline.cli.run import run
from sightline.settings import TrackOptions

__all__ = ["demo", "demo_options"]


def demo_options(out: Path, *, overwrite: bool) -> TrackOptions:
    """Options of the demo: the bundled model, in an arithmetic that every machine has."""
    return TrackOptions(
        model="sightline-tiny", precision="f32", out=out, overwrite=overwrite, save_video=True
    )


@command(
    option("out", str, "runs/demo", "Folder of the results. [default: runs/demo]", "--out", "-o"),
    option("overwrite", bool, False, "Replace the results of an earlier demo.", negative=""),
)
def demo(console: Console, *, out: str = "runs/demo", overwrite: bool = False) -> int:
    """Track the bundled clip, offline: a rendered street of 25 seconds, counted and annotated."""
    with resources.as_file(resources.files("sightline") / "demo" / "street.mp4") as clip:
        return run(console, "track", [str(clip)], demo_options(Path(out), overwrite=overwrite))
