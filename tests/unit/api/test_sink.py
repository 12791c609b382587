"""Where the bytes of an upload go: bounded, whole or not at all."""

import asyncio
import threading

import pytest

from sightline.api.pool import Pool
from sightline.api.sink import PIECE, HashSink, StoreSink
from sightline.errors import Unavailable
from sightline.ports import Stat
from sightline.testing import MemoryObjects

BLOB = bytes(range(256)) * 20_000  # 5 MB


class Held(MemoryObjects):
    """A store that takes nothing until it is told to."""

    def __init__(self):
        super().__init__()
        self.go = threading.Event()

    def put_new(self, key, chunks):
        assert self.go.wait(10)
        return super().put_new(key, chunks)


class Full(MemoryObjects):
    """A store whose disk is full after a piece."""

    def put_new(self, key, chunks):
        next(iter(chunks))
        raise Unavailable("full", code="disk_full")


async def fed(sink, blob=BLOB, size=65_536):
    for at in range(0, len(blob), size):
        await sink.write(blob[at : at + size])


def test_what_is_written_is_stored():
    """Size and hash are those of all bytes; a sink that keeps none says the same."""
    objects = MemoryObjects()

    async def work():
        sink, same = StoreSink(objects, "k", Pool(2)), HashSink()
        await fed(sink)
        await fed(same, size=1000)
        return await sink.finish(), await same.finish()

    assert asyncio.run(work()) == (Stat.of([BLOB]), Stat.of([BLOB]))
    assert objects.contents() == {"k": BLOB}


def test_a_sink_that_is_aborted_stores_nothing():
    """Its thread has ended, too."""
    objects = MemoryObjects()

    async def work():
        sink = StoreSink(objects, "k", Pool(2))
        await fed(sink)
        await sink.abort()

    asyncio.run(work())
    assert objects.contents() == {}
    assert not [thread for thread in threading.enumerate() if thread.name == "upload k"]


def test_at_most_four_pieces_wait():
    """A store that is slow makes the sender wait."""
    objects, taken = Held(), 0

    async def push(sink):
        nonlocal taken
        for _ in range(100):
            await sink.write(bytes(2**16))
            taken += 2**16

    async def work():
        sink = StoreSink(objects, "k", Pool(2))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(push(sink), 0.3)
        objects.go.set()
        await sink.abort()

    asyncio.run(work())
    assert taken < 4 * PIECE


def test_a_store_that_fails_is_seen_while_bytes_still_come():
    """Not at the end of two gigabytes."""

    async def work():
        sink = StoreSink(Full(), "k", Pool(2))
        with pytest.raises(Unavailable, match="full"):
            await fed(sink, bytes(64 * PIECE), PIECE)
        await sink.abort()

    asyncio.run(work())


def test_a_store_that_fails_at_the_end():
    """`finish` says so."""

    async def work():
        sink = StoreSink(Full(), "k", Pool(2))
        await sink.write(b"x")
        with pytest.raises(Unavailable, match="full"):
            await sink.finish()
        await sink.abort()

    asyncio.run(work())
