"""Feed and detect: at least once, bounded, one answer for every frame, whatever fails."""

from contextlib import suppress
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from sightline.errors import Corrupt, Fenced, InvalidVideo, Unavailable
from sightline.events import Detected, End, JobEvent, Native, nobody
from sightline.jobs.recipe import asked_of, job_of
from sightline.jobs.topology import FRAME_PARTITIONS, JOB_TOPIC
from sightline.ports import Commit, Job, Outgoing, Saved
from sightline.runtime.chunk_queue import ChunkQueue
from sightline.runtime.detect import DetectRole
from sightline.runtime.feed import Feeder
from sightline.runtime.lanes import Lane
from sightline.runtime.routes import recipe_of
from sightline.stages.feed import Plan
from sightline.testing import (
    Faults,
    MemoryObjects,
    MemoryStore,
    Recorded,
    ScriptedDetector,
    ScriptedReader,
    scripted_recipe,
)
from sightline.types import Chunk, Detections
from sightline.vision.bytetrack import TrackerSettings

CODEC = Native()
ALL = range(FRAME_PARTITIONS)


class Crash(Exception):
    """The process ends here."""


def found(number: int) -> Detections:
    """One car whose place is the frame's number; nothing in every fifth frame."""
    if number % 5 == 0:
        return Detections.empty()
    return Detections([[number, 0, number + 10.51, 5]], [0.5], [0])


def plan(frames: int, stride: int = 1) -> Plan:
    index = ScriptedReader(frames).index()
    cuts = [*range(0, frames, 40), frames]
    chunks = [
        Chunk(i, first, end, first, None if end == frames else end)
        for i, (first, end) in enumerate(pairwise(cuts))
    ]
    return Plan(index, np.arange(0, frames, stride), chunks)


def job(job_id: str = "j1", frames: int = 10) -> Job:
    topics = {"frames:main": "frames", "detections:cars": "found"}
    tracker = TrackerSettings()
    return job_of(scripted_recipe(job_id, frames, groups={"cars": (0,)}, tracker=tracker, topics=topics))


def accept(store, made: Job) -> None:
    store.create(made, [Outgoing(JOB_TOPIC, 0, made.job_id, CODEC.encode(JobEvent(made.job_id)))])


class Detecting:
    """A detect role and its lanes, stepped in one thread."""

    def __init__(self, role, lanes) -> None:
        self.role, self.lanes = role, lanes
        self.claim, self.release = role.claim, role.release

    def step(self) -> int:
        return self.role.step() + sum(lane.step() for lane in self.lanes)


def worker(
    store,
    reader,
    partitions=ALL,
    lanes=1,
    detector=None,
    suspicious=True,
    members=None,
    depth=3,
    **ports,
) -> Detecting:
    """Role and lanes; `reader` is that of every job, or gives it by the job's id."""
    queue = ChunkQueue(limit=8)
    parts = {"log": store, "ledger": store, "jobs": store} | ports
    role = DetectRole(
        "frames", list(partitions), queue=queue, suspicious=suspicious, members=members, **parts
    )
    model = detector or ScriptedDetector(found)
    reads = reader if callable(reader) else lambda job_id: reader
    made = [
        Lane(queue, lambda recipe: reads(recipe.job_id), lambda recipe: model, depth=depth)
        for _ in range(lanes)
    ]
    return Detecting(role, made)


def feeder(store, frames, **options) -> Feeder:
    parts = {"log": store, "ledger": store, "jobs": store} | options
    ports = [parts.pop(name) for name in ("log", "ledger", "jobs")]
    return Feeder(*ports, lambda recipe: plan(frames), **{"objects": MemoryObjects()} | parts)


def answers(store, job_id="j1") -> dict[int, object]:
    """The first record of each seq, in log order: what every reader takes."""
    first: dict[int, object] = {}
    for entry in store.read("found", 0, 0, 100_000):
        record = CODEC.decode(entry.value)
        if record.job_id == job_id:
            first.setdefault(record.seq, record)
    return first


def drain(*steps) -> None:
    while sum(step() for step in steps):
        pass


def undisturbed(frames: int, failed=()) -> dict[int, object]:
    store = MemoryStore()
    accept(store, job())
    drain(feeder(store, frames, floor=10_000).step, worker(store, ScriptedReader(frames, failed=failed)).step)
    return answers(store)


