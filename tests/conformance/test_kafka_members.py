"""Consumer groups say who owns what: shares, killed and stopped processes, reports."""

import json
import os
import signal
import subprocess
import sys

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions
from confluent_kafka.admin import AdminClient

from sightline.adapters.kafka.members import KafkaMembers
from sightline.errors import Misconfigured
from sightline.ports import Owned
from tests.conformance.kafka import connection, make, unique, until
from tests.conformance.suite_members import ALL, FRAMES, MembersSuite

SESSION_S = 3.0  # of those that are killed, stopped or vanish; others may be slow for longer


@pytest.fixture(scope="module")
def bootstrap(server):
    return server("kafka")["bootstrap"]


class Renamed:
    """Members whose topics have other names, so that each test has its own."""

    def __init__(self, members, prefix):
        self._members, self._prefix = members, prefix

    def join(self, role, topics):
        self._members.join(role, {self._prefix + name: count for name, count in topics.items()})

    def owned(self):
        return frozenset(
            owned._replace(topic=owned.topic.removeprefix(self._prefix)) for owned in self._members.owned()
        )

    def __getattr__(self, name):
        return getattr(self._members, name)


class Group:
    """A deployment of its own: topics, groups and reports that no other test uses."""

    def __init__(self, bootstrap):
        self.bootstrap, self.prefix = bootstrap, unique() + "-"
        self.reports = self.prefix + "reports"
        self.groups = {role: self.prefix + role for role in ("detect", "track", "collect")}
        topics = {self.prefix + name: count for name, count in {**FRAMES, "found": 1}.items()}
        make(bootstrap, topics, reports=self.reports)
        self.made = []

    def member(self, name, **more):
        members = KafkaMembers(
            connection(self.bootstrap, client=name),
            self.groups,
            reports=self.reports,
            **more,
        )
        self.made.append(members)
        return Renamed(members, self.prefix)

    def close(self):
        for members in self.made:
            members.close()


@pytest.fixture
def group(bootstrap):
    group = Group(bootstrap)
    yield group
    group.close()


class TestKafkaMembers(MembersSuite):
    MANY = True
    HANDED = False

    @pytest.fixture(autouse=True)
    def _group(self, group):
        self.group = group

    @pytest.fixture
    def members(self, group):
        return group.member("alone")

    def member(self, name):
        return self.group.member(name)


def test_who_joins_later_takes_a_share_and_the_rest_stays(group):
    """Partitions that stay are not taken away meanwhile: their owner works on."""
    one, two = group.member("one"), group.member("two")
    one.join("detect", {"frames": 3})
    until(lambda: len(one.owned()) == 3)
    seen = []

    two.join("detect", {"frames": 3})
    until(lambda: seen.append(one.owned()) or (len(one.owned()) < 3 and len(two.owned() | one.owned()) == 3))

    assert not one.owned() & two.owned()
    assert all(one.owned() <= at_that_time for at_that_time in seen)
    assert two.owned()


def test_a_role_named_anew_was_unnamed_meanwhile(group):
    """For the owner that a stale one has fenced: it is seen to own nothing, then again."""
    members = group.member("alone")
    members.join("detect", {"frames": 3})
    until(lambda: len(members.owned()) == 3)

    members.rejoin("detect")

    assert members.owned() == frozenset()
    until(lambda: len(members.owned()) == 3)


def test_groups_have_the_names_that_were_given(group, bootstrap):
    """Those of the founding systems are found by their tools; nothing is committed there."""
    members = group.member("alone")
    members.join("track", {"found": 1})
    until(lambda: members.owned() == {Owned("track", "found", 0)})
    admin = AdminClient({"bootstrap.servers": bootstrap})
    name = group.groups["track"]

    described = admin.describe_consumer_groups([name])[name].result(30)

    assert [member.client_id for member in described.members] == ["alone"]
    assert described.partition_assignor == "cooperative-sticky"
    (offsets,) = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(name)]).values()
    assert offsets.result(30).topic_partitions == []


def test_partitions_that_the_pipeline_does_not_know_are_not_named(group):
    """The topic has more than the job's facts say."""
    members = group.member("alone")
    members.join("detect", {"frames": 2})

    until(lambda: members.owned() == {Owned("detect", "frames", 0), Owned("detect", "frames", 1)})


@pytest.mark.parametrize(
    ("role", "topics", "says"),
    [
        ("detect", {"never-made": 1}, "`topics create`"),
        ("detect", {"frames": 4}, "partition 3"),
        ("publish", {"frames": 3}, "publish has no consumer group"),
    ],
)
def test_what_is_not_there_is_named(group, role, topics, says):
    """Before anything is joined."""
    members = group.member("alone")

    with pytest.raises(Misconfigured, match=says):
        members.join(role, topics)

    assert members.owned() == frozenset()


