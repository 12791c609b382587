"""What is wrong with one job ends that job, with a code; nobody else notices. Every row of the table of failures."""

import re
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

from sightline.errors import (
    Corrupt,
    EngineError,
    InvalidVideo,
    Misconfigured,
    NotFound,
    ServiceMisconfigured,
    TooLarge,
    Unavailable,
    setting,
)
from sightline.events import MAX_BYTES, Detected, Native
from sightline.jobs.recipe import asked_of
from sightline.ports import Commit, Entry, Outgoing, Saved, Which
from sightline.runtime.dead_letters import KEPT, dead_letter
from sightline.runtime.failures import TABLE, error_of
from sightline.runtime.feed import Feeder
from sightline.runtime.publish import Publisher
from sightline.runtime.routes import outgoing
from sightline.runtime.worker import FoldWorker
from sightline.stages.collect import Collect
from sightline.stages.stats import Stats
from sightline.testing import AtCall, Faults, MemoryObjects, MemoryStore, ScriptedDetector, ScriptedReader
from sightline.types import Detections
from sightline.vision.counting import CountRule
from tests.laws.scenes import Chain, addressed, job, stream
from tests.laws.test_feed_detect_laws import accept, answers, feeder, found, plan, undisturbed, worker
from tests.laws.test_feed_detect_laws import job as detect_job
from tests.laws.test_owners import drain, fold
from tests.unit.runtime.test_publish import collected, publisher

CODEC = Native()
BAD, GOOD = "bad", "j1"


def raising(error):
    def act(*args):
        raise error

    return act


def state_of(store, job_id=BAD) -> tuple[str, str, str]:
    row = store.get(job_id)
    return row.state, row.code, row.reason


def test_the_table_is_the_one_that_readers_see():
    """docs/reliability.md shows every row as the code has it."""
    page = Path("docs/reliability.md").read_text(encoding="utf-8")

    for row in TABLE:
        assert f"| {row.error} | {row.record} | {row.job} | {row.stage} | {row.process} |" in page


# --- feed ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "code", "reason"),
    [
        (InvalidVideo("street", reason="not a video", code="not_video"), "not_video", "not a video"),
        (NotFound("clip.mp4: no such file"), "not_found", "clip.mp4: no such file"),
        (Misconfigured("no model tiny", code="model_missing"), "model_missing", "no model tiny"),
        (Corrupt("its index is damaged"), "corrupt", "its index is damaged"),
    ],
)
def test_a_job_that_cannot_be_planned_fails_alone(error, code, reason):
    """The feeder goes on with the next one."""
    store = MemoryStore()
    for each in (detect_job(BAD), detect_job(GOOD)):
        accept(store, each)

    def planned(recipe):
        if recipe.job_id == BAD:
            raise error
        return plan(30)

    drain(Feeder(store, store, store, planned, objects=MemoryObjects(), floor=10_000).step)
    drain(worker(store, ScriptedReader(30)).step)

    assert state_of(store) == ("failed", code, reason)
    assert answers(store) == undisturbed(30)


def test_a_job_event_that_cannot_be_read_is_put_aside_and_the_next_one_is_taken():
    """The topic is shared with older systems."""
    store = MemoryStore()
    store.append([Outgoing("jobs", 0, "?", b"garbage")])
    accept(store, detect_job(GOOD))

    drain(feeder(store, 30, floor=10_000).step)

    assert store.get(GOOD).state == "processing"
    assert [letter.value for letter in store.read("jobs.dlq", 0, 0, 9)] == [b"garbage"]


def test_a_plan_that_waits_for_a_dependency_is_made_later():
    """An outage is no failure of the job."""
    store, calls = MemoryStore(), []
    accept(store, detect_job(GOOD))

    def planned(recipe):
        calls.append(recipe)
        if len(calls) == 1:
            raise Unavailable("the disk does not answer")
        return plan(30)

    feed = Feeder(store, store, store, planned, objects=MemoryObjects(), floor=10_000)
    with pytest.raises(Unavailable):
        feed.step()
    drain(feed.step)

    assert store.get(GOOD).state == "processing"


def test_a_job_of_which_not_all_is_known_keeps_nobody_waiting_and_its_turn():
    """Its source is being hashed: those behind it are taken, and nothing of it is lost by a restart."""
    store, known = MemoryStore(), set()
    for name in (BAD, GOOD):
        accept(store, detect_job(name))

    def resolved(made):
        return asked_of(made) if made.job_id in {GOOD, *known} else None

    feed = Feeder(
        store, store, store, lambda recipe: plan(30), objects=MemoryObjects(), floor=10_000, resolve=resolved
    )
    drain(feed.step)
    before = store.get(BAD).state, store.get(GOOD).state, feed.claim().at.low_water
    feed.release()
    again = Feeder(
        store, store, store, lambda recipe: plan(30), objects=MemoryObjects(), floor=10_000, resolve=resolved
    )
    drain(again.step)
    known.add(BAD)
    drain(again.step)

    assert before == ("new", "processing", 0)
    assert store.get(BAD).state == "processing"


