"""Questions between processes: answered or refused in words, and whatever a caller does, the next one is heard."""

import socket

import pytest

from sightline.errors import InvalidVideo, NotFound, Rejected, Unavailable
from sightline.serving.rpc import Client, Server


def refuse(error):
    def call():
        raise error

    return call


@pytest.fixture
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("r") / "s"


@pytest.fixture
def client(path):
    server = Server(
        path,
        {
            "double": lambda n: 2 * n,
            "gone": refuse(NotFound("no object a")),
            "video": refuse(InvalidVideo("a.mp4", reason="it has no frame", code="no_frame")),
            "down": refuse(Unavailable("the disk is full", code="disk_full")),
        },
    )
    yield Client(path, 5.0)
    server.close()


def test_a_question_has_its_answer(client):
    """Any JSON value."""
    assert [client.ask("double", n=n) for n in (1, "ab")] == [2, "abab"]


@pytest.mark.parametrize(
    ("call", "kind", "code"),
    [("gone", NotFound, "not_found"), ("video", Rejected, "no_frame"), ("down", Unavailable, "disk_full")],
)
def test_an_error_is_raised_on_the_other_side(client, call, kind, code):
    """With its code and its words."""
    with pytest.raises(kind) as caught:
        client.ask(call)

    assert caught.value.code == code
    assert caught.value.message


@pytest.mark.parametrize("said", [b"", b"{", b"no json\n", b'{"call": "none", "with": {}}\n', b"[]\n"])
def test_who_talks_nonsense_or_leaves_harms_nobody(client, path, said):
    """The next one is answered."""
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(path))
        line.sendall(said)

    assert client.ask("double", n=4) == 8


def test_nobody_there_is_unavailable(path):
    """As while a worker is on its way up."""
    with pytest.raises(Unavailable) as caught:
        Client(path, 1.0).ask("double", n=1)

    assert caught.value.code == "worker_down"


def test_who_does_not_answer_is_not_waited_for(path):
    """Longer than was said."""
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(path))
        deaf.listen()
        with pytest.raises(Unavailable):
            Client(path, 0.2).ask("double", n=1)
