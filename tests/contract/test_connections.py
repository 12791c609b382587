"""What one connection can cost: the memory of a head, a few requests that wait, no time without an end."""

import socket
import time

import pytest

from sightline.api.settings import ApiSettings
from tests.contract.serving import BOUNDARY, MP4, World, form_of, head_of, served, talk, wait_for

pytestmark = pytest.mark.contract

QUICK = ApiSettings(header_s=0.5, stall_s=3, linger_s=0.5, header_bytes=8192, pipelined=8, taken_s=1)
ASKED = b"GET /api/health HTTP/1.1\r\nHost: localhost\r\n\r\n"
CHUNKED = head_of(None, b"Transfer-Encoding: chunked") + b"%x\r\n--%s\r\n" % (len(BOUNDARY) + 2, BOUNDARY)
BODY = form_of(MP4)


@pytest.fixture
def world() -> World:
    """Limits that a test can wait for."""
    return World(QUICK)


@pytest.fixture
def port(world):
    with served(world) as (number,):
        yield number


@pytest.mark.parametrize(
    ("first", "more"),
    [(b"0\r\n", b"X-A: " + b"a" * 500 + b"\r\n"), (b"0\r\nX-A: ", b"a" * 500), (b"1;", b"a" * 500)],
    ids=["lines behind the body", "one line behind it", "between its pieces"],
)
def test_what_surrounds_a_body_is_no_larger_than_a_head(world, port, first, more):
    """It is refused while it comes, and nothing of it is kept."""
    heard = talk(port, CHUNKED, 0.1, first, 0.1, *[more, 0.01] * 17, wait_s=2)

    assert heard.startswith(b"HTTP/1.1 400 "), heard
    assert b'"code":"head_too_large"' in heard
    assert not heard.endswith(b"<open or reset>")
    wait_for(lambda: world.notes.list("upload") == [])
    assert world.stored() == []


def test_a_line_behind_a_body_says_nothing(world, port):
    """Who asks for what was judged by the head."""
    head = b"POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    head += b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    body = b'{"source":{"object":"stored.mp4"}}'
    world.objects.put_new("videos/stored.mp4", [MP4])

    for _ in range(2):
        last = b"0\r\nIdempotency-Key: k\r\n\r\n"
        assert talk(port, head, 0.1, b"%x\r\n%s\r\n" % (len(body), body) + last).startswith(b"HTTP/1.1 202 ")
    assert len(world.store.list().jobs) == 2


def test_requests_that_wait_for_the_one_before(port):
    """Some may; thousands are refused and not kept."""
    heard = talk(port, ASKED * 8, wait_s=0.4)
    assert heard.count(b"HTTP/1.1 200 OK") == 8

    heard = talk(port, ASKED * 5000, wait_s=1)
    assert heard.count(b"HTTP/1.1") == 1
    assert heard.startswith(b"HTTP/1.1 400 ")
    assert b'"code":"pipelined"' in heard


def test_a_line_end_is_no_request(port):
    """A connection on which nothing else comes is let go."""
    started = time.monotonic()

    heard = talk(port, ASKED, 0.2, b"\r\n", wait_s=8)
    assert heard.startswith(b"HTTP/1.1 200 ")
    assert not heard.endswith(b"<open or reset>")
    assert time.monotonic() - started < 4


@pytest.mark.parametrize("taken", [False, True], ids=["not", "slowly"])
def test_an_answer_that_is_taken(world, port, taken):
    """It is cut where nobody takes it; a slow reader gets it all."""
    job = world.client().job(blob=MP4 + bytes(16 * 2**20))
    with socket.socket() as line:
        line.settimeout(5)
        line.connect(("127.0.0.1", port))
        line.sendall(b"GET /api/v1/jobs/%s/video HTTP/1.1\r\nHost: localhost\r\n\r\n" % job.encode())
        heard = 0
        for at in range(1, 31):
            time.sleep(0.1)
            while taken and heard < at * 2**19:
                heard += len(line.recv(2**18))
        try:
            while heard < 16 * 2**20 and (more := line.recv(2**20)):
                heard += len(more)
        except ConnectionError:
            assert not taken
    assert (heard > 16 * 2**20) == taken
