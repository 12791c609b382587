"""What the tests of the HTTP contract share: a backend in memory, a client in the process, a server on real sockets."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import httpx

from sightline.adapters.files.objects import FolderObjects
from sightline.api.app import build
from sightline.api.backend import Backend, NoRoots, Probed
from sightline.api.server import server_of
from sightline.api.settings import ApiSettings
from sightline.errors import Unavailable
from sightline.jobs.purge import purge
from sightline.jobs.requests import SourceRef
from sightline.testing import MemoryNotes, MemoryObjects, MemoryStore

MP4 = b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2" + bytes(range(256)) * 8
PNG = b"\x89PNG\r\n\x1a\n" + bytes(600)
UNKNOWN = {"detail": "Event not found."}


OPEN: list[asyncio.Runner] = []
"""Loops that a test has made."""


class OffLoop:
    """A port that nobody may call in a thread whose event loop runs: there it would stop everybody else."""

    def __init__(self, port: Any) -> None:
        self._port = port

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            assert asyncio._get_running_loop() is None, f"{name} was called in the event loop"
            return method(*args, **kwargs)

        return call


@dataclass
class World:
    """A backend in memory whose parts tests look into."""

    settings: ApiSettings = field(default_factory=ApiSettings)
    store: Any = field(default_factory=MemoryStore)
    objects: Any = field(default_factory=MemoryObjects)
    notes: Any = field(default_factory=MemoryNotes)
    roots: Any = field(default_factory=NoRoots)
    probed: list[tuple[str, str, str]] = field(default_factory=list)
    refuses: Exception | None = None
    before_probe: Callable[[], None] = lambda: None
    now_us: int = 1_700_000_000_000_000
    ids: int = 0
    moving: bool = True
    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    unfit: dict[str, Exception] = field(default_factory=dict)

    def backend(self) -> Backend:
        return Backend(
            store=OffLoop(self.store),
            objects=OffLoop(self.objects),
            notes=OffLoop(self.notes),
            probe=self.probe,
            now_us=lambda: self.now_us,
            new_id=self.new_id,
            cancel_and_purge=lambda job: purge(job, self.store, self.objects, self.notes, self.now_us),
            moving=lambda: self.moving,
            roots=OffLoop(self.roots),
            stream=self.stream,
            check=self.check,
        )

    def stream(self, call: str, **arguments: Any) -> tuple[Any, Iterator[bytes]]:
        """What the worker says: one of `answers`, or nobody is there."""
        assert asyncio._get_running_loop() is None, "the worker was asked in the event loop"
        self.asked.append((call, arguments))
        answer = self.answers.get(call, Unavailable("nobody is there", code="worker_down"))
        if isinstance(answer, Exception):
            raise answer
        head, chunks = answer
        return head, iter(chunks)

    def new_id(self) -> str:
        self.ids += 1
        return f"00000000-0000-4000-8000-{self.ids:012x}"

    def check(self, pipeline: str) -> None:
        assert asyncio._get_running_loop() is None
        if pipeline in self.unfit:
            raise self.unfit[pipeline]

    def probe(self, source: SourceRef) -> Probed:
        assert asyncio._get_running_loop() is None
        self.before_probe()
        self.probed.append((source.key, source.name, "image" if source.kind == "images" else "video"))
        if self.refuses is not None:
            raise self.refuses
        self.objects.put_new(source.index_key, [b"index"])
        return Probed(10, 64, 48, 400_000, "h264", 1234, "times")

    def contents(self) -> dict[str, bytes]:
        """Every object by its key; of a folder what lies in it, half-written files too."""
        if isinstance(self.objects, FolderObjects):
            paths = [path for path in self.objects._root.rglob("*") if path.is_file()]
            return {path.relative_to(self.objects._root).as_posix(): path.read_bytes() for path in paths}
        return self.objects.contents()

    def stored(self) -> list[str]:
        return sorted(self.contents())

    def client(self, port: int = 8080) -> Client:
        return Client(self, port)


class Client:
    """Asks the application in this process; one loop for all requests, as a server has."""

    def __init__(self, world: World, port: int = 8080) -> None:
        self.app = build(world.backend(), world.settings)
        self.runner = asyncio.Runner()
        OPEN.append(self.runner)
        self.port = port

    def ask(self, method: str, path: str, port: int | None = None, **options: Any) -> httpx.Response:
        return self.runner.run(self.aask(method, path, port, **options))

    async def aask(self, method: str, path: str, port: int | None = None, **options: Any) -> httpx.Response:
        transport = httpx.ASGITransport(app=self.app)
        base = f"http://localhost:{port or self.port}"
        async with httpx.AsyncClient(transport=transport, base_url=base) as http:
            return await http.request(method, path, **options)

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.ask("GET", path, **options)

    def upload(self, blob: bytes = MP4, name: str = "v.mp4", **options: Any) -> httpx.Response:
        return self.ask("POST", "/api/upload_video", files={"file": (name, blob)}, **options)

    def job(self, **options: Any) -> str:
        answer = self.upload(**options)
        assert answer.status_code == 200, answer.text
        return answer.json()["event_id"]


def is_problem(answer: httpx.Response, status: int, code: str) -> None:
    """An answer by RFC 9457, with all that we promise of it and nothing of this machine."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert {"type", "title", "status", "detail", "instance", "code"} <= body.keys()
    assert (body["status"], body["code"]) == (status, code)
    assert isinstance(body["detail"], str)
    assert "Traceback" not in answer.text
    assert ("errors" in body) == (status == 422 and code == "invalid")
    assert ("retry-after" in answer.headers) == (status in (409, 429, 503, 507))


