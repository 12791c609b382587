"""Draws the picture of the README: `python tools/docs/draw_street.py` from the repository's root.

It is what the product itself makes of the bundled clip: the run of `sightline demo`, and one frame of it with lines,
zones and counts. Half a minute on two cores.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from sightline import Line, Zone
from sightline.app.track import track
from sightline.cli.demo import demo_options
from sightline.rendering.frame import Pick, pick_frame, write_image
from sightline.rendering.render import Look

CLIP = Path("src/sightline/demo/street.mp4")
PICTURE = Path("docs/images/street.jpg")
FRAME = 460
LOOK = Look(
    lines=(Line("main street", (0.585, 0.325), (0.585, 0.65), directions=("westbound", "eastbound")),),
    zones=(Zone("crossing", ((0.851, 0.345), (0.909, 0.345), (0.911, 0.63), (0.853, 0.63))),),
    trails_s=1.5,
    counts=True,
)


def main() -> None:
    """Track the clip, draw one frame."""
    with TemporaryDirectory() as folder:
        options = demo_options(Path(folder), overwrite=False).model_copy(update={"save_video": False})
        (report,) = track([CLIP], options)
        assert report.path is not None
        write_image(pick_frame(report.path, Pick(frame=FRAME, look=LOOK)).image, PICTURE)


if __name__ == "__main__":
    main()
