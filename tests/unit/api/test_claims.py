"""What an upload leaves that ended with its process."""

import pytest

from sightline.api.claims import UPLOAD, Claim, reap
from sightline.api.problems import Problem
from sightline.ports import Job
from tests.contract.serving import World


@pytest.fixture
def world():
    return World()


def began(world: World, job_id: str, by: str = "one") -> Claim:
    """An upload whose object is there, and whose process is then killed."""
    claim = Claim(world.backend(), job_id, by)
    claim.open()
    claim.add(f"videos/input/{job_id}.mp4")
    world.objects.put_new(f"videos/input/{job_id}.mp4", [b"x"])
    world.objects.put_new(f"sightline/jobs/{job_id}/index.bin", [b"i"])
    return claim


def test_reaping_removes_what_no_row_names(world):
    """Object, index and note; what belongs to a job stays."""
    began(world, "a")
    began(world, "b")
    world.store.create(Job("b", "b", 0), [])

    assert reap(world.notes, world.store, world.objects) == 2
    assert world.stored() == ["sightline/jobs/b/index.bin", "videos/input/b.mp4"]
    assert world.notes.list(UPLOAD) == []
    assert reap(world.notes, world.store, world.objects) == 0


def test_reaping_goes_over_all_pages(world):
    """More than a page of notes."""
    for number in range(120):
        began(world, f"{number:03d}")

    assert reap(world.notes, world.store, world.objects) == 120
    assert world.stored() == []


def test_a_claim_is_a_lock(world):
    """One at a time; then the next."""
    first = began(world, "a")
    with pytest.raises(Problem, match="still running"):
        began(world, "a", by="another")
    first.close()

    began(world, "a").close()
    assert world.stored() == []
