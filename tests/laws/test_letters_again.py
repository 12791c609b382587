"""Dead letters that are sent again: what was not waited for in vain is had, and nothing changes that has an outcome."""

from dataclasses import replace

import pytest

from sightline.errors import Corrupt, NotFound, Rejected, Unavailable
from sightline.events import JobEvent, Native, native
from sightline.jobs.topology import JOB_TOPIC, Topology
from sightline.ports import Entry, Job, Outgoing
from sightline.runtime import host
from sightline.runtime.dead_letters import bury, dead_letter
from sightline.runtime.letters import PAGE, letter_of, letters
from sightline.runtime.resending import Post
from sightline.testing import AtCall, Faults, MemoryNotes, MemoryStore, begun_job, scripted_recipe
from tests.hosting import run_job
from tests.laws.test_embedded_laws import work
from tests.laws.test_unreadable_records import Garbling, broken

FRAMES = 60
STREAM, TOPIC, SEQ = "detections:cars", "detections-cars", 20


class Older(Native):
    """A reader of a release that took a record for nonsense."""

    def decode(self, value, about=None, key=""):
        record = super().decode(value)
        if (record.stream, record.seq) == (STREAM, SEQ):
            raise Rejected("not a record", code="invalid_record")
        return record

    def salvage(self, value, about=None, key=""):
        return None


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Nobody waits in vain for long."""
    monkeypatch.setattr(host, "IDLE_S", 0.005)


def post_over(store, notes=None, now_us=7) -> Post:
    topology = Topology.of(work(FRAMES).recipe.route.topics, 8)
    return Post(store, store, store, notes or MemoryNotes(), topology, native, now_us)


def kept(post) -> list:
    return list(letters(post.log, dict.fromkeys(topic for _, topic, _ in post.topology.reads())))


def outcomes(post, found) -> list[str]:
    return [sent.fate for sent in post.send(found)]


def test_a_record_that_this_release_reads_ends_the_wait_of_its_job():
    """Its job stood still for want of it; with it, every byte is as if nothing had been."""
    made = work(FRAMES)
    with pytest.raises(Corrupt, match="waits for seq 20"):
        run_job(replace(made, codecs=lambda topic: Older()))
    post = post_over(made.store)
    before = kept(post)
    assert {(letter.topic, letter.said("stage")) for letter in before} == {
        (TOPIC, "track"),
        (TOPIC, "collect"),
    }

    head = made.store.head(TOPIC, 0)[1]

    assert outcomes(post, before) == ["sent", "sent"]

    assert made.store.head(TOPIC, 0)[1] == head + 1  # once: all stages read it there
    assert [post.resent_at(letter) for letter in before] == [7, 7]
    assert run_job(made).state == "ready"
    plain = work(FRAMES)
    run_job(plain)
    assert made.objects.contents() == plain.objects.contents()
    assert kept(post) == before


def test_a_letter_that_was_sent_stays_and_is_marked():
    """By when it was sent; another record at its place, of a topic that was made again, is not."""
    store, notes = MemoryStore(), MemoryNotes()
    store.create(begun_job(scripted_recipe("j1")), [])
    bury(store, dead_letter("track", TOPIC, 0, Entry(3, "j1", b"{"), "invalid_record", "not a record"))
    post = post_over(store, notes)
    [letter] = kept(post)
    assert post.resent_at(letter) is None

    assert outcomes(post, [letter]) == ["sent"]
    assert outcomes(replace(post, now_us=8), [letter]) == ["sent"]

    assert kept(post) == [letter]
    assert post.resent_at(letter) == 8

    class MadeAgain(MemoryStore):
        def identity(self, topic):
            return "another"

    assert post_over(MadeAgain(), notes).resent_at(letter) is None


def test_a_letter_whose_record_could_not_be_sent_is_not_marked():
    """It is sent when the log answers again; what was sent twice is dropped by who reads it."""

    def down():
        raise Unavailable("the log does not answer")

    store = MemoryStore()
    store.create(begun_job(scripted_recipe("j1")), [])
    bury(store, dead_letter("track", TOPIC, 0, Entry(3, "j1", b"{"), "invalid_record", "not a record"))
    post = post_over(store)
    [letter] = kept(post)

    with pytest.raises(Unavailable):
        outcomes(replace(post, log=Faults(store, AtCall("append", "before", 1, down))), [letter])

    assert post.resent_at(letter) is None
    assert outcomes(post, [letter]) == ["sent"]
    assert store.head(TOPIC, 0) == (0, 1)


def test_a_record_goes_back_to_where_it_lay_as_it_was():
    """Topic, partition, key, value and its own headers; what was said of the letter is not said of the record."""
    store = MemoryStore()
    store.create(begun_job(scripted_recipe("j1")), [])
    headers = (("traceparent", "00-1-2-00"), ("by", "somebody"))
    entry = Entry(9, "j1", b"\xff", headers)
    bury(store, dead_letter("detect", "frames-main", 5, entry, "invalid_record", "not a record"))
    post = post_over(store)

    assert outcomes(post, kept(post)) == ["sent"]

    [again] = store.read("frames-main", 5, 0, 10)
    assert (again.key, again.value, again.headers) == ("j1", b"\xff", headers)


@pytest.mark.parametrize("stream", ["frames:main", STREAM, "tracks:people"])
def test_a_frame_that_has_its_outcome_keeps_it(stream):
    """Its record named it, so it is failed(invalid) and the job went on: nothing is sent, while it runs and afterwards."""
    made = work(FRAMES, store=Garbling(stream, SEQ, broken))
    run_job(made)
    post = post_over(made.store)
    [letter, *_] = kept(post)
    assert outcomes(post, [letter]) == ["ended"]

    class Running(MemoryStore):
        """The same, before its job had ended."""

        def get(self, job_id):
            return replace(made.store.get(job_id), state="processing")

        progress = made.store.progress

    [sent] = replace(post, jobs=Running(), ledger=Running()).send([letter])
    assert (sent.fate, f"frame {SEQ} of {stream}" in sent.detail) == ("known", True)
    assert [letter.said("topic") for letter in kept(post)].count(letter.topic) == len(kept(post))


def test_a_record_that_ended_its_process_is_not_begun_again():
    """It would end it again, and its frame is failed(crashed) already."""
    store = MemoryStore()
    store.create(begun_job(scripted_recipe("j1")), [])
    bury(store, dead_letter("detect", "frames-main", 0, Entry(0, "j1", b"{"), "crashed", "...", attempts=4))
    post = post_over(store)

    [(letter, fate, detail)] = post.send(kept(post))

    assert (letter.attempts, fate) == (4, "known")
    assert "sightline retry j1" in detail
    assert store.head("frames-main", 0) == (0, 0)


@pytest.mark.parametrize("state", ["ready", "failed", "cancelled"])
def test_a_job_that_has_ended_is_not_helped(state):
    """The way to run it again is said."""
    store = MemoryStore()
    store.create(begun_job(scripted_recipe("j1")), [])
    store.advance("j1", state, code="stalled" if state == "failed" else "")
    bury(store, dead_letter("track", TOPIC, 0, Entry(0, "j1", b"{"), "invalid_record", "..."))
    post = post_over(store)

    [(_, fate, detail)] = post.send(kept(post))

    assert fate == "ended"
    assert detail.endswith("sightline retry j1")
    assert store.head(TOPIC, 0) == (0, 0)


@pytest.mark.parametrize(
    ("value", "key", "fate"),
    [
        (Native().encode(JobEvent("fresh")), "", "sent"),
        (b"{", "fresh", "sent"),
        (b"{", "?", "sent"),
        (Native().encode(JobEvent("j1")), "", "known"),
        (Native().encode(JobEvent("removed")), "removed", "gone"),
    ],
)
def test_a_job_event_is_sent_to_begin_a_job_that_nobody_took_up(value, key, fate):
    """Its key names the job where nothing else does."""
    store = MemoryStore()
    store.create(begun_job(scripted_recipe("j1")), [])
    store.create(Job("fresh", "a video", 0, "sent"), [])
    bury(store, dead_letter("feed", JOB_TOPIC, 0, Entry(0, key, value), "invalid_record", "..."))
    post = post_over(store)

    assert outcomes(post, kept(post)) == [fate]
    assert len(store.read(JOB_TOPIC, 0, 0, 10)) == (fate == "sent")


@pytest.mark.parametrize("place", [(TOPIC, "1"), (TOPIC, "-1"), ("frames-main", "0"), ("", "")])
def test_a_letter_that_does_not_say_where_its_record_lay_is_not_guessed(place):
    """Foreign programs write to the topics of letters too, and name what is none of their partitions."""
    store = MemoryStore()
    store.create(begun_job(scripted_recipe("j1")), [])
    headers = (("x-dlq-topic", place[0]), ("x-dlq-partition", place[1]), ("x-dlq-offset", "0"))
    store.append([Outgoing(f"{TOPIC}.dlq", 0, "j1", b"{}", headers)])
    post = post_over(store)

    assert outcomes(post, kept(post)) == ["homeless"]


def test_letters_are_read_page_by_page_until_those_that_came_later():
    """However many there are, a page is in memory, and what sending adds is not sent in turn."""

    class Counted(MemoryStore):
        def read(self, topic, partition, offset, limit):
            assert limit <= PAGE
            return super().read(topic, partition, offset, limit)

    store = Counted()
    store.append([Outgoing(f"{TOPIC}.dlq", 0, "j1", b"%d" % i) for i in range(2 * PAGE + 3)])

    seen = []
    for letter in letters(store, [TOPIC]):
        store.append([Outgoing(f"{TOPIC}.dlq", 0, "j1", b"later")])
        seen.append(letter.entry.value)

    assert seen == [b"%d" % i for i in range(2 * PAGE + 3)]


def test_letters_that_were_forgotten_meanwhile_are_passed_over():
    """The log forgets the oldest while somebody reads."""
    store = MemoryStore()
    store.append([Outgoing(f"{TOPIC}.dlq", 0, "j1", b"%d" % i) for i in range(3 * PAGE)])
    reading = letters(store, [TOPIC])
    next(reading)

    store.trim(f"{TOPIC}.dlq", 0, 2 * PAGE)

    assert [letter.entry.offset for letter in reading] == [*range(1, PAGE), *range(2 * PAGE, 3 * PAGE)]


@pytest.mark.parametrize(
    "name", ["", "detections-cars", "detections-cars/x", "detections-cars/1", "other/0", "²/²"]
)
def test_a_letter_that_is_not_there_is_said_to_be_missing(name):
    """With where the names of those that are there stand."""
    store = MemoryStore()
    store.append([Outgoing(f"{TOPIC}.dlq", 0, "j1", b"")])

    assert letter_of(store, [TOPIC], f"{TOPIC}/0").entry.value == b""
    with pytest.raises(NotFound, match="sightline dead list"):
        letter_of(store, [TOPIC], name)


def test_notes_of_letters_that_were_forgotten_go():
    """Else they would grow for ever."""
    store, notes = MemoryStore(), MemoryNotes()
    store.create(begun_job(scripted_recipe("j1")), [])
    for offset in range(3):
        bury(store, dead_letter("track", TOPIC, 0, Entry(offset, "j1", b"{"), "invalid_record", "..."))
    post = post_over(store, notes)
    found = kept(post)
    outcomes(post, found)

    store.trim(f"{TOPIC}.dlq", 0, 2)
    post.tidy()

    assert [post.resent_at(letter) for letter in found] == [None, None, 7]
    assert [note_id for note_id, _ in notes.list("dead-letter")] == [f"{TOPIC}/0/2"]
