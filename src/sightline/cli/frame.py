"""`sightline frame`."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from sightline.cli.command import command
from sightline.cli.console import Console
from sightline.cli.render import DRAWN_ON, LINES, ZONES
from sightline.cli.words import value
from sightline.errors import Misconfigured
from sightline.settings.words import duration, frame_rate

__all__ = ["frame"]


SOURCE = Annotated[
    str, Parameter(help="Video, folder of images, or run folder (with its tracks).", show_default=False)
]
AT = Annotated[
    str | None,
    Parameter(help="Time of the frame: 12s, 1:30. [default: the first frame]", show_default=False),
]
NUMBER = Annotated[
    int | None, Parameter(name="--frame", help="Number of the frame, from 0.", show_default=False)
]
GRID = Annotated[
    bool,
    Parameter(
        help="A line every tenth, with its coordinate in 0..1 and in pixels.",
        negative="",
        show_default=False,
    ),
]
OUT = Annotated[
    str,
    Parameter(name=("--out", "-o"), help="Picture: .png or .jpg. [default: frame.png]", show_default=False),
]
FPS = Annotated[
    str | None,
    Parameter(
        help="Frames per second of images or a raw stream. [default: 30, or their times]",
        show_default=False,
    ),
]
WHERE = Annotated[
    str | None,
    Parameter(
        name="--source",
        help="Where the source of a run lies now. [default: where it lay]",
        show_default=False,
    ),
]


@command()
def frame(
    console: Console,
    source: SOURCE,
    /,
    *,
    at: AT = None,
    number: NUMBER = None,
    grid: GRID = False,
    lines: LINES = None,
    zones: ZONES = None,
    drawn_on: DRAWN_ON = None,
    out: OUT = "frame.png",
    fps: FPS = None,
    where: WHERE = None,
) -> None:
    """Write one frame as a picture, to read off the coordinates of lines and zones, or to see them drawn."""
    from sightline.rendering.frame import Pick, pick_frame, write_image
    from sightline.runs.shapes import ShapeFiles

    if at is not None and number is not None:
        raise Misconfigured("--at and --frame name a frame each: leave one out", code="usage")
    at_us = None if at is None else round(value("--at", at, duration).total_seconds() * 1_000_000)
    picked = pick_frame(
        Path(source),
        Pick(
            at_us,
            number,
            None if fps is None else Fraction(value("--fps", fps, frame_rate)),
            None if where is None else Path(where),
            shapes=ShapeFiles([lines] if lines else (), [zones] if zones else (), drawn_on),
            grid=grid,
        ),
    )
    write_image(picked.image, Path(out))
    height, width = picked.image.shape[:2]
    console.object(
        {"path": out, "frame": picked.frame, "pts_us": picked.pts_us, "width": width, "height": height}
    )
    console.note(f"frame {picked.frame} at {picked.pts_us / 1e6:.3f} s, {width} x {height} pixels")
    console.result(out)
