"""Owners come and go: `Members` says who works on a partition, the ledger's fence decides, nobody claims by itself."""

import pytest

from sightline.errors import Fenced
from sightline.ports import Owned
from sightline.runtime.owning import PATIENCE_S, Ownership
from sightline.runtime.worker import FoldWorker
from sightline.testing import MemoryObjects, MemoryStore, ScriptedGroup, ScriptedReader
from tests.laws.scenes import Chain, addressed, job, stream
from tests.laws.test_feed_detect_laws import accept, answers, feeder, undisturbed
from tests.laws.test_feed_detect_laws import job as detect_job
from tests.laws.test_feed_detect_laws import worker as detect_worker


class Told:
    """Members of which a test says what they own."""

    def __init__(self, *owned: Owned) -> None:
        self.now = frozenset(owned)

    def owned(self) -> frozenset[Owned]:
        return self.now


STATS = Owned("stats", "in", 0)
FEED = Owned("feed", "jobs", 0)


def fold(store, members=None) -> FoldWorker:
    ports = {"log": store, "ledger": store, "jobs": store, "objects": MemoryObjects()}
    return FoldWorker(
        "stats", "in", 0, lambda job, of: Chain() if of == "totals:in" else None, members=members, **ports
    )


def try_to(step) -> int:
    try:
        return step()
    except Fenced:
        return -1


def drain(*steps) -> None:
    while sum(step() for step in steps):
        pass


def two_owners(frames: int) -> tuple[MemoryStore, FoldWorker, FoldWorker]:
    store = MemoryStore()
    store.create(job(), [])
    one, other = fold(store), fold(store)
    one.claim()
    other.claim()
    store.append(addressed(stream(frames)))
    return store, one, other


def test_two_owners_that_both_believe_fence_each_other_once():
    """The one that is fenced waits; it does not take the partition back, or neither would ever get on."""
    store, one, other = two_owners(400)

    done = [try_to(step) for _ in range(40) for step in (one.step, other.step)]

    assert done.count(-1) == 1
    assert store.get("j1").state == "predictable"


def test_who_is_fenced_claims_again_only_when_it_is_named_anew():
    """To be named still is no news: the word that made it an owner is older than the fence."""
    store, members = MemoryStore(), Told(STATS)
    store.create(job(), [])
    old = fold(store, members)
    old.step()
    fold(store).claim()
    store.append(addressed(stream(9)))
    with pytest.raises(Fenced):
        old.step()

    waited = [old.step() for _ in range(5)]
    members.now = frozenset()
    gone = old.step()
    members.now = frozenset({STATS})
    named = old.step()

    assert (waited, gone, named) == ([0] * 5, 0, 10)
    assert store.get("j1").state == "predictable"


def test_who_is_named_no_longer_lets_go_cleanly():
    """It reads nothing more, and the next owner has nothing to be careful about."""
    store, members = MemoryStore(), Told(STATS)
    store.create(job(), [])
    old = fold(store, members)
    old.step()

    members.now = frozenset()
    store.append(addressed(stream(9)))

    assert old.step() == 0
    assert not store.claim("stats", "in", 0, identity=store.identity("in")).stuck


def test_a_feeder_that_is_not_named_feeds_nothing():
    """And one that is fenced waits as any other worker does."""
    store, members = MemoryStore(), Told()
    accept(store, detect_job())
    waiting = feeder(store, 30, members=members)

    assert waiting.step() == 0
    members.now = frozenset({FEED})
    assert waiting.step() > 0
    feeder(store, 30).claim()
    accept(store, detect_job("j2"))
    with pytest.raises(Fenced):
        drain(waiting.step)
    assert waiting.step() == 0


def test_partitions_of_frames_move_from_one_worker_to_another_while_both_work():
    """What is in flight is finished; no frame is lost, and none is suspected of anything."""
    store = MemoryStore()
    accept(store, detect_job())
    every = [Owned("detect", "frames", partition) for partition in range(8)]
    left, right = Told(*every), Told()
    one = detect_worker(store, ScriptedReader(400), members=left)
    other = detect_worker(store, ScriptedReader(400), members=right)
    feed = feeder(store, 400, floor=10_000)

    for moved in every:
        feed.step()
        one.step()
        left.now -= {moved}
        one.step()
        right.now |= {moved}
        other.step()
    drain(feed.step, one.step, other.step)

    assert answers(store) == undisturbed(400)
    assert not any(position.attempts for position in store.positions("frames"))
    assert store.head("frames.dlq", 0) == (0, 0)


def test_a_detect_worker_that_lost_one_partition_goes_on_with_the_others():
    """Only that one is waited for."""
    store = MemoryStore()
    accept(store, detect_job())
    drain(feeder(store, 400, floor=10_000).step)
    one = detect_worker(store, ScriptedReader(400))
    one.claim()
    other = detect_worker(store, ScriptedReader(400), partitions=[3])
    other.claim()

    fences = [try_to(step) for _ in range(80) for step in (one.step, other.step)].count(-1)

    assert fences == 1
    assert answers(store) == undisturbed(400)


def test_a_clean_stop_leaves_nothing_to_be_careful_about():
    """Who stops in the middle of its frames was not ended by one of them."""
    store = MemoryStore()
    accept(store, detect_job())
    drain(feeder(store, 20, floor=10_000).step)
    stopped = detect_worker(store, ScriptedReader(20), partitions=[0])
    stopped.claim()
    stopped.step()

    stopped.release()

    assert not store.claim("detect", "frames", 0, identity=store.identity("frames")).stuck


def test_ended_jobs_are_given_up_while_others_keep_the_partition_busy():
    """Else one cancelled job would keep the log from ever being trimmed."""
    store = MemoryStore()
    for job_id in ("A", "B"):
        store.create(job(job_id), [])
    running = fold(store)
    store.append(addressed(stream(6, "A")[1:]))
    running.step()
    store.advance("A", "cancelled")

    for record in stream(600, "B"):
        store.append(addressed([record]))
        assert running.step() == 1

    assert store.positions("in")[0].low_water > 256


@pytest.mark.parametrize("ending", ["finished", "cancelled"])
def test_memory_does_not_grow_with_the_number_of_jobs(ending):
    """Ten thousand jobs later a worker holds no more than it did after a few."""
    store, running = MemoryStore(), None
    running = fold(store)
    held = []
    for number in range(10_000 if ending == "finished" else 1_000):
        job_id = f"j{number}"
        store.create(job(job_id), [])
        store.append(addressed(stream(2, job_id)[: None if ending == "finished" else 1]))
        running.step()
        if ending == "cancelled":
            store.advance(job_id, "cancelled")
            running.step()
        held.append(len(running.claim().folds) + len(running.claim().over))

    assert max(held) <= 1_026
    assert len(running.claim().folds) <= 2


def test_who_is_named_and_fenced_is_named_anew_in_the_end():
    """A stale owner that claimed last would keep the partition from everybody for ever."""
    group, now = ScriptedGroup(), [0.0]
    member = group.member("m")
    member.join("track", {"found": 1})
    owner = Ownership("track", "found", [0], member, lambda: now[0])
    assert owner.named() == {0}

    owner.fenced(0)
    now[0] = PATIENCE_S
    assert (owner.named(), owner.lost) == (frozenset(), 1)
    now[0] = PATIENCE_S + 0.1
    assert (owner.named(), owner.lost) == ({0}, 0)


def test_a_partition_is_owned_for_a_role():
    """Relays, publishers and feeders share one topic, each by a group of its own."""
    other = Ownership("publish", "jobs", [0], Told(Owned("relay", "jobs", 0)))

    assert other.named() == frozenset()
