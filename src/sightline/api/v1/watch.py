"""What somebody listens to: one task looks at all of it, for however many listen."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncGenerator, Hashable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from sightline.api.backend import Backend
from sightline.api.pool import Pool
from sightline.errors import SightlineError

__all__ = ["Subject", "Watch"]

NEVER = -1
log = logging.getLogger("sightline.api")

Seen = TypeVar("Seen")


class Subject(Protocol[Seen]):
    """What is listened to. Its calls are synchronous; what they give is compared with `==`."""

    @property
    def key(self) -> Hashable:
        """The same for all who listen to the same."""

    def first(self) -> Seen:
        """How it is.

        Raises:
            NotFound: there is no such thing.
        """

    def now(self, seen: Seen, rows: bool) -> Seen:
        """How it is now.

        Args:
            seen: how it was at the look before.
            rows: the row of some job has changed since; else only progress may have.
        """

    def is_over(self, seen: Seen) -> bool:
        """Whether it can change no more."""


@dataclass(slots=True)
class _Looked:
    subject: Subject[Any]
    seen: Any


class Watch:
    """See the module. What is not over is looked at every `every_s`: rows where any has changed, progress where a job is
    processed.

    Args:
        backend: see there.
        pool: for calls of ports.
        every_s: between two looks.
    """

    def __init__(self, backend: Backend, pool: Pool, every_s: float) -> None:
        self._backend, self._pool, self._every_s = backend, pool, every_s
        self._listening: Counter[Hashable] = Counter()
        self._looked: dict[Hashable, _Looked] = {}
        self._revision, self._new = NEVER, False
        self._task: asyncio.Task[None] | None = None
        self._round = asyncio.Event()

    @property
    def listeners(self) -> int:
        """How many listen."""
        return self._listening.total()

    async def follow(self, subject: Subject[Seen], wake_s: float) -> AsyncGenerator[Seen | None]:
        """A subject as it is, and again whenever it has changed, until it is over; None where nothing has for `wake_s`.

        Raises:
            NotFound: there was never such a thing.
        """
        key = subject.key
        self._listening[key] += 1
        last: Seen | None = None
        try:
            while last is None or not subject.is_over(last):
                looked = self._looked.get(key)
                if looked is None:
                    first = await self._pool.call(subject.first)
                    looked = self._looked.setdefault(key, _Looked(subject, first))
                    self._new = True
                seen: Seen = looked.seen
                if seen != last:
                    last = seen
                    yield seen
                elif not await self._changed(wake_s):
                    yield None
        finally:
            self._listening[key] -= 1
            if not self._listening[key]:
                del self._listening[key]
                self._looked.pop(key, None)

    async def _changed(self, wait_s: float) -> bool:
        """Wait for the next look that finds something."""
        if self._task is None or self._task.done():
            if self._task is not None:
                self._task.result()  # an error of our own is nobody's silence
            self._task = asyncio.create_task(self._look_on())
        try:
            async with asyncio.timeout(wait_s):
                await self._round.wait()
        except TimeoutError:
            return False
        return True

    async def _look_on(self) -> None:
        while self._listening:
            await asyncio.sleep(self._every_s)
            known = {key: _Looked(each.subject, each.seen) for key, each in self._looked.items()}
            self._new = False
            try:
                revision, found = await self._pool.call(self._look, known, self._revision)
            except SightlineError as error:  # listeners are pinged; the next look may find the store again
                log.warning("watch: %s (%s)", type(error).__name__, error.code)
                continue
            # What came during the look may have changed since it was read and before the revision was.
            self._revision = NEVER if self._new else revision
            for key, seen in found.items():
                if key in self._looked:
                    self._looked[key].seen = seen
            if found:
                self._round.set()
                self._round = asyncio.Event()

    def _look(self, known: dict[Hashable, _Looked], before: int) -> tuple[int, dict[Hashable, Any]]:
        """The revision of all rows, and what has changed since the one before; in a thread."""
        revision = self._backend.store.counts().revision
        rows = revision != before
        found = {}
        for key, each in known.items():
            if each.subject.is_over(each.seen):
                continue
            now = each.subject.now(each.seen, rows)
            if now != each.seen:
                found[key] = now
        return revision, found
