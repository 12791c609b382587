"""Many owners, writers and relays on one MongoDB: nothing is lost, doubled, torn or out of order, and whoever dies between two
documents leaves what the next one completes.

Each scenario is a function that holds on the product; `test_mongo_planted_bugs` runs them on one that is broken.
"""

import random
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from sightline.adapters.mongo import commits
from sightline.adapters.mongo.commits import id_of, place_of
from sightline.adapters.mongo.store import MongoStore
from sightline.errors import Fenced, NotFound
from sightline.ports import Commit, Job, Saved, Which
from tests.conformance.mongo import databases, out, uri_of

PATIENCE_S = 120
LARGE = b"3" * 300_000  # records of a document of their own
WRITES = (
    "insert_one",
    "update_one",
    "update_many",
    "delete_one",
    "delete_many",
    "find_one_and_update",
    "bulk_write",
)
COLLECTIONS = ("jobs", "commits", "parts", "folds", "positions", "gone", "holds", "counters", "predictions")
PREDICTABLE = Which(states=("predictable",))


class Killed(BaseException):
    """Ends a writer on the spot; nothing of ours catches it."""


class Dying:
    """A collection that ends its writer before a write: that of a number, counted over all collections of a store."""

    def __init__(self, documents, life):
        self._documents, self._life = documents, life

    def __getattr__(self, name):
        found = getattr(self._documents, name)
        if name not in WRITES:
            return found

        def write(*args, **options):
            if not self._life:
                raise Killed
            self._life.pop()
            return found(*args, **options)

        return write


class Scene:
    """One pair of databases, seen by as many stores as it takes."""

    def __init__(self, place):
        self.place, self._opened = place, []

    def opened(self) -> MongoStore:
        self._opened.append(self.place.open())
        return self._opened[-1]

    def dying(self, writes: int) -> MongoStore:
        """A store that dies before the write after so many."""
        store, life = self.opened(), [None] * writes
        for name in COLLECTIONS:
            documents = getattr(store._server, name)
            setattr(store._server, name, Dying(documents, life))
        store._follow._server = store._follow.predictions._server = store._server
        return store

    def close(self):
        for store in self._opened:
            store.close()


@pytest.fixture
def scene(server):
    with databases(uri_of(server)) as place:
        place.migrate()
        scene = Scene(place)
        yield scene
        scene.close()


def died_at_each_write(scene, prepare: Callable, act: Callable, check: Callable) -> int:
    """`act(store, what)` by a store that dies, before its first write, then before its second, and so on; how many there are.

    `what` is what `prepare(store, name)` gave; `check(what, died)` looks at what is left.
    """
    writes = 0
    while True:
        alive = scene.opened()
        what = prepare(alive, f"w{writes}")
        store, died = scene.dying(writes), False
        try:
            act(store, what)
        except Killed:
            died = True
        check(scene.opened(), what, died)
        scene.close()
        if not died:
            return writes
        writes += 1


def values(queued) -> list[bytes]:
    return [one.record.value for one in queued]


def joined(*calls) -> None:
    """Run the calls at once."""
    failed: list[BaseException] = []

    def run(call):
        try:
            call()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
        assert not thread.is_alive(), "still waiting"
    if failed:
        raise failed[0]


# --- scenarios: each holds on the product


def a_zombie_is_fenced(scene):
    """An owner that slept through another claim writes nothing, nor does one that repeats its commit."""
    one, two = scene.opened(), scene.opened()
    one.create(Job("j1", "street", 0, facts={"streams": ["a"]}), [])
    old = one.claim("track", "t", 0)
    new = two.claim("track", "t", 0)
    newer, _ = two.commit(Commit(new, 1, "j1", "a", Saved(1, b"new"), (out(b"new"),)))
    for stale in (old, new, replace(newer, epoch=old.epoch), replace(newer, commit_no=0)):
        try:
            one.commit(Commit(stale, 9, "j1", "a", Saved(9, b"old"), (out(b"old"),)))
        except Fenced:
            continue
        raise AssertionError(f"{stale} was not fenced")
    assert one.load("track", "j1", "a") == Saved(1, b"new")
    assert values(one.pending("r", 10)) == [b"new"]
    assert one._server.parts.count_documents({}) == 1


