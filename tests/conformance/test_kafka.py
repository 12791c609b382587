"""Kafka keeps the contracts of log and members, on a real broker."""

import pytest

from sightline.adapters.kafka.log import KafkaLog
from tests.conformance.kafka import Named, connection, make, unique
from tests.conformance.suite_log import EventLogSuite


@pytest.fixture(scope="module")
def bootstrap(server):
    return server("kafka")["bootstrap"]


@pytest.fixture(scope="class")
def clients(request, bootstrap):
    """One log for all tests of a class: making clients takes longer than most tests."""
    log = KafkaLog(connection(bootstrap), deletes=request.cls.TRIM)
    yield log
    log.close()


class KafkaSuite(EventLogSuite):
    DENSE = False

    @pytest.fixture
    def named(self, bootstrap, clients):
        def make_log():
            prefix = unique() + "-"
            make(bootstrap, {prefix + "t": 2, prefix + "other": 1})
            return Named(clients, prefix)

        return make_log

    @pytest.fixture
    def log(self, named):
        return named()

    @pytest.fixture
    def another(self, named):
        return named()


class TestKafkaLog(KafkaSuite):
    TRIM = False


class TestKafkaLogThatDeletes(KafkaSuite):
    TRIM = True
