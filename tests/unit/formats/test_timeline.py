"""The axis of time on which counted jobs lie."""

from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.errors import Misconfigured
from sightline.formats.count_bins import bin_counts
from sightline.formats.timeline import Timeline, alone, joined
from sightline.types import FrameTable

from . import counted

SEVEN = datetime.fromisoformat("2024-05-17T07:03:20+02:00")
SECOND, MINUTE = 1_000_000, 60_000_000


def job(name="a", start=None, first_us=0, frames=30, step_us=100_000):
    """A counted job of 30 frames at 10 a second."""
    pts_us = first_us + np.arange(frames) * step_us
    table = FrameTable(np.arange(frames), pts_us, ("ok",) * frames, ("",) * frames)
    return counted.job(video_id=name, frames=table, clock_start=start), counted.counts()


def on_axis(*starts, **first):
    """Jobs named a, b, ... with their start times."""
    jobs = [job("abcdef"[place], start, **first) for place, start in enumerate(starts)]
    return joined(jobs, starts)


def test_a_video_lies_on_an_axis_of_its_own():
    """With its name and its clock; frames begin where its presentation times do."""
    axis = alone(*job(start=SEVEN, first_us=SECOND))

    assert (axis.video_id, axis.clock_start) == ("a", SEVEN)
    assert axis.spans_us() == [(SECOND, 4 * SECOND)]
    assert axis.time(SECOND, "seconds") == "2024-05-17T07:03:21+02:00"


def test_files_without_a_start_time_lie_right_behind_each_other():
    """Also where a file's first frame is not at its begin."""
    axis = on_axis(SEVEN, None, None, first_us=SECOND)

    assert axis.video_id == "a..c"
    assert [each.span_us for each in axis.jobs] == [
        (1 * SECOND, 4 * SECOND),
        (4 * SECOND, 7 * SECOND),
        (7 * SECOND, 10 * SECOND),
    ]
    assert axis.spans_us() == [(SECOND, 10 * SECOND)]


def test_a_file_with_a_start_time_lies_where_the_clock_says():
    """The same moment in another offset is the same moment; the one behind it follows it."""
    later = datetime.fromisoformat("2024-05-17T05:13:20+00:00")

    axis = on_axis(SEVEN, later, None)

    assert [each.start_us for each in axis.jobs] == [0, 10 * MINUTE, 10 * MINUTE + 3 * SECOND]
    assert axis.spans_us() == [(0, 3 * SECOND), (10 * MINUTE, 10 * MINUTE + 6 * SECOND)]


def test_without_any_start_time_times_count_from_the_begin_of_the_first_file():
    """No date is made up."""
    axis = on_axis(None, None)

    assert axis.clock_start is None
    assert axis.time(axis.jobs[1].start_us) == "00:00:03.000000"


def test_a_start_time_behind_a_file_that_has_none_is_refused():
    """Nobody knows how far apart they are."""
    with pytest.raises(Misconfigured, match=r"nobody said when a begins: say it with start_time="):
        on_axis(None, SEVEN)


def test_files_out_of_order_are_refused():
    """Naming them in order mends it."""
    with pytest.raises(Misconfigured, match=r"b begins at .*, before a, .*in the order of time"):
        on_axis(SEVEN, SEVEN - timedelta(seconds=1))


def test_files_that_overlap_are_one_span_and_said():
    """Clocks of recorders have whole seconds: up to a second is nothing to speak of."""
    slightly = on_axis(SEVEN, SEVEN + timedelta(seconds=2))
    well = on_axis(SEVEN, SEVEN + timedelta(milliseconds=500))

    assert list(slightly.overlaps()) == []
    assert list(well.overlaps()) == [("a", "b", 2_500_000)]
    assert well.spans_us() == [(0, 3_500_000)]


def bins_of(axis: Timeline, bin_us: int | None):
    """Begin, end and covered seconds of each bin."""
    rows = {(row.start_us, row.end_us, row.covered_us) for row in bin_counts(axis, bin_us)}
    return [(axis.time(a, "seconds"), axis.time(b, "seconds"), c / SECOND) for a, b, c in sorted(rows)]


