"""A question to a store that many ask."""

import asyncio
import threading

import pytest

from sightline.api.look import Look
from sightline.errors import Unavailable


class Slow:
    """A store that answers when it is told to: how often it was asked, or that it is away."""

    def __init__(self) -> None:
        self.answers = threading.Event()
        self.asked = 0
        self.away = False

    def __call__(self) -> int:
        self.asked += 1
        assert self.answers.wait(60)
        if self.away:
            raise Unavailable("no")
        return self.asked


@pytest.fixture
def store():
    slow = Slow()
    yield slow
    slow.answers.set()


def test_it_is_asked_once_however_many_ask(store):
    """All get the same answer."""

    async def asked():
        look = Look(store, 60.0)
        together = asyncio.gather(*(look.now() for _ in range(5)))
        await asyncio.sleep(0)
        store.answers.set()
        return await together, await look.now()

    assert asyncio.run(asked()) == ([1] * 5, 1)


def test_an_answer_that_is_too_old_is_asked_for_again(store):
    """Each time, where none is good for any time."""
    store.answers.set()

    async def asked():
        look = Look(store, -1.0)
        return [await look.now() for _ in range(3)]

    assert asyncio.run(asked()) == [1, 2, 3]


def test_who_has_no_time_is_told_so_and_the_answer_is_there_for_the_next(store):
    """The store is not asked a second time meanwhile."""

    async def asked():
        look = Look(store, 60.0)
        for _ in range(2):
            with pytest.raises(Unavailable, match="no answer within"):
                await look.now(0.0)
        store.answers.set()
        return await look.now()

    assert asyncio.run(asked()) == 1


def test_what_a_store_cannot_say_is_raised_and_the_last_answer_kept(store):
    """For whoever is content with that."""
    store.answers.set()

    async def asked():
        look = Look(store, -1.0)
        await look.now()
        store.away = True
        with pytest.raises(Unavailable):
            await look.now()
        return look.last

    assert asyncio.run(asked()) == 1