def test_every_sampled_frame_gets_one_answer_and_the_stream_its_end():
    """Empty and failed frames are answers too."""
    got = undisturbed(100, failed=(7, 99))

    assert sorted(got) == list(range(101))
    assert got[100] == End("j1", "detections:cars", 100)
    assert [seq for seq, record in got.items() if getattr(record, "outcome", "ok") != "ok"] == [7, 99]
    assert got[7] == Detected("j1", "detections:cars", 7, 7, 280_000, "failed", "undecodable")
    assert len(got[5].detections) == 0
    assert got[6].detections.xyxy.tolist() == [[6, 0, 16.515625, 5]]


def test_a_source_without_frames_has_only_an_end():
    """Zero sampled frames are complete at once."""
    assert list(undisturbed(0).values()) == [End("j1", "detections:cars", 0)]


def test_the_feeder_stays_within_its_window():
    """Never more than the window ahead of the slowest consumer, and on when that one moves."""
    store = MemoryStore()
    accept(store, job())
    feed = feeder(store, 300, window=90, floor=20, batch=16)
    drain(feed.step)
    assert sum(store.head("frames", p)[1] for p in ALL) == 90

    at = store.claim("track", "found", 0)
    store.commit(Commit(at, 0, "j1", "detections:cars", Saved(30, b"x")))
    drain(feed.step)

    assert sum(store.head("frames", p)[1] for p in ALL) == 120


def test_the_window_holds_two_chunks_for_each_lane():
    """Or lanes would wait until a long chunk has been released; up to 8,192 frames."""
    store = MemoryStore()
    accept(store, job())

    drain(feeder(store, 3000, window=90, lanes=6).step)

    assert sum(store.head("frames", p)[1] for p in ALL) == 2 * 6 * 40


def test_sixteen_jobs_are_fed_and_the_rest_queue():
    """Until the stage behind detection has released one of them; each fourth slot goes to a short one."""
    store = MemoryStore()
    for number in range(30):
        accept(store, job(f"long{number:02}", frames=2000))
    accept(store, job("short", frames=50))
    objects = MemoryObjects()
    feed = Feeder(
        store,
        store,
        store,
        lambda recipe: plan(recipe.sampled),
        objects=objects,
        window=100,
        floor=20,
        batch=16,
    )

    def fed() -> set[str]:
        drain(feed.step)
        return {entry.key for p in ALL for entry in store.read("frames", p, 0, 10_000)}

    assert fed() == {f"long{number:02}" for number in range(15)} | {"short"}
    at = store.claim("track", "found", 0)
    store.commit(Commit(at, 0, "short", "detections:cars", Saved(51, b"")))
    assert fed() == {f"long{number:02}" for number in range(16)} | {"short"}
    store.advance("long03", "cancelled")
    assert len(fed()) == 18


def test_jobs_share_the_window_and_take_turns():
    """A short job beside a long one is fed at once."""
    store = MemoryStore()
    accept(store, job("long"))
    accept(store, job("short"))
    feed = feeder(store, 300, window=100, floor=20, batch=16)

    drain(feed.step)

    per_job = {"long": 0, "short": 0}
    for partition in ALL:
        for entry in store.read("frames", partition, 0, 1000):
            per_job[entry.key] += 1
    assert per_job == {"long": 50, "short": 50}


def test_jobs_that_come_one_after_the_other_share_one_window_too():
    """The first has filled it while it was alone: each further one gets no more than may always be on its way."""
    store = MemoryStore()
    feed = feeder(store, 300, window=90, floor=20, batch=16)

    fed = []
    for number in range(4):
        accept(store, job(f"j{number}"))
        drain(feed.step)
        fed.append(sum(store.head("frames", p)[1] for p in ALL))

    assert fed == [90, 110, 130, 150]


@pytest.mark.parametrize("workers", [2, 3])
def test_many_workers_give_the_answers_of_one(workers):
    """One video over several workers: the same record for each seq."""
    store = MemoryStore()
    accept(store, job())
    several = [
        worker(store, ScriptedReader(333), range(i, FRAME_PARTITIONS, workers)) for i in range(workers)
    ]

    drain(feeder(store, 333, floor=10_000).step, *(one.step for one in reversed(several)))

    assert answers(store) == undisturbed(333)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("method", ["append", "commit", "read", "claim", "progress"])
@pytest.mark.parametrize("at", range(0, 12, 2))
@pytest.mark.parametrize("who", ["feed", "detect"])
def test_a_crash_at_any_call_loses_and_invents_nothing(who, method, when, at):
    """Produced again with the same identity, the first record of each seq is the same."""
    store, calls = MemoryStore(), [0]
    accept(store, job())

    def fault(name: str, moment: str) -> None:
        if name == method and moment == when:
            calls[0] += 1
            if calls[0] == at + 1:
                raise Crash

    faulty = Faults(store, fault)
    ports = {"log": faulty, "ledger": faulty}
    feed = feeder(store, 90, floor=10_000, batch=16, **(ports if who == "feed" else {}))
    detect = worker(store, ScriptedReader(90, failed=(3,)), **(ports if who == "detect" else {}))
    try:
        drain(feed.step, detect.step)
    except Crash:
        drain(feeder(store, 90, floor=10_000).step, worker(store, ScriptedReader(90, failed=(3,))).step)

    assert answers(store) == undisturbed(90, failed=(3,))


