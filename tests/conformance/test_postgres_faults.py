"""A PostgreSQL that is down, killed, stopped, full or wrong: work pauses and goes on, and no secret is told."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from sightline.adapters.postgres.address import Address
from sightline.adapters.postgres.errors import _STATES, _TEXTS, error_of, translated
from sightline.adapters.postgres.server import connect
from sightline.adapters.postgres.store import PostgresStore
from sightline.adapters.postgres.text import plain, storable
from sightline.adapters.postgres.versions import migrate
from sightline.errors import (
    Corrupt,
    Fenced,
    Misconfigured,
    ServiceMisconfigured,
    SightlineError,
    TooLarge,
    Unavailable,
)
from sightline.events import MAX_BYTES
from sightline.ports import Commit, Job, Saved, Which
from sightline.runtime.failures import of_job
from tests.conformance.killed import PATIENCE_S, again, killed_in_commits
from tests.conformance.postgres import out, run, schema
from tests.servers import services

SECRET = "x7Kq-secret-9Zp"


@pytest.fixture(scope="module")
def url(server):
    return server("postgres")["url"]


@pytest.fixture
def place(url):
    with schema(url) as name:
        yield name


@pytest.fixture
def store(url, place):
    store = PostgresStore(url, place)
    yield store
    store.close()


@pytest.fixture
def own(url):
    """A server of this test's own, which it may kill: `own()` starts it (again), at the same address."""
    folder = Path(tempfile.mkdtemp(prefix="killed-"))
    folder.chmod(0o755)  # PostgreSQL, started by root, runs as another user

    def start():
        return services.start("postgres", folder)["url"]

    start.kill = lambda: services.stop("postgres", folder, kill=True)
    yield start
    services.stop("postgres", folder, kill=True)
    shutil.rmtree(folder, ignore_errors=True)


# --- killed


def test_a_server_killed_in_the_middle_of_commits_loses_nothing_that_was_acknowledged(own):
    """Twice; each owner goes on where its last commit stands."""
    address = own()
    migrate(address, "killed")
    store = PostgresStore(address, "killed")

    def die():
        own.kill()
        assert own() == address

    killed_in_commits(store, die, 150, (100, 250))
    store.close()


def test_connections_that_were_idle_when_the_server_was_killed_are_replaced(own):
    """No call fails for them once the server is back, neither does whoever waits for news for ever."""
    address = own()
    migrate(address)
    store = PostgresStore(address)
    store.create(Job("j1", "street", 0), [])
    seen = store.wait(0, 0.0)
    own.kill()
    for call in (lambda: store.get("j1"), lambda: store.claim("track", "t", 0), lambda: store.wait(seen, 5)):
        with pytest.raises(Unavailable) as down:
            call()
        assert down.value.code == "database_down"
    own()

    assert store.get("j1").video_id == "street"
    assert again(lambda: store.wait(seen, 20)) > seen
    store.close()


def test_a_backend_that_is_ended_by_its_administrator_costs_one_repetition_at_most(store, place):
    """The connection is replaced; what was idle is not even noticed."""
    store.create(Job("j1", "street", 0), [])
    run_here = store._server.address.parameters
    with psycopg.connect(make_conninfo(**run_here), autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
            "WHERE application_name = 'sightline' AND pid <> pg_backend_pid()"
        )

    assert store.get("j1").video_id == "street"


def test_a_server_that_stands_still_is_unavailable_in_the_end(url, place):
    """Its process is stopped, so that it neither answers nor closes the connection."""
    store = PostgresStore(url, place, answer_s=0.5, connections=1)
    (pid,) = store._server.rows("SELECT pg_backend_pid()")[0]
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(Unavailable) as down:
            store.claim("track", "t", 0)
    finally:
        os.kill(pid, signal.SIGCONT)

    assert down.value.code == "database_down"
    assert again(lambda: store.claim("track", "t", 0)).epoch >= 1
    store.close()


def test_more_threads_than_connections_wait_for_each_other(url, place):
    """Nobody fails, and the server sees no more connections than allowed."""
    store = PostgresStore(url, place, connections=2)
    store.create(Job("j1", "street", 0), [])
    failed: list[Exception] = []

    def ask():
        try:
            for _ in range(20):
                store.get("j1")
        except SightlineError as error:
            failed.append(error)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)

    assert failed == []
    assert len(store._server._idle) <= 2
    store.close()


# --- waiting


