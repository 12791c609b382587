"""A recipe: all that decides a job's bytes, as JSON that any process reads."""

import json
from datetime import UTC, datetime

import msgspec
import pytest

from sightline.errors import Corrupt, Misconfigured
from sightline.jobs.derived import detect_of, facts_of, plan_of
from sightline.jobs.recipe import asked_of, decode, encode, job_of
from sightline.runtime.routes import recipe_of
from sightline.testing import ScriptedReader, begun_job, scripted_recipe
from sightline.vision.bytetrack import TrackerSettings
from sightline.vision.refine import RefineSettings

RECIPE = scripted_recipe("j", 90, tracker=TrackerSettings(), refine=RefineSettings(link_s=1.5))


def test_it_comes_back_from_json_as_it_was():
    """Every field; through text, as a row of a database holds it."""
    text = json.dumps(encode(RECIPE))

    assert decode(json.loads(text)) == RECIPE


def test_what_follows_from_it_is_the_same_in_another_process():
    """Frames, detections and results need nothing but the row and the index of the source."""
    other = decode(json.loads(json.dumps(encode(RECIPE))))
    index = ScriptedReader(90).index()

    assert plan_of(other, index).rows.tolist() == plan_of(RECIPE, index).rows.tolist()
    assert detect_of(other) == detect_of(RECIPE)
    assert facts_of(other) == facts_of(RECIPE)
    assert asked_of(job_of(RECIPE)) == recipe_of(begun_job(RECIPE)) == RECIPE


def test_a_job_has_the_clock_of_its_recipe():
    """As text in the row, as a time with its offset in a result."""
    start = datetime(2026, 11, 28, 8, 0, 0, tzinfo=UTC)
    recipe = msgspec.structs.replace(RECIPE, clock_start=start.isoformat())

    assert facts_of(recipe).clock_start == start


def test_a_newer_recipe_is_refused_and_garbage_is_corrupt():
    """The first is a matter of the release, the second of the row."""
    with pytest.raises(Misconfigured, match="version 3, this Sightline knows 2"):
        decode({**encode(RECIPE), "v": 3})
    for facts in ({}, {**encode(RECIPE), "rate": 5}, {**encode(RECIPE), "settings": None}):
        with pytest.raises(Corrupt, match="recipe cannot be read"):
            decode(facts)


def test_in_order_means_one_partition_of_frames_and_changes_nothing_else():
    """The same run key: it is no result setting."""
    ordered = RECIPE.in_order()

    assert ordered.route.frame_partitions == 1
    assert msgspec.structs.replace(ordered, route=RECIPE.route) == RECIPE
