"""The in-memory doubles keep the contracts of the ports that they stand for."""

import pytest

from sightline.testing import Faults, MemoryNotes, MemoryObjects, MemoryStore
from tests.conformance.suite_jobs import JobsSuite
from tests.conformance.suite_ledger import LedgerSuite
from tests.conformance.suite_log import EventLogSuite
from tests.conformance.suite_notes import NotesSuite
from tests.conformance.suite_objects import ObjectStoreSuite
from tests.conformance.suite_outbox import OutboxSuite


def calm(method: str, when: str) -> None:
    """A wrapper without a fault changes nothing."""


class TestMemoryLog(EventLogSuite):
    @pytest.fixture
    def log(self):
        return MemoryStore()

    @pytest.fixture
    def another(self):
        return MemoryStore()


class TestMemoryLogWithHoles(TestMemoryLog):
    """As a broker's own marks leave them between records."""

    DENSE = False

    @pytest.fixture
    def log(self):
        return MemoryStore(hole=2)


class TestMemoryLogWithoutFaults(TestMemoryLog):
    @pytest.fixture
    def log(self):
        return Faults(MemoryStore(), calm)


class TestMemoryJobs(JobsSuite):
    @pytest.fixture
    def store(self):
        return MemoryStore()

    @pytest.fixture
    def clocked(self):
        return lambda clock: MemoryStore(clock=clock)


class TestMemoryLedger(LedgerSuite):
    @pytest.fixture
    def store(self):
        return MemoryStore()


class TestMemoryOutbox(OutboxSuite):
    @pytest.fixture
    def relayed(self):
        return MemoryStore(relayed=True)


class TestMemoryObjects(ObjectStoreSuite):
    @pytest.fixture
    def objects(self):
        return MemoryObjects()


class TestMemoryNotes(NotesSuite):
    @pytest.fixture
    def notes(self):
        return MemoryNotes()