def a_zombie_that_slept_until_its_place_was_free_is_fenced(scene):
    """The document that fenced it was removed long ago; it writes nothing all the same, also not for a moment."""
    one, two = scene.opened(), scene.opened()
    one.create(Job("j1", "street", 0, facts={"streams": ["a"]}), [])
    old = one.claim("track", "t", 0)
    at = two.claim("track", "t", 0)
    for number in range(1, 2 * commits.KEEP):
        at, _ = two.commit(Commit(at, number, "j1", "a", Saved(number, b"%d" % number)))
    place = place_of("track", "t", 0)
    assert one._server.commits.find_one({"_id": id_of(place, 2)}) is None
    stale = Commit(old, 9, "j1", "a", Saved(9, b"old"), (out(b"old"),), complete=True)
    sleeping = scene.dying(3)  # counter, state, commit document: it dies before it looks at the floor
    sleeping._server.commits._documents.delete_one({"_id": id_of(place, 2)})

    def look():
        assert two.load("track", "j1", "a") == Saved(number, b"%d" % number)
        assert two.progress("j1") == {("track", "a"): number}
        assert values(two.pending("r", 10)) == []
        assert two.list(PREDICTABLE).jobs == ()
        assert two.positions("t")[0].low_water == number

    with pytest.raises(Killed):
        sleeping.commit(stale)
    look()
    two._server.commits.delete_one({"_id": id_of(place, 2)})
    with pytest.raises(Fenced):
        one.commit(stale)
    look()
    commits.tidy(two._server, place)
    look()


def a_dead_job_gets_nothing(scene):
    """That it is alive is asked in each commit; only the position moves."""
    one = scene.opened()
    for end in ("failed", "cancelled", "ready"):
        one.create(Job(end, "street", 0, facts={"streams": ["a"]}), [])
        at = one.claim("track", end, 0)
        one.advance(end, end)
        after, alive = one.commit(Commit(at, 5, end, "a", Saved(1, b"x"), (out(b"x"),), complete=True))
        assert (alive, after.low_water) == (False, 5)
        assert one.load("track", end, "a") is None
    assert values(one.pending("r", 10)) == []


def a_commit_that_dies_is_whole_or_not_there(scene):
    """At each step: state, outputs and position are those before or those after; the next owner completes what follows."""

    def prepare(store, name):
        store.create(Job(name, "street", 0, facts={"streams": ["a"]}), [])
        at, _ = store.commit(Commit(store.claim("track", name, 0), 1, name, "a", Saved(1, b"before")))
        return name, at

    def act(store, what):
        name, at = what
        store.commit(Commit(at, 2, name, "a", Saved(2, b"after"), (out(b"x", name),), complete=True))

    def check(store, what, died):
        name, _ = what
        next_one = store.claim("track", name, 0)
        landed = next_one.low_water == 2
        assert landed or died
        assert store.load("track", name, "a") == (Saved(2, b"after") if landed else Saved(1, b"before"))
        assert store.get(name).state == ("predictable" if landed else "new")
        if not landed:
            store.commit(
                Commit(next_one, 2, name, "a", Saved(2, b"after"), (out(b"x", name),), complete=True)
            )
        waiting = [one for one in store.pending("r", 10) if one.record.key == name]
        assert values(waiting) == [b"x"]
        store.sent([one.queue_id for one in waiting])
        assert store.list(PREDICTABLE).jobs[0].job_id == name

    assert died_at_each_write(scene, prepare, act, check) >= 6


def a_job_predictable_by_a_commit_that_died_is_listed(scene):
    """Nobody claims its partition again: who lists jobs completes it, and who relays."""
    for number, finish in enumerate(
        (lambda store: store.list(), lambda store: store.pending("r", 1), lambda store: store.counts())
    ):
        name = f"j{number}"
        one = scene.opened()
        one.create(Job(name, "street", 0, facts={"streams": ["a"]}), [])
        at = one.claim("collect", name, 0)
        with pytest.raises(Killed):
            scene.dying(3).commit(Commit(at, 1, name, "a", Saved(1, b""), complete=True))
        assert one.get(name).state == "new"
        finish(one)
        assert one.get(name).state == "predictable"


