"""`counts.csv` and its bins."""

import csv
import io
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.errors import Misconfigured
from sightline.formats import counts_csv
from sightline.formats.count_bins import bin_counts, parse_bins
from sightline.formats.timeline import alone
from sightline.types import FrameTable
from sightline.vision.counting import count_job

from . import counted
from .jobs import jobs, written


def rows(result, counts, bin_us=None):
    text = written(counts_csv.files([alone(result, counts)], bin_us))["counts.csv"]
    return list(csv.DictReader(io.StringIO(text)))


def key(row):
    return row["kind"], row["name"], row["direction"], row["group"], row["label"]


def test_every_series_has_a_row_in_every_bin():
    """Zeros too; by bin, then kind, line or zone, direction, group, class."""
    found = rows(counted.job(), counted.counts(), 2_000_000)

    series = [key(row) for row in found]
    assert len(series) == 2 * len(set(series))
    assert series[: len(series) // 2] == series[len(series) // 2 :] == [
        (kind, name, direction, group, label)
        for kind, name, direction in [
            ("unique", "", ""), ("line", "north", "in"), ("line", "north", "out"),
            ("zone_enter", "yard", ""), ("zone_exit", "yard", ""),
        ]
        for group, label in [("cars", "car"), ("cars", "bus"), ("people", "person")]
    ]  # fmt: skip


def test_bins_lie_on_a_grid_from_the_begin_of_the_video():
    """The video's frames are from second 1 to 3.9: bins 0 to 2 and 2 to 4."""
    found = rows(counted.job(), counted.counts(), 2_000_000)

    assert [
        (row["start_s"], row["end_s"], row["start_time"], row["end_time"])
        for row in found[:: len(found) // 2]
    ] == [
        ("0.000000", "2.000000", "2024-05-17T00:00:00+02:00", "2024-05-17T00:00:02+02:00"),
        ("2.000000", "4.000000", "2024-05-17T00:00:02+02:00", "2024-05-17T00:00:04+02:00"),
    ]


def test_an_object_is_unique_in_the_bin_in_which_it_counts():
    """Not where it was first seen; events by the frame in which they happened."""
    found = rows(counted.job(), counted.counts(), 2_000_000)

    assert [(row["start_s"][0], *key(row)[:3], row["label"]) for row in found if row["count"] == "1"] == [
        ("0", "unique", "", "", "car"),
        ("2", "unique", "", "", "bus"),
        ("2", "unique", "", "", "person"),
        ("2", "line", "north", "in", "car"),
        ("2", "line", "north", "in", "person"),
        ("2", "line", "north", "out", "car"),
        ("2", "zone_enter", "yard", "", "bus"),
        ("2", "zone_exit", "yard", "", "bus"),
    ]


def test_without_bins_the_video_is_one():
    """From its first frame to the end of its last one."""
    found = rows(counted.job(), counted.counts())

    assert {(row["start_s"], row["end_s"]) for row in found} == {("1.000000", "4.000000")}
    assert [row["count"] for row in found[:3]] == ["1", "1", "1"]


def test_a_video_without_frames_has_no_bins():
    """There is no time in which nothing was counted."""
    job = counted.job(frames=FrameTable([], [], (), ()))

    assert rows(job, counted.counts(events=()), 1_000_000) == []


@given(jobs(), st.integers(1_000_000, 9_000_000) | st.none())
def test_bins_sum_to_the_count(job, bin_us):
    """Whatever the bins, nobody is lost and nobody counts twice."""
    counts = count_job(job, counted.LINES, counted.ZONES)

    binned, expected = Counter(), Counter()
    for row in bin_counts(alone(job, counts), bin_us):
        binned[row.kind, row.group, row.label] += row.count
    for group, tracks in zip(job.groups, counts.groups, strict=True):
        for number in tracks.class_id[tracks.counted] if tracks else ():
            expected["unique", group.name, job.labels[number]] += 1
    for event in counts.events:
        expected[event.kind, event.group, event.label] += 1
    assert +binned == expected


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("10s", 10),
        ("15m", 900),
        ("15min", 900),
        ("1h", 3600),
        (" 2 Hours ", 7200),
        ("1.5s", 1.5),
        ("0.5 min", 30),
    ],
)
def test_bins_are_a_number_and_a_unit(text, seconds):
    """Exact to the microsecond."""
    assert parse_bins(text) == seconds * 1_000_000


@pytest.mark.parametrize(
    "text",
    ["", "15", "m", "15x", "-1s", "1e3s", "15m30s", "0s", "0.5s", "1.0000001s", "8785h", "99999999999h"],
)
def test_other_bins_are_refused(text):
    """The message says how to write them."""
    with pytest.raises(Misconfigured, match="bins"):
        parse_bins(text)
