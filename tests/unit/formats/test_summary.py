"""`summary.json`."""

import json
from fractions import Fraction
from pathlib import Path

import jsonschema
from hypothesis import given

from sightline.formats import summary
from sightline.types import FrameTable
from sightline.vision.counting import count_job, cumulative

from . import counted
from .jobs import jobs, written

SCHEMA = Path(__file__).resolve().parents[3] / "docs" / "reference" / "schemas" / "summary.schema.json"


def summed(result, counts):
    return json.loads(written(summary.files(result, counts))["summary.json"])


def test_the_rule_is_stated_with_the_count():
    """In words and as a number, with the rate it was made from."""
    found = summed(counted.job(rate=Fraction(30000, 1001)), counted.counts())

    assert list(found) == ["v", "video_id", "rule", "rate", "groups", "per_second"]
    assert found["rule"]["min_hits"] == 3
    assert found["rule"]["text"].startswith("an object counts once, in the 3rd frame in which")
    assert found["rate"] == "30000/1001"


def test_groups_say_what_was_counted():
    """Too short a track is in no number but that of the ids; a group without a tracker is not there."""
    found = summed(counted.job(), counted.counts())

    assert found["groups"] == {
        "cars": {
            "unique": 2,
            "peak": 2,
            "raw_ids": 3,
            "classes": {"car": {"unique": 1, "peak": 1}, "bus": {"unique": 1, "peak": 1}},
        },
        "people": {"unique": 1, "peak": 1, "raw_ids": 1, "classes": {"person": {"unique": 1, "peak": 1}}},
    }


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
