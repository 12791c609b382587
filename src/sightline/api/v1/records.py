"""Tracks and detections by time, a line a frame and group."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from sightline.api.documented import get, problems
from sightline.api.problems import invalid
from sightline.api.v1.asked import Asked
from sightline.api.v1.edge import Edge

__all__ = ["LATEST_S", "End", "Start", "router", "span_us"]

LATEST_S = 10**9  # thirty years: a number of microseconds that still is one
LINES: dict[int | str, dict[str, Any]] = {
    200: {"description": "A JSON object a line.", "content": {"application/x-ndjson": {}}}
}
Start = Annotated[
    float, Query(ge=0, le=LATEST_S, allow_inf_nan=False, description="Seconds of the video, from its times.")
]
End = Annotated[
    float | None,
    Query(
        ge=0, le=LATEST_S, allow_inf_nan=False, description="Seconds, exclusive; without it all that follow."
    ),
]
Groups = Annotated[list[str] | None, Query(max_length=20, description="Groups that are wanted; repeat it.")]


def router(edge: Edge, asked: Asked) -> APIRouter:
    """`/tracks` and `/detections`."""
    made = edge.router("results")

    async def tracks(
        request: Request, job_id: str, start: Start = 0.0, end: End = None, group: Groups = None
    ) -> Response:
        """As they were published. Only what lies in the span is read; a line is that of the format `ndjson`."""
        return await answer(request, job_id, "tracks", start, end, group)

    async def detections(
        request: Request, job_id: str, start: Start = 0.0, end: End = None, group: Groups = None
    ) -> Response:
        """Every box that was kept, in the same form."""
        return await answer(request, job_id, "detections", start, end, group)

    async def answer(
        request: Request, job_id: str, kind: str, start: float, end: float | None, group: list[str] | None
    ) -> Response:
        job = await asked.ready(request, job_id)
        start_us, end_us = span_us(start, end)
        return await asked.answer(
            request, job, "records", kind=kind, start_us=start_us, end_us=end_us, groups=group or []
        )

    for path, endpoint, operation in (
        ("tracks", tracks, "get_tracks"),
        ("detections", detections, "get_detections"),
    ):
        get(
            made,
            f"/jobs/{{job_id}}/{path}",
            endpoint,
            operation_id=operation,
            summary=f"{path.capitalize()} of a span of time",
            response_class=Response,
            responses=LINES | problems(404, 409, 422, 429),
        )
    return made


def span_us(start: float, end: float | None) -> tuple[int, int | None]:
    """A span in microseconds.

    Raises:
        Problem: 422: it ends before it begins.
    """
    if end is not None and end < start:
        raise invalid(("end", "it lies before start"))
    return round(start * 1_000_000), None if end is None else round(end * 1_000_000)
