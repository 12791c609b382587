"""The meter adds up what stages took and changes nothing about them."""

import numpy as np
import pytest

from sightline.events import Detected, End
from sightline.runtime.meter import Meter
from sightline.types import Detections


def test_a_watched_step_gives_what_the_step_gives():
    """Zero stays zero, and idle calls are not counted."""
    meter, answers = Meter(), iter([3, 0, 5])
    step = meter.watched("track", lambda: next(answers))

    assert [step(), step(), step()] == [3, 0, 5]

    timing = meter.stages()["track"]
    assert timing.frames == 8
    assert 0 <= timing.busy_s < 60
    assert 0 < timing.p50_ms <= timing.p95_ms


def test_stages_come_in_alphabetical_order():
    """Whoever was first to do something."""
    meter = Meter()
    for stage in ("track", "detect"):
        meter.watched(stage, lambda: 1)()

    assert list(meter.stages()) == ["detect", "track"]


def test_times_of_records_fall_into_buckets():
    """As many as there were, the sum exact, bounds cumulative."""
    meter = Meter()
    meter.add("detect", 10, 0.1)  # 10 ms each
    meter.add("detect", 2, 2.0)  # a second each

    found = meter.durations((0.001, 0.05, 0.5, 2.0))["detect"]

    assert (found.count, found.sum_s) == (12, pytest.approx(2.1))
    assert found.within == (0, 10, 10, 12)


def test_frames_are_counted_by_outcome_and_ends_are_none():
    """Each record of a batch."""
    meter = Meter()
    frames = [
        Detected("j", "detections:cars", seq, seq, 0, outcome=outcome)
        for seq, outcome in enumerate(("ok", "failed", "ok"))
    ]

    meter.frames("track", [*frames, End("j", "detections:cars", 3)])
    meter.frames("track", frames[:1])

    assert meter.counts() == {"frames": {("track", "ok"): 3, ("track", "failed"): 1}}


def test_what_was_found_is_counted_by_label():
    """A class that has none keeps its number: what is only counted never ends a run."""
    found = Detections(np.zeros((4, 4)), np.full(4, 0.5), np.array([0, 1, 1, 7]))
    meter = Meter()

    meter.detections([Detected("j", "detections:cars", 0, 0, 0, detections=found)], ("car", "van"))

    assert meter.counts() == {"detections": {("car",): 1, ("van",): 2, ("7",): 1}}
