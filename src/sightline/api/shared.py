"""One answer for all who ask the same at the same time: pollers cost one look together, not one each."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

__all__ = ["Shared"]


class Shared:
    """A value that is made again when something has changed, never twice at once.

    Whoever asks gets a value that a look after the question found to be of now: what it knows to have happened is in it.

    Args:
        changes: a number that rises with each change; asked before a value is made.
        make: makes the value.
    """

    def __init__(self, changes: Callable[[], Awaitable[int]], make: Callable[[], Awaitable[bytes]]) -> None:
        self._changes, self._make = changes, make
        self._turn = asyncio.Lock()
        self._begun = self._done = 0  # looks
        self._at = -1
        self._value = b""

    async def get(self) -> bytes:
        """The value. What a look raises is raised to the one that looked; the next one looks again."""
        asked = self._begun
        async with self._turn:
            if self._done <= asked:
                self._begun += 1
                at = await self._changes()
                if at != self._at:
                    self._value = await self._make()
                    self._at = at  # what has changed meanwhile may be in it, and is looked at again
                self._done = self._begun
            return self._value
