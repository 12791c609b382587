"""System B over real sockets: what is slow, cut, doubled or too large is refused, and nobody else waits for it."""

import json
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from sightline.api.settings import ApiSettings
from tests.contract.serving import BOUNDARY, MP4, World, form_of, head_of, served, talk, wait_for

pytestmark = pytest.mark.contract

BODY = form_of(MP4)
QUICK = ApiSettings(header_s=0.5, stall_s=0.6, linger_s=0.5, max_bytes=2**21, header_bytes=8192)


@pytest.fixture
def small() -> World:
    """Limits that a test can wait for."""
    return World(QUICK)


@pytest.fixture
def port(small):
    with served(small) as (number,):
        yield number


def status_of(heard: bytes) -> int:
    match = re.match(rb"HTTP/1\.1 ([0-9]{3}) ", heard)
    assert match, heard[:200]
    return int(match[1])


def is_told(heard: bytes, status: int, code: str) -> None:
    """One answer, a problem."""
    head, _, body = heard.partition(b"\r\n\r\n")
    assert status_of(heard) == status, heard[:300]
    assert b"content-type: application/problem+json" in head
    assert json.loads(body)["code"] == code


def is_refused(heard: bytes, status: int, code: str) -> None:
    """One answer, a problem, and the connection is closed."""
    is_told(heard, status, code)
    assert b"connection: close" in heard.lower()
    assert not heard.endswith(b"<open or reset>")


def is_clean(world: World) -> None:
    """Nothing was stored, nothing is under way."""
    wait_for(lambda: world.notes.list("upload") == [])
    assert world.stored() == []
    assert world.store.list().jobs == ()


def test_an_upload(small, port):
    """As curl sends it."""
    heard = talk(port, head_of(len(BODY), b"Connection: close"), BODY)

    assert status_of(heard) == 200
    assert b'{"status":"ok","event_id":"' in heard
    assert len(small.stored()) == 2


def test_an_upload_in_chunks_that_waits_to_be_told(small, port):
    """`Expect: 100-continue`, and no length."""
    head = head_of(None, b"Transfer-Encoding: chunked", b"Expect: 100-continue", b"Connection: close")
    chunks = [
        b"%x\r\n%s\r\n" % (len(BODY[at : at + 100]), BODY[at : at + 100]) for at in range(0, len(BODY), 100)
    ]
    heard = talk(port, head, 0.1, *chunks, b"0\r\n\r\n")

    assert heard.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200")


def test_an_upload_byte_by_byte(small, port):
    """Boundaries cut anywhere."""
    body = form_of(MP4[:40])
    heard = talk(
        port, head_of(len(body), b"Connection: close"), *[body[at : at + 1] for at in range(len(body))]
    )

    assert status_of(heard) == 200
    assert MP4[:40] in small.objects.contents().values()