def test_jobs_of_which_nothing_is_known_are_asked_for_as_many_as_there_is_room_for():
    """A thousand in the queue are not a thousand questions a round; they keep their order."""
    store, asked = MemoryStore(), []
    for number in range(9):
        accept(store, detect_job(f"j{number}"))

    def unknown(made):
        asked.append(made.job_id)

    feed = Feeder(
        store, store, store, lambda recipe: plan(30), objects=MemoryObjects(), resolve=unknown, at_once=3
    )
    feed.step()
    first, asked[:] = [*asked], []
    feed.step()

    assert len(first) == 3
    assert first[:2] == ["j0", "j1"]
    assert len(asked) == 3
    assert asked[0] == "j0"


# --- detect --------------------------------------------------------------------------------------------------------


class Gone(ScriptedReader):
    """A source that is replaced while it is read."""

    def read(self, chunk, rows, ticks, buffer):
        yield from super().read(chunk, rows[:1], ticks[:1], buffer)
        raise InvalidVideo("street", reason="it was changed", code="source_changed")


def refuse(number: int) -> Detections:
    if number >= 1000:
        raise Misconfigured("the head of the model is another one", code="model_head")
    return found(number)


class Shifted(ScriptedReader):
    """Frames whose pictures say 1,000 more than their numbers."""

    def read(self, chunk, rows, ticks, buffer):
        for decoded in super().read(chunk, rows, ticks, buffer):
            if decoded.buffer is not None:
                number = int.from_bytes(decoded.buffer.reshape(-1)[:4].tobytes(), "little") + 1000
                decoded.buffer.reshape(-1)[:4] = np.frombuffer(number.to_bytes(4, "little"), np.uint8)
            yield decoded


def two_jobs(frames: int) -> MemoryStore:
    store = MemoryStore()
    for each in (detect_job(BAD), detect_job(GOOD)):
        accept(store, each)
    drain(feeder(store, frames, floor=10_000).step)
    return store


def detecting(store, bad_reader, depth: int):
    readers = {BAD: bad_reader, GOOD: ScriptedReader(90)}
    return worker(store, readers.__getitem__, detector=ScriptedDetector(refuse), depth=depth)


@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize(
    ("reader", "code"), [(Gone(90), "source_changed"), (Shifted(90), "model_head")], ids=["source", "model"]
)
def test_a_source_or_a_model_of_one_job_ends_that_job_alone(reader, code, depth):
    """Whatever of other jobs is in flight is finished; all slots are free again; the log can be trimmed."""
    store = two_jobs(90)
    detect = detecting(store, reader, depth)

    drain(detect.step)

    assert state_of(store)[:2] == ("failed", code)
    assert answers(store) == undisturbed(90)
    assert all(at.low_water == store.head("frames", at.partition)[1] for at in store.positions("frames"))
    (slots,) = detect.lanes[0]._slots.values()
    assert len(slots.free) + (slots.next is not None) == depth


def test_the_reason_of_a_refused_model_names_the_frame():
    """As `track` says it."""
    store = two_jobs(90)

    drain(detecting(store, Shifted(90), 1).step)

    assert re.fullmatch(r"frame \d+ of video bad: the head of the model is another one", state_of(store)[2])


def test_an_engine_that_fails_ends_no_job():
    """It is tried again; nothing is failed for it."""

    class Once(ScriptedDetector):
        failed = False

        def slot(self):
            made = super().slot()
            result = made.result

            def once():
                if not Once.failed:
                    Once.failed = True
                    raise EngineError("the runtime failed")
                return result()

            made.result = once
            return made

    store = MemoryStore()
    accept(store, detect_job(GOOD))
    drain(feeder(store, 30, floor=10_000).step)
    detect = worker(store, ScriptedReader(30), detector=Once(found))

    with pytest.raises(EngineError):
        drain(detect.step)
    drain(detect.step)

    assert store.get(GOOD).state == "processing"
    assert answers(store) == undisturbed(30)


def test_a_frame_with_more_boxes_than_a_record_holds_is_failed():
    """No stage stops for it, and every worker says the same."""
    boxes = np.repeat([[1.0, 2.0, 3.0, 4.0]], 40_000, axis=0)
    crowd = Detected(
        "j1",
        "detections:cars",
        7,
        7,
        280_000,
        detections=Detections(boxes, np.full(40_000, 0.5), np.zeros(40_000, int)),
    )

    sent = outgoing(asked_of(detect_job()), crowd, lambda topic: CODEC)

    assert len(CODEC.encode(crowd)) > MAX_BYTES
    assert CODEC.decode(sent.value) == Detected("j1", "detections:cars", 7, 7, 280_000, "failed", "too_large")