def a_job_is_there_with_its_events_or_not_at_all(scene):
    """Whoever dies while it makes a job leaves nothing, or job, event and news; a repetition makes it whole."""
    before = {}

    def prepare(store, name):
        before[name] = store.counts().revision
        return name

    def act(store, name):
        store.create(Job(name, "street", 0), [out(b"made", name)])

    def check(store, name, died):
        landed = not store.create(Job(name, "street", 0), [out(b"made", name)])
        assert landed or died
        assert store.counts().revision > before[name]
        waiting = [one for one in store.pending("r", 10) if one.record.key == name]
        assert values(waiting) == [b"made"]
        store.sent([one.queue_id for one in waiting])
        assert store.list(limit=1).jobs[0].job_id == name

    assert died_at_each_write(scene, prepare, act, check) >= 3


def a_move_that_dies_is_shown_by_who_comes_next(scene):
    """The revision rises, and readers of `runner_predictions` see it."""
    before = {}

    def prepare(store, name):
        store.create(Job(name, "street", 0), [])
        before[name] = store.counts().revision
        return name

    def act(store, name):
        store.advance(name, "failed", code="no_frame", reason="dark")

    def check(store, name, died):
        revision = store.counts().revision
        landed = store.get(name).state == "failed"
        assert landed or died
        assert (revision > before[name]) == landed
        shown = store._server.predictions.find_one({"_id": name})
        assert (shown and shown["error_type"]) == ("no_frame" if landed else None)

    assert died_at_each_write(scene, prepare, act, check) >= 3


def a_removal_that_dies_is_finished_by_who_comes_next(scene):
    """Job, states, view and all; the id is never given again."""

    def prepare(store, name):
        store.create(Job(name, "street", 0, facts={"streams": ["a"]}), [])
        store.advance(name, "processing")
        store.commit(Commit(store.claim("track", name, 0), 1, name, "a", Saved(1, b"x")))
        store.advance(name, "failed")
        return name

    def act(store, name):
        store.remove(name)

    def check(store, name, died):
        store.list()
        if died and store._server.gone.find_one({"_id": name}) is None:
            assert store.get(name).state == "failed"
            assert store.remove(name)
        with pytest.raises(NotFound):
            store.get(name)
        assert store.load("track", name, "a") is None
        assert store._server.parts.find_one({"job": name}) is None
        assert store._server.predictions.find_one({"_id": name}) is None
        assert not store.create(Job(name, "street", 0), [])

    assert died_at_each_write(scene, prepare, act, check) >= 6


def a_relay_that_dies_loses_and_reorders_nothing(scene):
    """Before it has sent, or while it forgets what it sent: another one gets the rest, in order."""
    for limit in (3, 4):  # a part of what a commit wrote, all of it
        _relay_that_dies(scene, limit)


def _relay_that_dies(scene, limit):

    def prepare(store, name):
        name = f"{name} {limit}"
        store.create(Job(name, "street", 0), [out(b"0", name), out(b"1", name)])
        at = store.claim("track", name, 0)
        store.commit(Commit(at, 1, name, "a", Saved(1, b""), (out(b"2", name), out(LARGE, name))))
        return name, []

    def act(store, what):
        name, log = what
        waiting = store.pending(f"r {name}", limit)
        log += values(waiting)
        store.sent([one.queue_id for one in waiting])

    def check(store, what, died):
        name, log = what
        store.give_back(f"r {name}")
        while waiting := store.pending("other", 3):
            log += values(waiting)
            store.sent([one.queue_id for one in waiting])
        first = list(dict.fromkeys(log))
        assert first == [b"0", b"1", b"2", LARGE]
        assert store._server.jobs.find_one({"_id": name})["status"] == "sent"
        assert store._server.holds.count_documents({}) == 0

    assert died_at_each_write(scene, prepare, act, check) >= 5


