"""A connection to Kafka is a value that is checked when it is made; secrets stay within it; errors say what to do."""

import pytest
from confluent_kafka import KafkaError, KafkaException

from sightline.adapters.kafka.connection import Connection
from sightline.adapters.kafka.errors import Troubles
from sightline.errors import Corrupt, ServiceMisconfigured, Unavailable

LOGIN = {"security": "sasl_tls", "username": "anna", "password": "s3cret-word"}


def test_a_connection_without_more_is_plain():
    """Nothing is asked for, nothing is encrypted."""
    settings = Connection("one:9092,two:9092").settings()

    assert settings["bootstrap.servers"] == "one:9092,two:9092"
    assert settings["security.protocol"] == "plaintext"
    assert not [name for name in settings if name.startswith(("sasl.", "ssl."))]


def test_a_login_over_tls_is_what_the_client_calls_it():
    """With the files that are given, and no others."""
    settings = Connection("b:9093", **LOGIN, ca_file="ca.pem").settings()

    assert settings["security.protocol"] == "sasl_ssl"
    assert settings["sasl.mechanisms"] == "SCRAM-SHA-512"
    assert (settings["sasl.username"], settings["sasl.password"]) == ("anna", "s3cret-word")
    assert {name: value for name, value in settings.items() if name.startswith("ssl.")} == {
        "ssl.ca.location": "ca.pem"
    }


def test_a_client_may_show_a_certificate():
    """Its key has a password of its own."""
    files = {"certificate_file": "c.pem", "key_file": "k.pem", "key_password": "k3y"}
    settings = Connection("b:9093", security="tls", **files).settings()

    assert settings["ssl.certificate.location"] == "c.pem"
    assert settings["ssl.key.location"] == "k.pem"
    assert settings["ssl.key.password"] == "k3y"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"bootstrap": " "}, "no broker"),
        ({"security": "ssl"}, "'ssl' is none of plaintext, tls"),
        ({"security": "sasl_tls", "username": "anna"}, "user name and a password"),
        ({"username": "anna", "password": "x"}, "asks for no login"),
        ({"security": "tls", "certificate_file": "c.pem"}, "key file"),
        ({"certificate_file": "c.pem", "key_file": "k.pem"}, "shows no certificate"),
    ],
)
def test_half_a_connection_is_refused(given, says):
    """By what is missing."""
    with pytest.raises(ServiceMisconfigured, match=says) as refused:
        Connection(**{"bootstrap": "b:9092", **given})

    assert refused.value.code == "kafka_settings"


def test_secrets_are_in_no_text():
    """Neither of the connection nor of an error that quotes one."""
    connection = Connection("b:9093", **LOGIN, key_password="k3y")
    said = "bad s3cret-word and k3y"

    error = Troubles(connection).meaning(KafkaError(KafkaError._AUTHENTICATION, said), "reading")

    for text in (repr(connection), str(connection), str(error)):
        assert "s3cret" not in text
        assert "k3y" not in text


@pytest.mark.parametrize(
    ("code", "kind", "named"),
    [
        ("_TRANSPORT", Unavailable, "kafka_down"),
        ("_ALL_BROKERS_DOWN", Unavailable, "kafka_down"),
        ("_MSG_TIMED_OUT", Unavailable, "kafka_down"),
        ("REQUEST_TIMED_OUT", Unavailable, "kafka_down"),
        ("LEADER_NOT_AVAILABLE", Unavailable, "kafka_down"),
        ("NOT_LEADER_FOR_PARTITION", Unavailable, "kafka_down"),
        ("NOT_ENOUGH_REPLICAS", Unavailable, "kafka_down"),
        ("COORDINATOR_NOT_AVAILABLE", Unavailable, "kafka_down"),
        ("_FENCED", Unavailable, "kafka_down"),
        ("_AUTHENTICATION", ServiceMisconfigured, "kafka_access"),
        ("_SSL", ServiceMisconfigured, "kafka_access"),
        ("SASL_AUTHENTICATION_FAILED", ServiceMisconfigured, "kafka_access"),
        ("TOPIC_AUTHORIZATION_FAILED", ServiceMisconfigured, "kafka_access"),
        ("GROUP_AUTHORIZATION_FAILED", ServiceMisconfigured, "kafka_access"),
        ("_RESOLVE", ServiceMisconfigured, "kafka_host"),
        ("UNKNOWN_TOPIC_OR_PART", ServiceMisconfigured, "no_topic"),
        ("_UNKNOWN_PARTITION", ServiceMisconfigured, "no_topic"),
        ("_AUTO_OFFSET_RESET", Corrupt, "log_gap"),
        ("OFFSET_OUT_OF_RANGE", Corrupt, "log_gap"),
        ("_LOG_TRUNCATION", Corrupt, "log_gap"),
    ],
)
def test_errors_of_the_client_become_ours(code, kind, named):
    """By what to do about them; the text says what was tried."""
    error = Troubles(Connection("b:9092")).meaning(KafkaError(getattr(KafkaError, code)), "reading t/0")

    assert type(error) is kind
    assert error.code == named
    assert str(error).startswith(f"reading t/0: {code}")


@pytest.mark.parametrize("code", ["INVALID_REQUIRED_ACKS", "_INVALID_ARG", "UNSUPPORTED_VERSION"])
def test_a_mistake_of_ours_keeps_its_name(code):
    """It is no outage, and repeating would not mend it."""
    error = KafkaError(getattr(KafkaError, code))
    troubles = Troubles(Connection("b:9092"))

    assert troubles.meaning(error, "reading") is None
    with pytest.raises(KafkaException), troubles.translated("reading"):
        raise KafkaException(error)


def test_a_name_that_is_lost_for_a_while_is_an_outage():
    """A broker that has answered was named rightly."""
    troubles = Troubles(Connection("b:9092"))
    lost = KafkaError(KafkaError._RESOLVE)
    with troubles.translated("reading"):
        pass

    troubles.heard(lost)

    assert isinstance(troubles.meaning(KafkaError(KafkaError._TIMED_OUT), "reading"), Unavailable)


def test_the_reason_of_a_silence_is_what_the_client_said_beside_it():
    """A refused login looks like no answer, until one listens; an answer ends it."""
    troubles = Troubles(Connection("b:9092"))
    silence = KafkaError(KafkaError._TIMED_OUT)
    troubles.heard(KafkaError(KafkaError._AUTHENTICATION))
    troubles.heard(KafkaError(KafkaError._ALL_BROKERS_DOWN))

    assert isinstance(troubles.meaning(silence, "reading"), ServiceMisconfigured)
    troubles.answered()
    assert isinstance(troubles.meaning(silence, "reading"), Unavailable)
