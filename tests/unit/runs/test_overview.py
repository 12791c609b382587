"""A run at a glance: in view, unique, peak, lost and gaps, as counted by hand and by the other parts."""

import json

import numpy as np
import pytest

from sightline.runs.filtered import EVERYTHING, Filter, filtered, hits_of
from sightline.runs.opened import Frames, open_run
from sightline.runs.overview import gaps, lost, overview
from sightline.runs.place import in_folder
from tests.unit.scene import BROKEN, FRAMES

STEP = 40_000


@pytest.fixture(scope="module")
def run(finished):
    return open_run(in_folder(finished.path))


def looked(run, which=EVERYTHING, bins=7):
    groups = filtered(run, run.count(), which, lambda: hits_of(run)).groups
    return overview(run, groups, which, bins)


def frames(pts_us, numbers=None):
    pts_us = np.array(pts_us)
    return Frames(np.arange(len(pts_us)) if numbers is None else np.array(numbers), pts_us)


def test_it_says_what_was_in_view_and_when(run):
    """Two cars all the time, a person from frame 60 on, at 25 frames a second; 140 frames in seven bins."""
    found = looked(run)
    by_name = {each["group"]: each for each in found["groups"]}

    assert (found["bin_us"], found["begin_us"], found["duration_us"]) == (20 * STEP, 0, FRAMES * STEP)
    assert by_name["cars"] == {
        "group": "cars",
        "in_view": [2] * 7,
        "unique": 2,
        "peak": 2,
        "peak_frame": 0,
        "peak_pts_us": 0,
    }
    assert by_name["people"]["in_view"] == [0, 0, 0, 1, 1, 1, 1]
    assert by_name["people"]["peak_frame"] == 60
    assert found["rule"] == {"min_hits": 8, "rate": "25/1"}
    assert (found["tracks"]["counted"], found["gaps"]) == (sum(g["unique"] for g in found["groups"]), [])


def test_unique_and_peak_are_those_of_the_summary(finished, run):
    """Of each class and group."""
    summary = json.loads((finished.path / "summary.json").read_text())["groups"]
    found = looked(run)

    assert {each["group"]: (each["unique"], each["peak"]) for each in found["groups"]} == {
        name: (group["unique"], group["peak"]) for name, group in summary.items()
    }
    assert {(each["group"], each["label"]): (each["unique"], each["peak"]) for each in found["classes"]} == {
        (name, label): (of["unique"], of["peak"])
        for name, group in summary.items()
        for label, of in group["classes"].items()
    }


@pytest.mark.parametrize(
    "which", [Filter(classes=("people",)), Filter(min_confidence=0.85), Filter(min_hits=100)], ids=str
)
def test_a_filter_narrows_it_as_it_narrows_counts(run, which):
    """To the object; what does not count is not in view."""
    counts = filtered(run, run.count(), which, lambda: hits_of(run))
    found = looked(run, which)

    expected = [int(group.counted.sum()) for group in counts.groups]
    assert [each["unique"] for each in found["groups"]] == expected
    assert sum(each["unique"] for each in found["classes"]) == sum(expected)
    assert {each["peak_frame"] is None for each in found["groups"] if not each["unique"]} == {True}
    assert 0 < sum(expected) < 3
    assert found["rule"]["min_hits"] == (which.min_hits or 8)


def test_a_lost_frame_is_said_with_its_time(run):
    """The broken image of the scene."""
    (found,) = looked(run)["lost"]

    assert (found["first_frame"], found["last_frame"]) == (BROKEN, BROKEN)
    assert (found["start_us"], found["end_us"]) == (BROKEN * STEP, (BROKEN + 1) * STEP)
    assert found["outcome"] == "failed"


def test_lost_frames_that_follow_each_other_are_one_range():
    """Every other frame is sampled: 4 and 6 follow each other. Another reason is another range."""
    sampled = frames([0, 20, 40, 60, 80, 100], [0, 2, 4, 6, 8, 10])
    words = [
        (4, "failed", "decode"),
        (6, "failed", "decode"),
        (8, "skipped", "late"),
        (10, "skipped", "late"),
    ]
    not_ok = [{"frame": frame, "outcome": outcome, "reason": reason} for frame, outcome, reason in words]

    assert lost(sampled, not_ok, 117) == [
        {
            "first_frame": 4,
            "last_frame": 6,
            "start_us": 40,
            "end_us": 80,
            "outcome": "failed",
            "reason": "decode",
        },
        {
            "first_frame": 8,
            "last_frame": 10,
            "start_us": 80,
            "end_us": 117,
            "outcome": "skipped",
            "reason": "late",
        },
    ]
    assert [each["first_frame"] for each in lost(sampled, not_ok[::2], 117)] == [4, 8]
    assert lost(sampled, [], 117) == []


def test_a_gap_is_more_than_three_usual_steps():
    """Three are none."""
    assert gaps(np.array([0, 40, 80, 200, 240, 280, 401, 441])) == [{"start_us": 280, "end_us": 401}]
    assert gaps(np.array([0])) == []


def test_bins_without_frames_are_empty(run):
    """More bins than frames: each frame lies in one, the rest have nothing in view."""
    found = looked(run, bins=280)
    (cars,) = (each for each in found["groups"] if each["group"] == "cars")

    assert found["bin_us"] == STEP // 2
    assert len(cars["in_view"]) == 280
    assert cars["in_view"][1::2] == [0] * FRAMES
