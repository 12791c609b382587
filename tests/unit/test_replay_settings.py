"""Which settings of a tracker a replay has: what is named, and of the rest what the job had."""

import msgspec
import pytest

from sightline.errors import Misconfigured
from sightline.pipeline import TrackerOverrides, load, replay_of, resolve
from sightline.testing import scripted_recipe


def recipe_of(pipeline="traffic", refine=None, **changes):
    """A job as a pipeline has it, perhaps with flags."""
    resolved = resolve(load(pipeline))
    made = scripted_recipe("j")
    tracker = resolved.tracker and resolved.tracker.model_dump(mode="json") | {"version": 1} | changes
    kept = {"version": 1} if (resolved.refine if refine is None else refine) else None
    settings = msgspec.structs.replace(made.settings, tracker=tracker, refine=kept)
    return msgspec.structs.replace(made, settings=settings)


def asked(recipe, stage="track", refine=None, **changes):
    return replay_of(recipe, stage, TrackerOverrides(**changes), refine)


def test_nothing_is_named():
    """Then the job's own settings hold, whatever they are; also where nothing is followed."""
    for pipeline in ("traffic", "visdrone", "detect"):
        found = asked(recipe_of(pipeline))
        assert (found.tracker, found.refine) == (None, None)


def test_what_is_named_changes_and_the_rest_stays():
    """The values are those of the job, not of a pipeline file that says otherwise by now."""
    job = recipe_of("visdrone", match_thresh=0.77)

    found = asked(job, track_buffer=60)

    assert found.tracker | {"version": 1} == job.settings.tracker | {"track_buffer": 60.0}
    assert found.refine is False


@pytest.mark.parametrize(
    ("changes", "mode", "evidence", "refine"),
    [
        ({"track_buffer": 60}, "quality", True, True),
        ({"new_track_thresh": 0.5}, "quality", False, True),  # whoever names a threshold means it as it is
        ({"evidence": False}, "quality", False, True),
        ({"mode": "bytetrack"}, "bytetrack", False, False),
    ],
)
def test_rules_are_those_of_a_run(changes, mode, evidence, refine):
    """Evidence and refinement belong to `quality`."""
    found = asked(recipe_of("traffic"), **changes)

    assert (found.tracker["mode"], found.tracker["evidence"], found.refine) == (mode, evidence, refine)


def test_another_tracker_brings_what_belongs_to_it():
    """Refinement is on with `quality`, and evidence where the job's thresholds are given up for it."""
    found = asked(recipe_of("visdrone"), mode="quality", evidence=True)

    assert (found.tracker["evidence"], found.refine) == (True, True)
    assert found.tracker["track_high_thresh"] == 0.6  # the official one, which evidence scales


def test_refinement_alone():
    """It is switched off without a word about the tracker."""
    found = asked(recipe_of("traffic"), refine=False)

    assert (found.tracker["mode"], found.refine) == ("quality", False)


@pytest.mark.parametrize(
    ("pipeline", "stage", "changes", "said"),
    [
        ("traffic", "detect", {"track_buffer": 60}, "from track on"),
        ("detect", "track", {"mode": "bytetrack"}, "not followed"),
        ("visdrone", "track", {"track_low_thresh": 0.9}, "is above"),
        ("visdrone", "track", {"refine": True}, "quality tracker only"),
        ("traffic", "track", {"mode": "bytetrack", "evidence": True}, "quality tracker only"),
    ],
)
def test_what_does_not_fit_is_refused(pipeline, stage, changes, said):
    """Before there is a job."""
    with pytest.raises(Misconfigured, match=said):
        asked(recipe_of(pipeline), stage, **changes)
