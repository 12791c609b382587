"""Bodies: who is slow is let go, who waits for us is not."""

import asyncio
import time

import pytest
from starlette.requests import Request

from sightline.api.body import Gone, chunks_of
from sightline.api.problems import Problem
from sightline.api.settings import ApiSettings

QUICK = ApiSettings(stall_s=0.2, stall_bytes=100)


def request_of(*pieces: bytes, pause_s: float = 0.0, gone: bool = False) -> Request:
    """A request whose body comes in pieces, each after a pause."""
    left = [*pieces]

    async def receive():
        await asyncio.sleep(pause_s)
        if gone:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    return Request({"type": "http", "headers": []}, receive)


async def read(request: Request, work_s: float = 0.0) -> bytes:
    whole = b""
    async for chunk in chunks_of(request, QUICK):
        whole += chunk
        await asyncio.sleep(work_s)
    return whole


def test_pieces_in_their_order():
    """Empty ones say nothing."""
    assert asyncio.run(read(request_of(b"a", b"", b"b"))) == b"ab"


def test_a_body_that_drips():
    """A byte every 50 ms is too little in every 200."""
    with pytest.raises(Problem) as refused:
        asyncio.run(read(request_of(*[b"x"] * 100, pause_s=0.05)))
    assert refused.value.status == 408


def test_a_body_that_flows_may_take_long():
    """Only standing still ends it."""
    started = time.monotonic()

    assert len(asyncio.run(read(request_of(*[b"x" * 100] * 10, pause_s=0.05)))) == 1000
    assert time.monotonic() - started > QUICK.stall_s


def test_a_store_that_is_slow_is_not_the_senders_fault():
    """Time in which we do not read does not count."""
    assert asyncio.run(read(request_of(b"a", b"b", b"c"), work_s=0.3)) == b"abc"


def test_a_sender_that_is_gone():
    """Nobody waits for an answer."""
    with pytest.raises(Gone):
        asyncio.run(read(request_of(gone=True)))
