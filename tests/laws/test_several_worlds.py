"""Several stores on one host: they share lanes and nothing else."""

import threading
from dataclasses import replace

import pytest

from sightline.errors import Unavailable
from sightline.events import End
from sightline.jobs.derived import plan_of
from sightline.jobs.topology import Topology
from sightline.ports import TERMINAL, Entry
from sightline.runtime.chunk_queue import AT_ONCE, STAY, ChunkQueue, Task
from sightline.runtime.host import Host, World, accept
from sightline.testing import (
    Faults,
    MemoryObjects,
    MemoryStore,
    ScriptedDetector,
    ScriptedReader,
    scripted_recipe,
)
from sightline.vision.bytetrack import TrackerSettings
from tests.hosting import Work, run_job
from tests.laws.test_embedded_laws import street

FRAMES = 333
RECIPE = scripted_recipe("j1", FRAMES, tracker=TrackerSettings(track_low_thresh=0.1))


def work(recipe=RECIPE) -> Work:
    return Work(recipe, ScriptedDetector(street), lambda: ScriptedReader(FRAMES))


def world(recipe=RECIPE, store=None) -> World:
    made = World(
        store or MemoryStore(),
        MemoryObjects(),
        Topology.of(recipe.route.topics, recipe.route.frame_partitions),
    )
    accept(made.store, recipe)
    return made


@pytest.mark.parametrize("lanes", [1, 2])
def test_jobs_of_the_same_id_in_two_stores_are_two_jobs(lanes):
    """As of a video and a copy of it: each has all of its frames, and the bytes that it has alone."""
    alone = work()
    run_job(alone)
    worlds = [world(), world()]
    host = Host(work().tools(), lanes)
    for each in worlds:
        host.add(each)

    host.run(lambda: all(each.store.get("j1").state in TERMINAL for each in worlds), lambda: None)

    for each in worlds:
        host.remove(each)
        assert each.store.get("j1").state == "ready"
        assert each.objects.contents() == alone.objects.contents()


def test_a_world_that_was_removed_touches_its_store_no_more():
    """Whoever removes it closes the store next: a step that has begun ends before."""
    reading, removed, seen = threading.Event(), threading.Event(), []

    def fault(method: str, when: str) -> None:
        if method == "positions" and when == "before" and not reading.is_set():
            reading.set()
            removed.wait(0.3)  # a removal that waits for this step is not over by then
        if removed.is_set():
            seen.append(method)

    # Retention asks for positions, in the thread that works on all worlds.
    first, second = world(store=Faults(MemoryStore(), fault)), world()
    host = Host(work().tools(), 1)
    host.add(first)
    host.add(second)

    def remove() -> None:
        if reading.is_set() and not removed.is_set():
            host.remove(first)
            removed.set()

    host.run(lambda: removed.is_set() and second.store.get("j1").state in TERMINAL, remove)
    host.remove(second)

    assert second.store.get("j1").state == "ready"
    assert seen == []


def test_an_outage_is_that_of_the_world_that_met_it():
    """Also where the lane has just landed pictures of another one."""

    class Gone(ScriptedReader):
        def read(self, chunk, rows, ticks, buffer):
            yield from super().read(chunk, rows[:2], ticks[:2], buffer)
            if rows[0] >= 64:
                raise Unavailable("the folder went away", code="source_gone")
            yield from super().read(chunk, rows[2:], ticks[2:], buffer)

    other = scripted_recipe("j2", FRAMES, tracker=TrackerSettings(track_low_thresh=0.1))
    broken, fine = world(), world(other)
    tools = replace(
        work().tools(), reader=lambda recipe: (Gone if recipe.job_id == "j1" else ScriptedReader)(FRAMES)
    )
    host = Host(tools, 1)
    host.add(broken)
    host.add(fine)

    def ended() -> bool:
        return fine.store.get("j2").state in TERMINAL or host.error(fine) is not None

    host.run(lambda: ended() and host.error(broken) is not None, lambda: None)

    assert host.error(fine) is None
    assert isinstance(host.error(broken), Unavailable)
    assert fine.store.get("j2").state == "ready"
    host.remove(broken)
    host.remove(fine)


class Counting(ScriptedDetector):
    """Knows how many pictures were begun and not waited for."""

    flying = 0

    def slot(self):
        slot, detector = super().slot(), self
        start, result = slot.start, slot.result

        def begin() -> None:
            detector.flying += 1
            start()

        def end():
            detector.flying -= 1
            return result()

        slot.start, slot.result = begin, end
        return slot


