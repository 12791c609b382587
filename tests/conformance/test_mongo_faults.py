"""A MongoDB server that is down, killed, stopped or wrong: work pauses and goes on, and no secret is told."""

import logging
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

import pymongo
import pytest
from pymongo import errors as theirs

from sightline.adapters.mongo.address import Address
from sightline.adapters.mongo.errors import _CODES, error_of, translated
from sightline.adapters.mongo.store import MongoStore
from sightline.adapters.mongo.versions import migrate
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
from tests.conformance.mongo import databases, only_ours, out, uri_of
from tests.servers import services

SECRET = "x7Kq-secret-9Zp"


@pytest.fixture
def place(server):
    with databases(uri_of(server)) as place:
        place.migrate()
        yield place


@pytest.fixture
def store(place):
    store = place.open()
    yield store
    store.close()


@pytest.fixture
def own(server):
    """A server of this test's own, which it may kill: `own()` starts it (again), at the same address."""
    only_ours()
    server("mongo")  # skips where it cannot be had
    folder = Path(tempfile.mkdtemp(prefix="killed-"))

    def start():
        record = services.start("mongo", folder)
        start.pid = record["pid"]
        return record["url"]

    start.kill = lambda: services.stop("mongo", folder, kill=True)
    yield start
    services.stop("mongo", folder, kill=True)
    shutil.rmtree(folder, ignore_errors=True)


# --- killed


def test_a_server_killed_in_the_middle_of_commits_loses_nothing_that_was_acknowledged(own):
    """Twice; each owner goes on where its last commit stands."""
    address = own()
    migrate(address)
    store = MongoStore(address)

    def die():
        own.kill()
        assert own() == address

    killed_in_commits(store, die, 60, (40, 110))
    store.close()


def test_the_same_store_goes_on_when_the_server_is_back(own):
    """While it is away each call says so, by name, and writes nothing."""
    address = own()
    migrate(address)
    store = MongoStore(address, answer_s=1)
    store.create(Job("j1", "street", 0), [])
    own.kill()
    calls = [
        lambda: store.get("j1"),
        lambda: store.claim("track", "t", 0),
        lambda: store.wait(99, 5),
        lambda: store.pending("r", 1),
        lambda: store.notes.put("k", "a", 1),
    ]
    for call in calls:
        with pytest.raises(Unavailable) as down:
            call()
        assert down.value.code in ("database_down", "database_busy")
    own()

    assert again(lambda: store.get("j1")).video_id == "street"
    assert again(lambda: store.claim("track", "t", 0)).epoch == 1
    store.close()


def test_a_server_that_stands_still_is_unavailable_in_the_end(own):
    """Its process is stopped, so that it neither answers nor closes the connection."""
    address = own()
    migrate(address)
    store = MongoStore(address, answer_s=0.5)
    os.kill(own.pid, signal.SIGSTOP)
    try:
        with pytest.raises(Unavailable):
            store.claim("track", "t", 0)
    finally:
        os.kill(own.pid, signal.SIGCONT)

    assert again(lambda: store.claim("track", "t", 0)).epoch >= 1
    store.close()


# --- waiting


def test_whoever_waits_learns_of_jobs_and_records(place, store):
    """Of any process, and of nothing else."""
    other = place.open()
    store.create(Job("j1", "street", 0, facts={"streams": ["a"]}), [])
    at = store.claim("track", "t", 0)
    doings = [
        (lambda: store.create(Job("j2", "street", 0), []), True),
        (lambda: store.advance("j1", "processing"), True),
        (lambda: store.commit(Commit(at, 1, "j1", "a", Saved(1, b""), (out(b"1"),))), True),
        (lambda: store.claim("track", "u", 0), False),
        (lambda: store.get("j1"), False),
    ]
    for do, news in doings:
        seen = other.wait(other.wait(0, 0.0), 0.0)
        waiting: list[int] = []
        thread = threading.Thread(
            target=lambda seen=seen, waiting=waiting: waiting.append(other.wait(seen, 1))
        )
        thread.start()
        do()
        thread.join(PATIENCE_S)
        assert (waiting[0] > seen) == news
    other.close()


# --- refusals


