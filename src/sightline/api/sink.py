"""Where the bytes of an upload go, 4 MiB of them waiting at most."""

from __future__ import annotations

import asyncio
import hashlib
import queue
import threading
from collections.abc import Iterator
from typing import Protocol

from sightline.api.pool import Pool
from sightline.ports import ObjectStore, Stat

__all__ = ["HashSink", "Sink", "StoreSink"]

PIECE = 2**20
WAITING = 3  # pieces, beside the one that is being filled


class Sink(Protocol):
    """Takes the bytes of a file."""

    async def write(self, data: bytes) -> None:
        """Take bytes; waits where too many wait already.

        Raises:
            Unavailable: they cannot be stored.
        """

    async def finish(self) -> Stat:
        """That was all. What was stored, once it is durable."""

    async def abort(self) -> None:
        """Forget it: nothing is stored. After `finish` nothing happens."""


class HashSink:
    """Keeps nothing but size and hash."""

    def __init__(self) -> None:
        self._hash, self._size = hashlib.sha256(), 0

    async def write(self, data: bytes) -> None:
        """See `Sink`."""
        self._hash.update(data)
        self._size += len(data)

    async def finish(self) -> Stat:
        """See `Sink`."""
        return Stat(self._size, self._hash.hexdigest())

    async def abort(self) -> None:
        """See `Sink`."""


class _Cut(Exception):
    """The upload ends here, and is not to be stored."""


class StoreSink:
    """Puts an object in a thread of its own while its bytes still come.

    Args:
        objects: where to.
        key: of the object.
        pool: where the end of the thread is waited for.
    """

    def __init__(self, objects: ObjectStore, key: str, pool: Pool) -> None:
        self._objects, self._key, self._pool = objects, key, pool
        self._loop = asyncio.get_running_loop()
        self._room = asyncio.Semaphore(WAITING)
        self._queue: queue.SimpleQueue[bytes | _Cut | None] = queue.SimpleQueue()
        self._piece = bytearray()
        self._stat: Stat | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._put, name=f"upload {key}", daemon=True)
        self._thread.start()

    async def write(self, data: bytes) -> None:
        """See `Sink`."""
        self._piece += data
        if len(self._piece) >= PIECE:
            await self._pass_on()

    async def finish(self) -> Stat:
        """See `Sink`."""
        await self._pass_on()
        self._queue.put(None)
        await self._pool.call(self._thread.join)
        if self._stat is None:
            raise self._error or AssertionError("a thread ended without a result")
        return self._stat

    async def abort(self) -> None:
        """See `Sink`."""
        self._queue.put(_Cut())
        await self._pool.call(self._thread.join)

    async def _pass_on(self) -> None:
        await self._room.acquire()
        if self._error is not None:
            raise self._error
        self._queue.put(bytes(self._piece))
        self._piece.clear()

    def _put(self) -> None:
        try:
            self._stat = self._objects.put_new(self._key, self._chunks())
        except BaseException as error:
            self._error = error
            self._more_room(WAITING)  # who waits for room is to see the error

    def _chunks(self) -> Iterator[bytes]:
        while (piece := self._queue.get()) is not None:
            if isinstance(piece, _Cut):
                raise piece
            if piece:
                yield piece
            self._more_room(1)

    def _more_room(self, pieces: int) -> None:
        for _ in range(pieces):
            if not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._room.release)
