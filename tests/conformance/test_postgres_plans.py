"""However many jobs there are: what is asked of PostgreSQL is found by an index, and what it answers does not grow.

The server itself tells the plan of each statement that it ran, those within functions too (its module auto_explain).
"""

import re
from urllib.parse import quote

import pytest

from sightline.adapters.postgres.store import PostgresStore
from sightline.ports import Commit, Job, Saved, Which
from tests.conformance.postgres import out, run, schema

MANY = 20_000
FILL = """
SET search_path = {place};
SET session_replication_role = replica;
INSERT INTO jobs SELECT 'j' || n, n, '{{"job_id":"j' || n || '","video_id":"v' || n % 5000 || '","created_at_us":0}}',
  CASE WHEN n <= 4 THEN 'new' ELSE 'ready' END, '', '', '{{}}', '{{"streams":["s"]}}', '{{s}}', '{{"new":0}}',
  'o' || n % 3, 'v' || n % 5000, CASE WHEN n % 400 = 7 THEN 'j0' END FROM generate_series(1, {many}) n;
UPDATE job_revision SET revision = {many};
INSERT INTO gone SELECT 'g' || n FROM generate_series(1, {many}) n;
INSERT INTO job_counts SELECT 'owner:x' || n, 'ready', 1 FROM generate_series(1, {many}) n;
INSERT INTO positions SELECT 't' || n % 200, 's', n, 1, 0, 0, 0, 0, false, '' FROM generate_series(1, {many}) n;
INSERT INTO states SELECT 'j' || n, 'track', 's', 1, '' FROM generate_series(1, {many}) n;
INSERT INTO complete SELECT 'j' || n, 's' FROM generate_series(5, {many}) n;
INSERT INTO frames (frame_id, video_id, timestamp, path, job_id, seq, frame, pts_us)
  SELECT 'frame_' || n, 'v', now(), 'p', 'x' || n / 100, n, n, n FROM generate_series(1, {many}) n;
INSERT INTO outbox (key, topic, part, value, headers)
  SELECT 'k' || n % 2000, 't', 0, '', '[]' FROM generate_series(1, {many}) n;
INSERT INTO outbox_keys SELECT key, min(id) FROM outbox GROUP BY key;
INSERT INTO notes SELECT 'geometry', 'n' || n, n, '1' FROM generate_series(1, {many}) n;
SELECT setval('note_revision', {many});
ANALYZE;
"""
SETTINGS = {
    "session_preload_libraries": "auto_explain",
    "auto_explain.log_min_duration": 0,
    "auto_explain.log_nested_statements": "on",
    "auto_explain.log_analyze": "on",
    "auto_explain.log_timing": "off",
    "auto_explain.log_level": "notice",
}
SCAN = re.compile(r"Seq Scan on (?!job_revision|sightline_version)\w+")
READ = re.compile(r"Scan.*actual rows=(\d+) loops=(\d+)|Rows Removed by (?:Index Recheck|Filter): (\d+)")


@pytest.fixture(scope="module")
def full(server):
    """A schema with many rows in each table."""
    url = server("postgres")["url"]
    with schema(url) as place:
        run(url, FILL.format(place=place, many=MANY))
        yield url, place


@pytest.fixture(scope="module")
def asked(full):
    """A store, and the plans of what it has asked."""
    url, place = full
    options = " ".join(f"-c {key}={value}" for key, value in SETTINGS.items())
    plans: list[str] = []
    store = PostgresStore(f"{url}?options={quote(options)}", place)
    store._server._idle[0].add_notice_handler(lambda notice: plans.append(notice.message_primary))
    yield store, plans
    store.close()


def commit(store):
    at = store.claim("collect", "t7", 0)
    store.commit(Commit(at, 1, "j1", "s", Saved(1, b"x"), (out(b"a", "k7"), out(b"b", "new")), complete=True))


def taken(store):
    for _ in range(3):
        store.sent([queued.queue_id for queued in store.pending("relay", 50)])


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
    "counts of an owner": lambda store: store.counts("x1"),
    "create": lambda store: store.create(Job("made", "street", 0), [out(b"a", "made")]),
    "get": lambda store: store.get("j7"),
    "advance": lambda store: store.advance("j2", "processing", facts={"frames": 1}),
    "remove": lambda store: store.remove("j7"),
    "commit": commit,
    "release": lambda store: store.release(store.claim("collect", "t8", 0)),
    "load": lambda store: store.load("track", "j1", "s"),
    "progress": lambda store: store.progress("j1"),
    "positions": lambda store: store.positions("t9"),
    "pending and sent": taken,
    "give back": lambda store: (store.pending("other", 5), store.give_back("other")),
    "notes": lambda store: store.notes.list("geometry", after="n5"),
    "a note": lambda store: store.notes.put("geometry", "n5", 2, store.notes.get("geometry", "n5").revision),
    "path of a frame": lambda store: store._server.rows(
        "SELECT path FROM frames WHERE frame_id = %s AND video_id = %s", ("frame_7", "v")
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_no_table_is_read_from_end_to_end(asked, name):
    """Each statement of the call searches, and reads about as many rows as it gives."""
    store, plans = asked
    for _ in range(7):  # also as the server plans what is asked again and again
        plans.clear()
        CALLS[name](store)

        assert plans
        for plan in plans:
            assert not SCAN.search(plan), plan
            for rows, loops, removed in READ.findall(plan):
                assert int(rows or 0) * int(loops or 1) + int(removed or 0) <= 400, plan


def test_a_table_without_an_index_would_be_noticed(asked):
    """The plans are those of the server, not an empty list."""
    store, plans = asked
    plans.clear()

    store._server.rows("SELECT 1 FROM jobs WHERE made = %s", ("x",))

    assert any(SCAN.search(plan) for plan in plans)
