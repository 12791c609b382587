"""Stats: tracks in order become running totals."""

import numpy as np
import pytest

from sightline.errors import Corrupt, Misconfigured
from sightline.events import End, Totals, Tracked
from sightline.stages.stats import Stats
from sightline.types import Origin, Tracks
from sightline.vision.counting import CountRule


def frame(seq: int, *ids: int, origin: Origin = Origin.HIGH) -> Tracked:
    n = len(ids)
    boxes = np.tile([0.0, 0, 10, 10], (n, 1))
    tracks = Tracks(boxes, np.full(n, 0.9), np.zeros(n), np.array(ids), np.full(n, origin))
    return Tracked("j", "tracks:cars", seq, seq, seq * 100_000, tracks=tracks)


def totals(stage: Stats, *frames) -> list[tuple[int, int]]:
    records = stage.process(frames, stage.initial()).records
    return [(record.unique, record.raw_ids) for record in records]


def test_an_object_counts_once_in_the_frame_of_its_third_hit():
    """And never again; ids seen are another number."""
    stage = Stats(CountRule(3))

    assert totals(stage, frame(0, 1), frame(1, 1), frame(2, 1), frame(3, 1)) == [
        (0, 1),
        (0, 1),
        (1, 1),
        (1, 1),
    ]


def test_hits_need_not_follow_each_other():
    """A person hidden for two frames is one person."""
    scene = [frame(0, 1), frame(1), frame(2), frame(3, 1), frame(4, 1)]

    assert totals(Stats(CountRule(3)), *scene)[-1] == (1, 1)


def test_a_flicker_spends_an_id_and_does_not_count():
    """The largest id is not the answer."""
    assert totals(Stats(CountRule(3)), frame(0, 1), frame(1, 2), frame(2, 3))[-1] == (0, 3)


def test_a_failed_frame_has_the_totals_of_the_frame_before():
    """It is no evidence, and it has a record."""
    failed = Tracked("j", "tracks:cars", 1, 1, 100_000, "failed", "undecodable")
    stage = Stats(CountRule(1))

    before = stage.process([frame(0, 1)], stage.initial())
    after = stage.process([failed], before.state)

    assert after.records == (Totals("j", "totals:cars", 1, 1, 100_000, "failed", "undecodable", 1, 1),)
    assert stage.encode(after.state) == stage.encode(before.state)


def test_the_end_goes_to_the_totals_stream():
    """Behind the last total."""
    stage = Stats(CountRule(1))

    out = stage.process([frame(0, 1), End("j", "tracks:cars", 1)], stage.initial())

    assert out.records[-1] == End("j", "totals:cars", 1)


def test_a_saved_state_belongs_to_its_rule():
    """Another rule or damaged bytes are refused."""
    blob = Stats(CountRule(3)).encode(Stats(CountRule(3)).initial())

    with pytest.raises((Misconfigured, Corrupt)):
        Stats(CountRule(4)).decode(blob)
    with pytest.raises(Corrupt):
        Stats(CountRule(3)).decode(blob[:-1])