def test_bins_lie_on_the_clock_and_say_how_much_of_them_is_covered():
    """A video from 07:03:20 to 07:33:20: its first quarter of an hour begins at 07:00."""
    axis = alone(*job(start=SEVEN, frames=30, step_us=MINUTE))

    assert bins_of(axis, 15 * MINUTE) == [
        ("2024-05-17T07:00:00+02:00", "2024-05-17T07:15:00+02:00", 700),
        ("2024-05-17T07:15:00+02:00", "2024-05-17T07:30:00+02:00", 900),
        ("2024-05-17T07:30:00+02:00", "2024-05-17T07:45:00+02:00", 140.1),
    ]


@pytest.mark.parametrize("offset", ["+00:00", "+02:00", "+05:30", "-03:30", "+05:45"])
def test_quarters_of_an_hour_are_those_of_the_offset(offset):
    """Wherever the camera stands."""
    axis = alone(*job(start=datetime.fromisoformat(f"2024-05-17T07:03:20{offset}")))

    assert [begin for begin, _, _ in bins_of(axis, 15 * MINUTE)] == [f"2024-05-17T07:00:00{offset}"]
    assert [begin for begin, _, _ in bins_of(axis, 24 * 60 * MINUTE)] == [f"2024-05-17T00:00:00{offset}"]


def test_bins_go_on_behind_midnight():
    """The grid is laid from the midnight before."""
    late = datetime.fromisoformat("2024-05-17T23:50:00.250000+02:00")
    axis = alone(*job(start=late, step_us=MINUTE))

    assert [begin for begin, _, _ in bins_of(axis, 15 * MINUTE)] == [
        "2024-05-17T23:45:00+02:00",
        "2024-05-18T00:00:00+02:00",
        "2024-05-18T00:15:00+02:00",
    ]


def test_without_a_clock_bins_lie_on_the_begin_of_the_video():
    """Relative times, no date."""
    axis = alone(*job(step_us=MINUTE))

    assert [bin[:2] for bin in bins_of(axis, 15 * MINUTE)] == [
        ("00:00:00", "00:15:00"),
        ("00:15:00", "00:30:00"),
    ]


def test_a_bin_between_files_has_no_rows():
    """Nobody looked, so nothing was counted there, not even zero."""
    axis = on_axis(SEVEN, SEVEN + timedelta(hours=1))

    assert bins_of(axis, 15 * MINUTE) == [
        ("2024-05-17T07:00:00+02:00", "2024-05-17T07:15:00+02:00", 3),
        ("2024-05-17T08:00:00+02:00", "2024-05-17T08:15:00+02:00", 3),
    ]
    assert bins_of(axis, None) == [("2024-05-17T07:03:20+02:00", "2024-05-17T08:03:23+02:00", 6)]


def totals(rows) -> dict:
    found: dict = {}
    for row in rows:
        key = row.kind, row.name, row.direction, row.group, row.label
        found[key] = found.get(key, 0) + row.count
    return found


@given(
    st.lists(st.integers(-5, 400) | st.none(), min_size=1, max_size=4),
    st.sampled_from([SECOND, 7 * SECOND, 15 * MINUTE, 25 * 3600 * SECOND, None]),
)
def test_joined_files_count_what_they_count_alone(gaps, bin_us):
    """Whatever lies between them and whatever the bins: nobody is lost, nobody is invented."""
    starts, at = [SEVEN], 0.0
    for gap in gaps:
        at += 10 + (gap or 0)
        starts.append(None if gap is None else SEVEN + timedelta(seconds=at))
    jobs = [job("abcdef"[place], start) for place, start in enumerate(starts)]

    whole = totals(bin_counts(joined(jobs, starts), bin_us))

    parts = [totals(bin_counts(alone(*each), bin_us)) for each in jobs]
    assert whole == {key: sum(part[key] for part in parts) for key in parts[0]}