@pytest.mark.parametrize("tenth", range(10))
def test_a_body_that_is_cut(small, port, tenth):
    """7: nothing is stored."""
    cut = BODY[: len(BODY) * tenth // 10]
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(head_of(len(BODY)) + cut)
        time.sleep(0.05)

    is_clean(small)


@pytest.mark.parametrize("tenth", range(1, 10))
def test_a_length_that_is_too_small(small, port, tenth):
    """5: 400; the rest is no request."""
    heard = talk(port, head_of(len(BODY) * tenth // 10) + BODY)

    assert status_of(heard) == 400
    is_clean(small)


def test_a_length_that_is_too_large(small, port):
    """6: 408 once the body stands still."""
    is_refused(talk(port, head_of(len(BODY) + 1) + BODY), 408, "too_slow")
    is_clean(small)


def test_a_body_that_drips(small, port):
    """9: a byte now and then is no progress."""
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(head_of(len(BODY)) + BODY[:200])
        line.settimeout(0.1)
        heard = b""
        while not heard and time.monotonic() - started < 10:
            line.sendall(b"x")
            try:
                heard = line.recv(65536)
            except TimeoutError:
                continue

    assert status_of(heard) == 408
    is_clean(small)


def test_one_byte_over_the_limit(small, port):
    """8: 413, and nothing stays; the very limit is taken."""
    most = MP4 + bytes(QUICK.max_bytes - len(MP4))
    for blob in (most + b"x", most):
        body = form_of(blob)
        heard = talk(port, head_of(len(body), b"Connection: close") + body)
        if blob is not most:
            is_told(heard, 413, "too_large")
            is_clean(small)
    assert status_of(heard) == 200


def test_far_over_the_limit(small, port):
    """413 before the body comes, and the sender, who goes on sending, can read it."""
    heard = talk(port, head_of(2**23), *[bytes(65536)] * 128)

    is_refused(heard, 413, "too_large")
    is_clean(small)


def test_a_chunked_body_over_the_limit(small, port):
    """Nobody says how much will come."""
    body = form_of(MP4 + bytes(2**21))
    chunk = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    head = head_of(None, b"Transfer-Encoding: chunked", b"Connection: close")
    is_told(talk(port, head + chunk), 413, "too_large")
    is_clean(small)


def test_heads_that_are_slow(port):
    """9: 408, while others are served."""
    lines = [socket.create_connection(("127.0.0.1", port)) for _ in range(20)]
    for line in lines:
        line.sendall(b"GET /api HTTP/1.1\r\nHost: localhost\r\nX-A: ")
    assert status_of(talk(port, b"GET /api HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")) == 200
    for line in lines:
        line.settimeout(5)
        is_refused(line.recv(65536), 408, "too_slow")
        line.close()


def test_a_second_head_that_is_slow(port):
    """On a connection that was kept."""
    heard = talk(port, b"GET /api HTTP/1.1\r\nHost: localhost\r\n\r\n", 0.1, b"GET /api HT")

    assert heard.count(b"HTTP/1.1 200") == 1
    assert heard.count(b"HTTP/1.1 408") == 1


def test_a_client_that_says_nothing(port):
    """It is let go."""
    started = time.monotonic()

    assert talk(port) == b""
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    "head",
    [
        b"X-A: " + b"a" * 1_000_000 + b"\r\n\r\n",
        b"X-A: " + b"a" * 9000,
        b"".join(b"X-%d: a\r\n" % number for number in range(10_000)) + b"\r\n",
        b"Content-Type: multipart/form-data; boundary=" + b"x" * 100_000 + b"\r\n\r\n",
    ],
    ids=["one line", "not whole", "many lines", "boundary"],
)
def test_a_head_that_is_large(port, head):
    """10: 400."""
    heard = talk(port, b"POST /api/upload_video HTTP/1.1\r\nHost: localhost\r\n" + head)

    assert status_of(heard) == 400 or heard == b"<open or reset>"
    if len(head) < 10_000:
        is_refused(heard, 400, "head_too_large")


@pytest.mark.parametrize("boundary", [b"", b"; boundary=", b"; boundary=" + b"x" * 71])
def test_boundaries_that_are_none(small, port, boundary):
    """10: 400."""
    head = b"POST /api/upload_video HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
    is_refused(
        talk(port, head + b"Content-Type: multipart/form-data" + boundary + b"\r\n\r\nab"), 400, "bad_form"
    )


def part(name: bytes, *headers: bytes, value: bytes = b"x") -> bytes:
    lines = [b'Content-Disposition: form-data; name="%s"' % name, *headers]
    return b"--%s\r\n%s\r\n\r\n%s\r\n" % (BOUNDARY, b"\r\n".join(lines), value)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"".join(part(b"f%d" % number) for number in range(10_000)), 400, "bad_form"),
        (part(b"a", b"X-A: " + b"a" * 1_000_000), 400, "bad_form"),
        (part(b"a", *[b"X-%d: a" % number for number in range(100)]), 400, "bad_form"),
        (part(b"a", value=b"a" * 2000), 400, "bad_form"),
        (b"no form at all", 400, "bad_form"),
        (BODY[:-4], 400, "bad_form"),
        (BODY[: -len(BOUNDARY) - 6] + b"\r\n" + BODY, 422, "invalid"),
        (form_of(b""), 422, "invalid"),
        (form_of(b"x"), 415, "media_type"),
        (part(b"file") + b"--%s--\r\n" % BOUNDARY, 422, "invalid"),
    ],
    ids=[
        "fields",
        "part header",
        "part headers",
        "field",
        "none",
        "open",
        "two files",
        "empty",
        "one byte",
        "no file name",
    ],
)
def test_forms_that_are_wrong(small, port, body, status, code):
    """1 to 4, 11, 12."""
    heard = talk(port, head_of(len(body), b"Connection: close") + body)

    is_told(heard, status, code)
    is_clean(small)


def test_a_packed_body(small, port):
    """13: 415, not inflated."""
    is_refused(talk(port, head_of(len(BODY), b"Content-Encoding: gzip") + BODY), 415, "content_encoding")
    is_clean(small)


