"""Outages and owners that were replaced: neither costs a frame, neither is mistaken for damage."""

import pytest

from sightline.adapters.sqlite.store import SqliteStore
from sightline.errors import Corrupt, EngineError, Fenced, Unavailable
from sightline.jobs.topology import JOB_TOPIC
from sightline.ports import Commit, Saved
from sightline.runtime.feed import Feeder
from sightline.runtime.retention import Retention
from sightline.testing import AtCall, Faults, MemoryObjects, MemoryStore, ScriptedDetector, ScriptedReader
from tests.crash.world import Crash
from tests.laws.scenes import addressed, job, stream
from tests.laws.test_feed_detect_laws import (
    accept,
    answers,
    drain,
    feeder,
    found,
    undisturbed,
    worker,
)
from tests.laws.test_feed_detect_laws import job as detect_job
from tests.laws.test_worker_laws import worker as fold_worker


def raising(error):
    def act():
        raise error

    return act


class BrokenDetector(ScriptedDetector):
    """Its engine fails."""

    def slot(self):
        return Faults(super().slot(), AtCall("result", "before", 1, raising(EngineError("engine"))))


@pytest.mark.parametrize("method", ["append", "read"])
def test_an_outage_is_no_attempt_on_a_frame(method):
    """A process that ends for want of space or log is started ten times over: no frame is given up for it."""
    store = MemoryStore()
    accept(store, detect_job())
    drain(feeder(store, 30, floor=10_000).step)

    for _ in range(10):
        full = Unavailable("disk full", code="disk_full")
        faulty = Faults(store, AtCall(method, "before", 1, raising(full)))
        with pytest.raises(Unavailable):
            drain(worker(store, ScriptedReader(30), log=faulty).step)
    drain(worker(store, ScriptedReader(30)).step)

    assert answers(store) == undisturbed(30)


def test_a_broken_engine_is_no_attempt_on_a_frame():
    """Nor is one that fails with every picture, until it is repaired."""
    store = MemoryStore()
    accept(store, detect_job())
    drain(feeder(store, 30, floor=10_000).step)

    for _ in range(10):
        broken = worker(store, ScriptedReader(30), detector=BrokenDetector(found))
        with pytest.raises(EngineError):
            drain(broken.step)
    drain(worker(store, ScriptedReader(30)).step)

    assert answers(store) == undisturbed(30)


def test_a_process_that_ended_by_itself_was_not_ended_by_a_frame():
    """Its successor knows, and forgets what was counted where there was no room to take it back."""
    store = MemoryStore()
    accept(store, detect_job())
    drain(feeder(store, 30, floor=10_000).step)
    for _ in range(10):
        with pytest.raises(Crash):
            drain(
                worker(
                    store,
                    ScriptedReader(30),
                    log=Faults(store, AtCall("append", "before", 1, raising(Crash()))),
                ).step
            )
        worker(store, ScriptedReader(30), detector=ScriptedDetector(found), suspicious=False).claim()

    drain(worker(store, ScriptedReader(30), detector=ScriptedDetector(found), suspicious=False).step)

    assert answers(store) == undisturbed(30)


def test_attempts_are_handed_back_in_the_file_too(tmp_path):
    """The count goes down as it went up."""
    store = SqliteStore(tmp_path / "store.sqlite")
    at = store.claim("detect", "frames", 0)

    at, _ = store.commit(Commit(at, 0, attempt=1))
    at, _ = store.commit(Commit(at, 0, attempt=-1))

    assert at.attempts == 0
    store.close()


def test_records_that_a_successor_released_do_not_alarm_the_old_owner():
    """It is fenced, as at its next commit; its memory goes, nothing stops."""
    store, objects = MemoryStore(), MemoryObjects()
    store.create(job(), [])
    store.append(addressed(stream(3)))
    old, new = fold_worker(store, objects), fold_worker(store, objects)
    old.claim()
    drain(new.step)
    Retention(store, store, {"in": 1}, every=1, worth=1).step()

    with pytest.raises(Fenced):
        old.step()

    assert old.step() == 0


def test_the_old_feeder_and_the_old_detect_worker_are_fenced_too():
    """Whoever reads asks whether it still owns what it reads."""
    store = MemoryStore()
    accept(store, detect_job())
    old_feeder, old_worker = feeder(store, 30, floor=10_000), worker(store, ScriptedReader(30))
    old_feeder.claim()
    old_worker.claim()
    fed = feeder(store, 30, floor=10_000)
    drain(fed.step, worker(store, ScriptedReader(30)).step)
    released = Saved(31, b"")
    store.commit(Commit(store.claim("track", "found", 0), 31, "j1", "detections:cars", released))
    drain(fed.step)
    Retention(store, store, {JOB_TOPIC: 1, "frames": 1}, every=1, worth=1).step()

    for old in (old_feeder, old_worker):
        with pytest.raises(Fenced):
            old.step()
        assert old.step() == 0


def test_records_that_nobody_released_are_a_loud_stop():
    """The log was cut or exchanged: nobody goes on as if nothing had been there."""
    store = MemoryStore()
    accept(store, detect_job())
    feeding = Feeder(store, store, store, lambda job: None, objects=MemoryObjects())
    feeding.claim()
    store.trim(JOB_TOPIC, 0, 1)

    with pytest.raises(Corrupt) as gap:
        feeding.step()

    assert gap.value.code == "log_gap"
