"""`sightline render`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from sightline.cli.command import command
from sightline.cli.console import Console
from sightline.cli.run import listening
from sightline.cli.words import value
from sightline.errors import Misconfigured
from sightline.settings.words import duration

__all__ = ["DRAWN_ON", "LINES", "ZONES", "render"]

LINES = Annotated[str | None, Parameter(help="JSON file of lines to draw.", show_default=False)]
ZONES = Annotated[str | None, Parameter(help="JSON file of zones to draw.", show_default=False)]
DRAWN_ON = Annotated[
    int | None,
    Parameter(
        help="Number of the frame on whose picture lines and zones were drawn, where their files do not say it; where the "
        "camera moves they stay on the ground that it shows. [default: the first sampled frame]",
        show_default=False,
    ),
]

RUN = Annotated[str, Parameter(help="Folder of a run, or of a whole command.", show_default=False)]
OUT = Annotated[
    str | None,
    Parameter(
        name=("--out", "-o"),
        help="Video to write. [default: annotated.mp4 in the run]",
        show_default=False,
    ),
]
SOURCE = Annotated[
    str | None,
    Parameter(
        help="Where the source lies now; of text detections the video they were made on. [default: where it lay; "
        "text is drawn on a blank canvas]",
        show_default=False,
    ),
]
TRAILS = Annotated[
    str,
    Parameter(
        help="How long each object's way stays visible: 2s; 0 for none. [default: 1s]", show_default=False
    ),
]
COUNTS = Annotated[
    bool,
    Parameter(
        help="Show crossings so far at each line, objects inside at each zone.",
        negative="",
        show_default=False,
    ),
]


@command()
def render(
    console: Console,
    run: RUN,
    /,
    *,
    out: OUT = None,
    source: SOURCE = None,
    lines: LINES = None,
    zones: ZONES = None,
    drawn_on: DRAWN_ON = None,
    trails: TRAILS = "1s",
    counts: COUNTS = False,
) -> None:
    """Draw the tracks of a finished run into a video: boxes, trails, time, frame, unique objects so far."""
    from sightline.rendering.render import Look, render_run
    from sightline.runs.shapes import ShapeFiles

    if counts and lines is None and zones is None:
        raise Misconfigured("--counts: name the --lines or --zones to count at", code="usage")
    look = Look(trails_s=value("--trails", trails, duration).total_seconds(), counts=counts)
    shapes = ShapeFiles([lines] if lines else (), [zones] if zones else (), drawn_on)
    with listening(console) as hook:
        written = render_run(
            Path(run),
            Path(out) if out else None,
            source=Path(source) if source else None,
            look=look,
            shapes=shapes,
            hook=hook,
        )
    console.object({"videos": [str(each.path) for each in written]})
    for each in written:
        if each.blank is not None:
            console.note(
                f"{each.path}: text detections have no picture, drawn on a blank canvas of "
                f"{each.blank[0]}x{each.blank[1]}; --source VIDEO draws on theirs"
            )
        console.result(str(each.path))
