"""What happens, as server-sent events: of a job `state`, `progress`, `warning`, `done`; of all jobs `jobs`, `progress`."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Annotated, Any, TypeVar

import msgspec
from fastapi import APIRouter, Header
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from sightline.api.access import caller_of
from sightline.api.documented import get, problems
from sightline.api.problems import Problem
from sightline.api.v1.all_jobs import AllJobs, Table
from sightline.api.v1.edge import Edge
from sightline.api.v1.models import JobItem
from sightline.api.v1.one_job import OneJob, Seen
from sightline.api.v1.views import Views, result_of
from sightline.api.v1.watch import Subject, Watch
from sightline.errors import NotFound, phrase
from sightline.ports import TERMINAL

__all__ = ["router"]

LAST = Annotated[
    str | None,
    Header(alias="Last-Event-ID", description="Of the last event that came; browsers send it by themselves."),
]
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
TYPE = "text/event-stream"
WAKE_S = 0.5  # between two looks whether the server stops
EXAMPLE = """retry: 2000
id: 2000000000128
event: state
data: {"job_id":"3f0d1f0e-8f43-4c83-9f0e-5b1d1d8a6f5e","state":"processing","code":"","reason":""}

"""
LISTED = """retry: 2000
event: jobs
data: {"revision":812,"by_state":{"processing":1,"ready":40},"items":[{"job_id":"3f0d1f0e-8f43-4c83-9f0e-5b1d1d8a6f5e",...}]}

event: progress
data: {"3f0d1f0e-8f43-4c83-9f0e-5b1d1d8a6f5e":{"feed":{"done":250,"total":250},"detect":{"done":128,"total":250}}}

"""
Told = TypeVar("Told")


def router(edge: Edge) -> APIRouter:
    """The routes of events."""
    made = edge.router("jobs")
    events = _Events(edge)
    get(
        made,
        "/events",
        events.listen_to_all,
        operation_id="watch_jobs",
        summary="Hear what happens to all jobs",
        response_class=Response,
        responses={
            200: {
                "description": "Server-sent events.",
                "content": {TYPE: {"example": LISTED}},
            },
            **problems(429),
        },
    )
    get(
        made,
        "/jobs/{job_id}/events",
        events.listen,
        operation_id="watch_job",
        summary="Hear what happens to a job",
        response_class=Response,
        responses={
            200: {
                "description": "Server-sent events.",
                "content": {TYPE: {"example": EXAMPLE}},
            },
            204: {"description": "The last event that came was the last one there is."},
            **problems(404, 422, 429),
        },
    )
    return made


class _Events:
    def __init__(self, edge: Edge) -> None:
        self._edge = edge
        self._views = Views(edge.backend)
        self._watch = Watch(edge.backend, edge.pool, edge.settings.watch_s)

    async def listen_to_all(self, request: Request) -> Response:
        """`jobs` with those that are at work or wait, 200 at the most, then with those that have changed, ended or come, and how
        many there are in each state; `progress` of those that are processed.

        Whoever comes back hears how things are now. A new name is no change. A comment comes every 15 s where nothing
        happens.
        """
        if request.method == "HEAD":
            return Response(headers=HEADERS, media_type=TYPE)
        jobs = AllJobs(self._edge.backend, self._views, caller_of(request).owner)

        async def told(now: Table, before: Table | None) -> list[bytes]:
            first = await self._edge.pool.call(jobs.items, now) if before is None else []
            return _listed(now, before, first)

        return self._stream(request, jobs, told)

    async def listen(self, request: Request, job_id: str, last_event_id: LAST = None) -> Response:
        """`state` and `progress` as they are now, and whenever they change; `warning` for each thing to know of a job that is
        ready; `done`, and the stream ends.

        The id of an event says where the job stands and only rises; nothing is stored. Whoever comes back with
        `Last-Event-ID` hears how things are now. A comment comes every 15 s where nothing happens.
        """
        job = await self._edge.found.job(caller_of(request), job_id)
        if request.method == "HEAD":
            return Response(headers=HEADERS, media_type=TYPE)
        one = OneJob(self._edge.backend, self._views, job_id)
        if job.state in TERMINAL and last_event_id == str(await self._edge.pool.call(one.last, job)):
            return Response(status_code=204)  # tells browsers to come back no more

        async def told(now: Seen, before: Seen | None) -> list[bytes]:
            return _told(now, before)

        return self._stream(request, one, told)

    def _stream(
        self,
        request: Request,
        subject: Subject[Told],
        told: Callable[[Told, Told | None], Awaitable[list[bytes]]],
    ) -> Response:
        if self._watch.listeners >= self._edge.settings.listeners:
            raise Problem(429, "busy", "Too many listen already; ask now and then.")
        stopping = request.scope.get("sightline.stopping", lambda: False)
        holds = request.scope.get("sightline.holds", _always)
        events = self._events(subject, told, stopping, holds)
        return StreamingResponse(events, headers=HEADERS, media_type=TYPE)

    async def _events(
        self,
        subject: Subject[Told],
        told: Callable[[Told, Told | None], Awaitable[list[bytes]]],
        stopping: Callable[[], bool],
        holds: Callable[[], Awaitable[bool]],
    ) -> AsyncIterator[bytes]:
        yield b"retry: 2000\n\n"
        before: Told | None = None
        heard = time.monotonic()
        looks = self._watch.follow(subject, WAKE_S)
        try:
            async with aclosing(looks):
                async for seen in looks:
                    if stopping() or not await holds():
                        return
                    said = [] if seen is None else await told(seen, before)
                    before = before if seen is None else seen
                    if not said and time.monotonic() - heard >= self._edge.settings.ping_s:
                        said = [b": ping\n\n"]
                    if said:
                        yield b"".join(said)
                        heard = time.monotonic()
        except NotFound:  # removed before anybody looked
            return


def _listed(now: Table, before: Table | None, first: list[JobItem]) -> list[bytes]:
    """What is new of all jobs; `first` are those that whoever has just come hears of."""
    said = []
    changed = first if before is None else now.changed(before)
    if before is None or changed or now.by_state != before.by_state:
        items = b",".join(item.model_dump_json().encode() for item in changed)
        head = msgspec.json.encode({"revision": now.revision, "by_state": now.by_state})
        said.append(b'event: jobs\ndata: %s,"items":[%s]}\n\n' % (head[:-1], items))
    if moved := now.moved(before):
        data = {
            job_id: {name: each.model_dump() for name, each in stages.items()}
            for job_id, stages in moved.items()
        }
        said.append(b"event: progress\ndata: %s\n\n" % msgspec.json.encode(data))
    return said


async def _always() -> bool:
    return True


def _told(seen: Seen, before: Seen | None) -> list[bytes]:
    """What is new."""
    job, told = seen.job, []

    def tell(event: str, value: Any) -> None:
        data = msgspec.json.encode(value)
        told.append(b"id: %d\nevent: %s\ndata: %s\n\n" % (seen.event_id, event.encode(), data))

    state = {"job_id": job.job_id, "state": job.state, "code": job.code, "reason": phrase(job.reason)}
    if before is None or before.job.state != job.state:
        tell("state", state)
    if seen.progress and (before is None or before.progress != seen.progress):
        tell("progress", {name: each.model_dump() for name, each in seen.progress.items()})
    for warning in seen.warnings:
        tell("warning", warning.model_dump())
    if job.state in TERMINAL:
        result = result_of(job)
        tell("done", state | {"result": None if result is None else result.model_dump()})
    return told
