"""The meter adds up what stages took and changes nothing about them."""

from sightline.runtime.meter import Meter


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