@pytest.mark.parametrize(
    "lines",
    [
        (b"Content-Length: 5", b"Transfer-Encoding: chunked"),
        (b"Transfer-Encoding: chunked", b"Content-Length: 5"),
        (b"Content-Length: 5", b"Content-Length: 6"),
        (b"Content-Length: -5",),
        (b"Content-Length: 5x",),
        (b"Content-Length: 99999999999999999999999",),
        (b"Transfer-Encoding: xchunked",),
        (b"Bad Name: x", b"Content-Length: 5"),
        (b"Space : x", b"Content-Length: 5"),
    ],
    ids=lambda lines: lines[0].decode()[:24],
)
def test_smuggling(small, port, lines):
    """14: 400, closed; what follows is no second request."""
    heard = talk(port, head_of(None, *lines) + b"0\r\n\r\nGET /api HTTP/1.1\r\nHost: localhost\r\n\r\n")

    is_refused(heard, 400, "malformed")
    assert heard.count(b"HTTP/1.1") == 1
    is_clean(small)


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET /api HTTP/1.1\r\n\r\n", 400),
        (b"GET /api HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\n\r\n", 400),
        (b"GET /api HTTP/1.1\r\nHost: evil\r\n\r\n", 403),
        (b"GET http://evil/api HTTP/1.1\r\nHost: evil\r\n\r\n", 403),
        (b"GET /..%2f..%2fetc%00 HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
        (b"GET /a\x00b HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"BREW /api HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        (b"TRACE /api HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
        (
            b"GET /api HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Host: evil\r\n\r\n",
            200,
        ),
    ],
)
def test_requests_that_are_odd(port, head, status):
    """Each has its answer."""
    heard = talk(port, head, wait_s=1.5)

    assert status_of(heard) == status, heard


def test_two_requests_on_one_connection_after_a_refusal_that_was_read(small, port):
    """A body that was read whole does not close it."""
    body = form_of(b"x" * 600)
    heard = talk(
        port,
        head_of(len(body)) + body,
        0.3,
        b"GET /api HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    )

    assert heard.count(b"HTTP/1.1 415") == 1
    assert heard.count(b"HTTP/1.1 200") == 1


def test_others_are_served_during_slow_uploads():
    """Health answers while twenty uploads stand still; what is over the limit of uploads is told so."""
    world = World(ApiSettings(uploads=20))
    with served(world) as (port,):
        lines = [socket.create_connection(("127.0.0.1", port)) for _ in range(20)]
        for line in lines:
            line.sendall(head_of(len(BODY)) + BODY[:1500])
        wait_for(lambda: len(world.notes.list("upload")) == 20)
        took = []
        for _ in range(20):
            started = time.monotonic()
            assert (
                status_of(
                    talk(port, b"GET /api/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                )
                == 200
            )
            took.append(time.monotonic() - started)
        busy = talk(port, head_of(len(BODY)) + BODY)
        for line in lines:
            line.sendall(BODY[1500:])
            line.settimeout(10)
            assert status_of(line.recv(65536)) == 200
            line.close()

    assert sorted(took)[10] < 0.25
    assert status_of(busy) == 429
    assert b"retry-after: " in busy.lower()
    assert len(world.store.list().jobs) == 20


def test_more_connections_than_allowed():
    """503 with `Retry-After`; those that are open go on."""
    with served(World(ApiSettings(connections=2))) as (port,):
        kept = [socket.create_connection(("127.0.0.1", port)) for _ in range(2)]
        time.sleep(0.1)
        heard = talk(port)
        is_refused(heard, 503, "busy")
        assert b"retry-after: 5" in heard
        for line in kept:
            line.sendall(b"GET /api HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert status_of(line.recv(65536)) == 200
            line.close()


def test_ports_have_roles():
    """One server, three sockets."""
    with served(World(), ports=3) as ports:
        heard = [
            talk(port, b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            for port in ports
        ]

    bodies = [each.partition(b"\r\n\r\n")[2] for each in heard]
    assert bodies == [
        b'{"status":"ok","confinement":"unknown"}',  # our own; system B's services say what they said
        b'{"status":"ok"}',
        b'{"status":"ok","service":"inference"}',
    ]


@pytest.fixture
def process(request):
    """A server in a process of its own, and its port."""
    command = [sys.executable, "-m", "tests.contract.standalone", request.param]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as started:
        try:
            port = int(started.stdout.readline())  # bound; its signals are minded once it answers
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/health", timeout=60) as answer:
                assert answer.status == 200
            yield started, port
        finally:
            started.kill()


def refuses(port: int, patience_s: float = 10.0) -> bool:
    """Whether nobody listens there any more, before long."""
    end = time.monotonic() + patience_s
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionError:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("process", ["20"], indirect=True)
def test_a_signal_lets_uploads_end(process):
    """SIGTERM: no new connection, the upload under way gets its answer, exit code 0."""
    server, port = process
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.settimeout(20)
        line.sendall(head_of(len(BODY)) + BODY[:1000])
        time.sleep(0.5)
        server.send_signal(signal.SIGTERM)
        assert refuses(port)
        line.sendall(BODY[1000:])
        heard = line.recv(65536)

    assert server.wait(20) == 0
    assert status_of(heard) == 200
    assert b"connection: close" in heard


@pytest.mark.parametrize("process", ["1"], indirect=True)
def test_a_signal_does_not_wait_for_ever(process):
    """An upload that stands still is ended with the server; what it left is reaped by the next."""
    server, port = process
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(head_of(2**22) + BODY)
        time.sleep(0.5)
        server.send_signal(signal.SIGTERM)

        assert server.wait(15) == 0
