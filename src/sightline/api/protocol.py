"""Heads of requests have a size and a time. Uvicorn gives them neither, and httptools keeps what is not whole."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from sightline.api.guard import EVERY
from sightline.api.problems import JSON, RETRY, Problem, body_of
from sightline.api.settings import ApiSettings

__all__ = ["LimitedProtocol", "limited"]

MALFORMED = Problem(400, "malformed", "This is no HTTP request.")
TOO_LARGE = Problem(400, "head_too_large", "The head of the request is too large.")
BUSY = Problem(503, "busy", "Too many connections are open; repeat the request later.")
TOO_SLOW = Problem(408, "too_slow", "The head of the request came too slowly.")


class LimitedProtocol(HttpToolsProtocol):
    """One connection. `limited` makes a class with other limits."""

    header_bytes: ClassVar[int] = 32 * 1024
    header_s: ClassVar[float] = 10.0
    most: ClassVar[int] = 512
    retry_s: ClassVar[int] = 5

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client is there; its first head is due."""
        super().connection_made(transport)
        self._in_head, self._head_bytes = True, 0
        self._refusal = MALFORMED
        self._timer: asyncio.TimerHandle | None = None
        if len(self.connections) > self.most:
            self._refuse(BUSY)
        else:
            self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes of a head, a body, or both."""
        if self._in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > self.header_bytes:
            self._refuse(TOO_LARGE)

    def on_message_begin(self) -> None:
        """The first byte of a head."""
        super().on_message_begin()
        self._arm()

    def on_headers_complete(self) -> None:
        """The head is whole."""
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > self.header_bytes:
            self._refusal = TOO_LARGE
            raise ValueError("head of a request over the limit")  # ends the parser, see send_400_response
        self._in_head = False
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
        running = self.cycle if self.cycle is not None and not self.cycle.response_complete else None
        if running is None or not running.response_started:
            self.transport.write(_bytes_of(problem, self.retry_s))
        if running is not None:  # whoever reads its body is told that there is no more
            running.disconnected = True
            running.message_event.set()
        self.transport.close()

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