def test_after_an_error_the_same_worker_goes_on():
    """A step that failed drops what it held; the next one reads it again."""
    store, left = MemoryStore(), [3]
    accept(store, job())

    def flaky(name: str, moment: str) -> None:
        if name == "append" and moment == "after" and left[0]:
            left[0] -= 1
            raise Crash

    detect = worker(store, ScriptedReader(90), log=Faults(store, flaky))
    drain(feeder(store, 90, floor=10_000).step)
    for _ in range(3):
        with pytest.raises(Crash):
            drain(detect.step)
    drain(detect.step)

    assert answers(store) == undisturbed(90)


def test_a_second_owner_fences_the_first():
    """The old worker's commit is refused; what both wrote is one record a seq."""
    store = MemoryStore()
    accept(store, job())
    drain(feeder(store, 90, floor=10_000).step)
    old, new = worker(store, ScriptedReader(90)), worker(store, ScriptedReader(90))
    old.step()
    new.claim()

    with pytest.raises(Fenced):
        drain(old.step)
    drain(new.step)

    assert answers(store) == undisturbed(90)


def test_frames_of_a_cancelled_job_are_not_looked_at():
    """Its records are released, and the next job is not held up."""
    store = MemoryStore()
    accept(store, job("j1"))
    accept(store, job("j2"))
    drain(feeder(store, 50, floor=10_000).step)
    store.advance("j1", "cancelled")
    reader = ScriptedReader(50)

    drain(worker(store, reader).step)

    assert answers(store, "j1") == {}
    expected = {seq: replace(record, job_id="j2") for seq, record in undisturbed(50).items()}
    assert answers(store, "j2") == expected
    assert all(p.low_water == store.head("frames", p.partition)[1] for p in store.positions("frames"))


def test_a_frame_that_ends_the_process_three_times_is_failed():
    """Every other frame is looked at, the job ends, and the record lies in the dead letters."""
    store = MemoryStore()
    accept(store, job())
    drain(feeder(store, 90, floor=10_000).step)

    class Killer(ScriptedReader):
        def read(self, chunk, rows, ticks, buffer):
            for decoded in super().read(chunk, rows, ticks, buffer):
                if decoded.row == 45:
                    raise Crash
                yield decoded

    ended = 0
    while True:
        try:
            drain(worker(store, Killer(90)).step)
            break
        except Crash:
            ended += 1

    expected = undisturbed(90)
    expected[45] = Detected("j1", "detections:cars", 45, 45, 1_800_000, "failed", "crashed")
    assert answers(store) == expected
    assert ended <= 12
    letters = store.read("frames.dlq", 0, 0, 10)
    assert [CODEC.decode(letter.value).seq for letter in letters] == [45]
    assert dict(letters[0].headers)["x-dlq-reason"] == "crashed"


def commits_of(idle_starts: int) -> tuple[int, dict[int, object]]:
    """Commits that a worker needs for a job, after starts that found nothing to do and were killed."""
    store = MemoryStore()
    for _ in range(idle_starts):
        idle = worker(store, ScriptedReader(200))
        idle.claim()
        assert not idle.step()
    accept(store, job())
    drain(feeder(store, 200, floor=10_000).step)
    ledger = Recorded(store)
    drain(worker(store, ScriptedReader(200), ledger=ledger).step)
    return [name for name, _ in ledger.calls].count("commit"), answers(store)


def test_an_idle_start_makes_nobody_careful():
    """Who was killed while there was nothing to read was not ended by a frame: no frame is begun alone."""
    assert commits_of(idle_starts=3) == commits_of(idle_starts=0)


@pytest.mark.parametrize("idle", [False, True])
def test_a_frame_that_ends_the_process_is_found_as_soon_after_an_idle_start(idle):
    """An owner that waits, gets work and is ended by it has begun it."""

    class Killer(ScriptedReader):
        def read(self, chunk, rows, ticks, buffer):
            raise Crash

    store, ended = MemoryStore(), 0
    owner = worker(store, Killer(1))
    if idle:
        assert not owner.step()
    accept(store, job())
    drain(feeder(store, 1, floor=10_000).step)

    while True:
        try:
            drain(owner.step)
            break
        except Crash:
            ended += 1
            owner = worker(store, Killer(1))

    assert ended == 4
    assert answers(store)[0] == Detected("j1", "detections:cars", 0, 0, 0, "failed", "crashed")