def test_a_dead_letter_says_all_that_is_known_of_it():
    """Where it lay, who gave it up and why, of which program, in which trace."""
    store = MemoryStore()
    came = (("traceparent", "00-" + "a" * 32 + "-" + "b" * 16 + "-01"), ("content-type", "application/json"))
    store.append([Outgoing("in", 0, "j1", b"{", came), Outgoing("in", 0, "j1", b"{")])

    drain(fold(store).step)

    first, second = (dict(letter.headers) for letter in store.read("in.dlq", 0, 0, 9))
    assert first | {"x-dlq-message": ""} == dict(came) | {
        "x-dlq-reason": "invalid_record",
        "x-dlq-stage": "stats",
        "x-dlq-attempts": "1",
        "x-dlq-topic": "in",
        "x-dlq-partition": "0",
        "x-dlq-offset": "0",
        "x-dlq-error-class": "Rejected",
        "x-dlq-message": "",
        "x-dlq-worker-version": version("sightline"),
    }
    assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-00", second["traceparent"])


def test_the_message_of_a_dead_letter_is_cut_in_bytes():
    """Between two characters, whatever they take."""
    entry = Entry(7, "j1", b"{")

    letter = dead_letter("stats", "in", 0, entry, "invalid_record", "\N{SNOWMAN}" * 400 + "\udc80")

    message = dict(letter.headers)["x-dlq-message"]
    assert message == "\N{SNOWMAN}" * 170


def test_dead_letters_are_bounded():
    """A stranger that writes garbage for ever does not fill the disk."""
    store = MemoryStore()
    store.append([Outgoing("in", 0, "?", b"%d" % number) for number in range(KEPT + 50)])

    drain(fold(store).step)

    kept_from, following = store.head("in.dlq", 0)
    assert following - kept_from == KEPT
    assert store.read("in.dlq", 0, kept_from, 1)[0].value == b"50"


# --- folds ---------------------------------------------------------------------------------------------------------


def two_streams() -> MemoryStore:
    store = MemoryStore()
    for job_id in (BAD, GOOD):
        store.create(job(job_id), [])
    store.append(addressed(stream(40, BAD)[:20]))
    store.append(addressed(stream(40, GOOD)[:20]))
    drain(fold(store).step)
    return store


def damage(store, state: bytes) -> None:
    at = next(at for at in store.positions("in"))
    saved = store.load("stats", BAD, "totals:in")
    store.commit(Commit(at, at.low_water, BAD, "totals:in", Saved(saved.next_seq, state)))


class Careful(Chain):
    """A chain that knows a damaged state, and one of a newer version."""

    def decode(self, blob: bytes) -> int:
        if blob == b"newer":
            raise Misconfigured(
                "chain: format version 9; use the release that wrote it", code="state_version"
            )
        if not blob.isdigit():
            raise Corrupt("chain: checksum differs; start again")
        return int(blob)


def careful(store) -> FoldWorker:
    ports = {"log": store, "ledger": store, "jobs": store, "objects": MemoryObjects()}
    return FoldWorker("stats", "in", 0, lambda job, of: Careful() if of == "totals:in" else None, **ports)


def test_a_damaged_state_ends_its_job_and_no_other():
    """Everybody on that partition stood still for it."""
    store = two_streams()
    damage(store, b"\xff")
    for job_id in (BAD, GOOD):
        store.append(addressed(stream(40, job_id)[20:]))

    drain(careful(store).step)

    assert state_of(store) == ("failed", "corrupt", "chain: checksum differs; start again")
    assert store.get(GOOD).state == "predictable"
    assert store.positions("in")[0].low_water == store.head("in", 0)[1]


def test_a_state_of_a_newer_version_stops_the_stage_and_ends_no_job():
    """An old worker that meets it during an upgrade leaves the job to a newer one."""
    store = two_streams()
    damage(store, b"newer")
    store.append(addressed(stream(40, BAD)[20:]))

    with pytest.raises(Misconfigured, match="version 9"):
        careful(store).step()

    assert store.get(BAD).state not in ("failed", "ready")


@pytest.mark.parametrize(
    ("stage", "blob"),
    [
        (Collect(), b"\x02"),
        (Stats(CountRule(3)), Stats(CountRule(3)).encode(Stats(CountRule(3)).initial())[:4] + b"\x63\x00"),
    ],
    ids=["collect", "stats"],
)
def test_every_stage_knows_a_state_of_a_newer_version(stage, blob):
    """`Misconfigured`, as the protocol of stages says, and not `Corrupt`."""
    whole = stage.encode(stage.initial())

    with pytest.raises(Misconfigured) as newer:
        stage.decode(blob + whole[len(blob) :])

    assert newer.value.code == "state_version"


