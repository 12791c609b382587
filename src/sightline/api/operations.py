"""The list of all jobs as system B's clients poll it: hundreds of them, every second."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
from starlette.responses import Response, StreamingResponse

from sightline.api.access import Caller
from sightline.api.backend import Backend
from sightline.api.pool import Pool
from sightline.api.shared import Shared
from sightline.api.texts import code_of, text_of
from sightline.jobs.upgrades import latest
from sightline.ports import Job, JobState, Page, Which

__all__ = ["Operations"]

PAGE = 200
SHARED = 20_000  # jobs in a list that is kept, 5 MB; a longer one is read for each client
LISTS = 16  # that are kept
PIECE = 64 * 1024  # what waits for a slow client is this much, not all of it


class Operations:
    """See the module.

    Args:
        backend: see there.
        pool: for calls of ports.
    """

    def __init__(self, backend: Backend, pool: Pool) -> None:
        self._backend, self._pool = backend, pool
        self._lists: dict[tuple[str | None, str], Shared] = {}

    async def whole(self, caller: Caller, language: str) -> Response:
        """All jobs of a caller, newest first."""
        headers = {"Vary": "Accept-Language"}
        counts = await self._pool.call(self._backend.store.counts, caller.owner)
        if sum(counts.by_state.values()) > SHARED:
            first = await self.page(caller, "", PAGE)  # an outage shows before the answer begins
            read = self._pieces(first, caller, language)
            return StreamingResponse(read, headers=headers, media_type="application/json")
        body = await self._shared(caller, language).get()
        headers["Content-Length"] = str(len(body))
        return StreamingResponse(_cut(body), headers=headers, media_type="application/json")

    async def page(self, caller: Caller, cursor: str, limit: int) -> Page:
        """A page of the jobs of a caller, newest first.

        Raises:
            Misconfigured: it is no cursor.
        """
        which = Which(owner=caller.owner)
        return await self._pool.call(lambda: self._backend.store.list(which, limit=limit, after=cursor))

    def _shared(self, caller: Caller, language: str) -> Shared:
        key = caller.owner, language
        found = self._lists.pop(key, None) or Shared(self._revision, lambda: self._body(caller, language))
        while len(self._lists) >= LISTS:
            self._lists.pop(next(iter(self._lists)))
        self._lists[key] = found  # last, for it was asked for last
        return found

    async def _revision(self) -> int:
        return (await self._pool.call(self._backend.store.counts)).revision

    async def _body(self, caller: Caller, language: str) -> bytes:
        first = await self.page(caller, "", PAGE)
        return b"".join([piece async for piece in self._pieces(first, caller, language)])

    async def _pieces(self, page: Page, caller: Caller, language: str) -> AsyncIterator[bytes]:
        total, before = 0, b'{"operations":['
        while True:
            if page.jobs:
                yield before + await self._pool.call(self._encoded, page.jobs, language)
                before = b","
            total += len(page.jobs)
            if not page.cursor:
                break
            page = await self.page(caller, page.cursor, PAGE)
        yield (b"" if total else before) + b'],"total":%d}' % total

    def operations(self, jobs: tuple[Job, ...], language: str) -> list[dict[str, str]]:
        """Jobs as an old client sees them; one that an upgrade has ended is where its successor is. For the pool."""
        states = [latest(self._backend.store, job).state for job in jobs]
        return [_operation(job, state, language) for job, state in zip(jobs, states, strict=True)]

    def _encoded(self, jobs: tuple[Job, ...], language: str) -> bytes:
        return b",".join(msgspec.json.encode(each) for each in self.operations(jobs, language))


def _operation(job: Job, state: JobState, language: str) -> dict[str, str]:
    return {
        "video_id": job.job_id,
        "status_code": code_of(state),
        "status_description": text_of(state, language),
    }


async def _cut(body: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(body), PIECE):
        yield body[at : at + PIECE]
