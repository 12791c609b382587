"""Questions between processes: answered or refused in words, and whatever a caller does, the next one is heard."""

import socket
import threading

import pytest

from sightline.errors import InvalidVideo, NotFound, Rejected, Unavailable
from sightline.serving.rpc import CHUNK, Client, Server


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
            "wrong": refuse(KeyError("frames")),
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


def test_a_fault_of_our_own_is_in_the_log(client, caplog):
    """Whoever asked hears that there was no answer; the next question is answered."""
    with pytest.raises(Unavailable):
        client.ask("wrong")

    assert "KeyError: 'frames'" in caplog.text
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


# --- streams


@pytest.fixture
def ended():
    """Set when the one answer of `endless` has been given up."""
    return threading.Event()


@pytest.fixture
def streaming(path, ended):
    def endless():
        try:
            while True:
                yield bytes(CHUNK)
        finally:
            ended.set()

    def broken():
        yield b"a"
        raise ValueError("a bug")

    streams = {
        "parts": lambda parts: ({"n": len(parts)}, (part.encode() for part in parts)),
        "large": lambda: (None, iter([bytes(3 * CHUNK + 1)])),
        "endless": lambda: ({}, endless()),
        "broken": lambda: ({}, broken()),
        "gone": refuse(NotFound("no object a")),
    }
    server = Server(path, {"double": lambda n: 2 * n}, streams, threads=2)
    yield Client(path, 5.0)
    server.close()


@pytest.mark.parametrize("parts", [[], ["a"], ["a", "", "bc"]])
def test_a_stream_has_a_head_and_all_its_bytes(streaming, parts):
    """An empty chunk is no end."""
    head, chunks = streaming.stream("parts", parts=parts)

    assert head == {"n": len(parts)}
    assert b"".join(chunks) == "".join(parts).encode()
    assert list(chunks) == []


def test_a_large_chunk_comes_in_pieces(streaming):
    """None is larger than a chunk, so nobody holds more."""
    _, chunks = streaming.stream("large")

    assert [len(chunk) for chunk in chunks] == [CHUNK] * 3 + [1]


def test_what_is_refused_before_the_first_byte_is_raised(streaming):
    """As with a question that has a short answer."""
    with pytest.raises(NotFound, match="no object a"):
        streaming.stream("gone")


def test_a_stream_that_breaks_off_is_no_whole_answer(streaming, caplog):
    """Its reader hears so, the log says why, and the next question is answered."""
    _, chunks = streaming.stream("broken")

    assert next(chunks) == b"a"
    with pytest.raises(Unavailable) as caught:
        next(chunks)
    assert caught.value.code == "worker_down"
    assert "ValueError: a bug" in caplog.text
    assert b"".join(streaming.stream("parts", parts=["a"])[1]) == b"a"


def test_who_goes_away_ends_the_work(streaming, ended):
    """However much was still to come."""
    _, chunks = streaming.stream("endless")
    next(chunks)
    assert not ended.is_set()

    chunks.close()

    assert ended.wait(5)


def test_who_does_not_read_holds_up_nobody_else(streaming):
    """Questions have threads of their own, and one reader has one thread."""
    _, chunks = streaming.stream("endless")

    assert streaming.ask("double", n=2) == 4
    assert b"".join(streaming.stream("parts", parts=["a"])[1]) == b"a"
    chunks.close()


def test_a_server_that_ends_cuts_its_streams(path):
    """They would go on for ever."""
    server = Server(path, {}, {"endless": lambda: ({}, iter(lambda: bytes(CHUNK), None))})
    _, chunks = Client(path, 5.0).stream("endless")
    next(chunks)

    server.close()

    with pytest.raises(Unavailable):
        for _ in chunks:
            pass


def test_nobody_there_is_said_before_a_stream(path):
    """As with a question."""
    with pytest.raises(Unavailable):
        Client(path / "none", 5.0).stream("parts", parts=[])
