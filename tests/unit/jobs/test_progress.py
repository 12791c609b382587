"""How far each stage of a job is."""

from sightline.jobs.progress import progress_of
from sightline.testing import scripted_recipe
from sightline.vision.bytetrack import TrackerSettings

TRACKED = scripted_recipe("j", 90, tracker=TrackerSettings())
DETECTED = scripted_recipe("j", 90)


def test_a_job_that_was_just_begun():
    """Every stage that it needs is there, in the order in which frames pass."""
    found = progress_of(TRACKED, {}, "processing")

    assert [*found] == ["feed", "detect", "track", "stats", "collect", "publish"]
    assert {each.done for each in found.values()} == {0}
    assert found["feed"].total == 90
    assert found["publish"].total == 1


def test_a_stage_is_as_far_as_the_stream_in_which_it_is_least_far():
    """Detection commits nothing: it is as far as the first who reads it."""
    done = {("feed", "frames:main"): 91}
    for n, group in enumerate(TRACKED.class_ids):
        done["track", f"detections:{group}"] = 40 + n
        done["collect", f"detections:{group}"] = 64 + n
        done["collect", f"tracks:{group}"] = 32

    found = progress_of(TRACKED, done, "processing")

    assert {name: each.done for name, each in found.items()} == {
        "feed": 90,
        "detect": 64,
        "track": 40,
        "stats": 0,
        "collect": 0,
        "publish": 0,
    }


def test_without_tracks_no_stage_of_theirs_is_waited_for():
    """And the end of a stream is no frame."""
    done = {("collect", name): 91 for name in DETECTED.streams}

    found = progress_of(DETECTED, {("feed", "frames:main"): 91, **done}, "ready")

    assert {name: each.done for name, each in found.items()} == {
        "feed": 90,
        "detect": 90,
        "collect": 90,
        "publish": 1,
    }
