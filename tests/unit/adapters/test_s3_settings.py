"""Settings of S3: what cannot be is refused before anything is asked, and no text holds a secret."""

import pytest

from sightline.adapters.s3.settings import S3Keys, S3Settings
from sightline.errors import Misconfigured

KEYS = S3Keys("me", "hidden", "hidden-too")


def settings(**values) -> S3Settings:
    return S3Settings(**({"bucket": "videos", "keys": KEYS} | values))


def test_keys_come_from_the_environment():
    """Under the names that everybody uses; a token only where there is one."""
    both = {"AWS_ACCESS_KEY_ID": "me", "AWS_SECRET_ACCESS_KEY": "hidden"}

    assert S3Keys.of(both) == S3Keys("me", "hidden")
    assert S3Keys.of({**both, "AWS_SESSION_TOKEN": "hidden-too"}) == KEYS


@pytest.mark.parametrize(
    "environment", [{}, {"AWS_ACCESS_KEY_ID": "me"}, {"AWS_ACCESS_KEY_ID": "me", "AWS_SECRET_ACCESS_KEY": ""}]
)
def test_a_missing_key_is_named(environment):
    """The variable to set, and not what is set already."""
    with pytest.raises(Misconfigured, match="AWS_SECRET_ACCESS_KEY") as refused:
        S3Keys.of(environment)

    assert ("AWS_ACCESS_KEY_ID" in str(refused.value)) == (not environment)


def test_no_text_holds_a_secret():
    """Neither of the keys nor of the settings that hold them."""
    for shown in (repr(KEYS), str(KEYS), repr(settings()), settings().place):
        assert "hidden" not in shown
        assert "me'" not in shown


@pytest.mark.parametrize(
    "values",
    [
        {"bucket": ""},
        {"bucket": "a"},
        {"bucket": "a/b"},
        {"bucket": "Videos"},
        {"prefix": "team"},
        {"prefix": "/team/"},
        {"prefix": "../team/"},
        {"prefix": "team//"},
        {"prefix": ".sightline/"},
        {"region": ""},
        {"timeout": 0},
        {"timeout": float("nan")},
        {"endpoint": ""},
        {"endpoint": "server:9000"},
        {"endpoint": "ftp://server"},
        {"endpoint": "https://"},
        {"endpoint": "https://server/videos"},
        {"endpoint": "https://server?x=1"},
        {"endpoint": "https://server:port"},
        {"endpoint": "https://[::1"},
    ],
)
def test_a_value_that_cannot_be_is_refused(values):
    """At once, with what to write."""
    with pytest.raises(Misconfigured):
        settings(**values)


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://127.0.0.1:9000",
        "http://127.9.9.9",
        "http://[::1]:9000",
        "http://localhost:9000",
        "https://server/",
    ],
)
def test_this_machine_needs_no_tls(endpoint):
    """What it says to itself nobody else hears."""
    assert settings(endpoint=endpoint).endpoint == endpoint


@pytest.mark.parametrize(
    "endpoint",
    ["http://server", "http://localhost.evil.example", "http://10.0.0.1:9000", "http://127.0.0.1.example"],
)
def test_other_machines_need_tls_or_permission(endpoint):
    """Keys sign requests, but what is stored would be read by whoever listens."""
    with pytest.raises(Misconfigured, match="https"):
        settings(endpoint=endpoint)

    assert settings(endpoint=endpoint, allow_http=True).endpoint == endpoint


def test_a_password_in_an_address_is_not_repeated():
    """It is refused without being shown."""
    with pytest.raises(Misconfigured) as refused:
        settings(endpoint="https://me:hidden@server")

    assert "hidden" not in str(refused.value)
