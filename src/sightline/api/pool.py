"""The threads in which ports are called: few, so that a slow disk makes requests wait and not the memory grow."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import TypeVar

from anyio import CancelScope, CapacityLimiter
from anyio.to_thread import run_sync

__all__ = ["Pool"]

Value = TypeVar("Value")
_END = object()


class Pool:
    """At most so many calls at the same time; others wait for their turn."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._limiter: CapacityLimiter | None = None

    async def call(self, function: Callable[..., Value], *args: object) -> Value:
        """Call a function in a thread. A task that is cancelled meanwhile still waits for its end."""
        if self._limiter is None:  # belongs to the loop, which is not there yet when the application is built
            self._limiter = CapacityLimiter(self._threads)
        return await run_sync(lambda: function(*args), limiter=self._limiter)

    async def each(self, values: Iterator[Value]) -> AsyncIterator[Value]:
        """An iterator that reads from a disk, a value at a time, closed in a thread too."""
        try:
            while True:
                found = await self.call(next, values, _END)
                if found is _END:
                    return
                yield found
        finally:
            close = getattr(values, "close", None)
            if close is not None:
                with CancelScope(shield=True):  # whoever read has gone, and with it this task
                    await self.call(close)