def refused(uri: str, **options) -> SightlineError:
    with pytest.raises(SightlineError) as error:
        MongoStore(uri, answer_s=2, **options)
    return error.value


def with_login(uri: str, login: str) -> str:
    return f"mongodb://{login}{uri.rpartition('@')[2]}"


def test_what_is_wrong_with_the_login_is_the_users_to_change(server):
    """A wrong password, an unknown user, none at all."""
    uri = server("mongo")["url"]
    for login, code in (
        (f"sightline:{SECRET}@", "database_login"),
        (f"nobody:{SECRET}@", "database_login"),
        ("", "database_rights"),
    ):
        error = refused(with_login(uri, login))
        assert (type(error), error.code) == (ServiceMisconfigured, code)


def test_a_server_that_is_not_there_is_unavailable():
    """It may come."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        error = refused(f"mongodb://127.0.0.1:{taken.getsockname()[1]}")

    assert (type(error), error.code) == (Unavailable, "database_down")


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "nonsense",
        "postgresql://u:p@h/d",
        "mongodb://",
        "mongodb://u:p@h:port/",
        "mongodb://u:p@h:99999/",
        "mongodb://h/?nonsense=1",
        "mongodb://h/?tls=maybe",
        f"mongodb://u:1{SECRET}@more@h/",
        f"mongodb://u:1/{SECRET}@h/",
        f"mongodb://u:{SECRET}/more@h/",
        f"mongodb://u:1?{SECRET}@h/",
        f"mongodb://u:1?x={SECRET}@h/",
        f"mongodb://u:%{SECRET}@h/",
        f"mongodb+srv://u:1/{SECRET}@h/",
    ],
)
def test_an_address_that_cannot_be_read_is_not_repeated(uri):
    """A password with characters of its own would be told in parts."""
    with pytest.raises(ServiceMisconfigured) as error:
        Address.of(uri)

    assert error.value.code == "database_address"
    assert SECRET not in "".join(traceback.format_exception(error.value))


@pytest.mark.parametrize("name", ["", "a b", "a.b", "a$b", "a/b", "1a", "x" * 39, "ü"])
def test_a_database_has_a_plain_name(name):
    """What servers take differs; this is what all take."""
    with pytest.raises(ServiceMisconfigured, match="name of a database"):
        Address.of("mongodb://h/", name)


def test_no_secret_is_in_the_text_of_an_error(server, caplog):
    """Whatever is wrong, in message, chain, representation and log."""
    caplog.set_level(logging.DEBUG)
    uri = with_login(server("mongo")["url"], f"sightline:{SECRET}@")
    told = [repr(Address.of(uri)), str(Address.of(uri))]
    for wrong in (
        uri,
        f"mongodb://sightline:{SECRET}@127.0.0.1:1/",
        f"mongodb://sightline:{SECRET}@no.such.host.invalid/",
        f"mongodb://sightline:{SECRET}@127.0.0.1:1,127.0.0.1:2/?replicaSet=r",
        f"mongodb://sightline:{SECRET}@127.0.0.1/?tlsCAFile=/nowhere&tls=true",
    ):
        error = refused(wrong)
        told += ["".join(traceback.format_exception(error)), repr(error), repr(vars(error))]
    with pytest.raises(SightlineError) as error:
        migrate(uri, answer_s=2)
    told.append("".join(traceback.format_exception(error.value)))

    assert [text for text in (*told, caplog.text) if SECRET in text] == []


# --- errors of calls


@pytest.mark.parametrize(
    ("error", "ours", "code"),
    [
        (theirs.ServerSelectionTimeoutError("No servers found yet"), Unavailable, "database_down"),
        (
            theirs.ServerSelectionTimeoutError("SSL: certificate verify failed"),
            ServiceMisconfigured,
            "database_address",
        ),
        (theirs.AutoReconnect("connection closed"), Unavailable, "database_down"),
        (theirs.NetworkTimeout("timed out"), Unavailable, "database_down"),
        (theirs.NotPrimaryError("not primary"), Unavailable, "database_down"),
        (theirs.WaitQueueTimeoutError("no connection"), Unavailable, "database_down"),
        (theirs.ExecutionTimeout("took too long", 50), Unavailable, "database_busy"),
        (theirs.WriteConcernError("waited", 64), Unavailable, "database_busy"),
        (theirs.WTimeoutError("waited", 64), Unavailable, "database_busy"),
        (theirs.OperationFailure("not primary", 10107), Unavailable, "database_down"),
        (theirs.OperationFailure("stepped down", 189), Unavailable, "database_down"),
        (theirs.OperationFailure("shutting down", 91), Unavailable, "database_down"),
        (theirs.OperationFailure("full", 14031), Unavailable, "disk_full"),
        (theirs.OperationFailure("who?", 18), ServiceMisconfigured, "database_login"),
        (theirs.OperationFailure("may not", 13), ServiceMisconfigured, "database_rights"),
        (theirs.ConfigurationError("too old"), ServiceMisconfigured, "database_address"),
        (theirs.DuplicateKeyError("E11000"), Fenced, "fenced"),
        (theirs.DuplicateKeyError("E11000", 11000), Fenced, "fenced"),
        (theirs.BulkWriteError({"writeErrors": [{"code": 11000}]}), Fenced, "fenced"),
        (theirs.DocumentTooLarge("17 MB"), TooLarge, "too_large"),
        (theirs.OperationFailure("17 MB", 10334), TooLarge, "too_large"),
    ],
    ids=lambda one: type(one).__name__ if isinstance(one, Exception) else "",
)
def test_errors_of_mongodb_become_ours(error, ours, code):
    """By what to do about them, with the name of the database."""
    with pytest.raises(ours, match="MongoDB h/d") as found, translated("MongoDB h/d"):
        raise error

    assert (type(found.value), found.value.code) == (ours, code)


def test_an_error_that_the_client_may_repeat_is_an_outage():
    """Servers mark what a repetition may mend."""
    error = theirs.OperationFailure("later", 999, {"errorLabels": ["RetryableWriteError"]})

    assert isinstance(error_of("x", error), Unavailable)


def test_a_mistake_of_ours_is_not_hidden(store):
    """A wrong command is no outage, and the store goes on."""
    with pytest.raises(theirs.OperationFailure), translated("x"):
        store._server.jobs.update_one({}, {"$nonsense": {"a": 1}})

    assert error_of("x", theirs.InvalidOperation("closed")) is None
    assert store.list().jobs == ()


def test_a_database_that_refuses_us_ends_no_job(store):
    """It is nobody's job that the password was changed: the stage stops, and jobs wait."""
    store.create(Job("j1", "street", 0), [])
    refusals = {(kind, code) for kind, code, _ in _CODES.values() if issubclass(kind, Misconfigured)}
    assert {kind for kind, _ in refusals} == {ServiceMisconfigured}

    for _, code in sorted(refusals, key=lambda one: one[1]):
        with pytest.raises(ServiceMisconfigured), of_job(store, "j1"):
            raise ServiceMisconfigured("refused", code=code)

    assert store.get("j1").state == "new"