def test_whoever_is_interrupted_waits_for_what_is_in_flight():
    """The detector is closed next, and its pictures are freed: an engine must not be reading them."""
    detector, seen = Counting(street), []
    made, host = world(), Host(replace(work().tools(), detector=lambda recipe: detector), 1)
    host.add(made)

    gate, go = threading.Event(), threading.Event()

    def interrupt() -> None:
        seen.append(detector.flying)
        go.set()
        raise KeyboardInterrupt

    def wait(number: int):
        if number == 100:
            gate.set()
            go.wait(10)  # with the pictures before it in flight
        return street(number)

    detector._script = wait
    with pytest.raises(KeyboardInterrupt):
        host.run(lambda: False, lambda: interrupt() if gate.is_set() else None)
    host.remove(made)

    assert max(seen) > 0
    assert detector.flying == 0


def test_the_queue_forgets_a_job_whose_end_was_handed_out_before_its_last_frames():
    """A lane takes the end while another lane is still at a long chunk."""
    queue, role, first, second = ChunkQueue(limit=2), object(), object(), object()
    records = plan_of(RECIPE, ScriptedReader(FRAMES).index(), 40).records("j1", "main", 0, 4)
    end = End("j1", "frames:main", 4)
    for offset, record in enumerate([*records, end]):
        assert queue.put(Task(role, 1, 0, Entry(offset, "", b""), record))

    taken = [queue.take(lane) for lane in (first, second, first)]

    assert [[task.record.seq for task in run.tasks] for run in taken] == [[0, 1], [4], [2, 3]]
    assert not queue._jobs


def test_the_queue_begins_with_a_job_in_reserve_only_where_the_others_have_nothing():
    """Two take turns; a third is begun when one has no frames left, or for a lane that finds no chunk of theirs."""
    queue, role = ChunkQueue(limit=2, turns=2), object()
    for job_id, frames in (("a", 4), ("b", 6), ("c", 2), ("d", 2)):
        for offset, record in enumerate(
            plan_of(RECIPE, ScriptedReader(FRAMES).index()).records(job_id, "main", 0, frames)
        ):
            queue.put(Task(role, 1, 0, Entry(offset, "", b""), record))
    one, two, three = object(), object(), object()

    taken = [queue.take(lane).tasks[0].job_id for lane in (one, two, three, one, one, two, two)]

    assert taken == ["a", "b", "c", "a", "d", "b", "b"]
    assert queue.take(one) is None


def waits(jobs: str, frames: int, limit: int, group: int = 250) -> ChunkQueue:
    """A queue in which so many frames of each job wait, in groups of pictures of `group`."""
    queue, role = ChunkQueue(limit=limit), object()
    plan = plan_of(RECIPE, ScriptedReader(FRAMES, group=group).index())
    for job_id in jobs:
        for offset, record in enumerate(plan.records(job_id, "main", 0, frames)):
            queue.put(Task(role, 1, 0, Entry(offset, "", b""), record))
    return queue


def opened(jobs: str) -> int:
    """How many sources a lane opens that keeps the last ones open."""
    kept, count = [], 0
    for job_id in jobs:
        count += job_id not in kept
        kept = [*(other for other in kept if other != job_id), job_id][-AT_ONCE:]
    return count


def test_a_lane_takes_turns_between_as_many_jobs_as_it_has_sources_open():
    """With a third one it would open each source anew at every turn, and decode from the key frame again."""
    queue, lane = waits("abcd", 6, limit=1), object()

    taken = "".join(queue.take(lane).tasks[0].job_id for _ in range(24))

    assert taken[:4] == "abab"
    assert opened(taken) <= 6


def test_a_lane_turns_to_the_others_before_a_long_chunk_is_done():
    """A video may be one single group of pictures: nobody waits until it ends."""
    queue, lane = waits("abcd", 20, limit=1), object()

    taken = "".join(queue.take(lane).tasks[0].job_id for _ in range(80))

    assert all(STAY - 1 <= taken[: 4 * STAY].count(job_id) <= STAY + 1 for job_id in "abcd")
    assert {job_id: taken.count(job_id) for job_id in "abcd"} == dict.fromkeys("abcd", 20)
