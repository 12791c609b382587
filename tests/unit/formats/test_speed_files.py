"""Speeds as CSV and JSON, and the tables of groups and lines."""

import csv
import json
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.counts import Unplaced
from sightline.formats import speeds_csv, speeds_json
from sightline.formats.speed_table import DIRECTIONS, Measured, by_group, by_line, direction_of
from sightline.speeds import JobSpeeds, Passage, Way

from . import counted

WAYS = (
    Way("cars", 1, "car", 0, 24, 359.97, 0.98765, 26.0, 40.0, 2.0),
    Way("cars", 3, "bus", 8, 11, 91.0, 1.0, 14.0, 20.0, 4.0),
    Way("cars", 4, "car", 8, 11, 100.0, 0.5, 14.0, 50.0, 3.0),
    Way("cars", 5, "car", 8, 11, None, None, None, None, None),
    Way("people", 1, "person", 20, 23, 180.0, 1.0, None, None, None),
)
PASSAGES = (
    Passage("north", "in", "cars", 1, "car", 12, 2.0, 42.0, 3.0),
    Passage("north", "in", "people", 1, "person", 19, None, None, None),
)


def measured(**changes):
    return Measured(counted.job(), JobSpeeds(**{"ways": WAYS, "passages": PASSAGES} | changes))


def rows(files):
    ((name, chunks),) = files
    return name, list(csv.DictReader(b"".join(chunks).decode().splitlines()))


def test_a_row_for_each_object():
    """Frames and times of its first and last box; nothing where nothing is known, and no heading of 360."""
    name, found = rows(speeds_csv.files([measured()]))

    assert name == "speeds.csv"
    assert list(found[0]) == list(speeds_csv.COLUMNS)
    assert found[0] == {
        "video_id": "street",
        "group": "cars",
        "track_id": "1",
        "label": "car",
        "first_frame": "10",
        "last_frame": "34",
        "start_s": "1.000000",
        "end_s": "3.400000",
        "start_time": found[0]["start_time"],
        "end_time": found[0]["end_time"],
        "heading": "0.0",
        "straightness": "0.988",
        "speed_kmh": "40.0",
        "error_kmh": "2.0",
        "metres": "26.0",
    }
    assert [found[3][name] for name in ("heading", "straightness", "speed_kmh", "error_kmh", "metres")] == (
        [""] * 5
    )


def test_times_are_on_the_clock_where_there_is_one():
    start = datetime.fromisoformat("2024-05-17T07:00:00+02:00")
    run = Measured(counted.job(clock_start=start), JobSpeeds(WAYS, PASSAGES))

    _, found = rows(speeds_csv.files([run]))
    _, crossed = rows(speeds_csv.files([replace(run, lines=counted.LINES)]))

    assert found[0]["start_time"] == "2024-05-17T07:00:01.000000+02:00"
    assert crossed[0]["time"] == "2024-05-17T07:00:02.200000+02:00"


def test_a_row_for_each_crossing():
    name, found = rows(speeds_csv.files([replace(measured(), lines=counted.LINES)]))

    assert name == "crossings.csv"
    assert list(found[0]) == list(speeds_csv.CROSSING_COLUMNS)
    assert [(row["name"], row["frame"], row["pts_s"], row["speed_kmh"]) for row in found] == [
        ("north", "22", "2.200000", "42.0"),
        ("north", "29", "2.900000", ""),
    ]


def test_json_has_all_of_it():
    """Objects and crossings as in the tables, and the roses."""
    ((name, chunks),) = speeds_json.files([measured()])
    found = json.loads(b"".join(chunks))

    assert (name, found["v"]) == ("speeds.json", 1)
    (run,) = found["runs"]
    assert run["video_id"] == "street"
    assert run["objects"][0]["heading"] == 0.0
    assert run["objects"][3]["speed_kmh"] is None
    assert run["crossings"][0]["speed_kmh"] == 42.0
    assert run["groups"][0] == {
        "group": "cars",
        "objects": 4,
        "measured": 3,
        "median_kmh": 40.0,
        "lower_kmh": 30.0,
        "upper_kmh": 45.0,
        "error_kmh": 3.0,
        "rose": dict.fromkeys(DIRECTIONS, 0) | {"up": 1, "right": 2},
    }
    assert [(line["name"], line["direction"], line["group"]) for line in run["lines"]] == [
        ("north", "in", "cars"),
        ("north", "in", "people"),
    ]
    assert "unplaced" not in run


def test_json_says_where_the_camera_was_lost():
    lost = measured(unplaced=(Unplaced(("headings and speeds",), 5, 12),))

    assert speeds_json.plain(lost)["unplaced"] == [
        {"video_id": "street", "names": ("headings and speeds",), "frame": 15, "start_s": 1.5, "end_s": 2.2}
    ]


def test_groups_and_lines():
    """One without a tracker has no objects; medians are of those that have a speed."""
    cars, people, signs = by_group(measured())

    assert (cars.objects, cars.measured, cars.median_kmh, cars.error_kmh) == (4, 3, 40.0, 3.0)
    assert (people.objects, people.measured, people.median_kmh) == (1, 0, None)
    assert people.rose[DIRECTIONS.index("down")] == 1
    assert (signs.objects, sum(signs.rose)) == (0, 0)
    assert [(row.line, row.objects, row.median_kmh) for row in by_line(measured())] == [
        ("north", 1, 42.0),
        ("north", 1, None),
    ]


@pytest.mark.parametrize(("heading", "name"), list(zip(range(0, 360, 45), DIRECTIONS, strict=True)))
def test_a_direction_is_about_its_middle(heading, name):
    for off in (-22, 0, 22):
        assert DIRECTIONS[direction_of((heading + off) % 360)] == name


@given(st.floats(0, 360))
def test_every_heading_has_a_direction(heading):
    assert 0 <= direction_of(heading) < 8
