"""PostgreSQL keeps the contracts of jobs, ledger, outbox and notes; the server is a real one."""

import pytest

from tests.conformance.postgres import Whole, schema
from tests.conformance.suite_jobs import JobsSuite
from tests.conformance.suite_ledger import LedgerSuite
from tests.conformance.suite_notes import NotesSuite
from tests.conformance.suite_outbox import OutboxSuite


@pytest.fixture(scope="module")
def url(server):
    return server("postgres")["url"]


@pytest.fixture
def place(url):
    with schema(url) as name:
        yield name


@pytest.fixture
def store(url, place):
    store = Whole(url, place)
    yield store
    store.close()


class TestPostgresJobs(JobsSuite):
    @pytest.fixture
    def clocked(self, url, place):
        made: list[Whole] = []

        def make(clock):
            made.append(Whole(url, place, clock=clock))
            return made[0]

        yield make
        for store in made:
            store.close()


class TestPostgresLedger(LedgerSuite):
    TABLES = True

    def rows(self, store, table):
        columns = "job_id, seq, frame_id, video_id, timestamp, path, frame, pts_us"
        found = {}
        for row in store._server.rows(f"SELECT {columns} FROM {table}"):
            named = dict(zip(columns.split(", "), row, strict=True))
            named["timestamp"] = named["timestamp"].isoformat()
            key = {name: named.pop(name) for name in ("job_id", "seq")}
            found[tuple(sorted(key.items()))] = tuple(sorted(named.items()))
        return found


class TestPostgresOutbox(OutboxSuite):
    @pytest.fixture
    def relayed(self, url, place):
        store = Relayed(url, place)
        yield store
        store.close()


class Relayed(Whole):
    """Outputs wait."""

    def read(self, topic, partition, offset, limit):
        return self._log.read(topic, partition, offset, limit)


class TestPostgresNotes(NotesSuite):
    @pytest.fixture
    def notes(self, store):
        return store.notes
