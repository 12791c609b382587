"""Stored objects over HTTP: ETag by content, 304, one range, always as a download."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from sightline.api.backend import Roots
from sightline.api.pool import Pool
from sightline.api.problems import Problem
from sightline.ports import Stat

__all__ = ["Below", "Readable", "Stored", "is_known", "range_of"]

_RANGE = re.compile(r"bytes=\s*([0-9]{0,18})-([0-9]{0,18})\s*")
_REMEMBERED = 256


class Readable(Protocol):
    """What an object store and a folder of this machine have in common."""

    def read(self, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """See `ObjectStore`."""

    def stat(self, key: str) -> Stat:
        """See `ObjectStore`."""


class Below:
    """Files below a root; see `Readable`.

    Args:
        roots: see there.
        root: name of the root.
    """

    def __init__(self, roots: Roots, root: str) -> None:
        self._roots, self._root = roots, root

    def read(self, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """See `ObjectStore`."""
        return self._roots.read(self._root, key, start, length)

    def stat(self, key: str) -> Stat:
        """See `ObjectStore`."""
        return Stat.of(self.read(key))


class Stored:
    """Serves objects.

    Args:
        objects: where they are.
        pool: for calls of ports.
    """

    def __init__(self, objects: Readable, pool: Pool) -> None:
        self._objects, self._pool = objects, pool
        self._stats: dict[str, Stat] = {}

    async def serve(
        self,
        request: Request,
        key: str,
        media_type: str,
        name: str,
        stat: Stat | None = None,
        cache: str = "no-cache",
    ) -> Response:
        """An object, a part of it, or nothing where the client has it.

        Args:
            request: with its conditions and its range.
            key, media_type, name: of the object, and what it is called where it is saved.
            stat: of the object, where it is known; else it is read once.
            cache: what `Cache-Control` says.

        Raises:
            NotFound: it is not there.
            Problem: 412, 416.
        """
        stat = stat or await self._stat(key)
        etag = f'"{stat.sha256}"'
        headers = {
            "ETag": etag,
            "Accept-Ranges": "bytes",
            "Cache-Control": cache,
            "Content-Disposition": f'attachment; filename="{name}"',
        }
        asked = request.headers.get("if-match")
        if asked is not None and not is_known(asked, etag):
            raise Problem(412, "changed", "The object is not the one that was meant.")
        if is_known(request.headers.get("if-none-match", ""), etag):
            return Response(status_code=304, headers=headers)
        asked = request.headers.get("range", "") if request.headers.get("if-range", etag) == etag else ""
        part = range_of(asked, stat.size)
        start, end = part or (0, stat.size)
        if part is not None:
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{stat.size}"
        headers["Content-Length"] = str(end - start)
        status = 200 if part is None else 206
        if request.method == "HEAD":
            return Response(status_code=status, headers=headers, media_type=media_type)
        return StreamingResponse(await self.body(key, start, end - start), status, headers, media_type)

    async def body(
        self, key: str, start: int = 0, length: int | None = None, head: bytes = b"", tail: bytes = b""
    ) -> AsyncIterator[bytes]:
        """An object piece by piece, between a head and a tail. Whether it is there shows before an answer begins.

        Raises:
            NotFound: it is not.
        """
        chunks = await self._pool.call(self._objects.read, key, start, length)
        first = await self._pool.call(next, chunks, b"")
        return self._pieces(head + first, chunks, tail)

    async def _pieces(self, first: bytes, chunks: Iterator[bytes], tail: bytes) -> AsyncIterator[bytes]:
        yield first
        async for chunk in self._pool.each(chunks):
            yield chunk
        yield tail

    async def _stat(self, key: str) -> Stat:
        """Objects never change, and their hash is made by reading them."""
        if key not in self._stats:
            stat = await self._pool.call(self._objects.stat, key)
            while len(self._stats) >= _REMEMBERED:
                self._stats.pop(next(iter(self._stats)))
            self._stats[key] = stat
        return self._stats[key]


def is_known(header: str, etag: str) -> bool:
    """Whether a list of tags names this one.

    >>> is_known('W/"a", "b"', '"b"'), is_known("*", '"b"'), is_known('"a"', '"b"')
    (True, True, False)
    """
    tags = [tag.strip().removeprefix("W/") for tag in header[:8192].split(",")]
    return etag in tags or header.strip() == "*"


def range_of(header: str, size: int) -> tuple[int, int] | None:
    """First byte, and the one behind the last, that a `Range` asks for; None where it is no single range of bytes.

    Raises:
        Problem: 416: there is no such byte.

    >>> range_of("bytes=2-", 10), range_of("bytes=-3", 10), range_of("bytes=5-2", 10), range_of("lines=1-2", 10)
    ((2, 10), (7, 10), None, None)
    """
    match = _RANGE.fullmatch(header)
    if match is None or match[1] == match[2] == "":
        return None
    if not match[1]:
        start, end = max(0, size - int(match[2])), size
    else:
        start, end = int(match[1]), min(size, int(match[2]) + 1) if match[2] else size
        if match[2] and int(match[2]) < start:
            return None
    if start >= size:
        raise Problem(
            416, "range", "The object has no such bytes.", headers={"Content-Range": f"bytes */{size}"}
        )
    return start, end
