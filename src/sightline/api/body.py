"""The body of a request as it comes: never faster than it is used, never slower than it may be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from starlette.requests import Request

from sightline.api.problems import Problem
from sightline.api.settings import ApiSettings

__all__ = ["Gone", "chunks_of", "content_length", "media_type_of", "read_all"]


class Gone(Exception):
    """Whoever sent the request is no longer there."""


def content_length(request: Request) -> int | None:
    """What the head promises; the parser has seen that it is a number."""
    text = request.headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


def media_type_of(request: Request) -> str:
    """The type of the body without its parameters; empty where none is given."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def chunks_of(request: Request, settings: ApiSettings) -> AsyncIterator[bytes]:
    """The body, piece by piece.

    Raises:
        Problem: 408: it stands still, or drips.
        Gone: the sender is no longer there.
    """
    loop = asyncio.get_running_loop()
    due, got, more = loop.time() + settings.stall_s, 0, True
    while more:
        try:
            async with asyncio.timeout_at(due):
                message = await request.receive()
        except TimeoutError:
            raise Problem(408, "too_slow", "The body of the request came too slowly.") from None
        if message["type"] != "http.request":
            raise Gone
        body, more = message.get("body", b""), message.get("more_body", False)
        got += len(body)
        if body:
            paused = loop.time()
            yield body
            due += loop.time() - paused  # a store that is slow is not the sender's fault
        if got >= settings.stall_bytes:
            due, got = loop.time() + settings.stall_s, 0


async def read_all(request: Request, settings: ApiSettings) -> bytes:
    """A small body.

    Raises:
        Problem: 413: it is not small.
    """
    whole = bytearray()
    async for chunk in chunks_of(request, settings):
        whole += chunk
        if len(whole) > settings.json_bytes:
            raise Problem(413, "too_large", f"The body may have {settings.json_bytes} bytes.")
    return bytes(whole)