# --- what is too long for an event loop

LIMIT_S = 0.2


def watch_callbacks(monkeypatch: Any) -> list[str]:
    """What held an event loop up: callbacks of much work, and calls that sleep or wait for the disk.

    Time on the processor is counted, not on the wall: a machine that is shared lets a thread wait at any place. That no
    port is called on a loop is seen by the ports of `World` themselves.
    """
    found: list[str] = []
    run = asyncio.Handle._run

    def timed(handle: asyncio.Handle) -> None:
        cpu = time.thread_time()
        run(handle)
        cpu = time.thread_time() - cpu
        if cpu > LIMIT_S:
            found.append(f"{handle!r}: {cpu * 1e3:.0f} ms")

    def off_the_loop(module: Any, name: str) -> None:
        call = getattr(module, name)

        def watched(*args: Any) -> Any:
            if asyncio._get_running_loop() is not None:
                found.append(f"{module.__name__}.{name}{args}")
            return call(*args)

        monkeypatch.setattr(module, name, watched)

    monkeypatch.setattr(asyncio.Handle, "_run", timed)
    off_the_loop(time, "sleep")
    off_the_loop(os, "fsync")
    return found


# --- real sockets


@contextmanager
def served(world: World, ports: int = 1) -> Iterator[list[int]]:
    """The application behind uvicorn on free ports of the loopback."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(ports)]
    numbers = [each.getsockname()[1] for each in sockets]
    roles = dict(zip(numbers, ("api", "runner", "inference", "generator"), strict=False))
    world.settings = replace(world.settings, roles=roles)
    server = server_of(build(world.backend(), world.settings), world.settings)
    thread = threading.Thread(target=server.run, kwargs={"sockets": sockets})
    thread.start()
    try:
        wait_for(lambda: server.started)
        yield numbers
    finally:
        server.should_exit = True
        thread.join(20)
        for each in sockets:
            each.close()
    assert not thread.is_alive()


def wait_for(done: Callable[[], bool], limit_s: float = 10) -> None:
    """Wait until something is so."""
    end = time.monotonic() + limit_s
    while not done():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def talk(port: int, *pieces: bytes | float, wait_s: float = 8) -> bytes:
    """Send pieces, sleep where there is a number, and read until the other side closes, or nothing more comes."""
    with socket.create_connection(("127.0.0.1", port), 5) as line:
        line.settimeout(wait_s)
        heard = b""
        try:
            for piece in pieces:
                if isinstance(piece, bytes):
                    line.sendall(piece)
                else:
                    time.sleep(piece)
            while more := line.recv(65536):
                heard += more
        except (TimeoutError, ConnectionError):
            heard += b"<open or reset>"
        return heard


BOUNDARY = b"X" * 30


def form_of(
    blob: bytes = MP4, before: dict[str, str] | None = None, after: dict[str, str] | None = None
) -> bytes:
    """The body of an upload."""

    def field_of(name: str, value: str) -> bytes:
        return b'--%s\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (
            BOUNDARY,
            name.encode(),
            value.encode(),
        )

    file = b'--%s\r\nContent-Disposition: form-data; name="file"; filename="v.mp4"\r\n\r\n%s\r\n' % (
        BOUNDARY,
        blob,
    )
    parts = (
        [field_of(*each) for each in (before or {}).items()],
        [field_of(*each) for each in (after or {}).items()],
    )
    return b"".join([*parts[0], file, *parts[1], b"--%s--\r\n" % BOUNDARY])


def head_of(length: int | None, *lines: bytes, path: bytes = b"/api/upload_video") -> bytes:
    """The head of an upload; without a length it is the caller's."""
    sized = [] if length is None else [b"Content-Length: %d" % length]
    kind = b"Content-Type: multipart/form-data; boundary=%s" % BOUNDARY
    return b"\r\n".join([b"POST %s HTTP/1.1" % path, b"Host: localhost", kind, *sized, *lines, b"", b""])
