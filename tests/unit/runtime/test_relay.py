"""The relay: committed records reach the log in order, at least once, and are forgotten after that only."""

import pytest

from sightline.errors import Unavailable
from sightline.ports import Job, Outgoing, Owned
from sightline.runtime.relay import Relay, relay
from sightline.testing import AtCall, Faults, MemoryStore
from tests.laws.test_owners import Told

pytestmark = pytest.mark.contract


def outbox(n: int) -> MemoryStore:
    """A store whose outbox holds n records of topic `jobs`."""
    store = MemoryStore(relayed=True)
    for number in range(n):
        record = Outgoing("jobs", 0, f"j{number}", b"%d" % number, (("h", str(number)),))
        store.create(Job(f"j{number}", "street", 0), [record])
    return store


def values(log) -> list[bytes]:
    return [entry.value for entry in log.read("jobs", 0, 0, 100)]


def down() -> None:
    raise Unavailable("the log does not answer")


def test_records_arrive_in_the_order_of_their_commits():
    """With key and headers; then the outbox is empty."""
    store, log = outbox(3), MemoryStore()

    assert relay(store, log) == 3
    assert values(log) == [b"0", b"1", b"2"]
    entry = log.read("jobs", 0, 1, 1)[0]
    assert (entry.key, entry.headers) == ("j1", (("h", "1"),))
    assert store.pending("relay", 100) == []


def test_a_batch_is_limited_and_the_next_one_goes_on():
    """The oldest first."""
    store, log = outbox(5), MemoryStore()

    assert [relay(store, log, limit=2) for _ in range(4)] == [2, 2, 1, 0]
    assert values(log) == [b"0", b"1", b"2", b"3", b"4"]


def test_nothing_is_forgotten_while_the_log_is_down():
    """The next attempt sends everything."""
    store, log = outbox(2), MemoryStore()

    with pytest.raises(Unavailable):
        relay(store, Faults(log, AtCall("append", "before", 1, down)))
    assert len(store.pending("relay", 100)) == 2

    relay(store, log)
    assert values(log) == [b"0", b"1"]


@pytest.mark.parametrize("where", ["acknowledgement", "forgetting"])
def test_a_lost_answer_means_sent_again(where):
    """At least once, never lost: readers drop the repetition."""
    store, log = outbox(2), MemoryStore()
    broken_log = Faults(log, AtCall("append", "after", 1, down)) if where == "acknowledgement" else log
    broken_store = Faults(store, AtCall("sent", "before", 1, down)) if where == "forgetting" else store

    with pytest.raises(Unavailable):
        relay(broken_store, broken_log)
    relay(store, log)

    assert values(log) == [b"0", b"1", b"0", b"1"]
    assert store.pending("relay", 100) == []


# --- shared by partitions ------------------------------------------------------------------------------------------


def owner_of(*partitions: int) -> Told:
    return Told(*(Owned("relay", "jobs", partition) for partition in partitions))


def shared(store, log, members) -> Relay:
    return Relay(store, log, store, topic="jobs", partitions=3, members=members)


def left_by(store, partition: int) -> None:
    """Somebody took what waits in the name of a partition, and is gone."""
    assert store.pending(f"relay-{partition}", 100)


@pytest.mark.parametrize("partition", [0, 1, 2])
def test_who_gets_a_partition_sends_what_its_last_owner_held(partition):
    """Whichever of those that it owns it is."""
    store, log = outbox(2), MemoryStore()
    left_by(store, partition)

    running = shared(store, log, owner_of(0, 1, 2))

    assert sum(running.step() for _ in range(2)) == 2
    assert values(log) == [b"0", b"1"]


def test_what_an_owner_holds_waits_for_the_next_owner_of_its_partition():
    """Others leave it alone."""
    store, log = outbox(2), MemoryStore()
    left_by(store, 1)
    members = owner_of(0, 2)
    running = shared(store, log, members)

    assert [running.step() for _ in range(5)] == [0] * 5
    members.now |= owner_of(1).now
    assert sum(running.step() for _ in range(2)) == 2


def test_who_owns_nothing_any_more_sends_nothing():
    """The group decides; nobody goes on by what it was told before."""
    store, log = outbox(1), MemoryStore()
    members = owner_of(0)
    running = shared(store, log, members)
    running.step()

    members.now = frozenset()
    store.create(Job("late", "street", 0), [Outgoing("jobs", 0, "late", b"late")])

    assert running.step() == 0
    assert values(log) == [b"0"]


def test_what_a_late_owner_took_is_sent_by_who_owns_its_partition():
    """It was named, stood still, took records when the partition was another one's already, and never sent them."""
    store, log = outbox(1), MemoryStore()
    running = shared(store, log, owner_of(0, 1, 2))
    assert [running.step() for _ in range(4)] == [1, 0, 0, 0]
    store.create(Job("late", "street", 0), [Outgoing("jobs", 0, "late", b"late")])
    left_by(store, 2)

    assert sum(running.step() for _ in range(2)) == 1
    assert values(log) == [b"0", b"late"]


def test_at_a_stop_others_may_have_what_is_held():
    """At once: nobody has to get its partitions first."""
    store, log = outbox(2), MemoryStore()
    stopping = shared(store, Faults(log, AtCall("append", "before", 1, down)), owner_of(0, 1))
    with pytest.raises(Unavailable):
        stopping.step()

    stopping.release()

    assert shared(store, log, owner_of(2)).step() == 2


def test_a_job_is_sent_once_the_log_has_its_event():
    """Not while the log does not answer."""
    store, log = outbox(1), MemoryStore()
    with pytest.raises(Unavailable):
        shared(store, Faults(log, AtCall("append", "before", 1, down)), owner_of(0)).step()
    assert store.get("j0").state == "new"

    shared(store, log, owner_of(0)).step()

    assert store.get("j0").state == "sent"


def test_the_event_of_a_job_that_was_removed_meanwhile_stops_nothing():
    """It is sent and forgotten; whoever reads it finds no job."""
    store, log = outbox(1), MemoryStore()
    store.advance("j0", "cancelled")
    store.remove("j0")

    assert shared(store, log, owner_of(0)).step() == 1
    assert store.pending("relay-0", 10) == []
