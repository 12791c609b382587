"""The jobs that run: asked for once, but never told to be unknown for good."""

import pytest

from sightline.errors import Unavailable
from sightline.ports import Job
from sightline.runtime.known import KEPT, Known
from sightline.testing import AtCall, Faults, MemoryStore, Recorded, begun_job, scripted_recipe


def running(*job_ids: str) -> MemoryStore:
    store = MemoryStore()
    for job_id in job_ids:
        store.create(begun_job(scripted_recipe(job_id)), [])
    return store


def test_a_job_is_asked_for_once():
    """However many records name it."""
    jobs = Recorded(running("j1"))
    known = Known(jobs)

    assert [known("j1") is not None for _ in range(9)] == [True] * 9
    assert len(jobs.calls) == 1


def test_a_job_that_begins_later_is_known_then():
    """Before, nobody knows its frames."""
    store = running()
    store.create(Job("j1", "street", 0), [])
    known = Known(store)
    assert known("j1") is None

    store.advance("j1", "processing", facts=dict(begun_job(scripted_recipe("j1")).facts))

    assert known("j1") is not None


@pytest.mark.parametrize("state", ["ready", "failed", "cancelled"])
def test_a_job_that_has_ended_runs_no_more(state):
    """What comes of it is an answer that nobody asked for."""
    store = running("j1")
    store.advance("j1", state)

    assert Known(store)("j1") is None


def test_each_record_is_of_its_own_job():
    """Two that run at the same time are told apart."""
    known = Known(running("j1", "j2"))

    assert [known(job_id).job_id for job_id in ("j1", "j2", "j1")] == ["j1", "j2", "j1"]


def test_memory_does_not_grow_with_the_number_of_jobs():
    """The one that was asked for longest ago is asked for again."""
    jobs = Recorded(running(*(f"j{number}" for number in range(KEPT + 1))))
    known = Known(jobs)
    for number in range(KEPT + 1):
        known(f"j{number}")

    known("j0")

    assert len(jobs.calls) == KEPT + 2


def test_a_store_that_does_not_answer_is_no_answer():
    """Nobody takes the job for unknown."""

    def down():
        raise Unavailable("the database does not answer")

    known = Known(Faults(running("j1"), AtCall("get", "before", 1, down, dead=False)))

    with pytest.raises(Unavailable):
        known("j1")
    assert known("j1") is not None
