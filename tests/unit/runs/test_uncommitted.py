"""What an earlier start wrote ahead of its commits goes before the work goes on; what was committed stays."""

import pytest

from sightline.adapters.files.objects import FolderObjects
from sightline.ports import Commit, Saved
from sightline.runs.uncommitted import drop_uncommitted
from sightline.runtime.host import accept
from sightline.stages.collect import SEGMENT, segment_keys
from sightline.testing import MemoryStore, scripted_recipe
from tests.crash.jobs import files_below

STREAM = "detections:cars"


@pytest.fixture
def built(tmp_path):
    return tmp_path / "files"


def begun(store, job_id: str, segments: int):
    """A job of which so many segments were committed."""
    recipe = scripted_recipe(job_id, 1000, prefix=f"{job_id}/")
    accept(store, recipe)
    at = store.claim("collect", f"cars of {job_id}", 0)
    store.commit(Commit(at, 0, job_id, STREAM, Saved(segments * SEGMENT, b"")))
    return recipe


def keys(job_id: str, segments: int) -> list[str]:
    return segment_keys(f"{job_id}/", STREAM, segments * SEGMENT)


def test_segments_that_no_commit_names_and_whatever_was_rendered_go(built):
    """Of this job; those of another job in the same store are not looked at."""
    store, objects = MemoryStore(), FolderObjects(built)
    recipe = begun(store, "a", 1)
    begun(store, "b", 1)
    for key in (*keys("a", 2), *keys("b", 2), "a/count.csv", "b/count.csv"):
        objects.put_new(key, (b"",))

    drop_uncommitted(store, recipe, objects, built)

    assert sorted(files_below(built)) == sorted([*keys("a", 1), *keys("b", 2), "b/count.csv"])


@pytest.mark.parametrize("state", ["ready", "failed", "cancelled"])
def test_what_a_job_that_ended_has_written_stays(built, state):
    """It is only to be moved into place, and nobody would write it again."""
    store, objects = MemoryStore(), FolderObjects(built)
    recipe = begun(store, "a", 1)
    store.advance("a", state)
    objects.put_new("a/count.csv", (b"",))

    drop_uncommitted(store, recipe, objects, built)

    assert sorted(files_below(built)) == ["a/count.csv"]


def test_of_a_job_that_was_never_stored_nothing_stays(built):
    """The power went before its row was on the disk."""
    objects = FolderObjects(built)
    objects.put_new("a/count.csv", (b"",))

    drop_uncommitted(MemoryStore(), scripted_recipe("a", prefix="a/"), objects, built)

    assert files_below(built) == {}
