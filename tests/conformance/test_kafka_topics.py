"""Topics are planned as a value and made by command; the check says what differs."""

from contextlib import closing
from random import Random

import pytest
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType

from sightline.adapters.kafka.log import KafkaLog
from sightline.adapters.kafka.topics import Difference, TopicSettings, check, create, plan
from sightline.errors import Misconfigured, TooLarge
from sightline.events import INLINE_BYTES, MAX_BYTES
from sightline.ports import Entry, Outgoing
from sightline.runtime.dead_letters import dead_letter
from tests.conformance.kafka import ALONE, connection, unique


@pytest.fixture(scope="module")
def bootstrap(server):
    return server("kafka")["bootstrap"]


@pytest.fixture
def planned():
    name = unique()
    return plan({name: 2, f"{name}-jobs": 1}, ALONE, dead_letters=[name], reports=f"{name}-reports")


def test_a_plan_is_a_value():
    """Every topic with its partitions; dead letters and reports have one each, and are kept in their own way."""
    topics = {each.name: each for each in plan({"frames": 8, "jobs": 1}, TopicSettings(retention_ms=1000))}

    assert {name: each.partitions for name, each in topics.items()} == {
        "frames": 8,
        "frames.dlq": 1,
        "jobs": 1,
        "jobs.dlq": 1,
        "sightline-reports": 1,
    }
    assert {each.replication for each in topics.values()} == {3}
    assert topics["frames"].config["retention.ms"] == "1000"
    assert topics["frames"].config["min.insync.replicas"] == "2"
    assert topics["frames"].config["unclean.leader.election.enable"] == "false"
    assert topics["frames.dlq"].config["cleanup.policy"] == "delete"
    assert int(topics["frames.dlq"].config["retention.ms"]) > 1000
    assert topics["sightline-reports"].config["cleanup.policy"] == "compact,delete"


def test_settings_of_the_user_win():
    """Of every topic."""
    settings = TopicSettings(more={"retention.ms": "5", "segment.ms": "7"})

    for each in plan({"jobs": 1}, settings):
        assert (each.config["retention.ms"], each.config["segment.ms"]) == ("5", "7")


def test_a_topic_takes_the_records_that_it_should():
    """With what is written around them, and so do its dead letters; never more than brokers take by themselves."""
    limits = {"pictures": INLINE_BYTES}
    planned = plan({"pictures": 1, "jobs": 1}, limits=lambda topic: limits.get(topic, MAX_BYTES))

    most = {each.name: int(each.config["max.message.bytes"]) for each in planned}
    assert most["pictures"] == most["pictures.dlq"] == 2**20 + 12
    assert most["jobs"] == most["jobs.dlq"] == most["sightline-reports"] == 2**19 + 2**17


def test_the_topic_of_pictures_takes_the_largest_one(bootstrap):
    """Of what cannot be compressed; one byte more is refused before it is sent, as is half of it on another topic."""
    name = unique()
    limits = {name: INLINE_BYTES, f"{name}.dlq": INLINE_BYTES}
    bounds = lambda topic: limits.get(topic, MAX_BYTES)  # noqa: E731
    create(connection(bootstrap), plan({name: 1, f"{name}-jobs": 1}, ALONE, reports="", limits=bounds))
    largest = Random(7).randbytes(INLINE_BYTES)
    with closing(KafkaLog(connection(bootstrap), limits=bounds)) as log:
        letter = dead_letter("detect", name, 0, Entry(0, "j1", largest), "crashed", "x" * 512)
        log.append([Outgoing(name, 0, "j1", largest), letter])
        with pytest.raises(TooLarge, match=f"{name}, limit {INLINE_BYTES}"):
            log.append([Outgoing(name, 0, "j1", largest + b"x")])
        with pytest.raises(TooLarge, match=f"{name}-jobs, limit {MAX_BYTES}"):
            log.append([Outgoing(f"{name}-jobs", 0, "j1", largest)])

        assert [entry.value for entry in log.read(name, 0, 0, 10)] == [largest]
        assert [entry.value for entry in log.read(f"{name}.dlq", 0, 0, 10)] == [largest]


@pytest.mark.parametrize(("replication", "min_insync"), [(1, 2), (3, 0)])
def test_copies_that_cannot_be_in_sync_are_refused(replication, min_insync):
    """No append would ever be acknowledged, or without a copy."""
    with pytest.raises(Misconfigured, match="min_insync"):
        TopicSettings(replication=replication, min_insync=min_insync)


def test_what_is_missing_is_made_and_nothing_else(bootstrap, planned):
    """Repeating makes nothing; afterwards nothing differs."""
    to = connection(bootstrap)
    names = tuple(each.name for each in planned)
    assert check(to, planned) == tuple(Difference(name, "topic", "there", "") for name in names)
    assert create(to, planned[1:2]) == names[1:2]

    assert set(create(to, planned)) == {*names} - {names[1]}

    assert create(to, planned) == ()
    assert check(to, planned) == ()


def test_the_check_names_every_difference_and_changes_nothing(bootstrap, planned):
    """Partitions, copies and settings, as planned and as found."""
    to, (first, *_) = connection(bootstrap), planned
    admin = AdminClient({"bootstrap.servers": bootstrap})
    config = {**first.config, "retention.ms": "1234"}
    admin.create_topics([NewTopic(first.name, 1, 1, config=config)])[first.name].result(30)
    other = [first.__class__(first.name, 2, 3, first.config)]

    differences = check(to, other)

    assert differences == (
        Difference(first.name, "partitions", "2", "1"),
        Difference(first.name, "replication", "3", "1"),
        Difference(first.name, "retention.ms", first.config["retention.ms"], "1234"),
    )
    assert check(to, other) == differences
    resource = ConfigResource(ResourceType.TOPIC, first.name)
    (found,) = admin.describe_configs([resource]).values()
    assert found.result(30)["retention.ms"].value == "1234"


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (TopicSettings(replication=3), "replication"),
        (TopicSettings(replication=1, min_insync=1, more={"no.such": "1"}), "no.such"),
    ],
)
def test_what_the_brokers_refuse_is_a_setting(bootstrap, settings, says):
    """The error names the topic and what is wrong."""
    name = unique()

    with pytest.raises(Misconfigured, match=f"(?i){name}.*{says}") as refused:
        create(connection(bootstrap), plan({name: 1}, settings, dead_letters=(), reports=""))

    assert refused.value.code == "kafka_settings"
