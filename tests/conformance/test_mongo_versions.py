"""Collections are made and led forward by `migrate` alone; what is newer is left alone."""

import threading

import pytest

from sightline.adapters.mongo import versions
from sightline.adapters.mongo.versions import MIGRATIONS, migrate
from sightline.errors import Misconfigured
from sightline.ports import Job
from tests.conformance.mongo import databases, uri_of

NEWEST = len(MIGRATIONS)


@pytest.fixture
def empty(server):
    """Databases without collections."""
    with databases(uri_of(server)) as place:
        yield place


@pytest.fixture
def place(empty):
    empty.migrate()
    return empty


def held(place):
    """Indexes and counters."""
    with place.raw() as database:
        names = sorted(database.list_collection_names())
        indexes = {name: sorted(database[name].index_information()) for name in names}
        return indexes, list(database["sightline_counters"].find())


def test_migrating_twice_changes_nothing(place):
    """No number starts again, and jobs stay."""
    store = place.open()
    store.create(Job("j1", "street", 0), [])
    before = held(place)

    assert place.migrate() == (NEWEST, NEWEST)

    assert held(place) == before
    assert store.get("j1").video_id == "street"
    store.close()


def test_several_may_migrate_at_once(empty):
    """One makes the collections, the others find them."""
    found: list[tuple[int, int]] = []
    threads = [threading.Thread(target=lambda: found.append(empty.migrate())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(found) == [(0, NEWEST), *[(NEWEST, NEWEST)] * 3]
    empty.open().close()


def test_nothing_is_made_by_surprise(empty):
    """A store over a database without collections says what to do."""
    with pytest.raises(Misconfigured, match="migrate") as refused:
        empty.open()

    assert refused.value.code == "database_version"
    with empty.raw() as database:
        assert database.list_collection_names() == []


def test_a_migration_that_was_cut_off_is_repeated(empty, monkeypatch):
    """The version is written last."""

    def cut(server):
        server.counters.insert_one({"_id": "order", "n": 0})
        raise RuntimeError("cut")

    monkeypatch.setattr(versions, "MIGRATIONS", (cut,))
    with pytest.raises(RuntimeError):
        empty.migrate()
    monkeypatch.undo()
    with pytest.raises(Misconfigured, match="migrate"):
        empty.open()

    assert empty.migrate() == (0, NEWEST)
    empty.open().close()


def test_installations_share_a_server_without_seeing_each_other(place, server):
    """Each pair of databases has its own jobs."""
    with databases(uri_of(server)) as other:
        other.migrate()
        one, two = place.open(), other.open()
        one.create(Job("j1", "street", 0), [])

        assert two.create(Job("j1", "other", 0), [])
        assert one.get("j1").video_id == "street"
        one.close()
        two.close()


def test_a_newer_version_is_left_alone(place):
    """By the store and by `migrate`; the error names both versions."""
    with place.raw() as database:
        database["sightline"].update_one({"_id": "version"}, {"$set": {"version": 99}})
    before = held(place)

    for call in (place.open, place.migrate):
        with pytest.raises(Misconfigured, match="version 99") as refused:
            call()
        assert refused.value.code == "database_version"
        assert str(NEWEST) in str(refused.value)

    assert held(place) == before


def test_an_older_version_is_led_forward_by_migrate_only(place, monkeypatch):
    """Only the missing steps run, and jobs stay."""
    old = place.open()
    old.create(Job("j1", "street", 0), [])
    old.close()
    ran = []
    monkeypatch.setattr(versions, "MIGRATIONS", (*MIGRATIONS, ran.append))
    with pytest.raises(Misconfigured, match="migrate"):
        place.open()

    assert place.migrate() == (NEWEST, NEWEST + 1)

    assert len(ran) == 1
    store = place.open()
    assert store.get("j1").video_id == "street"
    store.close()


def test_the_view_may_be_on_another_server(place):
    """By an address of its own."""
    options = {"runner_uri": place.uri + "&appname=other", "runner_database": place.runner}
    assert migrate(place.uri, place.database, **options) == (NEWEST, NEWEST)
    store = place.open(runner_uri=place.uri + "&appname=other")
    store.create(Job("j1", "street", 0), [])
    store.advance("j1", "processing")

    assert len(store._server._clients) == 2
    assert store._server.predictions.find_one({"_id": "j1"})["status"] == "processing"
    store.close()