def test_a_segment_that_lies_there_with_other_bytes_ends_its_job_alone():
    """A detector with random low bits on a lost power, say."""
    store, objects = two_streams(), MemoryObjects()

    class Bad(Chain):
        release = 1

        def process(self, batch, state):
            if batch[0].job_id == BAD:
                raise Corrupt("object segments/x holds other bytes")
            return super().process(batch, state)

    for job_id in (BAD, GOOD):
        store.append(addressed(stream(40, job_id)[20:]))
    ports = {"log": store, "ledger": store, "jobs": store, "objects": objects}
    drain(FoldWorker("stats", "in", 0, lambda job, of: Bad() if of == "totals:in" else None, **ports).step)

    assert state_of(store)[:2] == ("failed", "corrupt")
    assert store.get(GOOD).state == "predictable"


def test_a_job_that_was_removed_while_its_records_are_on_their_way_stops_nobody():
    """Its row is gone: that means "ended" to everyone."""
    store = two_streams()
    running = fold(store)
    store.append(addressed(stream(40, BAD)[20:]))
    running.step()
    store.advance(BAD, "cancelled")
    assert store.remove(BAD)
    for job_id in (BAD, GOOD):
        store.append(addressed(stream(40, job_id)[20:]))

    drain(running.step)

    assert store.get(GOOD).state == "predictable"


# --- publish -------------------------------------------------------------------------------------------------------


def test_a_lost_segment_ends_its_job_and_the_next_one_is_published():
    """No later job was published, ever."""
    store, objects = collected("bad")
    collected("good", store, objects)
    objects.delete(next(key for key in objects.contents() if key.startswith("jobs/bad/")))

    drain(publisher(store, objects).step)

    assert state_of(store)[:2] == ("failed", "corrupt")
    assert "though its frames are committed" in state_of(store)[2]
    assert store.get("good").state == "ready"
    assert not store.list(Which(states=("predictable",))).jobs


def test_a_result_that_cannot_be_made_ends_its_job_with_that_error():
    """The source was replaced while the job ran."""
    store, objects = collected("bad")

    def render(recipe, streams):
        dict(streams)
        raise InvalidVideo("street", reason="it was changed", code="source_changed")

    Publisher(store, store, objects, render).step()

    assert state_of(store) == ("failed", "source_changed", "it was changed")


def test_what_this_machine_lacks_ends_no_job():
    """Hours of work are not lost for a library: it is installed, and the result is written."""
    store, objects = collected("good")

    def render(recipe, streams):
        raise Misconfigured("no H.264 encoder", code="missing_encoder")

    with pytest.raises(Misconfigured):
        Publisher(store, store, objects, render).step()
    publisher(store, objects).step()

    assert store.get("good").state == "ready"


def test_a_store_that_refuses_us_while_results_are_written_ends_no_job():
    """Keys that have run out are given anew, and the result is written."""
    store, objects = collected("good")
    refused = raising(ServiceMisconfigured("the keys are not accepted"))

    with pytest.raises(ServiceMisconfigured):
        publisher(store, Faults(objects, AtCall("put_new", "before", 1, refused, dead=False))).step()
    publisher(store, objects).step()

    assert store.get("good").state == "ready"


def test_a_store_that_does_not_answer_while_results_are_written_ends_no_job():
    """It is published when the store is back."""
    store, objects = collected("good")
    down = Faults(objects, AtCall("put_new", "before", 1, raising(Unavailable("no answer")), dead=False))

    with pytest.raises(Unavailable):
        publisher(store, down).step()
    publisher(store, objects).step()

    assert store.get("good").state == "ready"


# --- what `track` makes of it ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error",
    [
        InvalidVideo("video bad", reason="it was changed", code="source_changed"),
        NotFound("street: img7.jpg is gone"),
        TooLarge("a record of 9 MB"),
        Misconfigured("frame 7 of street: tiny.onnx: another head", code="model_head"),
        Misconfigured("the function gave 3 columns", code="detector_function"),
        Misconfigured(f"only 640x640: leave out {setting('imgsz')}", code="imgsz"),
        Corrupt("object segments/x holds other bytes"),
    ],
    ids=lambda error: error.code,
)
def test_the_error_of_a_job_is_the_same_from_its_code_and_reason(error):
    """Class, code and text: what `track` prints and how it ends."""
    store = MemoryStore()
    accept(store, detect_job(BAD))

    drain(Feeder(store, store, store, raising(error), objects=MemoryObjects()).step)
    again = error_of(store.get(BAD))

    assert (type(again), again.code, str(again)) == (type(error), error.code, str(error))
    assert again.fields == error.fields
