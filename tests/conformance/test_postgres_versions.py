"""Tables are made and led forward by `migrate` alone; what is not ours, or newer, is left alone."""

import runpy
import threading
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from sightline.adapters.postgres import versions
from sightline.adapters.postgres.store import PostgresStore
from sightline.adapters.postgres.versions import MIGRATIONS, migrate
from sightline.errors import Misconfigured
from sightline.ports import Job
from tests.conformance.postgres import run, schema

OBJECTS = """
SELECT c.relname, c.xmin::text, c.relfilenode FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s ORDER BY 1
"""
# Everything that there is in the schema `public`: columns, constraints, indexes, functions with what is set in them.
MADE = """
SELECT 'column', table_name, column_name, data_type || coalesce(collation_name, '') || is_nullable || coalesce(column_default, '')
FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT 'index', tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT 'function', '', proname, pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL SELECT 'trigger', tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'options', '', relname, array_to_string(reloptions, ',')
FROM pg_class WHERE relnamespace = 'public'::regnamespace
ORDER BY 1, 2, 3
"""
NEWEST = len(MIGRATIONS)
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def url(server):
    return server("postgres")["url"]


@pytest.fixture
def place(url):
    with schema(url) as name:
        yield name


@pytest.fixture
def empty(url, place):
    """A schema without tables."""
    run(url, f"DROP SCHEMA {place} CASCADE; CREATE SCHEMA {place}")
    return place


def test_migrating_twice_changes_nothing(url, place):
    """No table is touched, and rows stay."""
    store = PostgresStore(url, place)
    store.create(Job("j1", "street", 0), [])
    before = run(url, OBJECTS, (place,))

    assert migrate(url, place) == (NEWEST, NEWEST)

    assert run(url, OBJECTS, (place,)) == before
    assert store.get("j1").video_id == "street"
    store.close()


@contextmanager
def database(url, name):
    """Address of a new one."""
    run(url, f"CREATE DATABASE {name}")
    try:
        yield psycopg.conninfo.make_conninfo(url, dbname=name)
    finally:
        run(url, f"DROP DATABASE {name} WITH (FORCE)")


def test_a_server_that_ran_init_sql_has_the_tables_that_migrate_makes(url):
    """`deploy/init.sql`, as a container of PostgreSQL runs it when it starts first; there is nothing left to migrate."""
    text = (ROOT / "deploy" / "init.sql").read_text()
    with database(url, "migrated") as other, database(url, "begun") as begun:
        migrate(other)
        run(begun, text)

        assert run(begun, MADE) == run(other, MADE)
        assert migrate(begun) == (NEWEST, NEWEST)

    assert text == runpy.run_path(str(ROOT / "tools" / "deploy" / "init_sql.py"))["text"](), (
        "run python tools/deploy/init_sql.py"
    )


def test_several_may_migrate_at_once(url, empty):
    """One makes the tables, the others find them."""
    found: list[tuple[int, int]] = []
    threads = [threading.Thread(target=lambda: found.append(migrate(url, empty))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(found) == [(0, NEWEST), *[(NEWEST, NEWEST)] * 3]


def test_nothing_is_made_by_surprise(url, empty):
    """A store over a schema without tables says what to do."""
    for name in (empty, "nowhere"):
        with pytest.raises(Misconfigured, match="migrate") as refused:
            PostgresStore(url, name)

        assert refused.value.code == "database_version"
        assert run(url, OBJECTS, (name,)) == []


def test_a_schema_that_is_missing_is_made(url, empty):
    """A name is enough."""
    run(url, f"DROP SCHEMA {empty}")

    assert migrate(url, empty) == (0, NEWEST)

    PostgresStore(url, empty).close()


def test_installations_share_a_database_without_seeing_each_other(url, place):
    """Each schema has its own jobs, records and news."""
    with schema(url) as other:
        one, two = PostgresStore(url, place), PostgresStore(url, other)
        seen = two.wait(0, 0.0)
        one.create(Job("j1", "street", 0), [])

        assert two.create(Job("j1", "other", 0), [])
        assert one.get("j1").video_id == "street"
        assert two.wait(seen, 20) > seen
        one.close()
        two.close()


def test_a_newer_version_is_left_alone(url, place):
    """By the store, by `migrate`, and by a store that is open and connects again; the error names both versions."""
    store = PostgresStore(url, place)
    run(url, f"UPDATE {place}.sightline_version SET version = 99")

    for call in (lambda: PostgresStore(url, place), lambda: migrate(url, place), lambda: store.wait(0, 0.0)):
        with pytest.raises(Misconfigured, match="version 99") as refused:
            call()
        assert refused.value.code == "database_version"

    assert run(url, f"SELECT version FROM {place}.sightline_version") == [(99,)]
    store.close()


@pytest.mark.parametrize("theirs", ["TABLE theirs (x int)", "VIEW theirs AS SELECT 1 AS x"])
def test_tables_of_another_program_are_left_alone(url, empty, theirs):
    """No table of ours appears beside them."""
    run(url, f"CREATE {theirs.replace('theirs', f'{empty}.theirs')}")

    with pytest.raises(Misconfigured, match="theirs") as refused:
        migrate(url, empty)

    assert refused.value.code == "database_format"
    assert [name for name, *_ in run(url, OBJECTS, (empty,))] == ["theirs"]


def test_an_older_version_is_led_forward_by_migrate_only(url, place, monkeypatch):
    """Only the missing steps run, and rows stay."""
    old = PostgresStore(url, place)
    old.create(Job("j1", "street", 0), [])
    old.close()
    monkeypatch.setattr(
        versions, "MIGRATIONS", (*MIGRATIONS, "ALTER TABLE jobs ADD COLUMN more INTEGER DEFAULT 7")
    )
    with pytest.raises(Misconfigured, match="migrate"):
        PostgresStore(url, place)

    assert migrate(url, place) == (NEWEST, NEWEST + 1)

    assert run(url, f"SELECT job_id, more FROM {place}.jobs") == [("j1", 7)]


def test_a_step_that_fails_leaves_the_version_before(url, place, monkeypatch):
    """All or nothing."""
    steps = (*MIGRATIONS, "CREATE TABLE half (x int)", "SELECT nonsense")
    monkeypatch.setattr(versions, "MIGRATIONS", steps)
    with pytest.raises(psycopg.errors.UndefinedColumn):
        migrate(url, place)
    monkeypatch.undo()

    assert run(url, f"SELECT version FROM {place}.sightline_version") == [(NEWEST,)]
    assert run(url, "SELECT to_regclass(%s)", (f"{place}.half",)) == [(None,)]
    PostgresStore(url, place).close()
