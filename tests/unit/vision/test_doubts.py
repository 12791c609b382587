"""What of a count is doubtful."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sightline.types import GroupResult, Origin
from sightline.verdicts import Doubt
from sightline.vision.counting import count_tracks
from sightline.vision.doubts import doubts
from sightline.vision.evidence import judged
from tests.unit.vision.made_tracks import frame_table, rows, table

FRAMES = frame_table(60, 10)
MIN_HITS = 4


def found(*parts, judge=False):
    """Doubts by track id, in a picture of 1000 x 1000."""
    tracks, verdicts, level = table(*parts), None, None
    if judge:
        level = 0.9
        by_track = tracks[np.lexsort((tracks.seq, tracks.track_id))]
        objects, verdicts = judged(FRAMES, by_track, level, 2_000_000)
        tracks = objects.sorted()
    group = GroupResult("cars", (0,), tracks, tracks, level=level, verdicts=verdicts)
    counts = count_tracks(FRAMES, tracks, MIN_HITS)
    marks = doubts(FRAMES, group, counts, MIN_HITS, 1000, 1000)
    return {int(i): Doubt(int(mark)) for i, mark in zip(counts.track_id, marks, strict=True)}


def at(x, y, step=0.0):
    return lambda seq: (x + step * seq, y)


def test_what_was_seen_long_and_well_is_not_doubtful():
    """And neither is what does not count."""
    assert found(rows(1, range(30), at(300, 300)), rows(2, range(2), at(600, 600))) == {
        1: Doubt(0),
        2: Doubt(0),
    }


def test_barely_long_enough_is_short():
    """Less than one and a half times the frames that an object needs."""
    assert found(rows(1, range(5), at(300, 300))) == {1: Doubt.SHORT}


def test_a_second_without_a_box_is_a_gap():
    """Filled or not."""
    seen = rows(1, [*range(10), *range(20, 30)], at(300, 300))
    filled = rows(1, range(10, 20), at(300, 300), origin=Origin.INTERPOLATED)

    assert found(seen) == found(seen, filled) == {1: Doubt.GAP}
    assert found(rows(1, [*range(10), *range(18, 30)], at(300, 300))) == {1: Doubt(0)}


def test_two_that_end_and_begin_in_one_place_may_be_one():
    """Within the picture; who leaves it and who comes in there are two."""
    first, then = rows(1, range(20), at(500, 500)), rows(2, range(30, 60), at(520, 500))
    assert found(first, then) == {1: Doubt.SPLIT, 2: Doubt.SPLIT}

    first, then = rows(1, range(20), at(5, 500)), rows(2, range(30, 60), at(20, 500))
    assert found(first, then) == {1: Doubt(0), 2: Doubt(0)}


def test_what_was_joined_may_be_two():
    """A chain of two tracks."""
    traffic = rows(1, range(60), at(100, 300, 5)), rows(2, range(60), at(600, 340, -5))
    parts = rows(7, range(10), at(200, 700, 5)), rows(8, range(15, 40), at(200, 700, 5))

    assert Doubt.LINKED in found(*traffic, *parts, judge=True)[7]


def test_evidence_close_to_a_bar_is_near():
    """It went hardly as far as it is large."""
    traffic = rows(1, range(60), at(100, 300, 5)), rows(2, range(60), at(600, 340, -5))
    barely = rows(7, range(8), at(200, 700, 4.3), confidence=0.6)
    clearly = rows(9, range(40), at(200, 800, 5), confidence=0.65)

    marks = found(*traffic, barely, clearly, judge=True)

    assert Doubt.NEAR in marks[7]
    assert marks[9] == Doubt(0)


made = st.builds(
    rows,
    st.integers(1, 9),
    st.sets(st.integers(0, 59), min_size=1).map(sorted),
    st.builds(at, st.integers(0, 1000), st.integers(0, 1000), st.integers(-30, 30)),
    confidence=st.sampled_from([0.1, 0.4, 0.6, 0.9]),
)


@given(st.lists(made, max_size=6, unique_by=lambda part: part[0][1]), st.booleans())
def test_only_objects_that_count_are_doubtful(parts, judge):
    """Whatever the tracks look like."""
    marks = found(*parts, judge=judge)

    hits = {part[0][1]: len(part) for part in parts}
    if not judge:
        assert all(not mark for track_id, mark in marks.items() if hits[track_id] < MIN_HITS)
        assert all(Doubt.SHORT in mark for track_id, mark in marks.items() if MIN_HITS <= hits[track_id] < 6)
    assert set(marks) <= set(hits)