def test_offsets_with_holes_change_nothing():
    """Readers go on behind the last entry, wherever that lies; everything is released in the end."""
    store = MemoryStore(hole=3)
    accept(store, job())
    accept(store, job("j2"))

    drain(feeder(store, 90, floor=10_000).step, worker(store, ScriptedReader(90)).step)

    assert answers(store) == undisturbed(90)
    assert {seq: replace(record, job_id="j1") for seq, record in answers(store, "j2").items()} == answers(
        store
    )
    assert all(at.low_water == store.head("frames", at.partition)[1] for at in store.positions("frames"))


class Backwards:
    """Another dialect of the same records: the native one, read from its end."""

    max_bytes = CODEC.max_bytes

    def encode(self, record, about=None) -> bytes:
        return CODEC.encode(record)[::-1]

    def decode(self, value: bytes, about=nobody, key=""):
        return CODEC.decode(value[::-1])

    def decode_job(self, value: bytes):
        return CODEC.decode_job(value[::-1])

    def salvage(self, value: bytes, about=nobody, key=""):
        return CODEC.salvage(value[::-1])


def test_each_topic_speaks_its_own_dialect():
    """Workers read and write as the topic does, and say the same."""

    def codecs(topic: str):
        return Backwards() if topic in (JOB_TOPIC, "found") else CODEC

    store = MemoryStore()
    store.create(job(), [Outgoing(JOB_TOPIC, 0, "j1", Backwards().encode(JobEvent("j1")))])
    drain(
        feeder(store, 30, floor=10_000, codecs=codecs).step,
        worker(store, ScriptedReader(30, failed=(7,)), codecs=codecs).step,
    )

    mixed = [Backwards().decode(entry.value) for entry in store.read("found", 0, 0, 1000)]
    assert {record.seq: record for record in mixed} == undisturbed(30, failed=(7,))
    assert store.head(f"{JOB_TOPIC}.dlq", 0) == (0, 0)


def test_a_stage_that_comes_late_begins_with_what_the_log_still_keeps():
    """Retention took away what was released before it existed."""
    store = MemoryStore()
    accept(store, job())
    drain(feeder(store, 90, floor=10_000).step)
    store.trim(JOB_TOPIC, 0, store.head(JOB_TOPIC, 0)[1])
    ledger = MemoryStore()
    ledger.create(job("j2"), [])
    late = feeder(store, 90, ledger=ledger)

    assert late.step() == 0

    accept(store, job("j2"))
    assert late.step() > 0


def test_a_topic_that_was_made_again_is_a_loud_stop():
    """A position of the old one says nothing about it."""
    ledger, before = MemoryStore(), MemoryStore()
    accept(before, job())
    feeder(before, 30, ledger=ledger).claim()
    again = MemoryStore()
    accept(again, job())

    with pytest.raises(Corrupt) as other:
        feeder(again, 30, ledger=ledger).step()

    assert other.value.code == "other_log"


def test_what_is_no_record_is_a_dead_letter_and_nothing_waits_for_it():
    """Garbage on the topic is kept aside; the frames around it are looked at."""
    store = MemoryStore()
    accept(store, job())
    store.append([Outgoing("frames", 0, "?", b"\xff not json")])
    drain(feeder(store, 30, floor=10_000).step)

    drain(worker(store, ScriptedReader(30)).step)

    assert answers(store) == undisturbed(30)
    assert [letter.value for letter in store.read("frames.dlq", 0, 0, 10)] == [b"\xff not json"]


def test_a_job_cancelled_with_a_full_window_leaves_the_window_to_others():
    """Nobody asks for its frames any more."""
    store = MemoryStore()
    accept(store, job("j1"))
    feed = feeder(store, 1000, window=64, floor=64, batch=64)
    drain(feed.step)

    store.advance("j1", "cancelled")
    drain(feed.step)

    assert store.positions("jobs")[0].low_water == store.head("jobs", 0)[1]


def test_an_outage_is_never_an_attempt():
    """The log takes nothing for a while; no frame is blamed for it."""
    store, down = MemoryStore(), [True]
    accept(store, job())
    drain(feeder(store, 20, floor=10_000).step)

    def outage(name: str, moment: str) -> None:
        if down[0] and name == "append" and moment == "before":
            raise Unavailable("the log takes nothing")

    detect = worker(store, ScriptedReader(20), log=Faults(store, outage))
    for _ in range(12):
        with suppress(Unavailable):
            detect.step()
    down[0] = False
    drain(detect.step)

    assert answers(store) == undisturbed(20)
    assert store.head("frames.dlq", 0) == (0, 0)