def tidying_that_dies_loses_no_state(scene):
    """The last state of each fold stays, also of one that has long been idle; old documents and states go in the end."""

    def prepare(store, name):
        for job in (f"{name} idle", f"{name} gone", f"{name} busy"):
            store.create(Job(job, "street", 0, facts={"streams": ["a"]}), [])
        at = store.claim("track", name, 0)
        at, _ = store.commit(Commit(at, 0, f"{name} idle", "a", Saved(0, b"older")))
        commits.tidy(store._server, place_of("track", name, 0))
        for number, job in enumerate(("idle", "gone", "busy", "busy", "busy"), start=1):
            at, _ = store.commit(Commit(at, number, f"{name} {job}", "a", Saved(number, b"%d" % number)))
        store.advance(f"{name} gone", "failed")
        store.remove(f"{name} gone")
        return name

    def act(store, name):
        commits.tidy(store._server, place_of("track", name, 0))

    def check(store, name, died):
        for _ in range(2):
            assert store.load("track", f"{name} idle", "a") == Saved(1, b"1")
            assert store.load("track", f"{name} busy", "a") == Saved(5, b"5")
            assert store.progress(f"{name} idle") == {("track", "a"): 1}
            at = store.claim("track", name, 0)
            assert (at.low_water, at.commit_no) == (5, 6)
        kept = {found["job"] for found in store._server.parts.find({"job": {"$regex": f"^{name} "}})}
        assert kept == {f"{name} idle", f"{name} busy"}
        assert store._server.parts.count_documents({"job": {"$regex": f"^{name} "}}) == 2
        assert store._server.commits.count_documents({"place": place_of("track", name, 0)}) <= 2

    assert died_at_each_write(scene, prepare, act, check) >= 7


def what_waits_is_not_tidied_away(scene):
    """Records that no relay came for stay, however many commits follow."""
    one = scene.opened()
    one.create(Job("j1", "street", 0), [])
    at = one.claim("track", "t", 0)
    for number in range(1, commits.KEEP + 5):
        outputs = (out(b"%d" % number),) if number in (3, 9) else ()
        at, _ = one.commit(Commit(at, number, "j1", "a", Saved(number, b""), outputs))
    at = one.claim("track", "t", 0)
    assert values(one.pending("r", 10)) == [b"3", b"9"]
    one.sent([waiting.queue_id for waiting in one.pending("r", 10)])
    one.claim("track", "t", 0)
    assert one._server.commits.count_documents({}) <= 2
    assert one._server.parts.count_documents({}) == 1


def a_key_has_one_relay(scene):
    """What was given stays with its owner, and keeps what lies behind it, also what comes later."""
    one, two = scene.opened(), scene.opened()
    one.create(Job("j2", "street", 0), [out(b"1"), out(b"2"), out(b"3", "k")])
    first = one.pending("r1", 1)
    assert values(first) == [b"1"]
    assert values(two.pending("r2", 10)) == [b"3"]
    one.create(Job("j3", "street", 0), [out(b"4")])
    assert values(two.pending("r2", 10)) == [b"3"]
    one.sent([first[0].queue_id])
    assert values(two.pending("r2", 10)) == [b"3", b"2", b"4"] or values(two.pending("r2", 10)) == [
        b"2",
        b"3",
        b"4",
    ]


def what_is_left_of_what_was_given_stays_with_its_owner(scene):
    """A relay that has sent a part of it goes on with the rest, and nobody else does."""
    one, two = scene.opened(), scene.opened()
    one.create(Job("j2", "street", 0), [out(b"1"), out(b"2"), out(b"3")])
    first, _ = one.pending("r1", 2)
    one.sent([first.queue_id])
    assert values(two.pending("r2", 10)) == []
    assert values(one.pending("r1", 1)) == [b"2"]


def a_job_is_sent_when_all_its_events_are(scene):
    """Readers of `outbox` see `new` until then."""
    one = scene.opened()
    one.create(Job("j2", "street", 0), [out(b"1"), out(b"2")])
    first, second = one.pending("r1", 2)
    one.sent([first.queue_id])
    assert one._server.jobs.find_one({"_id": "j2"})["status"] == "new"
    one.sent([second.queue_id])
    assert one._server.jobs.find_one({"_id": "j2"})["status"] == "sent"


