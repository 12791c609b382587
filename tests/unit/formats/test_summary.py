"""`summary.json`."""

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import jsonschema
import numpy as np
from hypothesis import given

from sightline.formats import summary
from sightline.types import FrameTable
from sightline.verdicts import Reason, Verdicts
from sightline.vision.counting import count_job, cumulative

from . import counted
from .jobs import jobs, written

SCHEMA = Path(__file__).resolve().parents[3] / "docs" / "reference" / "schemas" / "summary.schema.json"


def summed(result, counts):
    return json.loads(written(summary.files(result, counts))["summary.json"])


def test_the_rule_is_stated_with_the_count():
    """In words and as a number, with the rate it was made from."""
    found = summed(counted.job(rate=Fraction(30000, 1001)), counted.counts())

    assert list(found) == ["v", "video_id", "rule", "rate", "groups", "objects", "per_second"]
    assert found["rule"]["min_hits"] == 3
    assert found["rule"]["text"].startswith("an object counts once, in the 3rd frame in which")
    assert found["rate"] == "30000/1001"


def test_groups_say_what_was_counted():
    """Too short a track is in no number but that of the ids; a group without a tracker is not there."""
    found = summed(counted.job(), counted.counts())

    assert found["groups"] == {
        "cars": {
            "unique": 2,
            "doubtful": 0,
            "peak": 2,
            "raw_ids": 3,
            "classes": {"car": {"unique": 1, "peak": 1}, "bus": {"unique": 1, "peak": 1}},
        },
        "people": {
            "unique": 1,
            "doubtful": 0,
            "peak": 1,
            "raw_ids": 1,
            "classes": {"person": {"unique": 1, "peak": 1}},
        },
    }


def test_every_object_says_why_it_counts():
    """Where thresholds are fixed the tracker has decided, by boxes; when it was in view stands beside."""
    found = summed(counted.job(), counted.counts())

    rows = [(row["group"], row["label"], row["why"], row["doubts"]) for row in found["objects"]]
    assert rows == [
        ("cars", "car", "boxes", []),
        ("cars", "bus", "boxes", []),
        ("people", "person", "boxes", []),
    ]
    assert all(row["from"] <= row["to"] for row in found["objects"])


def test_refused_tracks_say_what_stands_against_them():
    """Those that were seen as often as an object; of the others there is a number."""
    whole, real = np.array([1, 2, 3]), np.array([0.8, 0.5, 0.3])
    verdicts = Verdicts(
        whole,
        np.array([Reason.BOXES, Reason.STANDS, Reason.SHORT], np.uint8),
        whole,
        np.array([9, 5, 1]),
        *[real] * 4,
        np.zeros(3, np.int64),
        np.ones(3, np.int64),
        np.array([False, True, False]),
        True,
    )
    job = counted.job()
    first = replace(job.groups[0], level=0.8, verdicts=verdicts)

    found = summed(replace(job, groups=(first, *job.groups[1:])), counted.counts())

    refused = [row for row in found["objects"] if "refused" in row]
    assert [(row["id"], row["refused"], row["doubts"]) for row in refused] == [(2, "stands", ["near"])]
    cars = found["groups"]["cars"]
    assert (cars["reference"], cars["camera"], cars["why"]["boxes"]) == (0.8, "still", 1)
    assert (cars["refused"]["stands"], cars["refused"]["short"]) == (1, 1)
    jsonschema.validate(found, json.loads(SCHEMA.read_text()), jsonschema.Draft202012Validator)


def test_who_rides_says_on_what():
    """The rider is counted with the two-wheeler."""
    job = counted.job()
    first = replace(job.groups[0], riders={7: 4})

    found = summed(replace(job, groups=(first, *job.groups[1:])), counted.counts())

    (row,) = (row for row in found["objects"] if "refused" in row)
    assert row == {"id": 7, "group": "cars", "refused": "rides", "on": 4, "doubts": []}
    jsonschema.validate(found, json.loads(SCHEMA.read_text()), jsonschema.Draft202012Validator)


def test_seconds_say_what_was_in_view():
    """The most in one frame of the second, and who counted first in it; by second, then group."""
    found = summed(counted.job(), counted.counts())

    assert [(row["t"], row["group"], row["visible"], row["entered"]) for row in found["per_second"]] == [
        (1, "cars", 2, 1),
        (1, "people", 0, 0),
        (2, "cars", 2, 1),
        (2, "people", 0, 0),
        (3, "cars", 1, 0),
        (3, "people", 1, 1),
    ]


def test_a_job_without_frames_has_no_seconds():
    """And counts nothing."""
    job = counted.job(frames=FrameTable([], [], (), ()), groups=())

    found = summed(job, count_job(job))

    assert (found["groups"], found["per_second"]) == ({}, [])


@given(jobs())
def test_numbers_agree_with_each_other(job):
    """Seconds and classes sum to the count, the peak is the most of any second; the schema is kept."""
    found = summed(job, count_job(job))

    jsonschema.validate(found, json.loads(SCHEMA.read_text()), jsonschema.Draft202012Validator)
    for group in job.groups:
        if group.tracks is None:
            assert group.name not in found["groups"]
            continue
        numbers = found["groups"][group.name]
        seconds = [row for row in found["per_second"] if row["group"] == group.name]
        last = cumulative(job.frames, group.tracks, job.min_hits)[-1:].tolist()
        assert numbers["unique"] == sum(row["entered"] for row in seconds) == sum(last)
        assert numbers["unique"] == sum(each["unique"] for each in numbers["classes"].values())
        assert numbers["peak"] == max((row["visible"] for row in seconds), default=0)
        assert numbers["unique"] <= numbers["raw_ids"]
