"""The SQLite file keeps the contracts of log, jobs, ledger and outbox; what it refuses, it names."""

import pytest

from sightline.adapters.ledger_sql import SqliteStore
from tests.conformance.suite_jobs import JobsSuite
from tests.conformance.suite_ledger import LedgerSuite
from tests.conformance.suite_log import EventLogSuite
from tests.conformance.suite_outbox import OutboxSuite


@pytest.fixture(params=["NORMAL", "FULL"])
def store(tmp_path, request):
    store = SqliteStore(tmp_path / "store.sqlite", synchronous=request.param)
    yield store
    store.close()


class TestSqliteLog(EventLogSuite):
    @pytest.fixture
    def log(self, store):
        return store


class TestSqliteJobs(JobsSuite):
    pass


class TestSqliteLedger(LedgerSuite):
    pass


class TestSqliteOutbox(OutboxSuite):
    @pytest.fixture
    def relayed(self, tmp_path):
        store = SqliteStore(tmp_path / "relayed.sqlite", relayed=True)
        yield store
        store.close()
