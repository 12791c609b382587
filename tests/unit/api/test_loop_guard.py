"""The guard itself: what holds an event loop up is found."""

import asyncio
import os
import time

import pytest

from tests.contract.serving import LIMIT_S, watch_callbacks


async def works():
    end = time.thread_time() + 2 * LIMIT_S
    while time.thread_time() < end:
        pass


async def sleeps():
    time.sleep(0)


async def flushes(path):
    with path.open("wb") as file:
        os.fsync(file.fileno())


async def waits():
    await asyncio.sleep(0)
    await asyncio.to_thread(time.sleep, 0)


@pytest.mark.parametrize("name", ["works", "sleeps", "flushes", "waits"])
def test_what_holds_a_loop_up_is_found(tmp_path, name):
    """Work, sleep, the disk; not what is done in another thread."""
    with pytest.MonkeyPatch.context() as patch:
        found = watch_callbacks(patch)
        given = (tmp_path / "a",) if name == "flushes" else ()
        asyncio.run(globals()[name](*given))

    assert bool(found) == (name != "waits"), found
