"""Write the detections of the golden scenes: python -m tests.data.bytetrack.make FOLDER.

The outputs beside them are the official tracker's, see README.md, and are not made by this program.
"""

from __future__ import annotations

import gzip
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from sightline.types import Detections
from tests.laws.tracker_scenes import street


def hidden(frames: Sequence[Detections], first: int, end: int) -> list[Detections]:
    """The left half is not seen for a while: some tracks come back in time, some are given up."""
    middle = float(np.median(frames[0].xyxy[:, 0]))
    return [
        found[found.xyxy[:, 0] > middle] if first <= at < end else found for at, found in enumerate(frames)
    ]


def scenes() -> Mapping[str, Sequence[Detections]]:
    """What the files hold, before boxes are rounded."""
    return {
        "street": street(1, 14, 120),
        "crowd": street(2, 45, 50),
        "pan": street(3, 12, 90, pan=4.0),
        "hidden-24": hidden(street(4, 16, 90), 30, 54),
        "hidden-40": hidden(street(5, 16, 100), 30, 70),
    }


def rows(frames: Sequence[Detections]) -> str:
    """MOT text `frame,-1,x1,y1,x2,y2,confidence`: corners, to 1/64 px, so that it reads back bit for bit."""
    lines = []
    for number, found in enumerate(frames, 1):
        for box, confidence in zip((found.xyxy * 64).round() / 64, found.confidence, strict=True):
            lines.append(f"{number},-1,{','.join(f'{side:.6f}' for side in box)},{confidence:g}\n")
    return "".join(lines)


def main(folder: Path) -> None:
    for name, frames in scenes().items():
        (folder / f"{name}.detections.txt.gz").write_bytes(gzip.compress(rows(frames).encode(), mtime=0))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
