"""How anything becomes a job: its source is durable and looked into first, then one transaction stores row and event.

    note -> source -> probe, index -> job row and event -> note away

A crash or an error at any arrow leaves a job with its source, or a note that says what to delete (`claims.reap`).
"""

from __future__ import annotations

import asyncio
import dataclasses
import secrets
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from msgspec.structs import replace

from sightline.api.backend import Backend, Probed
from sightline.api.claims import Claim, running
from sightline.api.partial import kept_of
from sightline.api.pool import Pool
from sightline.api.problems import Problem
from sightline.api.settings import ApiSettings
from sightline.api.wanted import id_of_key
from sightline.errors import Corrupt, Misconfigured, NotFound
from sightline.jobs import requests
from sightline.jobs.requests import Request, event_of
from sightline.jobs.shared import origin_of
from sightline.ports import Job, Which

__all__ = ["Intake"]

PAGE = 500  # rows that are read at once


class Intake:
    """Takes jobs in, whoever asks for them and however their source comes. One for the whole API: it counts.

    Args:
        backend, settings: see there.
        pool: for calls of ports.
    """

    def __init__(self, backend: Backend, settings: ApiSettings, pool: Pool) -> None:
        self._backend, self._settings, self._pool = backend, settings, pool
        self._probes = Pool(settings.probes)
        self._running: Counter[str] = Counter()
        self._coming: Counter[str] = Counter()  # bytes that are about to become a job's, by owner
        self._reserving = asyncio.Lock()
        self._claimed: set[str] = set()
        self._by = secrets.token_hex(16)

    async def known(self, job_id: str) -> Job | None:
        """The job of an id, whoever's it is."""
        try:
            return await self._pool.call(self._backend.store.get, job_id)
        except NotFound:
            return None

    @asynccontextmanager
    async def claim(self, job_id: str) -> AsyncIterator[Claim]:
        """While it lasts nobody else takes this id in; what was written and became no job is deleted at its end.

        Raises:
            Problem: 409: somebody else is at it.
        """
        if job_id in self._claimed:
            raise running()
        self._claimed.add(job_id)
        try:
            claim = Claim(self._backend, job_id, self._by)
            await self._pool.call(claim.open)
            try:
                yield claim
            finally:
                await self._pool.call(claim.close)
        finally:
            self._claimed.remove(job_id)

    @asynccontextmanager
    async def once(self, key: str | None, route: str, owner: str) -> AsyncIterator[Claim | Job]:
        """A claim of a new id; or the job that a request with the same key has made already.

        Args:
            key: an `Idempotency-Key`.
            route: keys of two routes are two keys.
            owner: and so are those of two owners.

        Raises:
            Problem: 409: the first request is still running. 422: it is no key.
        """
        job_id = self._backend.new_id() if key is None else id_of_key(key, route, owner)
        known = None if key is None else await self.known(job_id)
        if known is not None:
            yield known
            return
        async with self.claim(job_id) as claim:
            # It may have ended between the look and the lock.
            known = None if key is None else await self.known(job_id)
            yield claim if known is None else known

    @asynccontextmanager
    async def slot(self, owner: str = "", upload_id: str = "", size: int = 0) -> AsyncIterator[None]:
        """One of the bodies that may come at the same time.

        Args:
            owner: whose it is; empty for nobody in particular, who has no limit of its own.
            upload_id, size: of the upload that it is a part of, and how many bytes that will have, where it is known.

        Raises:
            Problem: 429: as many are coming, or the owner keeps as much as it may. 503: nothing confines what reads them.
        """
        if self._running.total() >= self._settings.uploads:
            raise Problem(429, "busy", "Too many uploads are under way; repeat the request later.")
        if owner and self._running[owner] >= self._settings.uploads_per_token:
            raise Problem(
                429, "busy", "Too many uploads of this token are under way; repeat the request later."
            )
        self._running[owner] += 1
        try:
            await self._see_confined()
            await self.see_room(owner, upload_id, size)
            yield
        finally:
            self._running[owner] -= 1

    async def accept(
        self,
        claim: Claim,
        request: Request,
        owner: str,
        *,
        name: str = "",
        parent_id: str | None = None,
        clock_start: str | None = None,
    ) -> tuple[Job, Probed]:
        """A source that is there becomes a job, once a confined process has looked into it.

        Args:
            claim: of the job's id.
            request: what was asked; its source has the key of the index that is made here.
            owner: whose job it is.
            name: of the job; empty: that of its source.
            parent_id, clock_start: see `Job`.

        Raises:
            SightlineError: the source is none that is accepted, the model does not suit the pipeline, or nobody can look
                now.
            Problem: 409: there was a job of this id, and it was removed. 429: the owner keeps as much as it may.
        """
        job = Job(
            claim.job_id,
            name or request.source.name,
            self._backend.now_us(),
            state="sent",  # the event is in the log with the row; a store that must relay it makes this `new`
            parent_id=parent_id,
            owner=owner,
            clock_start=clock_start,
        )
        own = requests.own_bytes(claim.job_id, request)
        await self._reserve(owner, own, claim.job_id)
        try:
            return await self._accepted(claim, job, request)
        finally:
            self._coming[owner] -= own

    async def _accepted(self, claim: Claim, job: Job, request: Request) -> tuple[Job, Probed]:
        source = request.source
        await self._pool.call(self._backend.check, request.pipeline)
        await self._pool.call(claim.add, source.index_key)
        probed = await self._probes.call(self._backend.probe, source)
        if source.root:
            source = replace(source, bytes=probed.bytes, times=probed.times)
        found = requests.Found(
            frames=probed.frames,
            width=probed.width,
            height=probed.height,
            duration_us=probed.duration_us,
            codec=probed.codec,
        )
        encoded = requests.encode(replace(request, source=source, found=found))
        job = dataclasses.replace(job, request=encoded)
        if not await self._pool.call(self._backend.store.create, job, [event_of(job)]):
            raise Problem(409, "job_removed", "The job of this Idempotency-Key was removed.")
        return job, probed

    async def _see_confined(self) -> None:
        """See that what would read the files of strangers can do nothing else."""
        vitals = await self._pool.call(self._backend.vitals)
        if not vitals.confined:
            raise Problem(
                503,
                "confinement",
                f"This machine cannot confine what reads uploads (it has: {vitals.confinement}), so none are taken in; "
                "sightline doctor says what is missing.",
            )

    async def see_room(self, owner: str, upload_id: str = "", size: int = 0) -> None:
        """See that an owner may keep more; see `slot`.

        Raises:
            Problem: 429: it may not.
        """
        async with self._reserving:
            await self._look(owner, max(1, size), upload_id)

    async def _reserve(self, owner: str, more: int, job_id: str) -> None:
        """Note that so many bytes are about to become those of a job, and its upload's no longer.

        Raises:
            Problem: 429: their owner may not keep them.
        """
        async with self._reserving:
            await self._look(owner, more, job_id)
            self._coming[owner] += more

    async def _look(self, owner: str, more: int, upload_id: str) -> None:
        quota = self._settings.quota
        if owner and quota is not None:
            coming = self._coming[owner]  # before the look: what ends meanwhile may not be seen by it
            kept = await self._pool.call(self._kept, owner, upload_id)
            if kept + coming + more > quota:
                said = f"The jobs and uploads of this token may keep {quota} bytes: delete some, then repeat the request."
                raise Problem(429, "quota", said)

    def _kept(self, owner: str, upload_id: str) -> int:
        """Bytes of the files of an owner: of its jobs, each once however many work on it, and of its uploads but one."""
        files, cursor, which = {}, "", Which(owner=owner)
        while True:
            page = self._backend.store.list(which, limit=PAGE, after=cursor)
            for job in page.jobs:
                with suppress(Corrupt, Misconfigured):  # a row that cannot be read names no file
                    if origin_of(job) is not None:
                        source = requests.decode(job.request).source
                        files[source.key] = source.bytes
            cursor = page.cursor
            if not cursor:
                return sum(files.values()) + kept_of(self._backend.notes, owner, upload_id)