def test_whoever_waits_is_woken_by_jobs_and_by_records(url, place, store):
    """Of any process, and by nothing else; several may wait at once."""
    other = PostgresStore(url, place)
    store.create(Job("j1", "street", 0, facts={"streams": ["a"]}), [])
    at = store.claim("track", "t", 0)
    doings = [
        lambda: store.create(Job("j2", "street", 0), []),
        lambda: store.advance("j1", "processing"),
        lambda: store.commit(Commit(at, 1, "j1", "a", Saved(1, b""), (out(b"1"),))),
        lambda: [one.queue_id for one in store.pending("gone", 10)],
        lambda: store.give_back("gone"),
    ]
    woken = []
    for do in doings:
        seen = other.wait(other.wait(0, 0.0), 0.0)
        waiting = [
            threading.Thread(target=lambda seen=seen: woken.append(other.wait(seen, 1) > seen))
            for _ in range(2)
        ]
        for thread in waiting:
            thread.start()
        do()
        for thread in waiting:
            thread.join(PATIENCE_S)

    assert woken == [True] * 6 + [False] * 2 + [True] * 2
    other.close()


def test_closing_wakes_whoever_waits(url, place):
    """And may be repeated."""
    store = PostgresStore(url, place)
    seen, left = store.wait(0, 0.0), []
    waiting = threading.Thread(target=lambda: left.append(store.wait(seen, 1000)))
    waiting.start()
    store.close()
    store.close()

    waiting.join(PATIENCE_S)
    assert not waiting.is_alive()


# --- refusals


def refused(url: str, schema: str = "public", **changes: object) -> SightlineError:
    with pytest.raises(SightlineError) as error:
        PostgresStore(make_conninfo(url, **changes), schema)
    return error.value


def test_what_is_wrong_with_the_address_is_the_users_to_change(url):
    """Login and database are named by what to do about them."""
    for changes, code in (
        ({"password": SECRET}, "database_login"),
        ({"user": "nobody"}, "database_login"),
        ({"dbname": "nowhere"}, "database_missing"),
    ):
        error = refused(url, **changes)
        assert (type(error), error.code) == (ServiceMisconfigured, code)


