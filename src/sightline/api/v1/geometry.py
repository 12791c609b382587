"""Lines and zones of a job: read, and drawn anew by whoever has seen the last ones."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header
from starlette.requests import Request
from starlette.responses import Response

from sightline.api.documented import get, problems
from sightline.api.problems import Problem, invalid
from sightline.api.stored import is_known
from sightline.api.v1.asked import SAME, Asked
from sightline.api.v1.edge import Edge
from sightline.api.v1.result_models import GeometryBody, GeometryIn
from sightline.api.v1.shapes import shapes_of, size_of
from sightline.counts import Line, Zone
from sightline.errors import Conflict
from sightline.jobs.audits import Geometry, geometry_of, put_geometry
from sightline.ports import Job

__all__ = ["router"]

IfMatch = Annotated[str | None, Header(max_length=8192)]


def router(edge: Edge, asked: Asked) -> APIRouter:
    """`/geometry`."""
    made, notes = edge.router("counts"), edge.backend.notes

    async def read(request: Request, job_id: str) -> Response:
        """The revision is the ETag too."""
        job = await asked.job(request, job_id)
        return answer(request, await edge.pool.call(geometry_of, notes, job.job_id))

    async def draw(request: Request, job_id: str, body: GeometryIn, if_match: IfMatch = None) -> Response:
        """Whoever has not seen the last revision gets 412 and looks again: nobody's lines are lost."""
        job = await asked.job(request, job_id)
        seen = await edge.pool.call(geometry_of, notes, job.job_id)
        _check_seen(seen, body.revision, if_match)
        lines, zones = await drawn(request, job, body)
        try:
            put = await edge.pool.call(put_geometry, notes, job.job_id, lines, zones, seen.revision)
        except Conflict:
            raise _stale() from None
        await edge.found.kept(job.job_id)
        return answer(request, put)

    async def drawn(
        request: Request, job: Job, body: GeometryIn
    ) -> tuple[tuple[Line, ...], tuple[Zone, ...]]:
        if body.from_job is None:
            if body.lines is None and body.zones is None:
                raise invalid(("body", "give lines, zones, or from"))
            return shapes_of(job, body.lines, body.zones).normalised(size_of(job))
        if body.lines is not None or body.zones is not None:
            raise invalid(("from", "give it alone, or lines and zones without it"))
        other = await asked.job(request, body.from_job)
        copied = await edge.pool.call(geometry_of, notes, other.job_id)
        return copied.lines, copied.zones

    def answer(request: Request, found: Geometry) -> Response:
        etag = f'"{found.revision}"'
        headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
        if request.method in ("GET", "HEAD") and is_known(request.headers.get("if-none-match", ""), etag):
            return Response(status_code=304, headers=headers)
        body = GeometryBody(lines=found.plain["lines"], zones=found.plain["zones"], revision=found.revision)
        return Response(body.model_dump_json(), headers=headers, media_type="application/json")

    stored: dict[int | str, dict[str, Any]] = {
        200: {"model": GeometryBody, "description": "Lines and zones, as they are stored."}
    }
    get(
        made,
        "/jobs/{job_id}/geometry",
        read,
        operation_id="get_geometry",
        summary="Lines and zones of a job",
        response_model=None,
        responses=stored | SAME | problems(404),
    )
    made.add_api_route(
        "/jobs/{job_id}/geometry",
        draw,
        methods=["PUT"],
        operation_id="put_geometry",
        summary="Draw lines and zones, or copy another job's",
        response_model=None,
        responses=stored | problems(404, 409, 412, 413, 415, 422),
    )
    return made


def _check_seen(seen: Geometry, revision: int | None, if_match: str | None) -> None:
    """Refuse whoever has not seen what is there.

    Raises:
        Problem: 412.
    """
    if if_match is not None and not is_known(if_match, f'"{seen.revision}"'):
        raise _stale()
    if if_match is None and (revision or 0) != seen.revision:
        raise _stale()
    if if_match is not None and revision is not None and revision != seen.revision:
        raise _stale()


def _stale() -> Problem:
    return Problem(412, "changed", "These lines and zones are not the ones that were seen: read them again.")
