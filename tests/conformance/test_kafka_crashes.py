"""A broker that dies or stands still under log and members, and comes back."""

import os
import shutil
import signal
import tempfile
import threading
from pathlib import Path

import pytest

from sightline.adapters.kafka.log import KafkaLog
from sightline.adapters.kafka.members import KafkaMembers
from sightline.errors import Unavailable
from sightline.ports import Outgoing
from tests.conformance.kafka import all_of, connection, make, unique, until
from tests.servers import services
from tests.servers.programs import Missing


@pytest.fixture
def broker():
    """A broker of its own, to be killed: gives its folder and address."""
    folder = Path(tempfile.mkdtemp(prefix="servers-"))
    try:
        record = services.start("kafka", folder)
    except Missing as lack:
        shutil.rmtree(folder)
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"needs kafka: {lack}")
    yield folder, record["bootstrap"]
    services.stop("kafka", folder, kill=True)
    shutil.rmtree(folder, ignore_errors=True)


def record(topic, value):
    return Outgoing(topic, 0, "job", value)


def test_what_was_acknowledged_survives_a_killed_broker(broker):
    """In order; who appends or reads meanwhile waits or repeats, and goes on by itself."""
    folder, bootstrap = broker
    topic = unique()
    make(bootstrap, {topic: 1})
    log = KafkaLog(connection(bootstrap, request_s=2), delivery_s=3)
    acknowledged, outages, done = [], [], threading.Event()

    def append():
        number = 0
        while not done.is_set():
            batch = [record(topic, b"%d" % (number + i)) for i in range(5)]
            try:
                log.append(batch)
            except Unavailable as error:
                outages.append(error)
                continue
            acknowledged.extend(range(number, number + 5))
            number += 5

    writer = threading.Thread(target=append)
    writer.start()
    read, at, read_outages = [], 0, []

    def read_on():
        nonlocal at
        try:
            entries = log.read(topic, 0, at, 50)
        except Unavailable as error:
            read_outages.append(error)
            return
        read.extend(int(entry.value) for entry in entries)
        at = entries[-1].offset + 1 if entries else at

    for _ in range(2):
        before = len(acknowledged)
        until(lambda: read_on() or len(acknowledged) > before + 100)  # noqa: B023
        services.stop("kafka", folder, kill=True)
        until(lambda: read_on() or (outages and read_outages))
        outages.clear(), read_outages.clear()
        assert services.start("kafka", folder)["bootstrap"] == bootstrap
    before = len(acknowledged)
    until(lambda: read_on() or len(acknowledged) > before + 100)
    done.set()
    writer.join()
    until(lambda: read_on() or (read and read[-1] == acknowledged[-1]))

    assert list(dict.fromkeys(read)) == acknowledged  # the first of each, in log order
    log.close()
    patient = KafkaLog(connection(bootstrap))
    assert all_of(patient, topic, step=500) == [b"%d" % number for number in read]
    patient.close()


def test_where_partitions_end_is_told_as_soon_as_a_killed_broker_is_back(broker):
    """Of every topic: each has a new leader, or the old one anew, of which the client hears when it asks."""
    folder, bootstrap = broker
    topics = [unique() for _ in range(4)]
    make(bootstrap, dict.fromkeys(topics, 1))
    log = KafkaLog(connection(bootstrap))
    log.append([record(topic, b"a") for topic in topics])
    assert [log.head(topic, 0) for topic in topics] == [(0, 1)] * 4

    services.stop("kafka", folder, kill=True)
    services.start("kafka", folder)
    first, *others = topics

    def answered():
        try:
            return log.head(first, 0) == (0, 1)
        except Unavailable:
            return False

    until(answered)
    assert [log.head(topic, 0) for topic in others] == [(0, 1)] * 3
    log.close()


def test_a_broker_that_stands_still_pauses_and_goes_on(broker):
    """An append ends as an outage, within its time; afterwards all is as before."""
    folder, bootstrap = broker
    topic = unique()
    make(bootstrap, {topic: 1})
    log = KafkaLog(connection(bootstrap, request_s=1), delivery_s=1)

    def appended(value):
        try:
            log.append([record(topic, value)])
        except Unavailable:
            return False
        return True

    until(lambda: appended(b"a"))
    pid = services.load(folder / "kafka")["pid"]

    os.kill(pid, signal.SIGSTOP)
    try:
        until(lambda: not appended(b"b"))  # it may have answered once more while it was stopped
        with pytest.raises(Unavailable):
            log.head(topic, 0)
    finally:
        os.kill(pid, signal.SIGCONT)

    until(lambda: appended(b"b"))
    log.close()
    patient = KafkaLog(connection(bootstrap))
    assert list(dict.fromkeys(all_of(patient, topic))) == [b"a", b"b"]
    patient.close()


def test_members_that_hear_nothing_for_a_session_own_nothing_and_come_back(broker):
    """Others may own by then what was theirs; nothing is raised, as an outage passes."""
    folder, bootstrap = broker
    topic = unique()
    make(bootstrap, {topic: 2}, reports="reports")
    members = KafkaMembers(
        connection(bootstrap, client="alone"), {"track": "group"}, reports="reports", session_s=3
    )
    members.join("track", {topic: 2})
    until(lambda: len(members.owned()) == 2)

    services.stop("kafka", folder, kill=True)
    until(lambda: members.owned() == frozenset())
    services.start("kafka", folder)

    until(lambda: len(members.owned()) == 2)
    members.close()
