"""What happens to a job, as server-sent events: `state`, `progress`, `warning`, `done`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Header
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from sightline.api.access import caller_of
from sightline.api.documented import get, problems
from sightline.api.problems import Problem
from sightline.api.v1.edge import Edge
from sightline.api.v1.views import result_of
from sightline.api.v1.watch import Seen, Watch
from sightline.errors import NotFound
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


def router(edge: Edge) -> APIRouter:
    """The route of events."""
    made = edge.router("jobs")
    get(
        made,
        "/jobs/{job_id}/events",
        _Events(edge).listen,
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
        self._watch = Watch(edge.backend, edge.pool, edge.settings.watch_s)

    async def listen(self, request: Request, job_id: str, last_event_id: LAST = None) -> Response:
        """`state` and `progress` as they are now, and whenever they change; `warning` for each thing to know of a job that is
        ready; `done`, and the stream ends.

        The id of an event says where the job stands and only rises; nothing is stored. Whoever comes back with
        `Last-Event-ID` hears how things are now. A comment comes every 15 s where nothing happens.
        """
        job = await self._edge.found.job(caller_of(request), job_id)
        if request.method == "HEAD":
            return Response(headers=HEADERS, media_type=TYPE)
        if job.state in TERMINAL and last_event_id == str(await self._edge.pool.call(self._watch.last, job)):
            return Response(status_code=204)  # tells browsers to come back no more
        if self._watch.listeners >= self._edge.settings.listeners:
            raise Problem(429, "busy", "Too many listen already; ask for the job now and then.")
        stopping = request.scope.get("sightline.stopping", lambda: False)
        return StreamingResponse(self._events(job_id, stopping), headers=HEADERS, media_type=TYPE)

    async def _events(self, job_id: str, stopping: Callable[[], bool]) -> AsyncIterator[bytes]:
        yield b"retry: 2000\n\n"
        before: Seen | None = None
        silent = 0.0
        try:
            async for seen in self._watch.follow(job_id, WAKE_S):
                if stopping():
                    return
                if seen is not None:
                    yield b"".join(_told(seen, before))
                    before, silent = seen, 0.0
                    continue
                silent += WAKE_S
                if silent >= self._edge.settings.ping_s:
                    yield b": ping\n\n"
                    silent = 0.0
        except NotFound:  # removed before anybody looked
            return


def _told(seen: Seen, before: Seen | None) -> list[bytes]:
    """What is new."""
    job, told = seen.job, []

    def tell(event: str, value: Any) -> None:
        data = msgspec.json.encode(value)
        told.append(b"id: %d\nevent: %s\ndata: %s\n\n" % (seen.event_id, event.encode(), data))

    state = {"job_id": job.job_id, "state": job.state, "code": job.code, "reason": job.reason}
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
