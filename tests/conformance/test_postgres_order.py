"""Many owners, writers and relays on one PostgreSQL: nothing is lost, doubled, torn or out of order.

Each scenario below is a function that holds on the product. `PLANTED` are bugs that are put into the functions of the
database, a line each: every one is caught by its scenario.
"""

import random
import threading
import time
from collections import Counter
from dataclasses import replace

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from sightline.adapters.postgres.store import PostgresStore
from sightline.errors import Fenced, Unavailable
from sightline.ports import Commit, Job, Saved
from tests.conformance.postgres import out, run, schema
from tests.conformance.suite_ledger import FRAME

PATIENCE_S = 60  # until something is said to hang


@pytest.fixture(scope="module")
def url(server):
    return server("postgres")["url"]


@pytest.fixture
def place(url):
    with schema(url) as name:
        yield name


@pytest.fixture
def opened(url, place):
    """`opened()`: one more store, as another process has it."""
    stores: list[PostgresStore] = []

    def one() -> PostgresStore:
        stores.append(PostgresStore(url, place))
        return stores[-1]

    yield one
    for store in stores:
        store.close()


class Scene:
    """One schema seen from several sides: stores, and a session that can stand still within a transaction."""

    def __init__(self, url, place, opened):
        self.url, self.place, self.opened = url, place, opened
        self.one, self.two = opened(), opened()
        self.one.create(Job("j1", "street", 0, facts={"streams": ["a", "b"]}), [])
        self._threads: list[threading.Thread] = []

    def session(self):
        return psycopg.connect(make_conninfo(self.url, options=f"-c search_path={self.place},pg_temp"))

    def blocked(self) -> int:
        """How many statements in this schema's tables wait for a lock."""
        query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        return run(self.url, query)[0][0]

    def started(self, *calls):
        """Threads that run the calls; each, and each before, has ended or waits for a lock when this returns."""
        threads = [threading.Thread(target=call) for call in calls]
        self._threads += threads
        for thread in threads:
            thread.start()
        give_up = time.monotonic() + PATIENCE_S
        while sum(thread.is_alive() for thread in self._threads) > self.blocked():
            assert time.monotonic() < give_up, "neither done nor waiting for a lock"
            time.sleep(0.01)
        return threads


@pytest.fixture
def scene(url, place, opened):
    return Scene(url, place, opened)


def joined(threads) -> None:
    for thread in threads:
        thread.join(PATIENCE_S)
        assert not thread.is_alive(), "still waiting"


def values(queued) -> list[bytes]:
    return [one.record.value for one in queued]


# --- scenarios: each holds on the product


def a_zombie_is_fenced(scene):
    """An owner that slept through another claim writes nothing, nor does one that repeats its commit."""
    old = scene.one.claim("track", "t", 0)
    new = scene.two.claim("track", "t", 0)
    newer, _ = scene.two.commit(Commit(new, 1, "j1", "a", Saved(1, b"new"), (out(b"new"),)))
    for stale in (old, new, replace(newer, epoch=old.epoch), replace(newer, commit_no=0)):
        try:
            scene.one.commit(Commit(stale, 9, "j1", "a", Saved(9, b"old"), (out(b"old"),)))
        except Fenced:
            continue
        raise AssertionError(f"{stale} was not fenced")
    assert scene.one.load("track", "j1", "a") == Saved(1, b"new")
    assert values(scene.one.pending("r", 10)) == [b"new"]


def a_job_ends_after_the_commits_that_found_it_alive(scene):
    """While a commit is under way, nobody sees the job ended: what it writes is there before the end is."""
    at = scene.one.claim("track", "t", 0)
    ended: list[bool] = []
    with scene.session() as keeping:
        keeping.execute("SELECT lock_keys('{k}')")  # the commit stands still within its transaction
        threads = scene.started(
            lambda: scene.one.commit(Commit(at, 1, "j1", "a", Saved(1, b"x"), (out(b"x", "k"),)))
        )
        threads += scene.started(lambda: ended.append(scene.two.advance("j1", "cancelled")))
        assert not ended, "the job ended in the middle of a commit"
    joined(threads)
    assert ended == [True]
    assert scene.one.load("track", "j1", "a") == Saved(1, b"x")


