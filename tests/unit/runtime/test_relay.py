"""The relay: committed records reach the log in order, at least once, and are forgotten after that only."""

import pytest

from sightline.errors import Unavailable
from sightline.ports import Job, Outgoing
from sightline.runtime.relay import relay
from sightline.testing import AtCall, Faults, MemoryStore


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
