"""The dialects of both founding systems under the workers: the same results as native, whoever detects."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline import pipeline
from sightline.events import (
    MAX_BYTES,
    Codecs,
    Detected,
    DialectA,
    End,
    Tracked,
    native,
)
from sightline.jobs.recipe import Recipe
from sightline.jobs.topology import streams_of
from sightline.pipeline import Pipeline, codecs_for, topic_of
from sightline.ports import Outgoing
from sightline.runtime.crew import PARTS
from sightline.runtime.feed import Feeder
from sightline.runtime.known import Known
from sightline.runtime.routes import context_of
from sightline.runtime.worker import FoldWorker
from sightline.stages.feed import Plan
from sightline.stages.track import Track
from sightline.testing import (
    Faults,
    MemoryObjects,
    MemoryStore,
    ScriptedDetector,
    ScriptedReader,
    begun_job,
    scripted_recipe,
)
from sightline.types import SourceIndex
from sightline.vision import sampling
from sightline.vision.bytetrack import TrackerSettings
from tests.hosting import Work, run_job
from tests.laws.test_embedded_laws import street

FRAMES = 333
CREATED = 1_779_019_200_250_000
LABELS = ("car", "person")
TRACKER = TrackerSettings(
    track_high_thresh=0.25, track_low_thresh=0.1, new_track_thresh=0.25, match_thresh=0.8
)
Answers = Callable[[str, dict], list[tuple[str, dict]]]
VISDRONE, DETECT = pipeline.load("visdrone"), pipeline.load("detect")
GROUPS = {"visdrone": {"cars": (0,), "people": (1,)}, "detect": {"objects": (0, 1)}}


def recipe_for(loaded: Pipeline) -> Recipe:
    """A scripted job of a pipeline, on its topics and with its detectors."""
    groups, tracked = GROUPS[loaded.name], loaded.name == "visdrone"
    branches = {branch.name: branch.groups for branch in loaded.branches}
    streams = (*(f"frames:{name}" for name in branches), *streams_of(groups, tracked=tracked))
    recipe = scripted_recipe(
        "j1",
        FRAMES,
        groups=groups,
        tracker=TRACKER if tracked else None,
        topics={stream: topic_of(loaded, stream) for stream in streams},
        created_at_us=CREATED,
        sampled=-(-FRAMES // loaded.stride),
    )
    settings = msgspec.structs.replace(recipe.settings, stride=loaded.stride)
    route = msgspec.structs.replace(
        recipe.route, bucket="videos", branches=branches if len(branches) > 1 else msgspec.UNSET
    )
    return msgspec.structs.replace(recipe, settings=settings, route=route)


def outcome(loaded: Pipeline, codecs: Codecs = native):
    reader = partial(ScriptedReader, FRAMES, failed=(5, 6, 10))
    work = Work(
        recipe_for(loaded),
        ScriptedDetector(street),
        reader,
        Kept(),
        MemoryObjects(),
        workers=2,
        codecs=codecs,
    )
    job = run_job(work)
    return job.state, work.objects.contents(), work.store


class Kept(MemoryStore):
    """A store that forgets no record."""

    def trim(self, topic: str, partition: int, before: int) -> None:
        pass

    def values(self, topic: str) -> list[bytes]:
        return [e.value for part in range(8) for e in self.read(topic, part, 0, 10_000)]


@pytest.mark.parametrize("loaded", [VISDRONE, DETECT], ids=lambda loaded: loaded.name)
def test_a_dialect_changes_no_byte_of_a_result(loaded):
    """All files of a job, failed frames among them, are those of the native form; each record is one of the dialect."""
    codecs = codecs_for([loaded])
    plain = outcome(loaded)

    said = outcome(loaded, codecs)

    assert said[:2] == plain[:2]
    assert said[0] == "ready"
    for topic in set(recipe_for(loaded).route.topics.values()):
        for value in said[2].values(topic):
            codecs(topic).decode(value)
            if not topic.startswith("totals"):
                assert {"frame_id", "frames"} & json.loads(value).keys(), value


# --- programs that are not ours


class Elsewhere:
    """A detector of another system in the place of ours: it reads tasks and writes answers, JSON in and out.

    It knows neither seq nor time nor ends, and repeats each third answer.
    """

    paused = ""

    def __init__(self, answers: Answers, topic: str, partitions, *, log, **others) -> None:
        self._answers, self.topic, self._log = answers, topic, log
        self._read = dict.fromkeys(partitions, 0)

    def claim(self) -> None:
        pass

    def release(self) -> None:
        pass

    def step(self) -> int:
        done = 0
        for partition, offset in self._read.items():
            for entry in self._log.read(self.topic, partition, offset, 7):
                said = self._answers(self.topic, json.loads(entry.value))
                records = [Outgoing(topic, 0, entry.key, json.dumps(each).encode()) for topic, each in said]
                self._log.append(records * (2 if entry.offset % 3 == 0 else 1))
                self._read[partition] = entry.offset + 1
                done += 1
        return done


def seen(number: int, label: str) -> list[tuple[list[float], float]]:
    """Boxes of one label in a frame, as our own detector would have said them."""
    found = street(number)
    rows = zip(found.xyxy.tolist(), found.confidence.tolist(), found.class_id.tolist(), strict=True)
    return [(box, round(score, 4)) for box, score, class_id in rows if LABELS[class_id] == label]


def system_a(topic: str, task: dict) -> list[tuple[str, dict]]:
    """car_detector and person_detector, each on its topic: an end has no frame, and they skip it."""
    if "frame_id" not in task:
        return []
    label, found_in = {
        "car-frames": ("car", "detections-cars"),
        "person-frames": ("person", "detections-people"),
    }[topic]
    head = {name: task[name] for name in ("frame_id", "video_id", "timestamp")}
    boxes = seen(int(task["frame_id"].removeprefix("frame_")), label)
    found = [{"label": label, "confidence": score, "bbox": box} for box, score in boxes]
    return [(found_in, {**head, "detections": found})]


def system_b(topic: str, task: dict) -> list[tuple[str, dict]]:
    """inference: an end is no frame, and it skips it."""
    if task.get("media_type") != "frame":
        return []
    objects = [
        {"class": label, "box": [int(side) for side in box], "conf": score}
        for label in LABELS
        for box, score in seen(task["frame_id"], label)
    ]
    prediction = {"frame": task["frame_id"], "objects": objects}
    head = {name: task[name] for name in ("event_id", "frame_id", "bucket")}
    return [("inference_results", {**head, "prediction": prediction})]


def beside(plain: Work, loaded: Pipeline, answers: Answers) -> Work:
    """The same job with a foreign detector, whose feeder looks at once at a frame that nobody releases."""
    return replace(
        plain,
        store=MemoryStore(),
        objects=MemoryObjects(),
        codecs=codecs_for([loaded]),
        parts=replace(PARTS, role=partial(Elsewhere, answers), feeder=partial(Feeder, still_s=0.0)),
    )


SYSTEMS = pytest.mark.parametrize(
    ("loaded", "answers"), [(VISDRONE, system_a), (DETECT, system_b)], ids=["system a", "system b"]
)


@SYSTEMS
def test_a_detector_of_a_founding_system_gives_the_same_result(loaded, answers):
    """It says no seq, no time and no end: they are known of the job."""
    plain = Work(recipe_for(loaded), ScriptedDetector(street), partial(ScriptedReader, FRAMES))
    foreign = beside(plain, loaded, answers)

    assert run_job(plain).state == run_job(foreign).state == "ready"
    assert foreign.objects.contents() == plain.objects.contents()


BROKEN = (0, 5, 10, 15, 100, 161, 325, 330, 331, 332)  # at the begin, in a row, at the end


class Broken(ScriptedReader):
    """A source some of whose pictures are broken.

    Args:
        failed: which ones.
        known: the index has them; else only who decodes them finds out.
    """

    def __init__(self, failed: Sequence[int], known: bool) -> None:
        super().__init__(FRAMES, failed=failed)
        self._known = dict.fromkeys(failed, "undecodable") if known else {}

    def index(self) -> SourceIndex:
        return replace(super().index(), failed=self._known)


def silent(failed: Sequence[int], answers: Answers, topic: str, task: dict) -> list[tuple[str, dict]]:
    """A detector that says nothing of a picture that it cannot open, as those of the founding systems."""
    broken = task.get("frame_id") in failed or task.get("frame") in failed
    return [] if broken else answers(topic, task)


@pytest.mark.parametrize(
    "says", [partial(silent, BROKEN), lambda answers, *task: answers(*task)], ids=["silent", "empty"]
)
@SYSTEMS
def test_what_is_known_to_be_broken_needs_no_answer(loaded, answers, says):
    """Whatever a foreign detector says of it or not: the frame is failed, for the reason that the index has."""
    plain = Work(recipe_for(loaded), ScriptedDetector(street), partial(Broken, BROKEN, True))
    foreign = beside(plain, loaded, partial(says, answers))

    assert run_job(plain).state == run_job(foreign).state == "ready"
    assert foreign.objects.contents() == plain.objects.contents()


@SYSTEMS
def test_what_only_decoding_shows_to_be_broken_needs_no_answer(loaded, answers):
    """Where nobody has copied the frames either: the feeder looks at the one that is waited for, and answers for it."""
    plain = Work(recipe_for(loaded), ScriptedDetector(street), partial(Broken, BROKEN, False))
    foreign = beside(plain, loaded, partial(silent, BROKEN, answers))

    assert run_job(plain).state == run_job(foreign).state == "ready"
    assert foreign.objects.contents() == plain.objects.contents()


@pytest.mark.parametrize("known", [True, False])
@SYSTEMS
def test_a_job_without_any_picture_ends_though_nobody_says_anything(loaded, answers, known):
    """As with our own detector: no foreign record comes, by which the end of a stream were known."""
    nothing = range(FRAMES)
    plain = Work(recipe_for(loaded), ScriptedDetector(street), partial(Broken, nothing, known))
    foreign = beside(plain, loaded, partial(silent, nothing, answers))

    ended = run_job(plain)
    assert ended.state == "failed"
    assert run_job(foreign) == ended


# --- a stream in which foreign programs write

N = 11
STREAM = "detections:cars"
TOPICS = {STREAM: "detections-cars", "tracks:cars": "tracks-cars"}
RECIPE = scripted_recipe("j1", N, groups={"cars": (0,)}, tracker=TRACKER, topics=TOPICS, streams=(STREAM,))


def plan(recipe: Recipe) -> Plan:
    index = ScriptedReader(N).index()
    return Plan(index, sampling.sample(index, 1), sampling.chunks(index))


def codecs(topic: str) -> DialectA:
    return DialectA({topic: stream for stream, topic in TOPICS.items()}[topic])


def ours(seq: int) -> Outgoing:
    boxes = street(seq)
    record = Detected("j1", STREAM, seq, seq, seq * 40_000, detections=boxes[boxes.class_id == 0])
    return Outgoing("detections-cars", 0, "j1", codecs("detections-cars").encode(record, context_of(RECIPE)))


def theirs(seq: int) -> Outgoing:
    task = {"frame_id": f"frame_{seq:05d}", "video_id": "video j1", "timestamp": "2026-05-17T12:00:00+00:00"}
    ((topic, found),) = system_a("car-frames", task)
    return Outgoing(topic, 0, "j1", json.dumps(found).encode())


def end() -> Outgoing:
    return Outgoing("detections-cars", 0, "j1", codecs("detections-cars").encode(End("j1", STREAM, N)))


def worker(store, *, ledger=None, partition=0, max_frames=2, max_records=3) -> FoldWorker:
    return FoldWorker(
        "track",
        "detections-cars",
        partition,
        lambda recipe, stream: Track(TRACKER),
        log=store,
        ledger=ledger or store,
        jobs=store,
        objects=MemoryObjects(),
        codecs=codecs,
        about=Known(store, plan),
        max_frames=max_frames,
        max_records=max_records,
    )


def begun(records, store: MemoryStore | None = None) -> MemoryStore:
    store = MemoryStore() if store is None else store
    store.create(begun_job(RECIPE), [])
    store.append(records)
    return store


def tracks(store) -> list[bytes]:
    return [entry.value for entry in store.read("tracks-cars", 0, 0, 10_000)]


def drain(running) -> None:
    while running.step():
        pass


@pytest.fixture(scope="module")
def whole() -> list[bytes]:
    """What comes of a stream of ours."""
    store = begun([*(ours(seq) for seq in range(N)), end()])
    drain(worker(store))
    return tracks(store)


@given(data=st.data())
def test_the_end_of_a_stream_with_foreign_records_is_known(whole, data):
    """One of them is enough, wherever it lies, repeated or not; whether an end comes beside it or not."""
    foreign = data.draw(st.sets(st.integers(0, N - 1), min_size=1))
    records = [theirs(seq) if seq in foreign else ours(seq) for seq in range(N)]
    extra = data.draw(st.lists(st.sampled_from([*records, end()]), max_size=6))
    store = begun(data.draw(st.permutations(records + extra)))

    drain(worker(store, max_frames=data.draw(st.integers(1, 9)), max_records=data.draw(st.integers(1, 9))))

    assert tracks(store) == whole


@pytest.mark.parametrize("last", [ours, theirs])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("at", range(2 * N))
def test_a_crash_forgets_no_end_that_nobody_wrote(whole, at, when, last):
    """Killed at any commit, also between the last frame and the end: the next owner knows it again."""

    class Crash(Exception):
        pass

    calls = [0]

    def fault(method: str, moment: str) -> None:
        if (method, moment) == ("commit", when):
            calls[0] += 1
            if calls[0] == at + 1:
                raise Crash

    store = begun([*(theirs(seq) for seq in range(N - 1)), last(N - 1)])
    try:
        drain(worker(store, ledger=Faults(store, fault), max_frames=1))
    except Crash:
        drain(worker(store))

    assert tracks(store) == whole
    assert store.positions("detections-cars")[0].low_water == N


def test_a_stream_of_ours_ends_by_its_end_alone(whole):
    """Complete is what has its end and every frame below it."""
    store = begun([ours(seq) for seq in range(N)])

    drain(worker(store))

    assert tracks(store) == whole[:-1]


def test_an_answer_for_no_job_that_runs_is_a_dead_letter():
    """With the code that says so; the partition moves on."""
    stray = replace(theirs(0), key="j2")
    store = begun([stray, *(theirs(seq) for seq in range(N))])

    drain(worker(store))

    (letter,) = store.read("detections-cars.dlq", 0, 0, 10)
    assert letter.value == stray.value
    said = dict(letter.headers)
    assert said["x-dlq-reason"] == "unknown_job"
    assert "no job 'j2' runs" in said["x-dlq-message"]
    assert len(tracks(store)) == N + 1


def test_an_answer_with_an_unknown_label_costs_its_frame():
    """The frame is `failed(invalid)`, the record a dead letter, the job goes on to its end."""
    broken = replace(theirs(3), value=theirs(3).value.replace(b'"car"', b'"cat"'))
    store = begun([theirs(seq) if seq != 3 else broken for seq in range(N)])

    drain(worker(store))

    read = [codecs("tracks-cars").decode(value) for value in tracks(store)]
    assert [record.seq for record in read] == list(range(N + 1))
    assert [(r.seq, r.outcome, r.reason) for r in read if isinstance(r, Tracked) and r.outcome != "ok"] == [
        (3, "failed", "invalid")
    ]
    assert len(store.read("detections-cars.dlq", 0, 0, 10)) == 1


class Swollen(MemoryStore):
    """A log in which one record has more bytes than it may have: brokers count what is compressed."""

    def __init__(self, partition: int, offset: int) -> None:
        super().__init__()
        self._at = ("detections-cars", partition, offset)

    def read(self, topic, partition, offset, limit):
        return [
            replace(entry, value=entry.value + b" " * MAX_BYTES)
            if (topic, partition, entry.offset) == self._at
            else entry
            for entry in super().read(topic, partition, offset, limit)
        ]


@pytest.mark.parametrize("partition", [0, 1])
def test_an_answer_that_is_too_large_costs_its_frame(partition):
    """`failed(too_large)`, wherever it lies; nobody stops for it."""
    records = [replace(theirs(seq), partition=partition) for seq in range(N)]
    store = begun(records, Swollen(partition, 3))

    for each in (partition, 0):
        drain(worker(store, partition=each))

    read = [codecs("tracks-cars").decode(value) for value in tracks(store)]
    assert [(r.seq, r.reason) for r in read if isinstance(r, Tracked) and r.outcome != "ok"] == [
        (3, "too_large")
    ]
    assert len(read) == N + 1


def test_what_nobody_can_read_and_no_letter_holds_is_cut():
    """Its begin is a dead letter that says how much there was; the job goes on."""
    stray = replace(theirs(3), value=b"{")
    records = [stray, *(theirs(seq) for seq in range(N))]
    store = begun(records, Swollen(0, 0))

    drain(worker(store))

    (letter,) = store.read("detections-cars.dlq", 0, 0, 10)
    assert letter.value == b"{" + b" " * (64 * 1024 - 1)
    said = dict(letter.headers)
    assert (said["x-dlq-reason"], said["x-dlq-bytes"]) == ("invalid_record", str(MAX_BYTES + 1))
    assert len(tracks(store)) == N + 1


@pytest.mark.parametrize("at_home", [range(0), range(0, N, 2)])
def test_a_record_that_lies_elsewhere_is_carried_to_where_its_job_gathers(whole, at_home):
    """A foreign program has a partitioner of its own, and may write no key; whatever is repeated on the way."""
    named = [
        replace(theirs(seq), partition=0 if seq in at_home else 1, key="" if seq % 2 else "j1")
        for seq in range(N)
    ]
    store = begun([replace(each, value=each.value[:-1] + b',"job_id":"j1"}') for each in named])

    for partition in (0, 1, 1, 0):  # twice, as two stages do that read one topic
        drain(worker(store, partition=partition))
    again = worker(store, partition=1, ledger=MemoryStore())
    drain(again)
    drain(worker(store))

    assert tracks(store) == whole
    assert {at.partition: at.low_water for at in store.positions("detections-cars")} == {
        at: store.head("detections-cars", at)[1] for at in (0, 1)
    }