def test_a_document_that_was_damaged_stops_loudly(store):
    """Never an empty answer instead of a job, a record, a state or a note."""
    store.create(Job("j1", "street", 0), [out(b"x")])
    store.commit(Commit(store.claim("track", "t", 0), 1, "j1", "a", Saved(1, b"state")))
    store.notes.put("geometry", "a", 1)
    server = store._server
    server.jobs.update_one({"_id": "j1"}, {"$set": {"made": "{", "records": b"\xc1"}})
    server.notes.update_many({}, {"$set": {"value": "{"}})
    server.parts.update_many({}, {"$set": {"bytes": b"short"[:2]}})
    calls = [
        lambda: store.get("j1"),
        lambda: store.list(),
        lambda: store.pending("r", 10),
        lambda: store.notes.get("geometry", "a"),
        lambda: store.notes.list("geometry"),
        lambda: store.load("track", "j1", "a"),
    ]

    for call in calls:
        with pytest.raises(Corrupt) as damaged:
            call()
        assert damaged.value.code == "damaged"


def test_a_record_over_the_limit_is_refused_before_anything_is_written(store):
    """By name."""
    large = (out(bytes(MAX_BYTES + 1)),)
    with pytest.raises(TooLarge):
        store.create(Job("j1", "street", 0), large)
    assert store.list().jobs == ()

    store.create(Job("j1", "street", 0), [])
    at = store.claim("track", "t", 0)
    with pytest.raises(TooLarge):
        store.commit(Commit(at, 1, "j1", "a", Saved(1, b""), large))
    assert store._server.parts.count_documents({}) == 0
    assert store.commit(Commit(at, 1))[0].low_water == 1