def of_a_key_nothing_overtakes_a_commit_under_way(scene):
    """The first commit has its numbers but is not seen yet; the second one waits, and relays see them in order."""
    scene.one.create(Job("j2", "street", 0), [out(b"0")])
    second = scene.one.claim("b", "t", 0)
    with scene.session() as slow:
        slow.execute("SELECT emit('{j1}', '{out}', '{1}', ARRAY['1'::bytea], '{[]}')")
        commit = Commit(second, 1, "j1", "b", Saved(1, b""), (out(b"2"),))
        threads = scene.started(lambda: scene.one.commit(commit))
        early = values(scene.two.pending("r", 10))
    joined(threads)
    assert early == [b"0"]
    assert values(scene.two.pending("r", 10)) == [b"0", b"1", b"2"]


def a_record_that_comes_while_its_key_is_drained_is_sent_too(scene):
    """A relay forgets the last record of a key in the moment in which the next one is written."""
    scene.one.create(Job("j2", "street", 0), [out(b"1", "k")])
    (held,) = scene.two.pending("r", 10)
    with scene.session() as slow:
        slow.execute("SELECT emit('{k}', '{out}', '{1}', ARRAY['2'::bytea], '{[]}')")
        threads = scene.started(lambda: scene.two.sent([held.queue_id]))
    joined(threads)
    assert values(scene.two.pending("r", 10)) == [b"2"]


def a_key_has_one_relay(scene):
    """What was given stays with its owner, and keeps what lies behind it."""
    scene.one.create(Job("j2", "street", 0), [out(b"1"), out(b"2"), out(b"3", "k")])
    first = scene.one.pending("r1", 1)
    assert values(first) == [b"1"]
    assert values(scene.two.pending("r2", 10)) == [b"3"]
    scene.two.sent(["999"])
    assert values(scene.two.pending("r2", 10)) == [b"3"]
    scene.one.sent([first[0].queue_id])
    assert values(scene.two.pending("r2", 10)) == [b"2", b"3"]


def a_record_that_comes_behind_what_is_held_stays_behind_it(scene):
    """Its key is held though the record was never given to anybody."""
    scene.one.create(Job("j2", "street", 0), [out(b"1")])
    held = scene.one.pending("r1", 10)
    scene.two.create(Job("j3", "street", 0), [out(b"2")])
    assert values(scene.two.pending("r2", 10)) == []
    scene.one.sent([one.queue_id for one in held])
    assert values(scene.two.pending("r2", 10)) == [b"2"]


def what_is_left_of_what_was_given_stays_with_its_owner(scene):
    """A relay that has sent a part of it goes on with the rest, and nobody else does."""
    scene.one.create(Job("j2", "street", 0), [out(b"1"), out(b"2"), out(b"3")])
    first, _ = scene.one.pending("r1", 2)
    scene.one.sent([first.queue_id])
    assert values(scene.two.pending("r2", 10)) == []
    assert values(scene.one.pending("r1", 1)) == [b"2"]


def the_last_two_streams_end_at_once(scene):
    """One of them makes the job predictable; neither waits for the other for ever."""
    held = {stream: scene.one.claim("collect", stream, 0) for stream in ("a", "b")}
    failed: list[Exception] = []

    def end(stream):
        try:
            scene.one.commit(
                Commit(held[stream], 1, "j1", stream, Saved(1, b""), (out(b"x", stream),), complete=True)
            )
        except Unavailable as error:
            failed.append(error)

    with scene.session() as keeping:
        keeping.execute("SELECT lock_keys('{a, b}')")  # both stand still within their transactions
        threads = scene.started(lambda: end("a"), lambda: end("b"))
    joined(threads)
    assert not failed
    assert scene.one.get("j1").state == "predictable"


def whoever_reads_on_behind_a_job_misses_none(scene):
    """Jobs become visible in the order of their numbers, though several are made at once."""
    found, last = ["j1"], 1
    threads = [
        threading.Thread(
            target=lambda i=i: [scene.one.create(Job(f"{i} {n}", "street", 0), []) for n in range(20)]
        )
        for i in range(4)
    ]
    for thread in threads:
        thread.start()
    ended = False
    while not ended:
        ended = not any(thread.is_alive() for thread in threads)
        query = "SELECT number, job_id FROM jobs WHERE number > %s ORDER BY number"
        for number, job_id in scene.two._server.rows(query, (last,)):
            found.append(job_id)
            last = number
    assert sorted(found) == sorted(["j1", *(f"{i} {n}" for i in range(4) for n in range(20))])


