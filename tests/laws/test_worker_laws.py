"""The worker of a stateful stage: whatever the log does, every record counts once and in order."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.errors import Corrupt, Fenced
from sightline.events import Totals
from sightline.ports import Outgoing
from sightline.runtime.worker import FoldWorker
from sightline.testing import Faults, MemoryObjects, MemoryStore
from tests.laws.scenes import CODEC, Chain, addressed, job, stream


class Crash(Exception):
    """The process ends here."""


def worker(store, objects, *, release=1, ledger=None, log=None, max_frames=4, max_records=5) -> FoldWorker:
    return FoldWorker(
        "stats",
        "in",
        0,
        lambda job, stream: Chain(release),
        log=log or store,
        ledger=ledger or store,
        jobs=store,
        objects=objects,
        max_frames=max_frames,
        max_records=max_records,
    )


def outputs(store) -> list[int]:
    entries = store.read("out", 0, 0, 10_000)
    return [record.unique for e in entries if isinstance(record := CODEC.decode(e.value), Totals)]


def drain(worker) -> None:
    while worker.step():
        pass


def undisturbed(n: int, release: int = 1) -> tuple[list[int], dict[str, bytes]]:
    store, objects = MemoryStore(), MemoryObjects()
    store.create(job(), [])
    store.append(addressed(stream(n)))
    drain(worker(store, objects, release=release, max_frames=32))
    return outputs(store), objects.contents()


@given(
    n=st.integers(0, 30),
    release=st.sampled_from([1, 4]),
    data=st.data(),
    frames=st.integers(1, 9),
    records=st.integers(1, 9),
)
def test_order_and_repetition_of_the_log_do_not_matter(n, release, data, frames, records):
    """Shuffled, doubled, cut into any batches, holes between offsets: the same outputs and blobs, and the job is complete."""
    records_in = stream(n)
    extra = data.draw(st.lists(st.sampled_from(records_in), max_size=10))
    mixed = data.draw(st.permutations(records_in + extra))
    store, objects = MemoryStore(hole=data.draw(st.sampled_from([0, 3]))), MemoryObjects()
    store.create(job(), [])
    store.append(addressed(mixed))

    drain(worker(store, objects, release=release, max_frames=frames, max_records=records))

    assert (outputs(store), objects.contents()) == undisturbed(n, release)
    assert store.get("j1").state == "predictable"


def test_the_first_record_of_an_identity_wins():
    """A later record with other content is dropped, before and after its turn."""
    frames = stream(3)
    other = Totals("j1", "totals:in", 1, 1, 1, "failed", "late", 99)
    store = MemoryStore()
    store.create(job(), [])
    store.append(addressed([frames[2], frames[1], other, frames[0], other, frames[3]]))

    drain(worker(store, MemoryObjects()))

    assert outputs(store) == undisturbed(3)[0]


@pytest.mark.parametrize("release", [1, 4])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("method", ["commit", "read", "put_new", "claim"])
@pytest.mark.parametrize("at", range(6))
def test_a_crash_at_any_call_changes_nothing(release, when, method, at):
    """Stopped at the n-th call, before or after its effect, a new worker ends with the same bytes."""
    store, objects, calls = MemoryStore(), MemoryObjects(), [0]

    def fault(name: str, moment: str) -> None:
        if name == method and moment == when:
            calls[0] += 1
            if calls[0] == at + 1:
                raise Crash

    store.create(job(), [])
    shuffled = sorted(stream(11), key=lambda record: record.seq * 7 % 12)
    store.append(addressed(shuffled))
    faulty = Faults(store, fault)
    crashed = worker(store, Faults(objects, fault), release=release, ledger=faulty, log=faulty)

    try:
        drain(crashed)
    except Crash:
        drain(worker(store, objects, release=release))

    assert (outputs(store), objects.contents()) == undisturbed(11, release)
    assert store.get("j1").state == "predictable"


def test_an_old_owner_writes_nothing_and_drops_its_memory():
    """Two owners of a partition: the older one is fenced, then goes on from what the other committed."""
    store, objects = MemoryStore(), MemoryObjects()
    store.create(job(), [])
    old, new = worker(store, objects), worker(store, objects)
    old.claim()
    new.claim()
    store.append(addressed(stream(9)))

    with pytest.raises(Fenced):
        drain(old)
    drain(new)
    drain(old)

    assert outputs(store) == undisturbed(9)[0]


def test_a_short_job_does_not_wait_for_all_that_is_due_of_a_long_one():
    """All but the first frame of a long job wait; when that one comes, each stream has its turn."""
    store = MemoryStore()
    store.create(job("long"), [])
    store.create(job("short"), [])
    frames = stream(200, "long")
    running = worker(store, MemoryObjects(), max_records=10)
    store.append(addressed(frames[1:]))
    drain(running)

    store.append(addressed([frames[0], *stream(3, "short")]))
    running.step()

    assert store.get("short").state == "predictable"
    assert store.progress("long") == {("stats", "totals:in"): 12}  # three commits of four
    drain(running)
    assert store.get("long").state == "predictable"


def test_frames_of_a_cancelled_job_are_dropped_and_others_go_on():
    """A job that ended gives up its waiting frames, or the low water would stand still for ever."""
    store, objects = MemoryStore(), MemoryObjects()
    store.create(job("j1"), [])
    store.create(job("j2"), [])
    store.append(addressed(stream(6, "j1")[3:]))
    store.append(addressed(stream(6, "j2")))
    running = worker(store, objects)
    running.step()

    store.advance("j1", "cancelled")
    store.append(addressed(stream(6, "j1")[:3]))
    drain(running)

    assert store.get("j1").state == "cancelled"
    assert store.get("j2").state == "predictable"
    assert outputs(store) == undisturbed(6)[0]
    assert store.positions("in")[0].low_water == store.head("in", 0)[1]


def test_what_waits_is_not_in_the_state():
    """State and position stand still while frames wait; they are read again after a restart."""
    store, objects = MemoryStore(), MemoryObjects()
    store.create(job(), [])
    store.append(addressed(stream(40)[1:]))
    drain(worker(store, objects))
    assert store.load("stats", "j1", "totals:in") is None
    assert store.positions("in")[0].low_water == 0

    store.append(addressed(stream(40)[:1]))
    drain(worker(store, objects))

    assert outputs(store) == undisturbed(40)[0]


def test_garbage_is_a_dead_letter_and_a_frame_it_names_is_failed():
    """Unreadable content with a readable identity is an outcome; nothing waits for it."""
    bad = b'{"v":1,"kind":"detections","job_id":"j1","stream":"detections:cars","seq":1,"frame":9,"pts_us":5,"xyxy":[[3,0,1,1]]}'
    assert CODEC.salvage(bad).outcome == "failed"
    assert CODEC.salvage(b"[]") is None
    store = MemoryStore()
    store.create(job(), [])
    store.append([Outgoing("in", 0, "?", b"{"), *addressed(stream(9))])

    drain(worker(store, MemoryObjects()))

    assert outputs(store) == undisturbed(9)[0]
    letters = store.read("in.dlq", 0, 0, 10)
    assert [(letter.value, dict(letter.headers)["x-dlq-stage"]) for letter in letters] == [(b"{", "stats")]


def test_a_job_that_ends_while_its_frames_wait_gives_them_up():
    """The missing frame never comes; the low water moves on, or the log could never forget."""
    store = MemoryStore()
    store.create(job(), [])
    store.append(addressed(stream(6)[1:]))
    running = worker(store, MemoryObjects())
    drain(running)

    store.advance("j1", "cancelled")
    drain(running)

    assert store.positions("in")[0].low_water == store.head("in", 0)[1]


def test_an_old_owner_that_reads_what_was_trimmed_is_fenced():
    """Its successor released those records; nothing is damaged."""
    store, objects = MemoryStore(), MemoryObjects()
    store.create(job(), [])
    old, new = worker(store, objects), worker(store, objects)
    old.claim()
    new.claim()
    store.append(addressed(stream(6)))
    drain(new)
    store.trim("in", 0, store.positions("in")[0].low_water)

    with pytest.raises(Fenced):
        old.step()


def test_records_that_are_gone_for_their_owner_are_loud():
    """Retention before release is damage."""
    store = MemoryStore()
    store.create(job(), [])
    running = worker(store, MemoryObjects())
    running.claim()
    store.append(addressed(stream(6)))
    store.trim("in", 0, 3)

    with pytest.raises(Corrupt):
        running.step()


def test_a_record_of_a_job_that_was_never_begun_is_dropped_and_harms_nobody():
    """Neither does it end the job, nor is what follows taken for a repetition."""
    store, objects = MemoryStore(), MemoryObjects()
    store.create(replace(job(), state="new", facts={}), [])
    store.append(addressed(stream(1)))
    running = worker(store, objects)
    drain(running)
    assert store.get("j1").state == "new"

    store.advance("j1", "processing", facts=job().facts)
    store.append(addressed(stream(9)))
    drain(running)

    assert store.get("j1").state == "predictable"
