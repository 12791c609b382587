"""What a service stands on: chosen by settings, never by a secret, and said before anything is done."""

import pytest

from sightline.errors import Misconfigured
from sightline.serving.addresses import check, kafka_connection, postgres_address, s3_settings
from sightline.serving.backends import topology_of
from sightline.settings import ServeOptions, load_serve

SHARED = {"ledger": "postgres", "kafka": "b:9092", "postgres": "postgresql://me@db/jobs"}
KEYS = {"AWS_ACCESS_KEY_ID": "me", "AWS_SECRET_ACCESS_KEY": "hidden"}


def options(**given) -> ServeOptions:
    return ServeOptions.model_validate(given)


@pytest.mark.parametrize(
    ("given", "env", "says"),
    [
        ({"ledger": "postgres"}, {}, "ledger=postgres needs kafka="),
        ({"ledger": "postgres", "kafka": "b:9092"}, {}, "ledger=postgres needs postgres="),
        ({"ledger": "mongo", "kafka": "b:9092"}, {}, "MONGO_URI"),
        ({"postgres": "postgresql://me@db/jobs"}, {}, "ledger=sqlite is chosen"),
        ({"inline_frames": True}, {}, "inline_frames=true sends pictures through Kafka"),
        ({}, {"POSTGRES_PASSWORD": "a", "MONGO_URI": "mongodb://m"}, "neither is chosen"),
        ({"objects": "s3"}, KEYS, "objects=s3 needs s3_bucket="),
        ({"objects": "s3", "s3_bucket": "videos"}, {}, "AWS_ACCESS_KEY_ID"),
        ({**SHARED, "kafka_security": "sasl_tls"}, {}, "needs a user name and a password"),
    ],
)
def test_what_is_missing_is_named(given, env, says):
    """With the flag that brings it; nothing is opened before."""
    with pytest.raises(Misconfigured, match=says):
        check(options(**given), env)


def test_what_is_whole_is_taken():
    """On one machine, and on several."""
    check(options(), {})
    check(options(**SHARED), {})
    check(options(**SHARED, objects="s3", s3_bucket="videos"), KEYS)
    check(options(ledger="mongo", kafka="b:9092"), {"MONGO_URI": "mongodb://m"})


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://me:secret@db/jobs",
        "postgres://me:secret@db/jobs",
        "host=db password=secret",
        "password = s",
    ],
)
def test_no_setting_holds_a_password(address):
    """It would be shown by `config show` and lie in files."""
    with pytest.raises(Misconfigured) as refused:
        load_serve({"serve.postgres": address})
    assert "secret" not in str(refused.value)


def test_variables_of_the_founding_systems_are_read():
    """Where no setting of ours says it: system A's database, system B's store, the broker of both."""
    theirs = {
        "POSTGRES_HOST": "postgres",
        "POSTGRES_PORT": "5432",
        "POSTGRES_DB": "frames_db",
        "POSTGRES_USER": "user",
        "POSTGRES_PASSWORD": "hidden",
        "MINIO_ENDPOINT": "localhost:9000",
        "MINIO_ACCESS_KEY": "me",
        "MINIO_SECRET_KEY": "hidden",
    }
    loaded = load_serve(env={"KAFKA_BROKER": "redpanda:29092"}).options
    assert kafka_connection(loaded, "me", {}).bootstrap == "redpanda:29092"

    address = postgres_address(options(ledger="postgres"), theirs)
    assert set(address.split()) == {
        "host=postgres",
        "port=5432",
        "dbname=frames_db",
        "user=user",
        "password=hidden",
    }
    ours = postgres_address(options(**SHARED), {**theirs, "PGPASSWORD": "other"})
    assert set(ours.split()) == {"host=db", "dbname=jobs", "user=me", "password=other"}

    s3 = s3_settings(options(objects="s3", s3_bucket="videos"), theirs)
    assert (s3.endpoint, s3.keys.access, s3.keys.secret) == ("http://localhost:9000", "me", "hidden")
    assert s3_settings(options(objects="s3", s3_bucket="videos"), {**theirs, **KEYS}).keys.secret == "hidden"


def test_the_topics_of_a_shared_service_are_those_of_the_founding_systems():
    """Each with as many partitions as workers may share; those of one machine are its own affair."""
    topology = topology_of(options(**SHARED, partitions=6))
    topics = {topic: partitions for _, topic, partitions in topology.reads()}

    assert set(topics.values()) == {6}
    assert topics.keys() >= {
        "outbox_events",
        "inference_tasks",
        "inference_results",
        "car-frames",
        "person-frames",
        "detections-cars",
        "detections-people",
        "tracks-cars",
        "tracks-people",
        "totals-cars",
        "frames-traffic",
    }
    assert ("feed", "jobs", 1) in topology_of(options()).reads()