def a_row_that_is_there_keeps_its_values(scene):
    """Also where a stage repeats what it had done, and where two do it at once."""
    at = scene.one.claim("feed", "t", 0)
    for path in ("a.png", "b.png"):
        row = replace(FRAME, values={**FRAME.values, "path": path})
        at, _ = scene.one.commit(Commit(at, 1, "j1", "a", Saved(1, b""), rows=(row,)))
    found = "SELECT path FROM frames WHERE frame_id = 'frame_00004' AND video_id = 'street'"
    assert scene.one._server.rows(found) == [("a.png",)]


SCENARIOS = [
    a_zombie_is_fenced,
    a_job_ends_after_the_commits_that_found_it_alive,
    of_a_key_nothing_overtakes_a_commit_under_way,
    a_record_that_comes_while_its_key_is_drained_is_sent_too,
    a_key_has_one_relay,
    a_record_that_comes_behind_what_is_held_stays_behind_it,
    the_last_two_streams_end_at_once,
    whoever_reads_on_behind_a_job_misses_none,
    what_is_left_of_what_was_given_stays_with_its_owner,
    a_row_that_is_there_keeps_its_values,
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_of_transactions_that_meet(scene, scenario):
    """The docstring of each scenario states what holds."""
    scenario(scene)


# --- bugs planted on purpose: function, what stands there, what stands there instead, the scenario that is red

PLANTED = {
    "no compare-and-set on the epoch": ("commit_fold", "AND epoch = p_epoch", "", a_zombie_is_fenced),
    "no compare-and-set on the commit": (
        "commit_fold",
        "AND commit_no = p_commit_no",
        "",
        a_zombie_is_fenced,
    ),
    "nobody holds the job during a commit": (
        "commit_fold",
        "FOR KEY SHARE",
        "",
        a_job_ends_after_the_commits_that_found_it_alive,
    ),
    "an end takes less than a commit keeps": (
        "advance_job",
        "FOR UPDATE",
        "",
        a_job_ends_after_the_commits_that_found_it_alive,
    ),
    "numbers of a key in any order": (
        "emit",
        "PERFORM lock_keys(p_keys);",
        "",
        of_a_key_nothing_overtakes_a_commit_under_way,
    ),
    "the newest record of a key first": (
        "take",
        "SELECT * FROM given ORDER BY given.id",
        "SELECT * FROM given ORDER BY given.id DESC",
        a_key_has_one_relay,
    ),
    "a key is forgotten while a record of it is written": (
        "forget",
        "PERFORM lock_keys(touched);",
        "",
        a_record_that_comes_while_its_key_is_drained_is_sent_too,
    ),
    "a key that is held is given to others": (
        "take",
        "WHERE holder IS NULL ORDER",
        "ORDER",
        a_key_has_one_relay,
    ),
    "a key is free as soon as anything of it was sent": (
        "take",
        "greatest(held_to, newest.id)",
        "-1",
        what_is_left_of_what_was_given_stays_with_its_owner,
    ),
    "the last commits hold the job together": (
        "commit_fold",
        "WHERE job_id = p_job FOR UPDATE",
        "WHERE job_id = p_job FOR SHARE",
        the_last_two_streams_end_at_once,
    ),
    "nobody counts the last streams together": (
        "commit_fold",
        "WHERE job_id = p_job FOR UPDATE",
        "WHERE job_id = p_job",
        the_last_two_streams_end_at_once,
    ),
    "a row is written over": (
        "commit_fold",
        "WHERE NOT EXISTS (SELECT FROM frames WHERE frames.job_id = given.job AND frames.seq = given.seq)\n"
        "      ORDER BY job, seq\n      ON CONFLICT (job_id, seq) DO NOTHING",
        "ORDER BY job, seq ON CONFLICT (job_id, seq) DO UPDATE SET path = EXCLUDED.path",
        a_row_that_is_there_keeps_its_values,
    ),
    "jobs are numbered before they are alone": (
        "create_job",
        "UPDATE job_revision SET revision = revision + 1 RETURNING revision INTO place;",
        "",
        whoever_reads_on_behind_a_job_misses_none,
    ),
}


@pytest.mark.parametrize("bug", PLANTED)
def test_a_planted_bug_is_caught(scene, bug):
    """The scenario that holds on the product fails with the bug."""
    function, stands, instead, scenario = PLANTED[bug]
    (text,) = scene.one._server.rows("SELECT pg_get_functiondef(%s::regproc)", (function,))[0]
    assert stands in text
    if function == "create_job":
        early = "place := nextval('note_revision') + 1; PERFORM pg_sleep(random() / 50);"
        text = text.replace("PERFORM FROM job_revision FOR UPDATE;", early)
    run(scene.url, f"SET search_path = {scene.place}; {text.replace(stands, instead)}")

    with pytest.raises(AssertionError):
        scenario(scene)


# --- many at once


def test_of_many_owners_who_take_a_partition_from_each_other_none_is_lost_or_doubled(opened):
    """What was acknowledged is what is there: a chain of commits, each built on the one before."""
    stores = [opened() for _ in range(4)]
    stores[0].create(Job("j1", "street", 0, facts={"streams": ["a"]}), [])
    acknowledged: list[int] = []
    fenced: list[int] = []

    def own(store):
        done = 0
        while done < 15:
            at = store.claim("track", "t", 0)
            saved = store.load("track", "j1", "a") or Saved(0, b"")
            for number in range(saved.next_seq + 1, saved.next_seq + 4):
                try:
                    state = Saved(number, b"%d" % number)
                    at, _ = store.commit(Commit(at, number, "j1", "a", state, (out(b"%d" % number),)))
                except Fenced:
                    fenced.append(number)
                    break
                acknowledged.append(number)
                done += 1

    threads = [threading.Thread(target=own, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    joined(threads)

    written = [*range(1, len(acknowledged) + 1)]
    assert sorted(acknowledged) == written
    assert [int(value) for value in values(stores[0].pending("r", 1000))] == written
    assert stores[0].load("track", "j1", "a") == Saved(written[-1], b"%d" % written[-1])
    assert stores[0].positions("t")[0].commit_no == len(written)
    assert fenced


def test_eight_writers_and_four_relays_lose_and_reorder_nothing(opened):
    """Three keys, written by all; a relay that gives up in the middle leaves the rest to others, and may send twice."""
    writers, commits, keys = 8, 40, ("k0", "k1", "k2")
    stores = [opened() for _ in range(3)]
    stores[0].create(Job("j1", "street", 0, facts={"streams": ["a"]}), [])
    log: list[tuple[str, int, bytes]] = []
    appending, done = threading.Lock(), threading.Event()

    def write(writer):
        store = stores[writer % 3]
        at = store.claim("track", "t", writer)
        for number in range(commits):
            records = tuple(
                out(b"%d %d" % (writer, number), keys[(writer + number + i) % 3]) for i in range(2)
            )
            at, _ = store.commit(Commit(at, number + 1, "j1", f"s{writer}", Saved(number + 1, b""), records))

    def relay(number):
        store, chance, owner = stores[number % 3], random.Random(number), f"r{number}"
        seen = 0
        while True:
            ending = done.is_set()
            queued = store.pending(owner, chance.randrange(1, 12))
            gives_up = chance.random() < 0.1
            with appending:
                log.extend((one.record.key, int(one.queue_id), one.record.value) for one in queued)
            if gives_up:
                store.give_back(owner)
            else:
                store.sent([one.queue_id for one in queued])
            if not queued:
                if ending:
                    return
                seen = store.wait(seen, 0.2)

    relays = [threading.Thread(target=relay, args=(number,)) for number in range(4)]
    writing = [threading.Thread(target=write, args=(writer,)) for writer in range(writers)]
    for thread in relays + writing:
        thread.start()
    joined(writing)
    done.set()
    joined(relays)
    while queued := stores[0].pending("last", 100):  # what one gave back when the others had gone
        log.extend((one.record.key, int(one.queue_id), one.record.value) for one in queued)
        stores[0].sent([one.queue_id for one in queued])

    first_seen: dict[str, list[tuple[int, bytes]]] = {key: [] for key in keys}
    known = set()
    for key, number, value in log:
        if (key, number) not in known:
            known.add((key, number))
            first_seen[key].append((number, value))
    assert Counter(value for found in first_seen.values() for _, value in found) == {
        b"%d %d" % (writer, number): 2 for writer in range(writers) for number in range(commits)
    }
    for found in first_seen.values():
        assert [number for number, _ in found] == sorted(number for number, _ in found)
        for writer in range(writers):
            own = [int(value.split()[1]) for _, value in found if value.split()[0] == b"%d" % writer]
            assert own == sorted(own)
    assert stores[0]._server.rows("SELECT * FROM outbox_keys") == []
