"""A file of an earlier version opens: its jobs, log, positions and outbox go on, and get what they had not."""

import json

import msgspec
import pytest

from sightline.adapters.sqlite.file import Database
from sightline.adapters.sqlite.store import SqliteStore
from sightline.adapters.sqlite.versions import MIGRATIONS
from sightline.errors import Corrupt
from sightline.events import Native, Sampled, Totals
from sightline.ports import Job, Outgoing, Which

FRAME = b'{"v":1,"kind":"frames","job_id":"b","stream":"frames:main","seq":0,"end":40,"first_tick":0,"end_tick":40}'
TOTALS = b'{"v":1,"kind":"totals","job_id":"b","stream":"totals:cars","seq":3,"frame":3,"pts_us":120000,"raw_ids":2}'
GARBAGE = b"\xff no record"
MADE = {
    "job_id": "",
    "video_id": "street",
    "created_at_us": 5,
    "run_key": "key",
    "settings": {"a": [1, 2.5]},
    "streams": ["s"],
    "partition": 2,
    "state": "new",
    "code": "",
    "reason": "",
    "result": {},
    "parent_id": "p",
}


@pytest.fixture
def path(tmp_path):
    """A file as version 1 left it: three jobs, a log of two batches, a position, two records in the outbox."""
    path = tmp_path / "store.sqlite"
    database = Database(path, MIGRATIONS[:1])

    def fill(connection):
        for number, (job_id, state) in enumerate([("a", "ready"), ("b", "processing"), ("c", "failed")], 1):
            connection.execute(
                "INSERT INTO jobs VALUES (?, ?, ?, ?, ?, ?, ?)",
                (number * 3, job_id, json.dumps(MADE | {"job_id": job_id}), state, "", "", '{"x":1}'),
            )
        for first, values in ((0, [FRAME, GARBAGE]), (2, [TOTALS])):
            packed = msgspec.msgpack.encode([("b", value, [("h", "v")]) for value in values])
            connection.execute("INSERT INTO log VALUES ('t', 0, ?, ?, ?)", (first, len(values), packed))
        connection.execute("INSERT INTO head VALUES ('t', 0, 3)")
        connection.execute("INSERT INTO positions VALUES ('t', 'track', 0, 4, 9, 2, 1, 2, 0)")
        for value in (FRAME, GARBAGE):
            packed = msgspec.msgpack.encode(("t", 0, "b", value, [("h", "v")]))
            connection.execute("INSERT INTO outbox (record) VALUES (?)", (packed,))

    database.write(fill)
    database.close()
    return path


@pytest.fixture
def store(path):
    store = SqliteStore(path, relayed=True)
    yield store
    store.close()


def test_jobs_are_listed_found_and_counted(store):
    """In their order, by what their rows held; what nobody had written is empty."""
    assert [job.job_id for job in store.list().jobs] == ["c", "b", "a"]
    assert [job.job_id for job in store.list(Which(parent_id="p", states=("ready",))).jobs] == ["a"]
    assert [job.job_id for job in store.list(Which(video_id="street", owner="")).jobs] == ["c", "b", "a"]
    assert dict(store.counts().by_state) == {"ready": 1, "processing": 1, "failed": 1}
    made = Job("a", "street", 5, "ready", result={"x": 1}, parent_id="p", facts={"streams": ["s"]})
    assert store.get("a") == made


def test_jobs_go_on(store):
    """The next one comes behind them, and an old one moves and goes as any other."""
    store.create(Job("d", "street", 0), [])
    store.advance("b", "failed")
    store.remove("b")

    assert [job.job_id for job in store.list().jobs] == ["d", "c", "a"]
    assert dict(store.counts().by_state) == {"new": 1, "ready": 1, "failed": 1}


def test_records_have_the_fields_that_were_left_out_where_they_were_0(store):
    """Every other byte stays; what is no record stays what it is."""
    codec = Native()
    frame, garbage, totals = store.read("t", 0, 0, 10)

    assert codec.decode(frame.value) == Sampled(
        "b", "frames:main", 0, 0, 0, row=0, end=40, first_tick=0, end_tick=40
    )
    assert codec.encode(codec.decode(frame.value)) == frame.value
    assert codec.decode(totals.value) == Totals("b", "totals:cars", 3, 3, 120_000, unique=0, raw_ids=2)
    assert garbage.value == GARBAGE
    assert (frame.key, frame.headers) == ("b", (("h", "v"),))
    assert [queued.record for queued in store.pending("relay", 10)] == [
        Outgoing("t", 0, "b", frame.value, (("h", "v"),)),
        Outgoing("t", 0, "b", GARBAGE, (("h", "v"),)),
    ]


def test_a_position_takes_the_name_of_its_log_at_the_next_claim(store):
    """Where it stood, it goes on."""
    at = store.claim("track", "t", 0, 0, store.identity("t"))

    assert (at.epoch, at.commit_no, at.low_water, at.attempts) == (5, 9, 2, 1)
    with pytest.raises(Corrupt):
        store.claim("track", "t", 0, 0, "another")


def test_opening_twice_changes_nothing_more(store, path):
    """The file is of the newest version then."""
    before = store.read("t", 0, 0, 10), store.list(), store.identity("t")

    again = SqliteStore(path)

    assert (again.read("t", 0, 0, 10), again.list(), again.identity("t")) == before
    again.close()