def test_facts_that_no_document_holds_are_refused(store):
    """By name, and the job stays as it is."""
    store.create(Job("j1", "street", 0), [])
    with pytest.raises(TooLarge) as refusal:
        store.advance("j1", "processing", facts={"a": "x" * 17_000_000})

    assert refusal.value.code == "too_large"
    assert store.get("j1").state == "new"


def test_what_is_written_is_acknowledged_by_a_majority_and_journaled(place):
    """Whatever the address says; what is read was, and from the primary."""
    store = MongoStore(f"{place.uri}&w=1&journal=false&readPreference=secondary", **place.options())
    for documents in (store._server.commits, store._server.jobs, store._server.predictions):
        assert documents.write_concern.document == {"w": "majority", "j": True}
        assert documents.read_concern.level == "majority"
        assert documents.read_preference == pymongo.ReadPreference.PRIMARY
    store.close()


def test_closing_may_be_repeated(place):
    """And ends the threads of the client."""
    store = place.open()
    store.close()
    store.close()


def test_a_driver_that_is_missing_is_named():
    """With the command that installs it."""
    program = (
        "import sys; sys.modules['pymongo'] = None\n"
        "from sightline.errors import Misconfigured\n"
        "try:\n    import sightline.adapters.mongo.store\n"
        "except Misconfigured as error:\n    print(error.code, error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.startswith("missing_extra")
    assert 'pip install "sightline[mongo]"' in done.stdout


# --- text


NAMES = ["a\0b", "\x01", "ü\U0001f600", "a.b", "$a", "a/b:c", "a'b\"c\\d%s{}", "", " "]


@pytest.mark.parametrize("name", NAMES)
def test_any_text_names_a_job_and_is_found_by_it(store, name):
    """Also what MongoDB forbids in the keys of documents."""
    facts = {"streams": [name], name: {name: name}}
    made = Job(f"j{name}", name, 0, parent_id=name, owner=name, request={name: name})
    store.create(made, [out(b"x", name)])
    store.advance(made.job_id, "processing", facts=facts)
    at = store.claim(f"s{name}", f"t{name}", 0, identity=f"i{name}")
    at, _ = store.commit(Commit(at, 1, made.job_id, name, Saved(1, b"s"), (out(b"y", name),), complete=True))
    assert store.get(made.job_id).state == "predictable"
    assert store.load(at.stage, made.job_id, name) == Saved(1, b"s")
    assert store.progress(made.job_id) == {(at.stage, name): 1}
    assert store.positions(at.topic) == [at]
    store.advance(made.job_id, "failed", code=name, reason=name, result={name: name})

    found = store.get(made.job_id)
    assert (found.video_id, found.parent_id, found.owner, found.request) == (name, name, name, {name: name})
    assert (found.code, found.reason, found.result, found.facts) == (name, name, {name: name}, facts)
    for which in (Which(owner=name), Which(video_id=name), Which(parent_id=name)):
        assert [job.job_id for job in store.list(which).jobs] == [made.job_id]
    waiting = store.pending("r", 9)
    assert [one.record.key for one in waiting] == [name, name]
    store.sent([one.queue_id for one in waiting])
    assert store.pending("r", 9) == []
    assert dict(store.counts(name).by_state) == {"failed": 1}


def test_names_are_told_apart_however_they_are_cut(store):
    """What separates the parts of an `_id` may stand in a name."""
    store.create(Job("j", "street", 0), [])
    store.create(Job("j/a", "street", 0), [])
    for stage, topic, job, stream in (("s", "t/0", "j", "a/b"), ("s/t", "0", "j/a", "b")):
        at = store.claim(stage, topic, 0)
        assert at.epoch == 1
        store.commit(Commit(at, 1, job, stream, Saved(1, stream.encode())))

    assert store.load("s", "j", "a/b") == Saved(1, b"a/b")
    assert store.load("s/t", "j/a", "b") == Saved(1, b"b")