@pytest.mark.parametrize("written", [False, True])
@pytest.mark.parametrize("at", range(5))
def test_an_owner_that_outlives_an_outage_of_the_ledger_begins_nothing_again(at, written):
    """Its own attempt is no other one's, though it claims anew, and may not know whether the commit was written."""

    class Ledger(MemoryStore):
        commits, again = 0, 0

        def commit(self, commit):
            self.commits += commit.at.stage == "detect"
            self.again += commit.attempt > 0 and commit.at.attempts > 0
            if self.commits == at + 1 and not written:
                raise Unavailable("the ledger is away")
            done = super().commit(commit)
            if self.commits == at + 1 and written:
                raise Unavailable("the ledger went away")
            return done

    store = Ledger()
    accept(store, job())
    drain(feeder(store, 20, floor=10_000).step)
    detect = worker(store, ScriptedReader(20))

    with suppress(Unavailable):
        drain(detect.step)
    drain(detect.step)

    assert answers(store) == undisturbed(20)
    assert store.commits > at
    assert store.again == 0


def test_kills_on_the_way_up_are_no_frames_fault():
    """Opening source and model takes most of the time of a start; whoever is killed there did not die of a frame."""
    store, starts = MemoryStore(), iter(range(100))
    accept(store, job())
    drain(feeder(store, 20, floor=10_000).step)

    def opened(job_id: str) -> ScriptedReader:
        if next(starts) < 10:
            raise Crash
        return ScriptedReader(20)

    for _ in range(10):
        with pytest.raises(Crash):
            drain(worker(store, opened).step)
    drain(worker(store, opened).step)

    assert answers(store) == undisturbed(20)
    assert store.head("frames.dlq", 0) == (0, 0)


def test_what_was_found_of_a_job_is_written_once_before_its_first_frame():
    """By whoever feeds it first; every other worker reads it in the row."""
    store = MemoryStore()
    accept(store, job())
    assert store.get("j1").facts == {}

    drain(feeder(store, 300, window=90, floor=20).step)

    row = store.get("j1")
    assert (row.state, recipe_of(row)) == ("processing", asked_of(job()))
    assert row.streams == ("detections:cars", "tracks:cars", "totals:cars")
    assert not store.advance("j1", "processing", facts={"streams": []})


def test_a_job_that_cannot_be_resolved_has_failed_and_the_next_one_is_fed():
    """Its source may be refused, or its model."""
    store = MemoryStore()
    accept(store, job("bad"))
    accept(store, job("j1"))

    def resolve(row):
        if row.job_id == "bad":
            raise InvalidVideo("street", reason="not a video", code="not_video")
        return asked_of(row)

    drain(feeder(store, 30, resolve=resolve).step)

    assert (store.get("bad").state, store.get("bad").code) == ("failed", "not_video")
    assert store.get("j1").state == "processing"


def test_a_frame_of_a_job_that_was_never_begun_is_dropped_and_harms_nobody():
    """Whoever wrote it knows nothing of the job; the job is fed and detected as ever."""
    store = MemoryStore()
    store.create(job(), [])
    store.append([Outgoing("frames", 0, "j1", CODEC.encode(End("j1", "frames:main", 7)))])
    detect = worker(store, ScriptedReader(30))
    drain(detect.step)
    assert store.get("j1").state == "new"

    store.append([Outgoing(JOB_TOPIC, 0, "j1", CODEC.encode(JobEvent("j1")))])
    drain(feeder(store, 30, floor=10_000).step, detect.step)

    assert answers(store) == undisturbed(30)


def test_lanes_and_queue_hold_no_more_after_hundreds_of_jobs():
    """Finished or cancelled in the middle: what is known of a job goes with it, or with those that come after it."""
    store = MemoryStore()
    detect = worker(store, ScriptedReader(50), lanes=2)
    feed = feeder(store, 50, floor=10_000)
    held = []
    for number in range(300):
        name = f"j{number}"
        accept(store, job(name, frames=50))
        feed.step()
        if number % 2:
            detect.step()
            store.advance(name, "cancelled")
        drain(feed.step, detect.step)
        at = store.claim("track", "found", 0)
        store.commit(Commit(at, 0, name, "detections:cars", Saved(51, b"")))
        queue = detect.lanes[0]._queue
        held.append(len(queue._jobs) + sum(len(lane._jobs) + len(lane._readers) for lane in detect.lanes))

    assert max(held[150:]) <= max(held[:150])
    assert max(held) < 200
