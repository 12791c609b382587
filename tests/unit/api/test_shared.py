"""One answer for many: made once, never from before the question, and made again when something has changed."""

import asyncio

import pytest

from sightline.api.shared import Shared


class Source:
    """A value that counts how often it was looked at and made."""

    def __init__(self):
        self.revision, self.looks, self.made = 0, 0, 0
        self.fails = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def changes(self):
        self.looks += 1
        if self.fails:
            self.fails -= 1
            raise OSError("away")
        return self.revision

    async def make(self):
        self.made += 1
        said = b"%d" % self.revision
        await self.gate.wait()
        return said

    def shared(self):
        return Shared(self.changes, self.make)


def test_who_asks_at_the_same_time_shares_one_look():
    """A hundred questions cost two looks: the first one's, and one that began after all others had asked."""

    async def run():
        source = Source()
        shared = source.shared()
        source.gate.clear()
        asking = [asyncio.create_task(shared.get()) for _ in range(100)]
        await asyncio.sleep(0)
        source.gate.set()
        assert await asyncio.gather(*asking) == [b"0"] * 100
        return source

    source = asyncio.run(run())
    assert (source.looks, source.made) == (2, 1)


def test_what_had_happened_before_the_question_is_in_the_answer():
    """Also when an older value is being made at that moment."""

    async def run():
        source = Source()
        shared = source.shared()
        source.gate.clear()
        early = asyncio.create_task(shared.get())
        await asyncio.sleep(0)
        source.revision = 1
        late = asyncio.create_task(shared.get())
        await asyncio.sleep(0)
        source.gate.set()
        assert await early == b"0"
        assert await late == b"1"

    asyncio.run(run())


def test_nothing_is_made_while_nothing_changes():
    """Each question alone costs a look."""

    async def run():
        source = Source()
        shared = source.shared()
        assert [await shared.get() for _ in range(3)] == [b"0"] * 3
        source.revision = 7
        assert await shared.get() == b"7"
        return source

    source = asyncio.run(run())
    assert (source.looks, source.made) == (4, 2)


def test_a_look_that_fails_is_nobody_elses_answer():
    """Who waited looks for itself."""

    async def run():
        source = Source()
        shared = source.shared()
        assert await shared.get() == b"0"
        source.revision, source.fails = 1, 1
        both = await asyncio.gather(shared.get(), shared.get(), return_exceptions=True)
        assert isinstance(both[0], OSError)
        assert both[1] == b"1"
        source.fails = 1
        with pytest.raises(OSError, match="away"):
            await shared.get()

    asyncio.run(run())