def test_a_server_that_is_not_there_is_unavailable(url):
    """It may come."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        error = refused(url, port=taken.getsockname()[1])

    assert (type(error), error.code) == (Unavailable, "database_down")


def test_a_server_without_a_free_connection_is_unavailable(own):
    """Whoever has one goes on, and the others come again."""
    address = own()
    migrate(address)
    held = [psycopg.connect(address) for _ in range(100)]
    error = refused(address)
    assert (type(error), error.code) == (Unavailable, "database_busy")
    for connection in held:
        connection.close()

    again(lambda: PostgresStore(address)).close()


def test_a_password_may_come_from_the_environment(url, place, monkeypatch):
    """So that the address can be shown."""
    given = {key: value for key, value in conninfo_to_dict(url).items() if key != "password"}
    monkeypatch.setenv("PGPASSWORD", str(conninfo_to_dict(url)["password"]))
    PostgresStore(make_conninfo("", **given), place).close()
    monkeypatch.delenv("PGPASSWORD")

    with pytest.raises(Misconfigured) as error:
        PostgresStore(make_conninfo("", **given), place)

    assert error.value.code == "database_login"


@pytest.mark.parametrize(
    "address",
    [
        "nonsense",
        "postgresql://u:p@h/d?nonsense=1",
        "postgresql://u:p@h:port/d",
        f"postgresql://u:1{SECRET}@more@h/d",
        f"postgresql://u:1/{SECRET}@h/d",
        f"postgresql://u:{SECRET}/more@h/d",
        f"user=u password={SECRET} nonsense",
    ],
)
def test_an_address_that_cannot_be_read_is_not_repeated(address):
    """A password with characters of its own would be told in parts."""
    with pytest.raises(Misconfigured) as error:
        Address.of(address)

    assert error.value.code == "database_address"
    assert SECRET not in "".join(traceback.format_exception(error.value))


@pytest.mark.parametrize("name", ["", "A", "pg_x", "1a", "a b", 'a"b', "a;b", "x" * 41, "ü"])
def test_a_schema_has_a_plain_name(name):
    """It stands in statements and settings."""
    with pytest.raises(Misconfigured, match="schema"):
        Address.of("postgresql://h/d", name)


def test_no_secret_is_in_the_text_of_an_error(url, caplog):
    """Whatever is wrong, in message, chain, representation and log."""
    caplog.set_level(0)
    address = make_conninfo(url, password=SECRET)
    told = [repr(Address.of(address)), str(Address.of(address))]
    for changes in (
        {},
        {"port": 1},
        {"host": "no.such.host.invalid"},
        {"host": "127.0.0.1,127.0.0.1", "port": "1,2"},
    ):
        error = refused(address, **changes)
        told += ["".join(traceback.format_exception(error)), repr(error), repr(vars(error))]
    with pytest.raises(SightlineError) as error:
        migrate(address)
    told.append("".join(traceback.format_exception(error.value)))

    assert [text for text in (*told, caplog.text) if SECRET in text] == []


def test_a_role_that_may_not_create_tables_is_told_so(url, place):
    """The owner of the schema migrates."""
    user = f"r_{place}"
    run(url, f"CREATE ROLE {user} LOGIN PASSWORD '{SECRET}'")
    try:
        for call in (migrate, PostgresStore):
            with pytest.raises(Misconfigured) as error:
                call(make_conninfo(url, user=user, password=SECRET), place)
            assert error.value.code == "database_rights"
    finally:
        run(url, f"DROP ROLE {user}")


def test_a_database_of_another_encoding_is_refused(url, place):
    """Names are any text."""
    run(url, f"CREATE DATABASE {place} ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
    try:
        error = refused(url, dbname=place)
    finally:
        run(url, f"DROP DATABASE {place} WITH (FORCE)")

    assert (type(error), error.code) == (ServiceMisconfigured, "database_format")


# --- errors of statements


@pytest.mark.parametrize(
    ("theirs", "ours", "code"),
    [
        ("SerializationFailure", Unavailable, "database_busy"),
        ("StatementCompletionUnknown", Unavailable, "database_down"),
        ("DeadlockDetected", Unavailable, "database_busy"),
        ("LockNotAvailable", Unavailable, "database_busy"),
        ("QueryCanceled", Unavailable, "database_busy"),
        ("IdleInTransactionSessionTimeout", Unavailable, "database_busy"),
        ("TooManyConnections", Unavailable, "database_busy"),
        ("AdminShutdown", Unavailable, "database_down"),
        ("CrashShutdown", Unavailable, "database_down"),
        ("CannotConnectNow", Unavailable, "database_down"),
        ("ConnectionFailure", Unavailable, "database_down"),
        ("ReadOnlySqlTransaction", Unavailable, "database_down"),
        ("DiskFull", Unavailable, "disk_full"),
        ("OutOfMemory", Unavailable, "memory"),
        ("IoError", Unavailable, "disk_error"),
        ("InvalidPassword", Misconfigured, "database_login"),
        ("InvalidCatalogName", Misconfigured, "database_missing"),
        ("InsufficientPrivilege", Misconfigured, "database_rights"),
        ("UndefinedTable", Misconfigured, "database_version"),
        ("UndefinedFunction", Misconfigured, "database_version"),
        ("ProgramLimitExceeded", TooLarge, "too_large"),
        ("DataCorrupted", Corrupt, "damaged"),
        ("IndexCorrupted", Corrupt, "damaged"),
    ],
)
def test_errors_of_postgresql_become_ours(theirs, ours, code):
    """By what to do about them, with the name of the database."""
    with pytest.raises(ours, match="PostgreSQL h/d") as found, translated("PostgreSQL h/d"):
        raise getattr(psycopg.errors, theirs)("detail")

    assert found.value.code == code


def test_a_second_row_of_a_position_is_another_owner(store):
    """The key of a position belongs to one."""
    store.claim("track", "t", 0)
    insert = "INSERT INTO positions SELECT topic, stage, part, 1, 0, 0, 0, 0, false, '' FROM positions"

    with pytest.raises(Fenced):
        store._server.rows(insert)


def test_a_mistake_of_ours_is_not_hidden(store):
    """A wrong statement is no outage, and the connection goes on."""
    with pytest.raises(psycopg.errors.UndefinedColumn):
        store._server.rows("SELECT nonsense")
    with pytest.raises(psycopg.errors.NotNullViolation):
        store._server.rows("INSERT INTO gone VALUES (NULL)")

    assert error_of("x", psycopg.errors.SyntaxError("x")) is None
    assert store._server.rows("SELECT 1") == [(1,)]


def test_a_statement_that_takes_too_long_is_given_up(url, place):
    """Nothing waits for ever, also where somebody else keeps a lock for ever."""
    store = PostgresStore(make_conninfo(url, options="-c lock_timeout=100 -c statement_timeout=200"), place)
    at = store.claim("track", "t", 0)
    with psycopg.connect(make_conninfo(url, options=f"-c search_path={place}")) as keeping:
        keeping.execute("SELECT * FROM positions FOR UPDATE")
        with pytest.raises(Unavailable) as busy:
            store.commit(Commit(at, 1))
        assert busy.value.code == "database_busy"
        with pytest.raises(Unavailable):
            store._server.rows("SELECT pg_sleep(10)")

    assert store.commit(Commit(at, 1))[0].low_water == 1
    store.close()


def test_a_row_that_was_damaged_stops_loudly(store):
    """Never an empty answer instead of a job, a record or a note."""
    store.create(Job("j1", "street", 0), [out(b"x")])
    store.notes.put("geometry", "a", 1)
    store._server.rows("UPDATE jobs SET made = '{'")
    store._server.rows("UPDATE outbox SET headers = '{'")
    store._server.rows("UPDATE notes SET value = '{'")
    calls = [
        lambda: store.get("j1"),
        lambda: store.list(),
        lambda: store.pending("r", 10),
        lambda: store.notes.get("geometry", "a"),
        lambda: store.notes.list("geometry"),
    ]

    for call in calls:
        with pytest.raises(Corrupt) as damaged:
            call()
        assert damaged.value.code == "damaged"


def test_a_record_over_the_limit_is_refused_before_anything_is_written(store):
    """By name."""
    with pytest.raises(TooLarge):
        store.create(Job("j1", "street", 0), [out(bytes(MAX_BYTES + 1))])

    assert store.list().jobs == ()


def test_commits_are_durable_whatever_the_server_is_set_to(url, place):
    """An address may ask for more, as for a standby that has applied them."""
    dull = make_conninfo(url, options="")
    with connect(Address.of(dull, place)) as connection:
        assert connection.execute("SHOW synchronous_commit").fetchone() == ("on",)
    strict = make_conninfo(url, options="-c synchronous_commit=remote_apply")
    with connect(Address.of(strict, place)) as connection:
        assert connection.execute("SHOW synchronous_commit").fetchone() == ("remote_apply",)


def test_a_database_that_refuses_us_ends_no_job(store):
    """It is nobody's job that the password was changed: the stage stops, and jobs wait."""
    store.create(Job("j1", "street", 0), [])
    kinds = [*_STATES.values(), *(kind for _, kind in _TEXTS)]
    refusals = {kind for kind, _, _ in kinds if issubclass(kind, Misconfigured)}
    assert refusals == {ServiceMisconfigured}

    for code in sorted({code for kind, code, _ in kinds if kind is ServiceMisconfigured}):
        with pytest.raises(ServiceMisconfigured), of_job(store, "j1"):
            raise ServiceMisconfigured("refused", code=code)

    assert store.get("j1").state == "new"


