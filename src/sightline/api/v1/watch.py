"""Jobs that somebody listens to: one task looks at all of them, for however many listen."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field, replace

from sightline.api.backend import Backend
from sightline.api.pool import Pool
from sightline.api.v1.models import StageBody, WarningBody
from sightline.api.v1.views import Views
from sightline.errors import NotFound, SightlineError
from sightline.ports import STATES, TERMINAL, Job

__all__ = ["Seen", "Watch", "event_id"]

NEVER = -1
log = logging.getLogger("sightline.api")


@dataclass(frozen=True, slots=True)
class Seen:
    """A job at a look.

    Attributes:
        event_id: only rises, see `event_id`.
        job: its row.
        progress: see `Views.progress`.
        warnings: of a job that is ready.
    """

    event_id: int
    job: Job
    progress: dict[str, StageBody] = field(default_factory=dict)
    warnings: tuple[WarningBody, ...] = ()


def event_id(job: Job, released: Iterable[int]) -> int:
    """Where a job stands, as a number that only rises: nothing has to be stored to go on from it.

    Args:
        job: its state only moves forward.
        released: `next_seq` of each of its stages and streams, which only rise too.

    >>> event_id(Job("j", "v", 0, "processing"), [3, 4])
    2000000000007
    """
    return STATES.index(job.state) * 10**12 + sum(released)


class Watch:
    """See the module. What is not terminal is looked at every `every_s`: a row where any has changed, progress where a
    job is processed.

    Args:
        backend: see there.
        pool: for calls of ports.
        every_s: between two looks.
    """

    def __init__(self, backend: Backend, pool: Pool, every_s: float) -> None:
        self._backend, self._pool, self._every_s = backend, pool, every_s
        self._views = Views(backend)
        self._listening: Counter[str] = Counter()
        self._seen: dict[str, Seen] = {}
        self._revision, self._new = NEVER, False
        self._task: asyncio.Task[None] | None = None
        self._round = asyncio.Event()

    @property
    def listeners(self) -> int:
        """How many listen."""
        return self._listening.total()

    def last(self, job: Job) -> int:
        """The id of the last event of a job that has ended; synchronous."""
        return event_id(job, self._backend.store.progress(job.job_id).values())

    async def follow(self, job_id: str, wake_s: float) -> AsyncIterator[Seen | None]:
        """A job as it is, and again whenever it has changed, until it has ended; None where nothing has for `wake_s`.

        Raises:
            NotFound: there was never such a job.
        """
        self._listening[job_id] += 1
        last: Seen | None = None
        try:
            while last is None or last.job.state not in TERMINAL:
                seen = self._seen.get(job_id)
                if seen is None:
                    seen = await self._pool.call(self._first, job_id)
                    self._seen.setdefault(job_id, seen)
                    self._new = True
                if seen != last:
                    last = seen
                    yield seen
                elif not await self._changed(wake_s):
                    yield None
        finally:
            self._listening[job_id] -= 1
            if not self._listening[job_id]:
                del self._listening[job_id]
                self._seen.pop(job_id, None)

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
            known, self._new = dict(self._seen), False
            try:
                revision, found = await self._pool.call(self._look, known, self._revision)
            except SightlineError as error:  # listeners are pinged; the next look may find the store again
                log.warning("watch: %s (%s)", type(error).__name__, error.code)
                continue
            # A job that came during the look may have changed since it was read and before the revision was.
            self._revision = NEVER if self._new else revision
            self._seen |= {job_id: seen for job_id, seen in found.items() if job_id in self._seen}
            if found:
                self._round.set()
                self._round = asyncio.Event()

    # --- in a thread

    def _first(self, job_id: str) -> Seen:
        return self._of(self._backend.store.get(job_id))

    def _look(self, known: dict[str, Seen], before: int) -> tuple[int, dict[str, Seen]]:
        """The revision of all rows, and what has changed since the one before."""
        store = self._backend.store
        revision = store.counts().revision
        rows = revision != before
        found = {}
        for job_id, seen in known.items():
            if seen.job.state in TERMINAL or not (rows or seen.job.state == "processing"):
                continue
            try:
                now = self._of(store.get(job_id) if rows else seen.job)
            except NotFound:
                now = _removed(seen)
            if now != seen:
                found[job_id] = now
        return revision, found

    def _of(self, job: Job) -> Seen:
        released = self._backend.store.progress(job.job_id).values()
        _, warnings = self._views.summary(job) or (None, [])
        return Seen(event_id(job, released), job, self._views.progress(job), tuple(warnings))


def _removed(seen: Seen) -> Seen:
    """A job is cancelled before it is removed."""
    job = replace(seen.job, state="cancelled", reason="removed")
    return Seen(event_id(job, [seen.event_id % 10**12]), job, seen.progress)
