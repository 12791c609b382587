"""Boxes for tests of metrics."""

import numpy as np
from hypothesis import strategies as st

from sightline.evaluation import Boxes, Sequence


def boxes(*rows, class_id=None, considered=None):
    """Rows (frame, id, x): boxes of 10 x 10 pixels; x is the left side."""
    frame, object_id, left = zip(*rows, strict=True) if rows else ((), (), ())
    xyxy = [(x, 0, x + 10, 10) for x in left]
    return Boxes.of(frame, object_id, np.array(xyxy, float).reshape(-1, 4), class_id, considered)


def track(object_id, frames, x=0):
    """One object that stands still."""
    return [(frame, object_id, x) for frame in frames]


def scene(truth, prediction, name="scene", min_hits=1):
    return Sequence(name, boxes(*truth), boxes(*prediction), min_hits)


@st.composite
def truths(draw):
    """Up to 4 objects far apart, each in some frames."""
    rows = []
    for number in range(draw(st.integers(1, 4))):
        frames = draw(st.sets(st.integers(0, 9), min_size=1))
        rows += track(number, sorted(frames), x=100 * number)
    return rows
