"""Jobs: list them, look at one."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from sightline.api.access import caller_of
from sightline.api.documented import get, problems
from sightline.api.stored import is_known
from sightline.api.v1.edge import Edge
from sightline.api.v1.models import JobBody, JobItem, JobPage
from sightline.api.v1.views import Views, etag_of
from sightline.ports import Job, JobState, Page, Which

__all__ = ["router"]

LIMIT = Annotated[int, Query(ge=1, le=200, description="Most jobs of a page.")]
CURSOR = Annotated[str, Query(max_length=64, description="`next` of the page before.")]
STATES = Annotated[list[JobState], Query(description="Only these; repeat it.")]
NAME = Annotated[str, Query(max_length=255, description="Only those whose name holds this, in any case.")]
STEP = 200
MOST = 1000  # jobs that one request looks at, where a name is asked for


def router(edge: Edge) -> APIRouter:
    """Routes of jobs."""
    made = edge.router("jobs")
    jobs = _Jobs(edge)
    get(
        made,
        "/jobs",
        jobs.list,
        operation_id="list_jobs",
        summary="List jobs, newest first",
        response_model=JobPage,
        responses=problems(422),
    )
    get(
        made,
        "/jobs/{job_id}",
        jobs.show,
        operation_id="get_job",
        summary="Look at a job",
        response_model=JobBody,
        responses={304: {"description": "It is as the client has it."}, **problems(404, 422)},
    )
    return made


class _Jobs:
    def __init__(self, edge: Edge) -> None:
        self._edge, self._views = edge, Views(edge.backend)

    async def list(
        self,
        request: Request,
        state: STATES = [],  # noqa: B006  FastAPI copies it
        name: NAME = "",
        limit: LIMIT = 50,
        cursor: CURSOR = "",
    ) -> Response:
        """A page of jobs. Jobs that come, go or move on meanwhile make no other appear twice or go missing.

        With `name` a page may have fewer jobs than `limit`, even none, and still a `next`.
        """
        which = Which(states=tuple(state), owner=caller_of(request).owner)
        page = await self._edge.pool.call(self._page, which, name.casefold(), limit, cursor)
        headers = {}
        if page.next is not None:
            query = [("state", each) for each in state] + [("name", name)] * bool(name)
            behind = urlencode([*query, ("limit", str(limit)), ("cursor", page.next)])
            headers["Link"] = f'</api/v1/jobs?{behind}>; rel="next"'
        return Response(page.model_dump_json(), headers=headers, media_type="application/json")

    async def show(self, request: Request, job_id: str) -> Response:
        """A job; with an ETag that changes when anything of it does."""
        job = await self._edge.found.job(caller_of(request), job_id)
        return await self._answer(request, job)

    async def _answer(self, request: Request, job: Job) -> Response:
        body = (await self._edge.pool.call(self._views.whole, job)).model_dump_json().encode()
        headers = {"ETag": etag_of(body), "Cache-Control": "no-cache"}
        if is_known(request.headers.get("if-none-match", ""), headers["ETag"]):
            return Response(status_code=304, headers=headers)
        return Response(body, headers=headers, media_type="application/json")

    def _page(self, which: Which, name: str, limit: int, cursor: str) -> JobPage:
        store, views = self._edge.backend.store, self._views
        if not name:
            page = store.list(which, limit=limit, after=cursor)
            return JobPage(items=[views.item(job) for job in page.jobs], next=page.cursor or None)
        # A name may have been changed since the row was written, so every row is asked.
        found: list[JobItem] = []
        seen = 0
        page = Page((), cursor)
        while len(found) < limit and seen < MOST:
            page = store.list(which, limit=min(STEP, limit - len(found)), after=page.cursor)
            seen += len(page.jobs)
            items = (views.item(job) for job in page.jobs)
            found += [item for item in items if name in item.name.casefold()]
            if not page.cursor:
                break
        return JobPage(items=found, next=page.cursor or None)
