"""MongoDB keeps the contracts of jobs, ledger, outbox and notes; the server is a real one that speaks its protocol."""

import pytest

from tests.conformance.mongo import Relayed, Whole, databases, uri_of
from tests.conformance.suite_jobs import JobsSuite
from tests.conformance.suite_ledger import LedgerSuite
from tests.conformance.suite_notes import NotesSuite
from tests.conformance.suite_outbox import OutboxSuite


@pytest.fixture
def place(server):
    with databases(uri_of(server)) as place:
        place.migrate()
        yield place


@pytest.fixture
def store(place):
    store = place.open(Whole)
    yield store
    store.close()


class TestMongoJobs(JobsSuite):
    @pytest.fixture
    def clocked(self, place):
        made: list[Whole] = []

        def make(clock):
            made.append(place.open(Whole, clock=clock))
            return made[0]

        yield make
        for store in made:
            store.close()


class TestMongoLedger(LedgerSuite):
    ALIVE_INSIDE = False
    # `PREDICTABLE_INSIDE`: not in one transaction, but before the commit returns.


class TestMongoOutbox(OutboxSuite):
    @pytest.fixture
    def relayed(self, place):
        store = place.open(Relayed)
        yield store
        store.close()


class TestMongoNotes(NotesSuite):
    @pytest.fixture
    def notes(self, store):
        return store.notes