def test_a_driver_that_is_missing_is_named(tmp_path):
    """With the command that installs it."""
    program = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from sightline.errors import Misconfigured\n"
        "try:\n    import sightline.adapters.postgres.store\n"
        "except Misconfigured as error:\n    print(error.code, error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.startswith("missing_extra")
    assert 'pip install "sightline[postgres]"' in done.stdout


# --- text


NAMES = ["a\0b", "\0", "\x01", "\x01\x02\x01\0", "ü\U0001f600", "a'b\"c\\d%s{}", "", " "]


@pytest.mark.parametrize("name", NAMES)
def test_any_text_names_a_job_and_is_found_by_it(store, name):
    """NUL too, which PostgreSQL's text cannot hold."""
    made = Job(f"j{name}", name, 0, parent_id=name, owner=name, request={name: name})
    store.create(made, [out(b"x", name)])
    store.advance(made.job_id, "failed", code=name, reason=name)

    found = store.get(made.job_id)
    assert (found.video_id, found.parent_id, found.owner, found.request) == (name, name, name, {name: name})
    assert (found.code, found.reason) == (name, name)
    for which in (Which(owner=name), Which(video_id=name), Which(parent_id=name)):
        assert [job.job_id for job in store.list(which).jobs] == [made.job_id]
    assert [one.record.key for one in store.pending("r", 9)] == [name]
    assert dict(store.counts(name).by_state) == {"failed": 1}


def test_notes_of_any_text_are_listed_in_the_order_of_their_ids(store):
    """What is stored for NUL does not change the order."""
    ids = ["a", "a\0", "a\x01", "a\x01\x01", "a\x02", "\0", "\x01", "\\", "ü"]
    for name in ids:
        store.notes.put("k", name, name)

    assert [name for name, _ in store.notes.list("k")] == sorted(ids)
    assert [plain(storable(name)) for name in ids] == ids
