"""How far stages are behind, and since when."""

from sightline.jobs.topology import Topology, topics_of
from sightline.ports import Commit, Outgoing
from sightline.serving.lags import FRESH_S, Lag, Lags
from sightline.testing import MemoryStore

TOPICS = topics_of(["cars"], tracked=True)
TOPOLOGY = Topology.of(TOPICS, 8)


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def test_a_stage_is_behind_by_what_it_has_not_released():
    """And stands still from when it last moved; whoever has nothing to do never does."""
    store, clock = MemoryStore(), Clock()
    lags = Lags(store, TOPOLOGY, clock)
    topic = TOPICS["detections:cars"]
    store.append([Outgoing(topic, 0, "j", b"{}")] * 5)
    at = store.claim("track", topic, 0)
    seen = []
    for low_water in (0, 0, 2, 2, 5, 5):
        if low_water > at.low_water:
            at, _ = store.commit(Commit(at, low_water))
        seen.append(lags.look()["track"])
        clock.now += 10

    assert seen == [Lag(5, 0), Lag(5, 10), Lag(3, 0), Lag(3, 10), Lag(0, 0), Lag(0, 0)]
    assert list(lags.look()) == ["feed", "detect", "track", "stats", "collect"]


def test_feed_moves_while_it_feeds_a_long_job():
    """The job is released with its last frame, which may be hours away."""
    store, clock = MemoryStore(), Clock()
    lags = Lags(store, TOPOLOGY, clock, stages=frozenset({"feed"}))
    jobs, frames = TOPOLOGY.jobs, TOPICS["frames:main"]
    store.append([Outgoing(jobs, 0, "j", b"{}")])
    store.claim("feed", jobs, 0)
    seen = []
    for written in (1, 1, 0, 0):
        store.append([Outgoing(frames, 3, "j", b"{}")] * written)
        seen.append(lags.look()["feed"])
        clock.now += 10

    assert seen == [Lag(1, 0), Lag(1, 0), Lag(1, 10), Lag(1, 20)]


def test_partitions_and_topics_of_a_stage_are_summed():
    """Frames lie in several partitions, and collect reads every kind of stream."""
    store = MemoryStore()
    frames = TOPICS["frames:main"]
    for partition in range(3):
        store.claim("detect", frames, partition)
        store.append([Outgoing(frames, partition, "j", b"{}")] * (partition + 1))
    for stream in ("detections:cars", "tracks:cars", "totals:cars"):
        store.claim("collect", TOPICS[stream], 0)
        store.append([Outgoing(TOPICS[stream], 0, "j", b"{}")])

    found = Lags(store, TOPOLOGY, Clock()).look()

    assert (found["detect"].records, found["collect"].records) == (6, 3)


def test_what_was_found_last_is_told_while_it_is_fresh():
    """Whoever is told asks nobody, and so waits for no server; what was true long ago is not told."""
    store, clock = MemoryStore(), Clock()
    frames = TOPICS["frames:main"]
    store.claim("detect", frames, 0)
    store.append([Outgoing(frames, 0, "j", b"{}")] * 2)
    lags = Lags(store, TOPOLOGY, clock)
    before = lags.last()
    lags.look()
    store.append([Outgoing(frames, 0, "j", b"{}")] * 5)
    clock.now += FRESH_S - 1

    assert before == {}
    assert lags.last()["detect"] == Lag(2, 0)
    clock.now += 1
    assert lags.last() == {}
