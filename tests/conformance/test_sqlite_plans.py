"""However many jobs there are: what is asked of the file is found by an index, and what it answers does not grow."""

import re

import apsw
import pytest

from sightline.adapters.sqlite.store import SqliteStore
from sightline.ports import Commit, Job, Saved, Which

MANY = re.compile(r"SCAN (jobs|states|complete|positions|log|head|gone|job_counts|notes)\b")


@pytest.fixture
def asked():
    """Every statement with its values, in the order in which SQLite ran them."""
    statements: list[tuple[str, object]] = []

    def note(cursor, statement, values):
        statements.append((statement, values))
        return True

    def watch(connection):
        connection.set_exec_trace(note)

    apsw.connection_hooks.append(watch)
    yield statements
    apsw.connection_hooks.remove(watch)


@pytest.fixture
def store(asked, tmp_path):
    store = SqliteStore(tmp_path / "store.sqlite")
    for number in range(200):
        facts = {"streams": ["s"]}
        job = Job(f"j{number}", f"v{number % 50}", 0, parent_id="j0", facts=facts, owner=f"o{number % 3}")
        store.create(job, [])
        if number > 3:
            store.advance(job.job_id, "ready", result={"x": number})
    yield store
    store.close()


def commit(store):
    at = store.claim("collect", "t", 0)
    store.commit(Commit(at, 1, "j1", "s", Saved(1, b""), complete=True))


CALLS = {
    "newest first": lambda store: store.list(),
    "oldest first": lambda store: store.list(Which(oldest_first=True)),
    "predictable": lambda store: store.list(Which(states=("predictable",), oldest_first=True)),
    "ended": lambda store: store.list(Which(states=("ready", "failed", "cancelled"))),
    "owner": lambda store: store.list(Which(owner="o1")),
    "states of an owner": lambda store: store.list(Which(owner="o1", states=("ready", "new"))),
    "video": lambda store: store.list(Which(video_id="v7")),
    "video of an owner": lambda store: store.list(Which(video_id="v7", owner="o1", states=("ready",))),
    "children": lambda store: store.list(Which(parent_id="j0", video_id="v7")),
    "second page": lambda store: store.list(limit=20, after=store.list(limit=20).cursor),
    "counts": lambda store: store.counts(),
    "counts of an owner": lambda store: store.counts("o1"),
    "get": lambda store: store.get("j7"),
    "advance": lambda store: store.advance("j1", "processing", facts={"frames": 1}),
    "remove": lambda store: store.remove("j7"),
    "commit": commit,
    "load": lambda store: store.load("collect", "j1", "s"),
    "progress": lambda store: store.progress("j1"),
    "positions": lambda store: store.positions("t"),
    "head": lambda store: store.head("t", 0),
    "read": lambda store: store.read("t", 0, 0, 10),
    "notes": lambda store: store.notes.list("geometry", after="a"),
}


@pytest.mark.parametrize("name", CALLS)
def test_no_table_is_read_from_end_to_end(asked, store, name):
    """Each statement of the call searches; a scan would cost 60 ms with 10,000 jobs, in each loop of a worker."""
    asked.clear()
    CALLS[name](store)

    statements, planned = list(asked), 0
    with store._database.reader() as connection:
        for statement, values in statements:
            if statement.lstrip().split()[0].upper() in ("SELECT", "INSERT", "UPDATE", "DELETE"):
                plan = [row[3] for row in connection.execute("EXPLAIN QUERY PLAN " + statement, values)]
                assert not [step for step in plan if MANY.match(step)], statement
                planned += 1
    assert planned


def test_a_page_reads_as_many_rows_as_it_gives(asked, store):
    """The states are walked side by side; of each no more rows than fit on the page are touched."""
    assert [len(store.list(which, limit=7).jobs) for which in (Which(), Which(states=("ready",)))] == [7, 7]

    pages = [values for statement, values in asked if "UNION ALL" in statement or "LIMIT" in statement]
    assert pages
    assert all(8 in values for values in pages)
