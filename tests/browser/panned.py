"""A clip of a camera that pans over the bundled street, and then shows something else: where it looks is known exactly."""

from __future__ import annotations

import math
from itertools import islice
from pathlib import Path

import av
import numpy as np

from tests import flights

SIZE = (960, 540)
PANNED, FRAMES = 150, 175
"""Frames of the street; of the clip."""


def corner(frame: int) -> tuple[int, int]:
    """Where the upper left corner of a frame is on the picture of the whole street, pixels."""
    turn = 2 * math.pi * frame / 100
    return round(160 + 150 * math.sin(turn)), round(90 - 80 * math.cos(turn))


def pan(street: Path, path: Path) -> Path:
    """Write the clip: H.264, 25 frames a second."""
    width, height = SIZE
    elsewhere = flights.shot(flights.ground("town"), flights.looking(), SIZE).astype(np.uint8)
    with av.open(str(street)) as source, av.open(str(path), "w") as made:
        stream = made.add_stream(
            "libx264", rate=25, options={"preset": "ultrafast", "crf": "18", "threads": "1"}
        )
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number, frame in enumerate(islice(source.decode(video=0), FRAMES)):
            x, y = corner(number)
            whole = frame.to_ndarray(format="rgb24")
            seen = (
                whole[y : y + height, x : x + width]
                if number < PANNED
                else np.repeat(elsewhere[..., None], 3, axis=2)
            )
            made.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(seen), format="rgb24")))
        made.mux(stream.encode())
    return path