def writers_and_relays_at_once(scene):
    """Six writers, two of them of the same partition, and three relays of which one is replaced: of each key every record comes,
    first in the order of its commits, none of a fenced owner."""
    one = scene.opened()
    one.create(Job("j1", "street", 0, facts={"streams": ["z"]}), [])
    log: list[tuple[str, int]] = []
    sending, done = threading.Lock(), threading.Event()
    committed: dict[str, list[int]] = {f"k{owner}": [] for owner in range(6)}
    chance = random.Random(7)
    seeds = [chance.random() for _ in range(9)]

    def write(owner: int) -> None:
        store, draw, key = scene.opened(), random.Random(seeds[owner]), f"k{owner}"
        partition = min(owner, 4)  # the last two fence each other
        at, number = store.claim("track", "t", partition), 0
        while number < 12:
            try:
                commit = Commit(at, 1, "j1", key, Saved(number, b"s"), (out(b"%d" % number, key),))
                at, _ = store.commit(commit)
                committed[key].append(number)
                number += 1
            except Fenced:
                at = store.claim("track", "t", partition)
            if draw.random() < 0.1:
                at = store.claim("track", "t", partition)

    def relay(name: str) -> None:
        store, draw = scene.opened(), random.Random(seeds[6 + int(name[1])])
        while True:
            last = done.is_set()
            waiting = store.pending(name, 1 + int(draw.random() * 9))
            for one in waiting:
                with sending:
                    log.append((one.record.key, int(one.record.value)))
            if draw.random() < 0.2:
                store.give_back(name)  # it dies before it says what it sent; its successor has the same name
                continue
            store.sent([one.queue_id for one in waiting])
            if last and not waiting:
                return

    relays = [threading.Thread(target=relay, args=(f"r{number}",)) for number in range(3)]
    for thread in relays:
        thread.start()
    try:
        joined(*(lambda owner=owner: write(owner) for owner in range(6)))
    finally:
        done.set()
        for thread in relays:
            thread.join(PATIENCE_S)
    for key, numbers in committed.items():
        first = list(dict.fromkeys(number for found, number in log if found == key))
        assert first == numbers == [*range(12)], key
    assert one.pending("late", 10) == []


def two_relays_send_nothing_twice(scene):
    """Where nobody dies or gives back, each record leaves once."""
    one = scene.opened()
    one.create(Job("j1", "street", 0), [out(b"%d" % number, f"k{number % 4}") for number in range(40)])
    log: list[bytes] = []

    def relay(name):
        store, idle = scene.opened(), 0
        while idle < 3:
            waiting = store.pending(name, 5)
            log.extend(values(waiting))
            store.sent([one.queue_id for one in waiting])
            idle = 0 if waiting else idle + 1

    joined(lambda: relay("r1"), lambda: relay("r2"), lambda: relay("r3"))
    while waiting := one.pending("r4", 50):
        log.extend(values(waiting))
        one.sent([found.queue_id for found in waiting])
    assert Counter(log) == Counter(b"%d" % number for number in range(40))


def jobs_made_at_once_are_all_found_by_pages(scene):
    """Numbers rise as jobs become visible: who pages from the oldest on meets each once, also where jobs go meanwhile."""
    seen: list[str] = []
    done = threading.Event()

    def make(owner):
        store = scene.opened()
        for number in range(8):
            store.create(Job(f"{owner}.{number}", "street", 0), [])
            if number % 3 == 2:
                store.advance(f"{owner}.{number}", "failed")
                store.remove(f"{owner}.{number}")

    def read():
        store, cursor = scene.opened(), ""
        while True:
            last = done.is_set()
            page = store.list(Which(oldest_first=True), limit=2, after=cursor)
            seen.extend(job.job_id for job in page.jobs)
            cursor = page.cursor or (f"n:{_number(store, page.jobs[-1].job_id):x}" if page.jobs else cursor)
            if last and not page.jobs:
                return

    reading = threading.Thread(target=read)
    reading.start()
    try:
        joined(*(lambda owner=owner: make(owner) for owner in range(4)))
    finally:
        done.set()
        reading.join(PATIENCE_S)
    stay = {f"{owner}.{number}" for owner in range(4) for number in range(8) if number % 3 != 2}
    assert stay <= set(seen)
    assert max(Counter(seen).values()) == 1


def _number(store, job_id) -> int:
    found = store._server.jobs.find_one({"_id": job_id}) or store._server.gone.find_one({"_id": job_id})
    return found["number"]


