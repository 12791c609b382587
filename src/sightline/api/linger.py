"""A request that is refused before it was read: the answer goes out, then what still comes is read for a while.

Who closes a socket with bytes unread makes the other side lose the answer: it sees a reset instead of a 413.
"""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sightline.api.settings import ApiSettings

__all__ = ["Linger"]


class Linger:
    """Wraps an application."""

    def __init__(self, app: ASGIApp, settings: ApiSettings) -> None:
        self._app, self._settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and read on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope, receive, send, self._settings)
        await self._app(scope, exchange.receive, exchange.send)


class _Exchange:
    def __init__(self, scope: Scope, receive: Receive, send: Send, settings: ApiSettings) -> None:
        self._receive, self._send, self._settings = receive, send, settings
        names = {name for name, _ in scope["headers"]}
        self._read = not names & {b"content-length", b"transfer-encoding"}

    async def receive(self) -> Message:
        message = await self._receive()
        self._read = self._read or message["type"] != "http.request" or not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        if self._read:
            await self._send(message)
        elif message["type"] == "http.response.start":
            headers = [*message.get("headers", ()), (b"connection", b"close")]
            await self._send({**message, "headers": headers})
        elif message.get("more_body", False):
            await self._send(message)
        else:
            await self._send({**message, "more_body": True})
            await self._drain()
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _drain(self) -> None:
        left = self._settings.linger_bytes
        try:
            async with asyncio.timeout(self._settings.linger_s):
                while not self._read and left > 0:
                    left -= len((await self.receive()).get("body", b""))
        except TimeoutError:
            return
