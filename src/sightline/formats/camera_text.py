"""How the camera moved, as text: a line a frame, as GMC files of trackers are.

    # frame, then the map from the frame before to it
    1   1.0002  -0.0001   2.5   0.0001   1.0002  -1.0

Seven numbers, separated by comma, semicolon, tab or space: the number of the frame in the source, from 0; then m11, m12,
m13, m21, m22, m23. What was at (x, y) in the frame before is at (m11 x + m12 y + m13, m21 x + m22 y + m23), in pixels of
the source. Frames rise; of one that is missing nothing is known, and the first one of a video has none before it. Blank
lines and those that begin with `#` say nothing.
"""

from __future__ import annotations

import re

import numpy as np

from sightline.arrays import FloatArray, IntArray
from sightline.formats import text

__all__ = ["decode"]

FIELDS = 7
MOST_BYTES = 1 << 26  # about a million frames
# From here on a map is none that turns, scales and shifts alone; less is rounding.
DEFORMS = 1e-3
# One frame may scale the picture so much, and all of them together.
SCALES, SCALES_ALL = 4.0, 1e4
LARGEST = 1e5
COMMENT = re.compile(r"(?:^|(?<=\r))[ \t]*#[^\r\n]*", re.MULTILINE)


def decode(blob: bytes, name: str) -> tuple[IntArray, FloatArray]:
    r"""Frames, and how the camera moved to each of them from the one before it.

    Args:
        blob: gzipped or not.
        name: of the file, for errors.

    Returns:
        int64 (N,), rising, and float64 (N, 4): a, b, x, y of a `Motion` each, the nearest to what is written.

    Raises:
        InvalidFile: not such a file, or a map that is no turn, scale and shift; names the line.
        TooLarge: more than 64 MiB of text.

    >>> decode(b"# frame, map\n1, 1, 0, 2.5, 0, 1, -1\n", "camera.csv")
    (array([1]), array([[ 1. ,  0. ,  2.5, -1. ]]))
    """
    written = COMMENT.sub("", text.decode(blob, name, MOST_BYTES))
    table = text.numbers(written, name, least=FIELDS, most=FIELDS + 1)
    more = table.values[:, FIELDS]
    table.refuse(
        ~np.isnan(more), "an eighth number, {}, expected the frame and the six numbers of its map", more
    )
    frame = table.integers(0, "frame", 0)
    again = np.diff(frame, prepend=-1) <= 0
    table.refuse(again, "frame {}, expected frames that rise, each of them once", table.values[:, 0])
    return frame, _similar(table)


def _similar(table: text.NumberTable) -> FloatArray:
    """The similarities nearest to the maps, rows of a, b, x, y."""
    m11, m12, x, m21, m22, y = table.values[:, 1:FIELDS].T
    largest = np.abs(table.values[:, 1:FIELDS]).max(axis=1, initial=0.0)
    table.refuse(largest > LARGEST, f"a number of size {{}}, expected {LARGEST:g} at most", largest)
    a, b = (m11 + m22) / 2, (m21 - m12) / 2
    scale = np.hypot(a, b)
    off = np.hypot(m11 - m22, m12 + m21) / 2
    table.refuse(
        ~(off <= DEFORMS * scale),
        "the map deforms the picture by {} of its size, expected m11 = m22 and m12 = -m21: frame, m11, m12, m13, m21, "
        "m22, m23 of a turn, a scale and a shift (cv2.estimateAffinePartial2D gives such maps)",
        off / np.maximum(scale, 1e-300),
    )
    table.refuse(
        (scale > SCALES) | (scale < 1 / SCALES), f"scale {{}}, expected {1 / SCALES:g} to {SCALES:g}", scale
    )
    whole = np.exp(np.log(scale).cumsum())
    table.refuse(
        (whole > SCALES_ALL) | (whole < 1 / SCALES_ALL),
        f"all frames so far scale the picture by {{}}, expected {1 / SCALES_ALL:g} to {SCALES_ALL:g}",
        whole,
    )
    return np.stack((a, b, x, y), axis=1)
