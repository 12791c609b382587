"""A question to a store that many ask: it goes out once at a time, and who has no time is told so."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from sightline.api.pool import Pool
from sightline.errors import Unavailable

__all__ = ["WATCHER_S", "Look"]

WATCHER_S = 1.0
"""For which who watches is kept waiting: Prometheus gives up after a few seconds, and takes the service for down."""

Value = TypeVar("Value")


class Look(Generic[Value]):
    """See the module.

    Args:
        ask: asks the store, in a thread of its own: a slow store keeps nobody from anything else.
        good_s: seconds for which an answer is good.

    Attributes:
        last: what was answered last; None before the first answer.
    """

    def __init__(self, ask: Callable[[], Value], good_s: float) -> None:
        self._ask, self._good_s, self._pool = ask, good_s, Pool(1)
        self.last: Value | None = None
        self._answered = float("-inf")
        self._asking: asyncio.Task[Value] | None = None

    async def now(self, patience_s: float | None = None) -> Value:
        """An answer that is still good.

        Args:
            patience_s: for which a new one is waited for; None: until it comes.

        Raises:
            Unavailable: none came within that time.
            SightlineError: what the store said.
        """
        if self.last is not None and time.monotonic() - self._answered <= self._good_s:
            return self.last
        if self._asking is None:
            self._asking = asyncio.create_task(self._answer())
            self._asking.add_done_callback(self._heard)
        asking = self._asking
        if not (await asyncio.wait({asking}, timeout=patience_s))[0]:
            raise Unavailable(f"no answer within {patience_s:g} s")
        return asking.result()

    async def _answer(self) -> Value:
        found = await self._pool.call(self._ask)
        self.last, self._answered = found, time.monotonic()
        return found

    def _heard(self, asking: asyncio.Task[Value]) -> None:
        self._asking = None
        if not asking.cancelled():
            asking.exception()  # whoever waits for it hears it
