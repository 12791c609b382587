"""Heads of requests have a size, a number and a time, answers a time in which they are taken. Uvicorn gives them none of it,
and httptools keeps what is not whole.
"""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from sightline.api.guard import EVERY
from sightline.api.problems import JSON, RETRY, Problem, body_of
from sightline.api.settings import ApiSettings

__all__ = ["LimitedProtocol", "limited"]

MALFORMED = Problem(400, "malformed", "This is no HTTP request.")
TOO_LARGE = Problem(
    400, "head_too_large", "The head of the request, or what surrounds its body, is too large."
)
TOO_MANY = Problem(400, "pipelined", "Too many requests were sent before the first one was answered.")
BUSY = Problem(503, "busy", "Too many connections are open; repeat the request later.")
TOO_SLOW = Problem(408, "too_slow", "The head of the request came too slowly.")


class LimitedProtocol(HttpToolsProtocol):
    """One connection. `limited` makes a class with other limits."""

    header_bytes: ClassVar[int] = 32 * 1024
    header_s: ClassVar[float] = 10.0
    most: ClassVar[int] = 512
    retry_s: ClassVar[int] = 5
    pipelined: ClassVar[int] = 32
    taken_s: ClassVar[float] = 600.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client is there; its first head is due."""
        super().connection_made(transport)
        self._in_head, self._head_bytes, self._around = True, 0, 0
        self._refusal = MALFORMED
        self._timer: asyncio.TimerHandle | None = None
        self._stuck: asyncio.TimerHandle | None = None
        self._running: RequestResponseCycle | None = None
        if len(self.connections) > self.most:
            self._refuse(BUSY)
        else:
            self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._disarm()
        self.resume_writing()
        self._leave()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes of a head, a body, or both."""
        if self._in_head:
            self._head_bytes += len(data)
            self._arm()  # a line end between two requests begins none, and is none that comes in time
        else:
            self._around += len(data)
        super().data_received(data)
        if (self._head_bytes if self._in_head else self._around) > self.header_bytes:
            self._refuse(TOO_LARGE)

    def on_message_begin(self) -> None:
        """The first byte of a head."""
        super().on_message_begin()
        self._arm()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A line of a head. One that comes behind a body says nothing: who asks for what was judged by the head."""
        if self._in_head:
            super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        """Some of a body, and not of what surrounds its pieces."""
        self._around = 0
        super().on_body(body)

    def on_headers_complete(self) -> None:
        """The head is whole."""
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > self.header_bytes:
            self._refusal = TOO_LARGE
            raise ValueError("head of a request over the limit")  # ends the parser, see send_400_response
        if len(self.pipeline) >= self.pipelined:
            self._refusal = TOO_MANY
            raise ValueError("requests over the limit")
        self._in_head, self._around = False, 0
        self._disarm()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The body is whole; what comes next is another head."""
        super().on_message_complete()
        self._in_head, self._head_bytes = True, 0

    def send_400_response(self, msg: str) -> None:
        """The parser has ended."""
        self._refuse(self._refusal)

    def _refuse(self, problem: Problem) -> None:
        if self.transport.is_closing():
            return
        self._disarm()
        running = self._running
        if running is None or running.response_complete or not running.response_started:
            self.transport.write(_bytes_of(problem, self.retry_s))
        self._leave()
        self.transport.close()

    def _leave(self) -> None:
        """Whoever answers is told that nobody is there; Uvicorn tells it the last one alone, which may not have begun."""
        self.pipeline.clear()
        for cycle in (self._running, self.cycle):
            if cycle is not None and not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def pause_writing(self) -> None:
        """Nobody takes what was written; for so long that can be."""
        super().pause_writing()
        self._watch()

    def resume_writing(self) -> None:
        """It was taken."""
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None
        super().resume_writing()

    def _watch(self) -> None:
        left = self.transport.get_write_buffer_size()
        self._stuck = self.loop.call_later(self.taken_s, self._cut, left)

    def _cut(self, left: int) -> None:
        self._stuck = None
        if self.transport.get_write_buffer_size() < left:
            self._watch()  # slowly, but it is
        else:
            self.transport.abort()

    def _too_slow(self) -> None:
        self._timer = None
        if self.cycle is not None and not self.cycle.response_complete:
            self._arm()  # an answer is on its way: the next head may wait for it
        elif self._head_bytes:
            self._refuse(TOO_SLOW)
        else:
            self.transport.close()

    def _arm(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(self.header_s, self._too_slow)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def limited(settings: ApiSettings) -> type[LimitedProtocol]:
    """The protocol with these limits."""
    limits = {
        "header_bytes": settings.header_bytes,
        "header_s": settings.header_s,
        "most": settings.connections,
        "retry_s": settings.retry_s,
        "pipelined": settings.pipelined,
        "taken_s": settings.taken_s,
    }
    return type("Limited", (LimitedProtocol,), limits)


def _bytes_of(problem: Problem, retry_s: int) -> bytes:
    body = body_of(problem)
    headers = [
        (b"content-type", JSON.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
        *EVERY,
    ]
    if problem.status in RETRY:
        headers.append((b"retry-after", str(retry_s).encode()))
    lines = b"".join(b"%s: %s\r\n" % header for header in headers)
    return b"".join((STATUS_LINE[problem.status], lines, b"\r\n", body))