def test_owned_never_waits(group):
    """Whatever the broker does: it reads what was said last."""
    members = group.member("alone")
    members.join("detect", FRAMES)
    until(lambda: members.owned() == ALL)

    with members._lock:  # as while the thread hears what the group says
        assert members.owned() == ALL


def test_who_was_not_heard_of_for_a_session_owns_nothing_until_it_is_named_anew(group):
    """Though the group may still believe in it, or the client not know better yet: the process decides by its own clock."""
    members = group.member("alone", session_s=SESSION_S)
    members.join("detect", FRAMES)
    until(lambda: members.owned() == ALL)
    anew, rejoin = [], members._members._rejoin
    members._members._rejoin = lambda role: anew.append(role.name) or rejoin(role)

    with members._lock:  # as if all threads had stood still
        members._members._polled -= 2 * SESSION_S
        assert members.owned() == frozenset()

    until(lambda: "detect" in anew)
    until(lambda: members.owned() == ALL)


def test_a_thread_that_died_is_loud(group, monkeypatch):
    """Nobody would ever hear that a partition is taken away."""
    members = group.member("alone")
    members.join("detect", FRAMES)

    def fail(role):
        raise ZeroDivisionError

    monkeypatch.setattr(members._members, "_poll", fail)

    def raised():
        try:
            members.owned()
        except ZeroDivisionError:
            return True
        return False

    until(raised)


def test_who_is_gone_without_a_word_reports_nothing(group):
    """Its record is still there, its place in the group is not."""
    one, two = group.member("one"), group.member("two")
    for members in (one, two):
        members.join("detect", FRAMES)
        members.report({"frames": 1})
    until(lambda: set(two.reports()) == {"one", "two"})
    for role in one._members._roles.values():
        role.consumer.close()
    one._members._roles = {}

    until(lambda: set(two.reports()) == {"two"})


# --- processes

PROCESS = """
import json, sys, time
from sightline.adapters.kafka.connection import Connection
from sightline.adapters.kafka.members import KafkaMembers

bootstrap, name, groups, reports, topic, session_s = sys.argv[1:]
members = KafkaMembers(
    Connection(bootstrap, client=name), json.loads(groups), reports=reports, session_s=float(session_s)
)
members.join("detect", {topic: 3})
said, stood = None, time.monotonic()
while True:
    owned = sorted(each.partition for each in members.owned())
    if owned != said:
        print(json.dumps(owned), flush=True)
        said = owned
    time.sleep(0.005)
"""


class Process:
    """Another process that takes part; `said` is what it owned, each time that this changed."""

    def __init__(self, group, name):
        arguments = [group.bootstrap, name, json.dumps(group.groups), group.reports, group.prefix + "frames"]
        self.child = subprocess.Popen(
            [sys.executable, "-c", PROCESS, *arguments, str(SESSION_S)], stdout=subprocess.PIPE, text=True
        )
        os.set_blocking(self.child.stdout.fileno(), False)
        self.said, self._rest = [], ""

    @property
    def owned(self):
        try:
            text = os.read(self.child.stdout.fileno(), 65536).decode()
        except BlockingIOError:
            text = ""
        *lines, self._rest = (self._rest + text).split("\n")
        self.said += [json.loads(line) for line in lines]
        return self.said[-1] if self.said else None

    def end(self):
        self.child.kill()
        self.child.wait()
        self.child.stdout.close()


@pytest.fixture
def process(group):
    made = []

    def start(name):
        made.append(Process(group, name))
        return made[-1]

    yield start
    for each in made:
        each.end()


def partitions(members):
    return sorted(each.partition for each in members.owned())


def test_those_that_stay_take_over_from_one_that_is_killed(group, process):
    """When its session is over, seconds later; the poll interval of the client is minutes."""
    stays, killed = group.member("stays"), process("killed")
    stays.join("detect", {"frames": 3})
    until(lambda: killed.owned and sorted(killed.owned + partitions(stays)) == [0, 1, 2])

    killed.child.send_signal(signal.SIGKILL)
    until(lambda: partitions(stays) == [0, 1, 2])


def test_who_stood_still_past_its_session_has_lost_its_partitions_and_learns_so(group, process):
    """SIGSTOP, and SIGCONT when another one owns them: it never names them again before the group does."""
    stays, stopped = group.member("stays"), process("stopped")
    stays.join("detect", {"frames": 3})
    until(lambda: stopped.owned and sorted(stopped.owned + partitions(stays)) == [0, 1, 2])
    stopped.child.send_signal(signal.SIGSTOP)
    until(lambda: partitions(stays) == [0, 1, 2])
    assert stopped.owned
    before = len(stopped.said)

    stopped.child.send_signal(signal.SIGCONT)

    until(lambda: stopped.owned and len(stopped.said) > before + 1 and len(partitions(stays)) < 3)
    assert stopped.said[before] == []
    until(lambda: sorted(stopped.owned + partitions(stays)) == [0, 1, 2])
