"""Finished jobs for tests: a small one by hand, and any by Hypothesis."""

from fractions import Fraction

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sightline.types import FrameTable, GroupResult, JobResult, TrackTable

LABELS = ("person", "car", "bus")


def frame_table(n, first=0, stride=1):
    frame = np.arange(first, first + n) * stride
    return FrameTable(frame, frame * 40_000, ("ok",) * n, ("",) * n)


def table(*rows):
    """Rows (seq, track_id, class_id, xyxy, confidence, origin)."""
    return TrackTable(*zip(*rows, strict=True)) if rows else TrackTable.empty()


CARS = table(
    (0, 2, 1, (10.5, 20, 30, 40), 0.9, 0),
    (0, 5, 2, (-1.5, 0, 8, 8.25), 0.5, 1),
    (2, 2, 1, (12, 20, 32, 40), 0.8, 3),
)
PEOPLE = table((2, 1, 0, (0, 0, 1, 2), 0.7, 2))
FOUND_CARS = table(
    (0, 0, 1, (10.5, 20, 30, 40), 0.9, 0),
    (0, 0, 2, (-1.5, 0, 8, 8.25), 0.2, 0),
    (2, 0, 1, (12, 20, 32, 40), 0.8, 0),
)
FOUND_PEOPLE = table((2, 0, 0, (0, 0, 1, 2), 0.7, 0))


def job(tracked=True, only=("cars", "people"), **changes):
    """Three sampled frames 0, 5, 10; the second one failed; two cars and a person."""
    parts = {
        "cars": GroupResult("cars", (1, 2), FOUND_CARS, CARS, 2, np.array([0, 1, 2])),
        "people": GroupResult("people", (0,), FOUND_PEOPLE, PEOPLE, 1, np.array([0, 0, 1])),
    }
    if not tracked:
        parts = {name: GroupResult(name, part.class_ids, part.detections) for name, part in parts.items()}
    values = {
        "video_id": "street",
        "job_id": "2b7c1d7e-5d0f-5a53-9d0e-000000000000",
        "created_at_us": 0,
        "frames": FrameTable(
            [0, 5, 10], [0, 200_000, 400_000], ("ok", "failed", "ok"), ("", "truncated", "")
        ),
        "rate": Fraction(5),
        "width": 64,
        "height": 48,
        "labels": LABELS,
        "groups": tuple(parts[name] for name in only),
        "min_hits": 2,
        "conf": 0.25,
    }
    return JobResult(**values | changes)


def written(files):
    """Files of a writer as text by path."""
    return {path: b"".join(content).decode() for path, content in files}


coordinates = st.floats(-5000, 5000, width=64)


@st.composite
def boxes(draw, n):
    corners = draw(hnp.arrays(np.float64, (n, 2, 2), elements=coordinates))
    return np.sort(corners, axis=1).reshape(n, 4)


@st.composite
def track_tables(draw, frames, classes=3, ids=True, origins=4, rows=12):
    n = draw(st.integers(0, rows)) if frames else 0

    def integers(low, high):
        return draw(hnp.arrays(np.int64, n, elements=st.integers(low, high)))

    made = TrackTable(
        integers(0, max(frames - 1, 0)),
        integers(1, 9) if ids else np.zeros(n, np.int64),
        integers(0, classes - 1),
        draw(boxes(n)),
        draw(hnp.arrays(np.float64, n, elements=st.floats(0.001, 1))),
        integers(0, origins - 1).astype(np.uint8),
    ).sorted()
    if not ids:
        return made
    first = np.unique(np.column_stack([made.seq, made.track_id]), axis=0, return_index=True)[1]
    return made[np.sort(first)]


@st.composite
def jobs(draw):
    """Any job of up to 6 frames and 2 groups, with or without a tracker."""
    n = draw(st.integers(0, 6))
    outcome = draw(st.lists(st.sampled_from(["ok", "failed", "skipped"]), min_size=n, max_size=n))
    reason = tuple(
        "" if word == "ok" else draw(st.sampled_from(["truncated", 'odd "name"', "é"])) for word in outcome
    )
    frame = np.cumsum(draw(hnp.arrays(np.int64, n, elements=st.integers(1, 9)))) - 1
    tracked = draw(st.booleans())
    groups = []
    for name, class_ids in (("cars", (1, 2)), ("people", (0,))):
        tracks = draw(track_tables(n)) if tracked else None
        found = draw(track_tables(n, ids=False, origins=1))
        unique = np.sort(draw(hnp.arrays(np.int64, n, elements=st.integers(0, 50)))) if tracked else None
        groups.append(
            GroupResult(
                name,
                class_ids,
                found,
                tracks,
                None if tracks is None else len(np.unique(tracks.track_id)),
                unique,
            )
        )
    return job(
        video_id=draw(st.sampled_from(["street", 'a,b "c" 100 %s', "straße"])),
        frames=FrameTable(frame, frame * 33_333, tuple(outcome), reason),
        groups=tuple(groups),
    )
