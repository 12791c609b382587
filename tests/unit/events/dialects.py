"""Records of a job in the dialects of both founding systems, and what is known of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from sightline.events import (
    Detected,
    DialectA,
    DialectB,
    End,
    JobContext,
    Sampled,
    Timeline,
    Tracked,
)
from sightline.types import Detections, Tracks, TrackTable

CREATED = 1_779_019_200_250_000  # 2026-05-17T12:00:00.25Z
FRAMES = 40
ABOUT = JobContext(
    job_id="j",
    video_id="uav0000086_00000_v",
    created_at_us=CREATED,
    labels=("car", "person", "van"),
    stride=5,
    sampled=FRAMES,
    bucket="videos",
    class_ids={"cars": (0, 2), "people": (1,), "objects": (0, 1, 2)},
    timeline=Timeline(np.arange(FRAMES) * 5, np.arange(FRAMES) * 200_000),
)


def about(job_id: str) -> JobContext | None:
    """The one job that runs."""
    return ABOUT if job_id == "j" else None


BOXES = Detections([[1.5, 2, 30.75, 40], [-0.5, 0, 9, 9]], [0.5, 0.875], [2, 0])
TRACKS = Tracks([[1.5, 2, 30.75, 40]], [0.5], [2], [7], [1])
BIRTHS = TrackTable([0], [7], [2], [[1, 2, 3, 4]], [0.25], [2])
HEAD = (1, 5, 200_000)
FRAME = Sampled(
    "j", "frames:main", *HEAD, "ok", "", 5, 6000, 1, 4, 40, None, 48_000, "/data/street/0000006.jpg"
)
FOUND = Detected("j", "detections:cars", *HEAD, "ok", "", BOXES)
FAILED = Detected("j", "detections:cars", *HEAD, "failed", "undecodable")
TRACKED = Tracked("j", "tracks:cars", *HEAD, "ok", "", TRACKS, BIRTHS)

finite = st.floats(allow_nan=False, allow_infinity=False, width=64).filter(lambda x: abs(x) < 1e150)
scores = st.floats(0, 1, exclude_min=True)
times = st.integers(-(2**63), 2**63 - 1)
naturals = st.integers(0, 2**63 - 1)


@st.composite
def boxes(draw, n: int) -> list[tuple[float, float, float, float]]:
    """Corners in their order, negative zeros among them."""
    made = []
    for _ in range(n):
        (x1, x2), (y1, y2) = sorted([draw(finite), draw(finite)]), sorted([draw(finite), draw(finite)])
        made.append((x1, y1, x2, y2))
    return made


@st.composite
def heads(draw, stream: str) -> tuple:
    """Identity, time and outcome."""
    seq = draw(st.integers(0, 2**53 - 1))
    frame = draw(st.integers(seq, 2**63 - 1))
    outcome = draw(st.sampled_from(["ok", "failed", "skipped"]))
    return "j", stream, seq, frame, draw(times), outcome, draw(st.text(max_size=5))


@st.composite
def sampled(draw) -> Sampled:
    """Any frame."""
    bounds = draw(st.none() | times), draw(st.none() | times)
    place = draw(naturals), draw(times), draw(naturals), draw(naturals), draw(naturals), *bounds
    return Sampled(*draw(heads("frames:main")), *place, draw(st.text(max_size=9)))


@st.composite
def detected(draw, group: str = "cars") -> Detected:
    """Any detections, in any order of confidence."""
    n = draw(st.integers(0, 4))
    class_id = draw(st.lists(st.integers(0, 2), min_size=n, max_size=n))
    confidence = draw(st.lists(scores | st.sampled_from([0.25, 0.5]), min_size=n, max_size=n))
    found = Detections(draw(boxes(n)), confidence, class_id)
    return Detected(*draw(heads(f"detections:{group}")), found)


@st.composite
def tracked(draw) -> Tracked:
    """Any tracks, with births."""
    n, m = draw(st.integers(0, 3)), draw(st.integers(0, 3))

    def column(values, size):
        return draw(st.lists(values, min_size=size, max_size=size))

    classes, ids = st.integers(0, 2), naturals
    tracks = Tracks(
        draw(boxes(n)), column(scores, n), column(classes, n), column(ids, n), column(st.integers(0, 3), n)
    )
    births = (
        TrackTable(
            column(ids, m), column(ids, m), column(classes, m), draw(boxes(m)), column(scores, m), [2] * m
        )
        if m
        else TrackTable.empty()
    )
    return Tracked(*draw(heads("tracks:cars")), tracks, births)


def ends(stream: str) -> st.SearchStrategy[End]:
    """The end of a stream."""
    return st.integers(0, 2**53 - 1).map(lambda n: End("j", stream, n))


FORMS = {
    "a frames": (DialectA("frames:main"), sampled() | ends("frames:main")),
    "a detections": (DialectA("detections:cars"), detected() | ends("detections:cars")),
    "a tracks": (DialectA("tracks:cars"), tracked() | ends("tracks:cars")),
    "b frames": (
        DialectB("frames:main"),
        st.builds(lambda frame, jpeg: replace(frame, frame_data=jpeg), sampled(), st.binary(max_size=9))
        | ends("frames:main"),
    ),
    "b detections": (DialectB("detections:objects"), detected("objects") | ends("detections:objects")),
}