def a_number_that_was_given_and_removed_meanwhile_is_not_given_again(scene):
    """One who makes a job stands still between its look and its insert; another job comes and goes, and a third one comes."""
    slow, other = scene.opened(), scene.opened()
    other.create(Job("first", "street", 0), [])
    last = slow._last

    def looked() -> int:
        found = last()
        slow._last = last
        other.create(Job("second", "street", 0), [])
        other.create(Job("third", "street", 0), [])
        other.advance("second", "failed")
        other.remove("second")
        return found

    slow._last = looked
    assert slow.create(Job("fourth", "street", 0), [])
    assert [job.job_id for job in other.list(Which(oldest_first=True)).jobs] == ["first", "third", "fourth"]


def news_comes_when_the_record_can_be_read(scene):
    """Who asks, reads all there is, then waits for more than it asked misses nothing of a writer that stood still meanwhile."""
    one, two = scene.opened(), scene.opened()
    one.create(Job("j1", "street", 0), [])
    at = one.claim("track", "t", 0)
    decide = one._decide
    seen: list[int] = []

    def slow(document):
        seen.append(two.wait(0, 0.0))
        assert two.pending("r", 1) == []
        decide(document)

    one._decide = slow
    one.commit(Commit(at, 1, "j1", "a", Saved(1, b""), (out(b"x"),)))
    assert two.wait(seen[0], 0.0) > seen[0]


def an_insert_that_the_client_repeats_is_one(scene):
    """Its first answer got lost: what it finds there is its own, and no other owner."""
    one = scene.opened()

    class Repeating(Dying):
        def insert_one(self, document):
            self._documents.insert_one(document)
            self._documents.insert_one(document)

    for name in ("jobs", "commits"):
        setattr(one._server, name, Repeating(getattr(one._server, name), [None] * 1000))
    assert one.create(Job("j1", "street", 0, facts={"streams": ["a"]}), [out(b"0")])
    at = one.claim("track", "t", 0)
    assert (at.epoch, at.commit_no) == (1, 0)
    at, _ = one.commit(Commit(at, 1, "j1", "a", Saved(1, b"x"), (out(b"1"),)))
    one.commit(Commit(at, 2, "j1", "a", Saved(2, b"y"), (out(b"2"),), complete=True))
    assert one.load("track", "j1", "a") == Saved(2, b"y")
    assert values(one.pending("r", 10)) == [b"0", b"1", b"2"]


def large_states_and_outputs_come_back(scene):
    """Over the size of a document, and of several records together."""
    one = scene.opened()
    one.create(Job("j1", "street", 0), [])
    state = bytes(range(256)) * (70_000)  # 17.9 MB
    records = tuple(out(bytes([number]) * 500_000) for number in range(3))
    at, _ = one.commit(Commit(one.claim("track", "t", 0), 1, "j1", "a", Saved(1, state), records))
    assert one.load("track", "j1", "a") == Saved(1, state)
    waiting = one.pending("r", 10)
    assert [found.record for found in waiting] == [*records]
    one.sent([found.queue_id for found in waiting])
    one.commit(Commit(at, 2, "j1", "a", Saved(2, b"small")))
    one.claim("track", "t", 0)
    assert one._server.parts.count_documents({}) == 1


SCENARIOS = [
    a_zombie_is_fenced,
    a_zombie_that_slept_until_its_place_was_free_is_fenced,
    a_dead_job_gets_nothing,
    a_commit_that_dies_is_whole_or_not_there,
    a_job_predictable_by_a_commit_that_died_is_listed,
    a_job_is_there_with_its_events_or_not_at_all,
    a_move_that_dies_is_shown_by_who_comes_next,
    a_removal_that_dies_is_finished_by_who_comes_next,
    a_relay_that_dies_loses_and_reorders_nothing,
    tidying_that_dies_loses_no_state,
    what_waits_is_not_tidied_away,
    a_key_has_one_relay,
    what_is_left_of_what_was_given_stays_with_its_owner,
    a_job_is_sent_when_all_its_events_are,
    writers_and_relays_at_once,
    two_relays_send_nothing_twice,
    jobs_made_at_once_are_all_found_by_pages,
    a_number_that_was_given_and_removed_meanwhile_is_not_given_again,
    news_comes_when_the_record_can_be_read,
    an_insert_that_the_client_repeats_is_one,
    large_states_and_outputs_come_back,
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_it_holds(scene, scenario):
    """See the scenario."""
    scenario(scene)
