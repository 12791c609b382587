"""Retention: only what every consumer has released is forgotten."""

import pytest

from sightline.ports import Commit, Outgoing
from sightline.runtime.retention import Retention
from sightline.testing import MemoryStore, Recorded


def store(entries: int = 10) -> MemoryStore:
    made = MemoryStore()
    made.append([Outgoing("t", partition, "j", b"x") for partition in (0, 1) for _ in range(entries)])
    return made


def released(made: MemoryStore, stage: str, low_water: int, partition: int = 0) -> None:
    at = made.claim(stage, "t", partition)
    made.commit(Commit(at, low_water))


def trim(made: MemoryStore, consumers: dict[str, int]) -> None:
    """Look once, and take whatever there is."""
    Retention(made, made, consumers, every=1, worth=1).step()


def firsts(made: MemoryStore) -> list[int]:
    return [made.head("t", partition)[0] for partition in (0, 1)]


def test_records_below_the_slowest_consumer_go():
    """Each partition for itself; one that nobody claimed stays whole."""
    made = store()
    released(made, "track", 7)
    released(made, "collect", 4)

    trim(made, {"t": 2})

    assert firsts(made) == [4, 0]


def test_a_topic_is_left_alone_until_each_consumer_has_claimed_it():
    """A stage that starts later reads from the beginning."""
    made = store()
    released(made, "track", 7)

    trim(made, {"t": 2})
    assert firsts(made) == [0, 0]

    made.claim("collect", "t", 0)
    trim(made, {"t": 2})
    assert firsts(made) == [0, 0]

    trim(made, {"t": 1})
    assert firsts(made) == [0, 0]


@pytest.mark.parametrize("topics", [{}, {"other": 1}])
def test_other_topics_are_not_touched(topics):
    """Only those named, however far they were read."""
    made = store()
    released(made, "track", 7)

    trim(made, topics)

    assert firsts(made) == [0, 0]


def test_trimming_again_changes_nothing():
    """What was released stays readable from its low water on."""
    made = store()
    released(made, "track", 7)

    trim(made, {"t": 1})
    trim(made, {"t": 1})

    assert made.head("t", 0) == (7, 10)
    assert len(made.read("t", 0, 7, 100)) == 3


def test_again_and_again_it_writes_only_where_enough_was_released():
    """Each trim takes the one write lock of a store: a thousand steps of nothing cost none."""
    made = store(600)
    recorded = Recorded(made)
    again = Retention(recorded, made, {"t": 1})
    at = made.claim("track", "t", 0)

    trims = []
    for low_water in (0, 100, 300, 400, 600):
        at, _ = made.commit(Commit(at, low_water))
        for _ in range(100):
            again.step()
        trims.append([name for name, _ in recorded.calls].count("trim"))

    assert trims == [0, 0, 1, 1, 2]
    assert firsts(made) == [600, 0]
