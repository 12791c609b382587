"""Counts on the clock, and counted again with other lines: the worker counts, from what the run has left."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from sightline.api.documented import get, problems
from sightline.api.v1.accepts import preferred
from sightline.api.v1.asked import Asked, file_name
from sightline.api.v1.edge import Edge
from sightline.api.v1.filters import (
    Bins,
    Classes,
    MinConfidence,
    MinHits,
    Names,
    check_bins,
    filter_of,
    words,
)
from sightline.api.v1.result_models import CountBody, FilterBody, RecountBody
from sightline.api.v1.shapes import shapes_of
from sightline.ports import Job

__all__ = ["router"]

Table = Literal["counts", "events"]
Tables = Annotated[Table, Query(description="Which table, where `Accept` asks for `text/csv`.")]
Evidence = Annotated[
    bool, Query(description="Whether every event is listed; false while a line is dragged, which is quicker.")
]
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Counts with their evidence; `text/csv` where `Accept` asks for it.",
        "content": {"text/csv": {}},
    }
}


def router(edge: Edge, asked: Asked) -> APIRouter:
    """`/counts`."""
    made = edge.router("counts")

    async def counts(
        request: Request,
        job_id: str,
        bins: Bins = None,
        lines: Names = None,
        classes: Classes = None,
        min_confidence: MinConfidence = 0.0,
        min_hits: MinHits = None,
        table: Tables = "counts",
        evidence: Evidence = True,
    ) -> Response:
        """At the lines and zones that were drawn for the job; unique objects where there are none."""
        job = await asked.ready(request, job_id)
        which, names = filter_of(classes, min_confidence, min_hits), words("lines", lines)
        return await answer(request, job, bins, which, table, names=names, with_evidence=evidence)

    async def recount(
        request: Request, job_id: str, body: RecountBody, table: Tables = "counts", evidence: Evidence = True
    ) -> Response:
        """Nothing is stored and nothing changes: as often as a line moves."""
        job = await asked.ready(request, job_id)
        drawn = None
        if body.lines is not None or body.zones is not None:
            drawn = shapes_of(job, body.lines, body.zones).text
        which = FilterBody(classes=body.classes, min_confidence=body.min_confidence, min_hits=body.min_hits)
        return await answer(request, job, body.bins, which, table, geometry=drawn, with_evidence=evidence)

    async def answer(
        request: Request, job: Job, bins: str | None, which: FilterBody, table: Table, **more: Any
    ) -> Response:
        check_bins(bins)
        wanted = table if preferred(request, ("text/csv",)) == "text/csv" else "json"
        name = "" if wanted == "json" else file_name(job, f"{wanted}.csv")
        asking = {"geometry": None, "bins": bins, "which": which.model_dump(), "table": wanted, **more}
        response = await asked.answer(request, job, "count", name=name, **asking)
        response.headers["Vary"] = "Accept"
        return response

    documented: dict[str, Any] = {
        "response_model": None,
        "responses": {200: {**ANSWERS[200], "model": CountBody}} | problems(404, 409, 413, 415, 422, 429),
    }
    get(
        made,
        "/jobs/{job_id}/counts",
        counts,
        operation_id="get_counts",
        summary="Counts by bins on the clock",
        **documented,
    )
    made.add_api_route(
        "/jobs/{job_id}/counts",
        recount,
        methods=["POST"],
        operation_id="recount",
        summary="Count again, with other lines, zones and filters",
        **documented,
    )
    return made
